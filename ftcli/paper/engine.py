"""The paper broker's engine: order entry, matching and books behind one object.

The engine has no thread and no timer. Every call first looks at what the market has done since the last
call (``advance``) and then answers as of the clock's moment, so prices, fills and expirations are there when
anyone asks, and a frozen clock makes everything exact. Calls that only read write nothing unless something
happened.

    engine = Engine(State(path), Market(seed), system_clock)
    answer = engine.preview(ticket)
    engine.place(answer.number, ticket)
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, TypeVar

from ftcli.clock import Clock
from ftcli.errors import NotFound
from ftcli.paper.codes import GroupKind
from ftcli.paper.figures import (
    AccountBalances,
    AccountClosedPositions,
    Accrual,
    CancelOutcome,
    GroupConfirmation,
    LoanFigures,
    OpenLot,
    OptionSummary,
    OrderEntry,
    OrderSummary,
    Portfolio,
)
from ftcli.paper.instruments import normalise
from ftcli.paper.looking import Look, Seen, Watcher
from ftcli.paper.matching import Floor
from ftcli.paper.prices import Prices
from ftcli.paper.records import Account, ClosedLot, Confirmation, Event, Order, Transaction
from ftcli.paper.settings import Settings
from ftcli.paper.state import State
from ftcli.paper.tickets import CancelTicket, GroupTicket, ReplaceTicket, Ticket
from ftcli.paper.world import World

if TYPE_CHECKING:
    from ftcli.paper.market import Market

Answer = TypeVar("Answer")
CHECKPOINT = timedelta(minutes=15)
"""A look that found nothing is written down when the last one is older than this, so that none gets long."""


class Engine:
    """One paper brokerage.

    Attributes:
        watchers: What else is looked at whenever the engine looks at the market.

    Args:
        state: Where its world is kept; seeded on first use.
        market: The market its orders meet.
        clock: Tells the present moment. Time never runs backwards for the engine: a clock that has been
            set back counts as standing still.
        settings: Rules of the house.
        seed: Seed of accounts and history; the market's where not given.
    """

    def __init__(
        self,
        state: State,
        market: "Market",
        clock: Clock,
        settings: Settings | None = None,
        seed: int | None = None,
    ) -> None:
        self._state = state
        self._clock = clock
        self._seed = market.seed if seed is None else seed
        self._floor = Floor(market, settings or Settings())
        self._seen = Seen()
        self.watchers: list[Watcher] = []

    def _moment(self) -> datetime:
        """The clock's moment, in the zone in which the books keep times."""
        return self._clock().astimezone(UTC)

    # -- time ------------------------------------------------------------------------------------

    def advance(self, now: datetime | None = None) -> datetime:
        """Let everything happen that the market has brought about since the last look.

        Args:
            now: The moment up to which to look; the clock's where not given.

        Returns:
            The moment looked up to: ``now``, or that of the last look where it is later.
        """
        now = self._moment() if now is None else now.astimezone(UTC)
        with self._state.reading() as world:
            if not world.empty:
                now = max(now, world.meta.looked)
                if not self._due(world, now):
                    return now
        with self._writing(now) as (_, moment):
            return moment

    def _due(self, world: World, now: datetime) -> bool:
        looked = world.meta.looked
        if now - looked > CHECKPOINT and len(world.orders):
            return True
        due = Look(self._floor, world, now, self._seen).due()
        return due or any(watcher.due(now) for watcher in self.watchers)

    @contextmanager
    def _writing(self, now: datetime, *, settle: bool = True) -> Iterator[tuple[World, datetime]]:
        """A transaction that begins with a look and, where orders are entered, ends with one.

        Yields:
            The world and the moment it is at.
        """
        from ftcli.paper import seed

        try:
            with self._state.transaction() as world:
                if world.empty:
                    seed.seed_world(world, self._seed, now, self._floor)
                now = max(now, world.meta.looked)
                Look(self._floor, world, now, self._seen).run()
                for watcher in self.watchers:
                    watcher.run(world, now)
                yield world, now
                if settle:
                    Look(self._floor, world, now, self._seen).run()
        except BaseException:
            self._seen.forget()
            raise

    def _change(self, action: Callable[[World, datetime], Answer], *, settle: bool = True) -> Answer:
        with self._writing(self._moment(), settle=settle) as (world, now):
            return action(world, now)

    def _read(self, action: Callable[[World, datetime], Answer]) -> Answer:
        while True:
            now = self.advance()
            with self._state.reading() as world:
                if not world.empty:  # another process may have reset it just now
                    return action(world, max(now, world.meta.looked))

    def now(self) -> datetime:
        """The engine's present moment: the clock's, or that of the last look where it is later."""
        now = self._moment()
        with self._state.reading() as world:
            return now if world.empty else max(now, world.meta.looked)

    # -- accounts ----------------------------------------------------------------------------------

    def accounts(self) -> list[Account]:
        """All accounts, brokerage and workplace, in the broker's order."""
        return self._read(lambda world, now: sorted(world.accounts, key=lambda account: account.order))

    def account(self, number: str) -> Account:
        """One account.

        Raises:
            NotFound: There is no such account.
        """
        return self._read(lambda world, now: _account(world, number))

    def positions(self, accounts: Sequence[str]) -> Portfolio:
        """Positions of some brokerage accounts with sums (protocol 01 §3.3).

        Raises:
            NotFound: One of them does not exist.
        """
        from ftcli.paper import positions

        return self._read(
            lambda world, now: positions.portfolio(
                world, [_account(world, number) for number in accounts], self._floor.prices(now)
            )
        )

    def balances(self, account: str) -> AccountBalances:
        """Balances of a brokerage account (protocol 01 §3.6).

        Raises:
            NotFound: It does not exist.
        """
        from ftcli.paper import balances

        return self._read(
            lambda world, now: balances.account_balances(self._floor, world, _account(world, account), now)
        )

    def lots(self, account: str, symbol: str) -> tuple[OpenLot, ...]:
        """Open tax lots of a symbol, oldest first (protocol 01 §3.4, §3.12).

        Raises:
            NotFound: The account does not exist.
        """
        from ftcli.paper import positions

        return self._read(
            lambda world, now: positions.open_lots(
                world, _account(world, account), normalise(symbol), self._floor.prices(now)
            )
        )

    def transactions(self, account: str, first: date, last: date) -> list[Transaction]:
        """History with a posting date in ``first`` .. ``last``, newest first (protocol 01 §3.7)."""
        return self._read(lambda world, now: world.transactions(account, first, last))

    def closed_positions(self, account: str, first: date, last: date) -> AccountClosedPositions:
        """Realised gains per symbol for lots closed in ``first`` .. ``last`` (protocol 01 §3.9)."""
        from ftcli.paper import history

        return self._read(lambda world, now: history.closed_positions(world, account, first, last))

    def closed_lots(self, account: str, symbol: str, first: date, last: date) -> list[ClosedLot]:
        """Lots of a symbol closed in ``first`` .. ``last``, oldest first (protocol 01 §3.10)."""
        return self._read(lambda world, now: world.closed_lots(account, first, last, normalise(symbol)))

    def option_summary(self, account: str) -> OptionSummary:
        """Option holdings grouped by expiration and strategy (protocol 01 §3.8).

        Raises:
            NotFound: The account does not exist.
        """
        from ftcli.paper import summaries

        return self._read(
            lambda world, now: summaries.option_summary(
                world, _account(world, account), self._floor.prices(now)
            )
        )

    def loans(self, account: str) -> tuple[LoanFigures, ...]:
        """Shares lent out (protocol 01 §3.11).

        Raises:
            NotFound: The account does not exist.
        """
        from ftcli.paper import history

        return self._read(
            lambda world, now: history.loaned(world, _account(world, account), self._floor.prices(now))
        )

    def accruals(self, account: str) -> tuple[Accrual, ...]:
        """Margin interest and borrow charges (protocol 01 §3.15).

        Raises:
            NotFound: The account does not exist.
        """
        from ftcli.paper import history

        return self._read(
            lambda world, now: history.accruals(self._floor, world, _account(world, account), now)
        )

    def cash_accruals(self, account: str) -> tuple[Accrual, ...]:
        """Interest on cash (protocol 01 §3.16).

        Raises:
            NotFound: The account does not exist.
        """
        from ftcli.paper import history

        return self._read(
            lambda world, now: history.cash_accruals(self._floor, world, _account(world, account), now)
        )

    # -- order entry ---------------------------------------------------------------------------------

    def preview(self, ticket: Ticket) -> Confirmation:
        """Preview an order: checks, figures and a number to place it with. Enters nothing."""
        from ftcli.paper import entry

        return self._change(lambda world, now: entry.preview(self._floor, world, ticket, now), settle=False)

    def place(self, number: str, ticket: Ticket) -> Confirmation:
        """Place a previewed order, repeated exactly. Enters it once or refuses (protocol 02 §16)."""
        from ftcli.paper import entry

        return self._change(lambda world, now: entry.place(self._floor, world, number, ticket, now))

    def preview_group(self, group: GroupTicket) -> GroupConfirmation:
        """Preview a conditional group (protocol 02 §10)."""
        from ftcli.paper import entry

        return self._change(
            lambda world, now: entry.preview_group(self._floor, world, group, now), settle=False
        )

    def place_group(self, numbers: Sequence[str], group: GroupTicket) -> GroupConfirmation:
        """Place a previewed conditional group, all of it or nothing.

        Args:
            numbers: The numbers the request carried, in any order; empty ones are ignored.
        """
        from ftcli.paper import entry

        return self._change(lambda world, now: entry.place_group(self._floor, world, group, numbers, now))

    def preview_replace(self, change: ReplaceTicket) -> Confirmation:
        """Preview a change of an open order; mints the number of the replacement (protocol 02 §9)."""
        from ftcli.paper import changes

        return self._change(
            lambda world, now: changes.preview_change(self._floor, world, change, now), settle=False
        )

    def replace(self, number: str, change: ReplaceTicket) -> Confirmation:
        """Place a previewed change: cancels the original and enters the replacement in its place."""
        from ftcli.paper import changes

        return self._change(
            lambda world, now: changes.place_change(self._floor, world, number, change, now), settle=False
        )

    def preview_group_replace(
        self, kind: GroupKind, account: str, parts: Sequence[ReplaceTicket]
    ) -> GroupConfirmation:
        """Preview changes of orders of a conditional group (protocol 02 §11)."""
        from ftcli.paper import changes

        return self._change(
            lambda world, now: changes.preview_group_change(self._floor, world, kind, account, parts, now),
            settle=False,
        )

    def replace_group(
        self, numbers: Sequence[str], kind: GroupKind, account: str, parts: Sequence[ReplaceTicket]
    ) -> GroupConfirmation:
        """Place previewed changes of orders of a conditional group, each judged by itself."""
        from ftcli.paper import changes

        return self._change(
            lambda world, now: changes.place_group_change(
                self._floor, world, kind, account, parts, numbers, now
            ),
            settle=False,
        )

    def preview_cancel(self, tickets: Sequence[CancelTicket]) -> list[CancelOutcome]:
        """What cancels would leave of some orders (protocol 02 §8.1)."""
        from ftcli.paper import changes

        return self._read(lambda world, now: changes.preview_cancel(world, tickets))

    def cancel(self, tickets: Sequence[CancelTicket]) -> list[CancelOutcome]:
        """Ask for cancels; each is confirmed at the first look after the cancel delay (protocol 02 §8.2)."""
        from ftcli.paper import changes

        return self._change(lambda world, now: changes.cancel(self._floor, world, tickets, now), settle=False)

    # -- order status ----------------------------------------------------------------------------------

    def order(self, number: str) -> Order | None:
        """An order by its number, whenever it ended; None when there is none."""
        return self._read(lambda world, now: world.order(number))

    def orders(self, account: str, number: str | None = None) -> list[OrderEntry]:
        """Entries of the order status: all open orders and those that changed on the trading day, or one.

        Args:
            number: Only this order, whenever it ended; nothing where it is not the account's.
        """
        from ftcli.paper import status

        def answer(world: World, now: datetime) -> list[OrderEntry]:
            return status.entries(self._floor, _orders(world, account, number, now), now)

        return self._read(answer)

    def order_summary(self, account: str, number: str | None = None) -> OrderSummary:
        """Counters over what ``orders`` answers, counted per order."""
        from ftcli.paper import status

        return self._read(lambda world, now: status.summary(account, _orders(world, account, number, now)))

    # -- events ------------------------------------------------------------------------------------------

    def events(self, after: int, limit: int = 1000) -> list[Event]:
        """Events with a sequence number above ``after``, oldest first, up to the present."""
        return self._read(lambda world, now: world.events(after, limit))

    def last_event(self) -> int:
        """Sequence number of the latest event, 0 before the first."""
        return self._read(lambda world, now: world.meta.event_sequence)

    def prices(self) -> Prices:
        """Quotes of the present moment, as the books value positions."""
        return self._floor.prices(self.now())


def _account(world: World, number: str) -> Account:
    found = world.accounts.get(number)
    if found is None or not found.brokerage:
        raise NotFound(f"There is no brokerage account {number}.", details={"account": number})
    return found


def _orders(world: World, account: str, number: str | None, now: datetime) -> list[Order]:
    from ftcli.paper import status

    if number is None:
        return status.listed_orders(world, account, now)
    found = world.order(number)
    return [found] if found is not None and found.account == account else []
