"""The journal of orders, the kill switch and the limits, as users see them."""

from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

from ftcli.models.field import USD, Document, Model, Request, at
from ftcli.models.values import Code


class JournalState(Code):
    """Where a placement stands in the journal."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    PARTLY_ACCEPTED = "partly_accepted"
    REJECTED = "rejected"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"
    NOT_PLACED = "not_placed"
    EXTERNAL = "external"


class ResolveAs(Code):
    """What a person found out about an order whose answer was lost."""

    PLACED = "placed"
    NOT_PLACED = "not-placed"


class JournalChange(Model):
    """One change of state: a row that is never altered."""

    state: Annotated[JournalState, at(None, "The state from then on.", column="State")]
    changed_at: Annotated[datetime, at(None, "When.", column="At")]
    message: Annotated[str, at(None, "What was said, by the broker or by us.", column="Message")] = ""
    evidence: Annotated[list[str], at(None, "What proves it, where a lost answer was settled.")] = []
    found: Annotated[
        dict[str, str],
        at(None, "What the broker says of each order by its number: a state, refused, or not found."),
    ] = {}
    conf_nums: Annotated[
        list[str], at(None, "The numbers it has at the broker, where they are not all those of its preview.")
    ] = []
    messages: Annotated[list[Any], at(None, "The broker's messages.")] = []


class JournalEntry(Document):
    """One placement, with every change of its state."""

    id: Annotated[int, at(None, "Number in the journal.", column="Id")]
    state: Annotated[JournalState, at(None, "Where it stands.", column="State")]
    kind: Annotated[str, at(None, "The operation that placed it.", column="Kind")]
    account: Annotated[str, at(None, "Account number.", column="Account")]
    conf_nums: Annotated[list[str], at(None, "Confirmation numbers.", column="Numbers")]
    order: Annotated[Any, at(None, "The order as given.")]
    created_at: Annotated[datetime, at(None, "When it was journalled, before it was sent.", column="At")]
    who: Annotated[str, at(None, "cli, http, sdk, or broker for an order found there.", column="Who")]
    api_key: Annotated[str, at(None, "Id of the API key, over HTTP.")] = ""
    key: Annotated[str | None, at(None, "Idempotency key, where one was given.", column="Key")] = None
    digest: Annotated[str, at(None, "SHA-256 of the order.")] = ""
    value: Annotated[Decimal | None, at(None, "Estimated value.", unit=USD)] = None
    changes: Annotated[list[JournalChange], at(None, "Every change of state, in order.")] = []

    @property
    def is_open(self) -> bool:
        """Whether it is not known what became of it."""
        return self.state in (JournalState.SENDING, JournalState.UNKNOWN)


class JournalPage(Document):
    """Placements, the latest first."""

    entries: Annotated[list[JournalEntry], at(None, "The placements.")] = []


class Finding(Model):
    """A limit that an order breaks."""

    rule: Annotated[str, at(None, "The rule, as in the settings.", column="Rule")]
    scope: Annotated[str, at(None, "all, account NUMBER or key ID.", column="Scope")]
    limit: Annotated[str, at(None, "What the rule allows.", column="Limit")]
    value: Annotated[str, at(None, "What the order would come to.", column="Value")]
    text: Annotated[str, at(None, "The same for a person.", column="Text")]


class OrderCheck(Document):
    """What the gate would say to an order, without sending anything."""

    allowed: Annotated[bool, at(None, "Whether it would be let through.", column="Allowed")]
    value: Annotated[Decimal | None, at(None, "Estimated value.", unit=USD, column="Value")] = None
    may_place: Annotated[
        bool,
        at(
            None,
            "Whether orders may be placed at all: on paper, or with live trading on.",
            column="May place",
        ),
    ] = True
    live_trading: Annotated[bool, at(None, "Whether orders may be placed live.")] = False
    halted: Annotated[bool, at(None, "Whether trading is halted.", column="Halted")] = False
    findings: Annotated[list[Finding], at(None, "The limits it breaks.")] = []


class LimitRow(Model):
    """One limit in force."""

    scope: Annotated[str, at(None, "all, account NUMBER or key ID.", column="Scope")]
    rule: Annotated[str, at(None, "The rule.", column="Rule")]
    limit: Annotated[str, at(None, "What it allows.", column="Limit")]
    used: Annotated[str | None, at(None, "How much of it is used today.", column="Used today")] = None


class LimitTable(Document):
    """Every limit in force."""

    limits: Annotated[list[LimitRow], at(None, "The limits; none: nothing is limited.")] = []


class TradingHalt(Model):
    """A halt of all trading in one environment."""

    halted_by: Annotated[str, at(None, "Who halted.")]
    halted_at: Annotated[datetime | None, at(None, "When.")] = None
    reason: Annotated[str, at(None, "Why.")] = ""


class TradingStatus(Document):
    """Whether orders can be placed, and what the journal has open."""

    halted: Annotated[bool, at(None, "Whether trading is halted.", column="Halted")]
    environment: Annotated[str, at(None, "paper or live.", column="Environment")]
    live_trading: Annotated[bool, at(None, "Whether orders may be placed live.", column="Live trading")]
    halted_by: Annotated[str | None, at(None, "Who halted.", column="By")] = None
    halted_at: Annotated[datetime | None, at(None, "When.", column="At")] = None
    reason: Annotated[str | None, at(None, "Why.", column="Reason")] = None
    unresolved: Annotated[
        int | None,
        at(
            None,
            "Placements of which it is not known what became of them; nothing where the journal cannot be read.",
            column="Unresolved",
        ),
    ] = None
    canceled: Annotated[list[str], at(None, "Orders whose cancel was asked for with the halt.")] = []
    not_canceled: Annotated[
        list[str], at(None, "None: where a cancel fails, the error's details hold this list.")
    ] = []
    note: Annotated[str | None, at(None, "What else a person should know.", column="Note")] = None


class Settled(Model):
    """A placement that was looked for at the broker."""

    id: Annotated[int, at(None, "Number in the journal.", column="Id")]
    account: Annotated[str, at(None, "Account number.", column="Account")]
    conf_nums: Annotated[list[str], at(None, "Confirmation numbers.", column="Numbers")]
    state: Annotated[JournalState, at(None, "Where it stands now.", column="State")]
    evidence: Annotated[list[str], at(None, "What proves it.", column="Evidence")] = []


class Reconciliation(Document):
    """What a comparison of the journal with the broker brought."""

    settled: Annotated[
        list[Settled],
        at(
            None,
            "The placements that were open, as they stand now, and those that were settled as not placed and are "
            "there all the same.",
        ),
    ] = []
    adopted: Annotated[list[str], at(None, "Orders found at the broker that were not placed here.")] = []


class Facts(Request, frozen=True, kw_only=True):
    """What the limits must know of the world beside the order.

    Attributes:
        last: Last prices by symbol.
        open_orders: Open orders of the account at the broker.
        open_numbers: Their confirmation numbers.
        listed: Confirmation numbers of all orders that the broker listed, open or not.
        market_open: Whether the market is in regular hours.
        mark: The journal's latest change before the broker was asked.
    """

    last: dict[str, Decimal] = {}
    open_orders: int | None = None
    open_numbers: list[str] = []
    listed: list[str] = []
    market_open: bool | None = None
    mark: int | None = None


class FileRow(Model):
    """One order of an order file, and what becomes of it."""

    name: Annotated[str, at(None, "Its name in the file.", column="Name")]
    outcome: Annotated[
        str, at(None, "planned, placed, already placed, refused, unknown or not sent.", column="Outcome")
    ]
    order: Annotated[str, at(None, "The order in words.", column="Order")]
    account: Annotated[str, at(None, "Account number.", column="Account")]
    cost: Annotated[
        Decimal | None, at(None, "Estimated cost; proceeds are negative.", unit=USD, column="Cost")
    ] = None
    conf_nums: Annotated[list[str], at(None, "Confirmation numbers.", column="Numbers")] = []
    code: Annotated[str, at(None, "Error code, where it is refused, unknown or failed.", column="Code")] = ""
    message: Annotated[str, at(None, "Why, where it is not placed.", column="Message")] = ""
    warnings: Annotated[list[str], at(None, "What the broker remarks on it.")] = []


class FileReport(Document):
    """What an order file comes to. The sums are of the orders that are planned or placed by this run."""

    orders: Annotated[list[FileRow], at(None, "Its orders.")] = []
    total: Annotated[Decimal | None, at(None, "Estimated cost less proceeds.", unit=USD)] = None
    cost: Annotated[Decimal | None, at(None, "Estimated cost of the orders that cost.", unit=USD)] = None
    proceeds: Annotated[
        Decimal | None, at(None, "Estimated proceeds of those that bring in money.", unit=USD)
    ] = None
    counts: Annotated[dict[str, int], at(None, "Number of orders by outcome.")] = {}
    first_beyond: Annotated[
        str | None,
        at(None, "Name of the first order beyond a limit of the day, those before it in the file counted."),
    ] = None
