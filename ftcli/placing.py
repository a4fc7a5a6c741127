"""The trading side of the core: gate, journal, and who places an order."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TypeVar, cast

from ftcli.clock import Clock
from ftcli.config import Settings
from ftcli.errors import FtError, OrderUnknown
from ftcli.wire import LastWord, Placement, Previewed, WireReply, WireRequest

if TYPE_CHECKING:
    from ftcli.models.trading import Facts, TradingStatus
    from ftcli.operations.operation import Core
    from ftcli.trading.desk import Desk
    from ftcli.trading.gate import Gate
    from ftcli.trading.origin import Origin
    from ftcli.trading.records import Standing
    from ftcli.trading.switch import KillSwitch
    from ftcli.trading.watch import LostWatch
    from ftcli.transport.broker import Broker

T = TypeVar("T")

LOOKS = 2
"""How often somebody who waits for a lost order has it looked for: after 2 s, and after 5 s more."""
PATIENCE = 15.0
"""Seconds that this may take in all."""
BEFOREHAND = 2.0
"""Seconds for which the first order of a process waits while earlier ones are looked for."""


class PlacingCore:
    """What a client needs to place orders; :class:`ftcli.client.Client` is one."""

    settings: Settings
    broker: "Broker"
    _clock: Clock
    _desk: "Desk | None" = None
    _looked_for_lost = False
    _lost_watch: "LostWatch | None" = None
    on_lost: Callable[[str], None] | None = None
    """Told where an answer is lost. Where it is set, a place then looks for its order a few times before it gives up;
    for a caller that ends with the call. Else that is done in the background."""

    on_sending: Callable[[], None] | None = None
    """Called when the first byte of a call that must not be repeated is about to leave."""

    if TYPE_CHECKING:

        async def send(self, request: WireRequest, last_word: LastWord | None = None) -> WireReply: ...

    async def place(self, placement: Placement[T]) -> T:
        """Sends an order through the trading gate, at most once; where its answer is lost, looks for the order."""
        await self._look_beforehand()
        try:
            return await self.gate.place(placement)
        except OrderUnknown:
            if not await self._found_soon(placement):
                raise
            return await self._outcome_found(placement)
        finally:
            if self._desk is not None and self._desk.journal.take_lost():
                self._looked_for_lost = False
                self.watch_lost()

    async def _look_beforehand(self) -> None:
        """Looks for orders lost earlier, once and not for long: a new order does not wait for what they came to."""
        import asyncio  # deferred, as the client does

        if self._looked_for_lost:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(BEFOREHAND):
                await self.look_for_lost()
        if not self._looked_for_lost:
            self._looked_for_lost = True
            self.watch_lost()

    async def _found_soon(self, placement: Placement[T]) -> bool:
        """Whether anything is found of an order before patience ends; only where somebody waits (:attr:`on_lost`)."""
        import asyncio  # deferred, as the client does

        if self.on_lost is None:
            return False
        self.on_lost("The answer to the order was lost. Looking for it at the broker, for some seconds.")
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self.lost_watch.look(LOOKS, lambda: self._is_settled(placement))
        standing = self._standing(placement)
        evidence = standing.detail.get("evidence", []) if standing else []
        if evidence and self._is_settled(placement):
            self.on_lost(f"Found: {'; '.join(evidence)}.")
        return bool(evidence)

    async def _outcome_found(self, placement: Placement[T]) -> T:
        """What the journal says of an order by now; nothing is sent. Our looking makes it no repeat of the caller's."""
        from ftcli.trading.origin import current_origin

        origin = current_origin()
        replayed = origin.replayed
        try:
            return await self.gate.place(placement)
        finally:
            origin.replayed = replayed

    def _standing(self, placement: Placement[T]) -> "Standing | None":
        try:
            return self.desk.standing(placement)
        except (FtError, sqlite3.Error):
            return None  # the disk does not say, and so nothing is settled

    def _is_settled(self, placement: Placement[T]) -> bool:
        standing = self._standing(placement)
        return standing is not None and standing.state not in ("sending", "unknown")

    def watch_lost(self, *, now: bool = False) -> None:
        """Looks for lost orders in the background for a while (protocol 02 §19), until the client is closed.

        Args:
            now: Whether to look at once as well.
        """
        self.lost_watch.start(now=now)

    @property
    def lost_watch(self) -> "LostWatch":
        """What looks for lost orders by itself."""
        if self._lost_watch is None:
            from ftcli.trading.watch import LostWatch

            self._lost_watch = LostWatch(self._nothing_lost)
        return self._lost_watch

    async def _nothing_lost(self) -> bool:
        await self.look_for_lost(again=True)
        return not self.desk.unresolved() and not self.desk.journal.is_behind

    async def end_watch(self) -> None:
        """Ends the looking in the background."""
        if self._lost_watch is not None:
            await self._lost_watch.aclose()

    @property
    def gate(self) -> "Gate":
        """The gate every order passes."""
        from ftcli.trading.gate import Gate

        return Gate(
            self.settings,
            lambda: self.desk,
            self.send,
            ready=self.broker.ready,
            facts=self.facts,
            session=lambda: self.broker.session_id,
            shares_session=self.broker.shares_session,
        )

    @property
    def desk(self) -> "Desk":
        """Journal and limits; opened when first needed.

        Raises:
            InternalError: The database cannot be used.
            ValidationFailed: The limits do not parse.
        """
        if self._desk is None:
            from ftcli.trading.desk import Desk

            self._desk = Desk(self.settings, self._clock)
        return self._desk

    @property
    def switch(self) -> "KillSwitch":
        """The kill switch of the environment in force."""
        from ftcli.trading.switch import switch_of

        return switch_of(self.settings)

    def halt(self, reason: str) -> None:
        """Halts trading in the environment in force, whatever else does not work."""
        self.switch.halt(reason, self._clock())

    def resume(self) -> None:
        """Lets orders through again."""
        self.switch.resume()

    def trading_status(self) -> "TradingStatus":
        """Whether orders can be placed; told even where the journal cannot be opened."""
        from ftcli.trading.status import status

        return status(self.settings, self.switch, lambda: self.desk)

    def previewed(self, preview: Previewed) -> None:
        """Remembers a preview. Where the disk does not take it, the preview stands and its place is refused."""
        from ftcli.trading.desk import remember

        remember(lambda: self.desk, preview, self.broker.session_id)

    async def facts(self, account: str, symbols: list[str], rules: set[str]) -> "Facts":
        """What some limits must know of the market and an account."""
        from ftcli.operations.facts import gather

        return await gather(cast("Core", self), account, symbols, rules)

    async def look_for_lost(self, *, again: bool = False) -> None:
        """Looks at the broker for orders whose answer was lost, if there are any; once, unless ``again``.

        What cannot be found out now stays unknown: this never raises.
        """
        if self._looked_for_lost and not again:
            return
        from ftcli.operations.reconcile import look_for_lost

        self._looked_for_lost = await look_for_lost(cast("Core", self))

    @contextmanager
    def idempotency_key(self, key: str) -> Iterator[None]:
        """Gives the order placed inside a key: the same key again answers the first outcome and sends nothing.

            with ft.idempotency_key("rebalance-2026-03-02-KO"):
                await ft.orders.equity.place(order, conf_num)

        Args:
            key: One key for one order.

        Raises:
            ValidationFailed: The key is empty or too long.
        """
        with self.placing_as("sdk", key=key):
            yield

    @contextmanager
    def placing_as(self, who: str, *, key: str | None = None, api_key: str = "") -> "Iterator[Origin]":
        """Says who places the orders inside; faces use it.

        Args:
            who: ``cli``, ``http`` or ``sdk``.
            key: Idempotency key of the one order inside.
            api_key: Id of the API key, over HTTP.

        Raises:
            ValidationFailed: The key is empty or too long.
        """
        from ftcli.trading.origin import placing

        with placing(who, key=key, api_key=api_key) as origin:
            yield origin

    def close_desk(self) -> None:
        """Closes the journal, if it was opened."""
        if self._desk is not None:
            self._desk.close()
