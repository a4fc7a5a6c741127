"""The core: one session with the broker, and every operation on it.

    async with open_client(environment="paper") as ft:
        await ft.accounts.positions("Z20000025")

A call walks down one staircase: the operation builds the broker's request, :meth:`Client.send` hands it to the
session, the session to httpx. Orders take one step more, through the trading gate.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

from ftcli.clock import Clock, system_clock
from ftcli.config import Settings
from ftcli.errors import NotFound
from ftcli.models.accounts import Account
from ftcli.models.session import SessionState, SessionStatus, StoredCredentials
from ftcli.placing import PlacingCore
from ftcli.redaction import Secret
from ftcli.wire import LastWord, Retry, WireReply, WireRequest

if TYPE_CHECKING:
    import asyncio

    from ftcli.operations.accounts import Accounts
    from ftcli.operations.alerts import Alerts
    from ftcli.operations.auth import Auth
    from ftcli.operations.credentials import CredentialGroup
    from ftcli.operations.market_data import MarketData
    from ftcli.operations.operation import Group
    from ftcli.operations.orders import Orders
    from ftcli.operations.preferences import PreferenceStore
    from ftcli.operations.reference import Reference
    from ftcli.operations.research import Research
    from ftcli.operations.stream import Stream
    from ftcli.operations.trading import Trading
    from ftcli.operations.watchlists import Watchlists
    from ftcli.seen_events import SeenEvents
    from ftcli.streaming.hub import Hub
    from ftcli.transport.broker import Broker

T = TypeVar("T")
G = TypeVar("G", bound="Group")


class Client(PlacingCore):
    """A broker session with all operations on it, as groups: ``accounts``, ``orders``, ``market_data`` ...

    Use :func:`ftcli.open_client` to make one: it picks the broker (paper or live) from the settings.

    Args:
        settings: The settings in force.
        broker: The session with the broker.
        clock: Tells the time.
        stream_url: Answers the WebSocket URL of a stream host; the broker's own where left out.
    """

    def __init__(
        self,
        settings: Settings,
        broker: "Broker",
        clock: Clock = system_clock,
        stream_url: Callable[[str], Awaitable[str]] | None = None,
    ) -> None:
        self.settings = settings
        self.broker = broker
        self._clock = clock
        self._stream_url = stream_url
        self._hub: Hub | None = None
        self._seen_events: SeenEvents | None = None
        self._opening: asyncio.Lock | None = None
        self.on_notice: Callable[[Any], None] | None = None
        """Called with updates that tell of a stream itself: outages, gaps, symbols that are refused."""
        self._accounts: dict[str, Account] = {}
        # Another login may have other accounts, whichever process it was made in.
        broker.on_session_change(lambda state: self._accounts.clear())
        self._groups: dict[str, Group] = {}

    # -- the groups; each module is imported when its group is first used -----------------------------------

    @property
    def auth(self) -> "Auth":
        """Log in, log out, session status."""
        from ftcli.operations.auth import Auth

        return self._group(Auth)

    @property
    def credentials(self) -> "CredentialGroup":
        """Keep and forget the credentials at the broker."""
        from ftcli.operations.credentials import CredentialGroup

        return self._group(CredentialGroup)

    @property
    def accounts(self) -> "Accounts":
        """Accounts, positions, balances and history."""
        from ftcli.operations.accounts import Accounts

        return self._group(Accounts)

    @property
    def orders(self) -> "Orders":
        """Order status, previews, orders and cancels."""
        from ftcli.operations.orders import Orders

        return self._group(Orders)

    @property
    def market_data(self) -> "MarketData":
        """Quotes, charts and option chains."""
        from ftcli.operations.market_data import MarketData

        return self._group(MarketData)

    @property
    def stream(self) -> "Stream":
        """Live quotes and account events."""
        from ftcli.operations.stream import Stream

        return self._group(Stream)

    @property
    def research(self) -> "Research":
        """Earnings, dividends, search, analytics, scans, notes."""
        from ftcli.operations.research import Research

        return self._group(Research)

    @property
    def watchlists(self) -> "Watchlists":
        """Lists of securities."""
        from ftcli.operations.watchlists import Watchlists

        return self._group(Watchlists)

    @property
    def alerts(self) -> "Alerts":
        """Alerts, price triggers, announcements."""
        from ftcli.operations.alerts import Alerts

        return self._group(Alerts)

    @property
    def preferences(self) -> "PreferenceStore":
        """Settings that the broker keeps."""
        from ftcli.operations.preferences import PreferenceStore

        return self._group(PreferenceStore)

    @property
    def reference(self) -> "Reference":
        """Holidays of the exchange."""
        from ftcli.operations.reference import Reference

        return self._group(Reference)

    @property
    def trading(self) -> "Trading":
        """Limits, kill switch, and what they would say to an order."""
        from ftcli.operations.trading import Trading

        return self._group(Trading)

    def _group(self, kind: type[G]) -> G:
        group = self._groups.get(kind.name)
        if not isinstance(group, kind):
            group = self._groups[kind.name] = kind(self)
        return group

    # -- what operations stand on (operations.operation.Core) ------------------------------------------------

    def now(self) -> datetime:
        """The present moment, aware."""
        return self._clock()

    async def send(self, request: WireRequest, last_word: LastWord | None = None) -> WireReply:
        """Sends one request to the broker; reads may be repeated, nothing else is.

        Args:
            request: The call.
            last_word: Asked just before the call's first byte leaves; what it raises is raised instead.

        Raises:
            FtError: One of the tree in :mod:`ftcli.errors`.
        """
        if request.retry is not Retry.NEVER or self.on_sending is None:
            return await self.broker.send(request, last_word)
        told = self.on_sending

        def tell(session: str) -> None:
            if last_word is not None:
                last_word(session)
            told()

        return await self.broker.send(request, tell)

    async def hub(self) -> "Hub":
        """The one hub all streams of this client are read from; connects when the first symbol is wanted.

        Raises:
            AuthRequired: Not logged in.
        """
        import asyncio  # deferred: only streams need it here

        if self._opening is None:
            self._opening = asyncio.Lock()
        async with self._opening:
            await self.broker.ready("mdds")
            if self._hub is None:
                self._hub = await self._make_hub()
        return self._hub

    async def _make_hub(self) -> "Hub":
        from ftcli.feeds import beps_options, limits, mdds_options
        from ftcli.seen_events import SeenEvents
        from ftcli.store import db_path
        from ftcli.streaming.hub import Hub

        if self._seen_events is None:
            path = db_path(self.settings)
            self._seen_events = SeenEvents(path, self.settings.environment)

        market, events = await self._stream_address("mdds"), await self._stream_address("beps")
        hub = Hub(
            mdds_options(self.settings, self.broker, market),
            beps_options(self.settings, self.broker, self, events, self._seen_events),
            limits=limits(self.settings),
        )

        def changed(state: SessionState) -> None:
            if state is SessionState.AUTHENTICATED:
                hub.session_renewed()

        self.broker.on_session_change(changed)
        return hub

    async def _stream_address(self, key: str) -> str:
        return await self._stream_url(key) if self._stream_url else self.broker.hosts.url(key)

    @asynccontextmanager
    async def updates(self, kind: str, symbols: list[str]) -> AsyncIterator[AsyncIterator[Any]]:
        """Live updates of some symbols, from the one hub; the context manager ends the subscription.

        Beside what was asked for come updates of the kinds ``status``, ``symbol_error`` and ``gap``.

        Args:
            kind: ``quote``, ``trade``, ``book``, ``bar`` or ``event``.
            symbols: The symbols; none for account events.

        Raises:
            AuthRequired: Not logged in.
            RateLimited: Too many consumers or symbols.
        """
        hub = await self.hub()
        if kind == "event":
            consumer = hub.events()
        else:
            consumer = {"quote": hub.quotes, "trade": hub.trades, "book": hub.books, "bar": hub.bars}[kind](
                symbols
            )
        async with consumer:
            yield consumer if self.on_notice is None else _told(consumer, self.on_notice)

    async def account(self, acct: str) -> Account:
        """One account of the login, from a cache of the account list.

        Raises:
            NotFound: The login has no such account.
        """
        if acct not in self._accounts:
            await self._load_accounts()
        if acct not in self._accounts:
            known = ", ".join(self._accounts) or "none"
            raise NotFound(
                f"There is no account {acct} in this login. It has: {known}.",
                details={"account": acct, "accounts": list(self._accounts)},
            )
        return self._accounts[acct]

    async def default_accounts(self) -> list[str]:
        """Every brokerage account of the login, in the broker's order."""
        if not self._accounts:
            await self._load_accounts()
        return [acct for acct, account in self._accounts.items() if account.is_brokerage]

    async def _load_accounts(self) -> None:
        answer = await self.accounts.list()
        self._accounts = {account.account: account for account in answer.accounts}

    async def login(self, username: str | None, password: Secret | None, totp: Secret | None) -> None:
        """Logs in at the broker; what is not given comes from the stored credentials."""
        self._accounts.clear()
        await self.broker.login(username or "", password, totp)

    async def answer_totp(self, code: Secret) -> None:
        """Answers a pending request for the second factor."""
        await self.broker.answer_totp(code)

    async def logout(self) -> bool:
        """Ends the session at the broker and forgets everything that came of it: cookies, caches, streams.

        Returns:
            Whether the broker confirmed it, or there was nothing to end.
        """
        hub, self._hub = self._hub, None
        if hub is not None:
            await hub.aclose("logout")
        self._accounts.clear()
        return await self.broker.logout()

    async def store_credentials(
        self, username: str, password: Secret, totp: Secret | None
    ) -> StoredCredentials:
        """Keeps credentials, encrypted, for logins to come.

        Raises:
            ValidationFailed: Something is missing, or no store here protects them.
        """
        from ftcli.credentials.service import keep

        stored = await keep(self.settings, username, password, totp)
        await self.broker.allow_automatic_login()
        return StoredCredentials(**stored)

    async def remove_credentials(self) -> StoredCredentials:
        """Forgets the stored credentials, wherever they are."""
        from ftcli.credentials.service import forget

        return StoredCredentials(note=None if await forget(self.settings) else "There were none.")

    async def beat(self, interval: float) -> None:
        """Keeps the session alive until cancelled; a process that stays runs this beside its work.

        Args:
            interval: Seconds between keep-alives; at 0 the session is opened and left alone.
        """
        from ftcli.transport.heartbeat import beat

        await beat(self.broker, interval)

    async def session_status(self, offline: bool) -> SessionStatus:
        """Where the session stands; asks the broker unless ``offline``."""
        if self.settings.is_paper and not offline and self.broker.state is SessionState.DISCONNECTED:
            await self.broker.ready()  # paper logs in by itself
        status = await self.broker.status(offline=offline)
        return SessionStatus(
            state=SessionState(status.state),
            environment=self.settings.environment,
            live_trading=self.settings.live_trading and not self.settings.is_paper,
            username=status.username or None,
            last_keep_alive=status.last_keep_alive,
            expires_at=status.expires_estimate,
            real_time_quotes=status.real_time_quotes,
            note=status.note or None,
        )

    async def aclose(self) -> None:
        """Closes the connections. The session at the broker stays, for the next process."""
        await self.end_watch()
        if self._hub is not None:
            await self._hub.aclose()
        if self._seen_events is not None:
            self._seen_events.close()
        self.close_desk()
        await self.broker.aclose()


async def _told(updates: AsyncIterator[Any], on_notice: Callable[[Any], None]) -> AsyncIterator[Any]:
    """Updates as they come, with a word to who wants to know of those that tell of the stream itself."""
    async for update in updates:
        if update.kind in ("status", "gap", "symbol_error"):
            on_notice(update)
        yield update
