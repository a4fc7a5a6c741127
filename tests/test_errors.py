"""The error tree: every class carries what the three faces need, and the codes are those of the contract."""

import pytest

from ftcli.errors import FtError, ValidationFailed, all_error_classes

CONTRACT = {
    "AUTH_REQUIRED": (401, 4),
    "TOTP_REQUIRED": (401, 4),
    "SESSION_EXPIRED": (401, 4),
    "API_KEY_INVALID": (403, 4),
    "LIVE_TRADING_DISABLED": (403, 5),
    "TRADING_HALTED": (403, 5),
    "RISK_LIMIT": (403, 5),
    "VALIDATION_ERROR": (422, 2),
    "NOT_FOUND": (404, 3),
    "CONFLICT": (409, 11),
    "ORDER_REJECTED": (422, 6),
    "ORDER_UNKNOWN": (502, 7),
    "RATE_LIMITED": (429, 8),
    "FIDELITY_ERROR": (502, 9),
    "UPSTREAM_TIMEOUT": (504, 10),
    "INTERNAL": (500, 1),
}


def test_codes_are_the_contract() -> None:
    found = {cls.code: (cls.status, cls.exit_status) for cls in all_error_classes()}
    assert {code: found[code] for code in CONTRACT} == CONTRACT
    assert set(found) - set(CONTRACT) == {"DAEMON_REQUIRED"}


@pytest.mark.parametrize("cls", all_error_classes())
def test_every_class_is_complete(cls: type[FtError]) -> None:
    assert cls.__doc__
    assert 400 <= cls.status < 600
    assert 0 < cls.exit_status < 20
    assert not (cls.retryable and cls.outcome_unknown)
    problem = cls("text", details={"a": 1})
    document = problem.document()
    assert (document["code"], document["message"], document["details"]["a"]) == (cls.code, "text", 1)


def test_validation_names_field_value_and_rule() -> None:
    problem = ValidationFailed.of("quantity", "-1", "be above zero", hint="Sell with action sell.")
    assert problem.details == {"field": "quantity", "value": "-1", "rule": "be above zero"}
    assert str(problem) == "quantity: '-1' given, but it must be above zero. Sell with action sell."
    assert str(ValidationFailed.of("symbol", None, "be given")) == "symbol is required."
