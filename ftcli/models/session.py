"""The session with the broker (protocol 00 §4)."""

from datetime import datetime
from typing import Annotated

from ftcli.models.field import Document, at
from ftcli.models.values import Code


class SessionState(Code):
    """Where the session with the broker stands."""

    DISCONNECTED = "disconnected"
    AUTHENTICATED = "authenticated"
    TOTP_PENDING = "totp_pending"
    EXPIRED = "expired"


class StoredCredentials(Document):
    """What is kept for automatic logins; never the secrets themselves."""

    stored: Annotated[bool, at(None, "Whether credentials are stored.", column="Stored")] = False
    username: Annotated[str | None, at(None, "User name they belong to.", column="User")] = None
    totp: Annotated[
        bool, at(None, "Whether the authenticator's secret is stored too.", column="Second factor")
    ] = False
    store: Annotated[str | None, at(None, "Where they are kept.", column="Store")] = None
    note: Annotated[str | None, at(None, "What else there is to know.", column="Note")] = None


class SessionStatus(Document):
    """The session with the broker, and what may be done in it."""

    state: Annotated[SessionState, at(None, "Where the session stands.", column="State")] = (
        SessionState.DISCONNECTED
    )
    environment: Annotated[str, at(None, "paper or live.", column="Environment")] = "live"
    live_trading: Annotated[
        bool, at(None, "Whether orders may be placed in the live environment.", column="Live trading")
    ] = False
    username: Annotated[str | None, at(None, "User name of the session.", column="User")] = None
    last_keep_alive: Annotated[
        datetime | None, at(None, "When the broker last confirmed the session.", column="Last keep-alive")
    ] = None
    expires_at: Annotated[
        datetime | None,
        at(None, "Estimate of when it ends without a keep-alive.", column="Expires about"),
    ] = None
    real_time_quotes: Annotated[
        bool | None, at(None, "Whether the login is entitled to real-time quotes.", column="Real-time quotes")
    ] = None
    note: Annotated[
        str | None, at(None, "What else there is to know, such as why a session ended.", column="Note")
    ] = None
