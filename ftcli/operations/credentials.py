"""The credentials kept for automatic logins."""

from typing import Annotated

from ftcli.models.session import StoredCredentials
from ftcli.operations.operation import Group, Param, operation
from ftcli.redaction import Secret


class CredentialGroup(Group):
    """Keep and forget the credentials at the broker."""

    name = "credentials"

    @operation("POST", "/auth/credentials", risk="write", cli=None)
    async def store(
        self,
        username: Annotated[str, Param("User name at the broker.")],
        password: Annotated[str, Param("Password at the broker.")],
        totp: Annotated[
            str | None, Param("Base32 secret of the authenticator, for logins without a person.")
        ] = None,
    ) -> StoredCredentials:
        """Keep the credentials at the broker, encrypted, for logins to come.

        They go to the OS keyring, or to an encrypted file where an encryption key or a passphrase is set; never
        anywhere else. Nothing is sent to the broker, and nothing answers the password back.

        Raises:
            ValidationFailed: Something is missing, or no store here protects them.

        Source: protocol 00 §4.4.
        """
        return await self.core.store_credentials(username, Secret(password), Secret(totp) if totp else None)

    @operation("DELETE", "/auth/credentials", risk="write", cli=None)
    async def remove(self) -> StoredCredentials:
        """Forget the stored credentials. The session that they opened lives on.

        Source: protocol 00 §4.4.
        """
        return await self.core.remove_credentials()
