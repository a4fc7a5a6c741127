"""Order tickets: what a preview asks for and a place must repeat exactly (protocol 02 §5-§10, §16)."""

from datetime import datetime
from decimal import Decimal

import msgspec

from ftcli.paper.codes import (
    Action,
    Effect,
    Family,
    GroupKind,
    Holding,
    NetSide,
    PriceType,
    SessionCode,
    TimeInForce,
    TrailUnit,
)
from ftcli.paper.records import Confirmation, LotChoice


class TicketLeg(msgspec.Struct, frozen=True, kw_only=True):
    """One leg of a ticket.

    Attributes:
        symbol: Ticker, or an option as ``ACMX270115C40``.
        action: Status code; an option leg speaks side x call/put and says open or close in ``effect``.
        quantity: Shares or contracts, above 0.
        lots: Only with ``Action.SELL_SPECIFIC``.
    """

    symbol: str
    action: Action
    quantity: Decimal
    effect: Effect | None = None
    lots: tuple[LotChoice, ...] = ()


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """A complete order as the customer wrote it.

    A package has two to four legs, ``price_type`` limit, ``limit_price`` the net price per unit and
    ``net_side`` its direction.
    """

    account: str
    family: Family
    legs: tuple[TicketLeg, ...]
    holding: Holding = Holding.MARGIN
    price_type: PriceType = PriceType.LIMIT
    limit_price: Decimal | None = None
    stop_price: Decimal | None = None
    trail_amount: Decimal | None = None
    trail_unit: TrailUnit | None = None
    limit_offset: Decimal | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    session: SessionCode = SessionCode.STANDARD
    route: str = ""
    destination: str = ""
    net_side: NetSide | None = None
    strategy: str = ""

    @property
    def leg(self) -> TicketLeg:
        """The first, usually only, leg."""
        return self.legs[0]


class GroupTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A conditional group; the first ticket is the primary of an OTO or OTOCO."""

    kind: GroupKind
    account: str
    tickets: tuple[Ticket, ...]


class ReplaceTicket(msgspec.Struct, frozen=True, kw_only=True):
    """A change: the order to cancel and the one to enter instead (protocol 02 §9)."""

    original: str
    ticket: Ticket


class CancelTicket(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of a cancel request; ``action`` is an echo and is not checked."""

    number: str
    account: str
    action: str = ""


class PreviewRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A preview as the broker remembers it, one per minted number.

    ``group`` is the number of the group's first preview and ``index`` the rank in it; ``used`` is the
    moment of the place that took the number.
    """

    number: str
    made: datetime
    ticket: Ticket
    confirmation: Confirmation
    original: str | None = None
    group: str | None = None
    group_kind: GroupKind | None = None
    index: int = 0
    used: datetime | None = None
