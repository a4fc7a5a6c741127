"""Login and session (protocol 00)."""

from typing import Annotated

from ftcli.models.session import SessionStatus
from ftcli.operations.operation import Group, Param, operation
from ftcli.redaction import Secret


class Auth(Group):
    """Log in, log out, and see where the session stands."""

    name = "auth"

    @operation("POST", "/auth/login", risk="write", cli=None)
    async def login(
        self,
        username: Annotated[str | None, Param("User name; the stored one where left out.")] = None,
        password: Annotated[str | None, Param("Password; the stored one where left out.")] = None,
        totp: Annotated[
            str | None, Param("Second factor: six digits, or the base32 secret of the authenticator.")
        ] = None,
    ) -> SessionStatus:
        """Log in at the broker.

        One attempt per call: the broker locks accounts that guess. What is left out comes from the environment
        or the stored credentials.

        Raises:
            AuthRequired: User name or password is missing or refused.
            TotpRequired: The broker asks for a second factor and none was given.

        Source: protocol 00 §3.
        """
        await self.core.login(username, _secret(password), _secret(totp))
        return await self.core.session_status(offline=True)

    @operation("POST", "/auth/totp", risk="write", cli=None)
    async def answer_totp(
        self, code: Annotated[str, Param("The six digits, or the base32 secret.")]
    ) -> SessionStatus:
        """Answer a pending request for the second factor.

        Works for two minutes after a login that ended with TOTP_REQUIRED.

        Source: protocol 00 §3.6.
        """
        await self.core.answer_totp(Secret(code))
        return await self.core.session_status(offline=True)

    @operation("POST", "/auth/logout", risk="write", examples=("auth logout",))
    async def logout(self) -> SessionStatus:
        """Log out: end the session at the broker and forget its cookies.

        Source: protocol 00 §3.10.
        """
        confirmed = await self.core.logout()
        status = await self.core.session_status(offline=True)
        if not confirmed:
            status.note = (
                "Everything is forgotten here, but the broker did not confirm the logout: the session there ends by "
                "itself, about half an hour after its last use."
            )
        return status

    @operation("GET", "/auth/status", examples=("auth status", "auth status --offline"))
    async def status(
        self,
        offline: Annotated[bool, Param("Answer from what is known here, without asking the broker.")] = False,
    ) -> SessionStatus:
        """Show where the session stands, the environment, and whether live trading is on.

        Source: protocol 00 §4.
        """
        return await self.core.session_status(offline)


def _secret(text: str | None) -> Secret | None:
    return None if text is None else Secret(text)
