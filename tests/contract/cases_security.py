"""The contract cases of credentials and the second factor."""

from case import Case
from cases import values

from ftcli.errors import AuthRequired, ValidationFailed

KIM = {"username": "kim", "password": "correct horse battery"}
SEED = "JBSWY3DPEHPK3PXP"

CASES: list[Case] = [
    Case("credentials.store", KIM, check=values(stored=True, username="kim", totp=False)),
    Case("credentials.store", {**KIM, "totp": SEED}, check=values(stored=True, username="kim", totp=True)),
    Case("credentials.store", {**KIM, "totp": "123456"}, error=ValidationFailed),
    Case("credentials.store", {**KIM, "totp": "not base32!"}, error=ValidationFailed),
    Case("credentials.store", {**KIM, "password": ""}, error=ValidationFailed),
    Case("credentials.remove", check=values(stored=False, note="There were none.")),
    Case(
        "credentials.remove",
        before=(("credentials.store", KIM),),
        check=values(stored=False, username=None, note=None),
    ),
    Case("auth.answer_totp", {"code": "123456"}, error=AuthRequired),
    Case("auth.answer_totp", {"code": "12345"}, error=ValidationFailed),
]
