"""One exchange with the broker as data: what an operation asks for, what the transport brings back.

It stands below both, so that operations need not know httpx and the transport need not know operations.
"""

import enum
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import msgspec

T = TypeVar("T")


class Retry(enum.Enum):
    """Whether a call may be repeated without asking anyone (protocol 00 §5.5)."""

    READ = "read"
    """Reads, many of them POST: three tries with jitter, ``Retry-After`` honoured."""
    PREVIEW = "preview"
    """Mints a confirmation number and commits nothing: once more, as a new preview."""
    WRITE = "write"
    """The same call twice gives the same state; still repeated by nobody but its caller."""
    NEVER = "never"
    """Money or duplicates: place, replace, cancel, create, login factors."""


LastWord = Callable[[str], None]
"""Asked just before the first byte of a call leaves, given the id of the session it goes out with. What it raises is
raised instead of sending."""


class WireRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A request in the broker's own terms.

    Attributes:
        host: Key of the host (protocol 00 §1.1), such as ``dp``.
        method: HTTP method.
        path: Path with its leading slash, already percent-encoded where it must be.
        query: Query parameters in order.
        body: JSON document; a ``str`` is sent as it is (SOAP, forms); ``None`` sends no body.
        headers: Headers beyond the host's profile.
        retry: Who may repeat it.
    """

    host: str
    method: str
    path: str
    query: dict[str, str] = {}
    body: Any = None
    headers: dict[str, str] = {}
    retry: Retry = Retry.READ


class WireReply(msgspec.Struct, frozen=True, kw_only=True):
    """An answer that passed the transport's checks: not an expiry, not an HTTP error.

    Attributes:
        status: HTTP status.
        headers: Headers, names in lower case.
        body: The bytes as the broker sent them.
        document: The decoded body: JSON (numbers with a fraction as ``Decimal``), JSONP unwrapped,
            XML as text, ``None`` where empty.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    document: Any


class Placement(msgspec.Struct, Generic[T], frozen=True, kw_only=True):
    """An order about to be sent: all the trading gate has to know of it.

    Attributes:
        kind: The operation's name, such as ``orders.equity.place``.
        account: Account number.
        conf_nums: Confirmation numbers from the preview: the only handles that exist before the order does.
        order: The order as the caller gave it, for the journal.
        replaces: Confirmation numbers of the open orders it changes.
        request: What will be sent, once.
        proven: Makes the result of an order of these numbers that went in although its answer was lost.
        judge: Reads the answer, given the confirmation numbers that were sent: those of the first call, where a
            later one is answered from the journal. It returns the result of an accepted order and raises
            ``OrderRejected`` for a refused one; any other exception leaves the outcome unknown.
    """

    kind: str
    account: str
    conf_nums: list[str]
    order: Any
    request: WireRequest
    judge: Callable[[WireReply, list[str]], T]
    proven: Callable[[list[str]], T]
    replaces: list[str] = []


class Previewed(msgspec.Struct, frozen=True, kw_only=True):
    """An order the broker has previewed: what a place of it will be held against.

    Attributes:
        kind: Name of the operation that may place it, such as ``orders.equity.place``.
        account: Account number.
        conf_nums: Every confirmation number the preview minted, in its order.
        order: The order as the caller gave it.
        replaces: Confirmation numbers of the open orders it changes.
        marks: Last prices the broker told with it, by symbol.
    """

    kind: str
    account: str
    conf_nums: list[str]
    order: Any
    replaces: list[str] = []
    marks: dict[str, Any] = {}
