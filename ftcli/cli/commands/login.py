"""``ft auth login``: every way a secret may come in, and none by which it could leak."""

from typing import Annotated

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.errors import TotpRequired, ValidationFailed
from ftcli.operations.operation import Param


@form(
    examples=(
        "auth login",
        "auth login --username jdoe --totp 123456",
        "auth login --username jdoe --password-stdin < password.txt",
    )
)
async def login(
    call: Call,
    username: Annotated[str | None, Param("User name; FT_USERNAME or the stored one where left out.")] = None,
    password_stdin: Annotated[bool, Param("Read the password from the first line of stdin.")] = False,
    totp: Annotated[str | None, Param("Second factor: the six digits your authenticator shows now.")] = None,
    totp_stdin: Annotated[
        bool, Param("Read the second factor from stdin: six digits, or the authenticator's base32 secret.")
    ] = False,
) -> None:
    """Log in at the broker.

    The password is asked for, or comes from stdin, FT_PASSWORD, FT_PASSWORD_FILE or the keyring; it is never
    an argument. The second factor likewise: --totp, --totp-stdin, FT_TOTP, FT_TOTP_FILE, or asked for when
    the broker wants it. One attempt per call: the broker locks accounts that guess.
    """
    if totp is not None and totp_stdin:
        raise ValidationFailed.of("--totp", None, "be left out with --totp-stdin")
    if totp is not None and not (totp.strip().isdigit() and len(totp.strip()) == 6):
        raise ValidationFailed(
            "--totp must be the six digits. An authenticator's secret is no argument: "
            "use --totp-stdin, FT_TOTP or FT_TOTP_FILE.",
            details={"field": "--totp", "value": None, "rule": "be six digits"},
        )
    password = call.terminal.stdin.readline().rstrip("\r\n") if password_stdin else None
    if password_stdin and not password:
        raise ValidationFailed.of("--password-stdin", None, "find the password on stdin")
    code = call.terminal.stdin.readline().strip() if totp_stdin else totp
    username, password = _asked(call, username, password)
    async with call.open_client() as client:
        try:
            status = await client.auth.login(username, password, code or None)
        except TotpRequired:
            if code or not call.can_ask:
                raise
            answer = call.terminal.ask_secret("Second factor (six digits): ").strip()
            if not answer:
                raise
            status = await client.auth.answer_totp(answer)
        call.show(status)
        if call.output == "table":
            call.talk("Logged in." if not call.settings.is_paper else "Logged in at the paper broker.")


def _asked(call: Call, username: str | None, password: str | None) -> tuple[str | None, str | None]:
    """User name and password, asked for where nothing else provides them and somebody is there."""
    settings = call.settings
    username = username or settings.username or None
    if password is None and settings.password:
        password = settings.password.reveal()
    if (username and password) or not call.can_ask or (settings.is_paper and not settings.upstream):
        return username, password
    if password is None:
        from ftcli.credentials.credentials import CredentialStore

        stored = CredentialStore(settings).get()
        if stored and (username is None or stored.username.lower() == username.lower()):
            return stored.username, stored.password.reveal()
    username = username or call.terminal.ask("User name: ") or None
    if password is None:
        password = call.terminal.ask_secret("Password: ") or None
    return username, password


@form(examples=("auth approve --code 123456", "auth approve --code - < code.txt"))
async def approve(
    call: Call,
    code: Annotated[
        str | None, Param("The six digits your authenticator shows now; - reads them from stdin.")
    ] = None,
) -> None:
    """Answer a login that waits for its second factor.

    Works from any terminal, and for the daemon too, within two minutes after a login ended with
    TOTP_REQUIRED. The authenticator's secret is no argument: give it on stdin.
    """
    text = call.terminal.stdin.readline().strip() if code == "-" else code
    if code not in (None, "-") and not (text and text.strip().isdigit() and len(text.strip()) == 6):
        raise ValidationFailed(
            "--code must be the six digits; an authenticator's secret is given on stdin: --code -",
            details={"field": "--code", "value": None, "rule": "be six digits"},
        )
    if text is None and call.can_ask:
        text = call.terminal.ask_secret("Second factor (six digits): ").strip()
    if not text:
        raise ValidationFailed.of("--code", None, "be given")
    async with call.open_client() as client:
        call.show(await client.auth.answer_totp(text))
        if call.output == "table":
            call.talk("Logged in.")
