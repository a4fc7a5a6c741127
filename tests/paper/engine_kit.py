"""A paper brokerage for tests: in memory, with a clock that the test turns."""

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from ftcli.clock import NEW_YORK
from ftcli.paper.codes import (
    Action,
    Effect,
    Family,
    GroupKind,
    Holding,
    NetSide,
    PriceType,
    Response,
    Status,
    TimeInForce,
)
from ftcli.paper.engine import Engine
from ftcli.paper.figures import GroupConfirmation, OrderEntry
from ftcli.paper.instruments import find
from ftcli.paper.market import Market
from ftcli.paper.records import Confirmation, Order
from ftcli.paper.settings import Settings
from ftcli.paper.state import State
from ftcli.paper.tickets import CancelTicket, GroupTicket, ReplaceTicket, Ticket, TicketLeg
from ftcli.paper.world import World

MARGIN = "Z20000025"
CASH = "Z10000017"
ROTH = "240000041"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=NEW_YORK)
"""A Tuesday in regular hours; Thursday is Thanksgiving."""

PAST, FUTURE = date(2000, 1, 1), date(2100, 1, 1)


_markets: dict[tuple[int, bool], Market] = {}
_seeded: dict[tuple[datetime, int, bool], str] = {}


def market(seed: int, always_open: bool) -> Market:
    """A market; one per kind for all tests, since it is a pure function with caches."""
    return _markets.setdefault((seed, always_open), Market(seed=seed, always_open=always_open))


def seeded(now: datetime, seed: int, always_open: bool) -> State:
    """A seeded state in memory, copied from the first one of its kind."""
    key = (now, seed, always_open)
    if key not in _seeded:
        with State(":memory:") as state:
            Engine(state, market(seed, always_open), lambda: now).advance()
            _seeded[key] = "\n".join(state._connection.iterdump())
    state = State(":memory:")
    for table in ("meta", "accounts", "cash", "loans", "lots", "orders", "transactions", "closed_lots"):
        assert state._connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608
    inserts = [line for line in _seeded[key].split("\n") if line.startswith("INSERT INTO")]
    state._connection.executescript("BEGIN;" + "\n".join(inserts) + "COMMIT;")
    return state


def money(text: str | int) -> Decimal:
    """A decimal, short to write."""
    return Decimal(text)


class Bench:
    """A brokerage and its clock."""

    def __init__(
        self,
        now: datetime = NOON,
        *,
        always_open: bool = True,
        settings: Settings | None = None,
        state: State | None = None,
        seed: int = 7,
    ) -> None:
        self.moment = now
        self.market = market(seed, always_open)
        self.state = state or seeded(now, seed, always_open)
        self.engine = Engine(self.state, self.market, self.clock, settings)

    def clock(self) -> datetime:
        return self.moment

    def go(self, moment: datetime | timedelta) -> None:
        """Turn the clock to a moment, or on by a while, and look."""
        self.moment = self.moment + moment if isinstance(moment, timedelta) else moment
        self.engine.advance()

    def world(self) -> World:
        """The world, to look at."""
        self.engine.advance()
        with self.state.reading() as world:
            return world

    def bid(self, symbol: str) -> Decimal:
        quote = self.market.quote(symbol, self.moment)
        assert quote is not None
        assert quote.bid is not None
        return quote.bid

    def ask(self, symbol: str) -> Decimal:
        quote = self.market.quote(symbol, self.moment)
        assert quote is not None
        assert quote.ask is not None
        return quote.ask

    def last(self, symbol: str) -> Decimal:
        quote = self.market.quote(symbol, self.moment)
        assert quote is not None
        assert quote.last is not None
        return quote.last

    def held(self, symbol: str, account: str = MARGIN) -> Decimal:
        return self.world().lots.quantity(account, symbol)

    # -- orders ------------------------------------------------------------------------------

    def previewed(self, ticket: Ticket) -> str:
        """Preview an order that must be good, and answer its number."""
        answer = self.engine.preview(ticket)
        assert answer.response is Response.VALIDATED, answer.messages
        return answer.number

    def placed(self, ticket: Ticket) -> str:
        """Preview and place an order that must be good, and answer its number."""
        number = self.previewed(ticket)
        answer = self.engine.place(number, ticket)
        assert answer.response is Response.ACCEPTED, answer.messages
        return number

    def refusal(self, ticket: Ticket) -> str:
        """The code with which a preview is refused."""
        return refusal_code(self.engine.preview(ticket))

    def order(self, number: str) -> Order:
        order = self.engine.order(number)
        assert order is not None
        return order

    def status(self, number: str) -> Status:
        return self.order(number).status

    def entry(self, number: str) -> OrderEntry:
        """The only entry of an order in the status list."""
        order = self.order(number)
        (entry,) = self.engine.orders(order.account, number)
        return entry

    def cancel(self, number: str) -> Response:
        order = self.order(number)
        (outcome,) = self.engine.cancel([CancelTicket(number=number, account=order.account)])
        return outcome.response

    def grouped(self, kind: GroupKind, *tickets: Ticket) -> list[str]:
        """Preview and place a conditional group that must be good."""
        group = GroupTicket(kind=kind, account=tickets[0].account, tickets=tickets)
        preview = self.engine.preview_group(group)
        assert not preview.refused, group_codes(preview)
        numbers = [answer.number for answer in preview.confirmations]
        placed = self.engine.place_group(numbers, group)
        assert not placed.refused, group_codes(placed)
        return numbers

    def replaced(self, original: str, ticket: Ticket) -> str:
        """Preview and place a change that must be good."""
        change = ReplaceTicket(original=original, ticket=ticket)
        preview = self.engine.preview_replace(change)
        assert preview.response is Response.VALIDATED, preview.messages
        answer = self.engine.replace(preview.number, change)
        assert answer.response is Response.ACCEPTED, answer.messages
        return preview.number

    def order_net(self, symbol: str, account: str = MARGIN) -> Decimal:
        """Net dollars of the latest filled order of a symbol."""
        entries = [entry for entry in self.engine.orders(account) if entry.leg.symbol == symbol]
        return entries[-1].net

    # -- books -------------------------------------------------------------------------------

    def value(self, account: str) -> Decimal:
        """Net worth."""
        return self.engine.balances(account).recent.net_worth

    def cash_like(self, account: str) -> Decimal:
        """Core, balance, deposits and short proceeds: what history must explain to the cent."""
        from ftcli.paper.positions import cash_like

        world = self.world()
        return cash_like(world, world.accounts[account])

    def history_net(self, account: str) -> Decimal:
        return sum((line.net for line in self.engine.transactions(account, PAST, FUTURE)), money(0))


def refusal_code(answer: Confirmation) -> str:
    assert answer.response is Response.REFUSED
    return next(message.code for message in answer.messages if message.severity.value == "error")


def group_codes(answer: GroupConfirmation) -> list[list[str]]:
    return [[message.code for message in part.messages] for part in answer.confirmations]


def shares(
    action: Action | str,
    symbol: str,
    quantity: Any,
    *,
    account: str = MARGIN,
    limit: Any = None,
    stop: Any = None,
    tif: TimeInForce = TimeInForce.DAY,
    **more: Any,
) -> Ticket:
    """An order for shares; the prices given decide the order type."""
    kind = more.pop("price_type", None)
    if kind is None:
        kind = {
            (False, False): PriceType.MARKET,
            (True, False): PriceType.LIMIT,
            (False, True): PriceType.STOP,
            (True, True): PriceType.STOP_LIMIT,
        }[limit is not None, stop is not None]
    lots = more.pop("lots", ())
    holding = more.pop("holding", Holding.MARGIN if account == MARGIN else Holding.CASH)
    return Ticket(
        account=account,
        family=Family.EQUITY,
        legs=(TicketLeg(symbol=symbol, action=Action(action), quantity=Decimal(quantity), lots=lots),),
        holding=holding,
        price_type=kind,
        limit_price=None if limit is None else Decimal(limit),
        stop_price=None if stop is None else Decimal(stop),
        time_in_force=tif,
        **more,
    )


def option_leg(side: str, symbol: str, quantity: Any, effect: Effect | None = None) -> TicketLeg:
    """An option leg; ``side`` is ``buy`` or ``sell``."""
    instrument = find(symbol)
    assert instrument is not None, symbol
    action = Action(("B" if side == "buy" else "S") + instrument.right)
    return TicketLeg(symbol=symbol, action=action, quantity=Decimal(quantity), effect=effect)


def option(
    side: str,
    symbol: str,
    quantity: Any,
    *,
    account: str = MARGIN,
    limit: Any = None,
    effect: Effect | None = Effect.OPEN,
    tif: TimeInForce = TimeInForce.DAY,
    **more: Any,
) -> Ticket:
    """A single-leg option order."""
    return Ticket(
        account=account,
        family=Family.OPTION,
        legs=(option_leg(side, symbol, quantity, effect),),
        holding=Holding.MARGIN if account == MARGIN else Holding.CASH,
        price_type=PriceType.MARKET if limit is None else PriceType.LIMIT,
        limit_price=None if limit is None else Decimal(limit),
        time_in_force=tif,
        **more,
    )


def package(
    side: NetSide, net: Any, *legs: TicketLeg, account: str = MARGIN, tif: TimeInForce = TimeInForce.DAY
) -> Ticket:
    """A multi-leg order."""
    return Ticket(
        account=account,
        family=Family.PACKAGE,
        legs=legs,
        holding=Holding.MARGIN if account == MARGIN else Holding.CASH,
        limit_price=Decimal(net),
        net_side=side,
        strategy="CU",
        time_in_force=tif,
    )
