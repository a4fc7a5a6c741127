"""What the calls about one account have in common: paths, envelopes, ranges of days (protocol 01 §1)."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from ftcli.clock import NEW_YORK, market_date
from ftcli.errors import ValidationFailed
from ftcli.models.field import as_list
from ftcli.models.values import read_text
from ftcli.operations.operation import Core
from ftcli.operations.params import clean_account, clean_day
from ftcli.operations.verdicts import check_messages
from ftcli.wire import WireReply, WireRequest

if TYPE_CHECKING:
    from ftcli.models.accounts import Account

GATEWAY = "/ftgw/dp/"
CLIENT_LEVEL = {"CL": "3"}
"""Extra header of the rate calls (protocol 01 §1.2)."""
ORIGINATING_APP = {"fid-originating-app-id": "AP149323"}
"""Extra header of the accrual and short-insight calls (protocol 01 §1.2)."""

_NO_DATA = "204"
_ONE_DAY = timedelta(days=1)


def dp_read(path: str, body: Any, headers: dict[str, str] | None = None) -> WireRequest:
    """A read of the main gateway: a POST that changes nothing (protocol 01 §1.1)."""
    return WireRequest(host="dp", method="POST", path=f"{GATEWAY}{path}", body=body, headers=headers or {})


def wire_path(core: Core, name: str, default: str) -> str:
    """The path of a call: the one in the settings (``paths``) where its own is inferred and proves wrong.

    Args:
        core: Whose settings to read.
        name: The operation, such as ``accounts.lots``.
        default: The path after ``/ftgw/dp/``.

    Raises:
        ValidationFailed: The path in the settings does not begin with a slash.
    """
    path = core.settings.paths.get(name)
    if path is None:
        return f"{GATEWAY}{default}"
    if not path.startswith("/"):
        raise ValidationFailed.of(f"paths.{name}", path, "begin with a slash")
    return path


async def ask(
    core: Core,
    name: str,
    path: str,
    body: Any,
    headers: dict[str, str] | None = None,
    host: str = "dp",
) -> WireReply:
    """Sends a read of the gateway whose path may be overridden.

    Args:
        core: Sends it.
        name: The operation, or the operation and its version.
        path: The path after ``/ftgw/dp/``.
        body: The JSON body.
        headers: Headers beyond the common set.
        host: Key of the host.
    """
    whole = wire_path(core, name, path)
    return await core.send(
        WireRequest(host=host, method="POST", path=whole, body=body, headers=headers or {})
    )


async def brokerage_account(core: Core, acct: str) -> "Account":
    """The account asked for, which must hold positions.

    Raises:
        NotFound: The login has no such account.
        ValidationFailed: It is a workplace plan, of which the broker tells no more than its value.
    """
    account = await core.account(clean_account(acct))
    if account.account_type not in (None, "Brokerage"):
        raise ValidationFailed.of(
            "account", account.account, "be a brokerage account: of others only `ft accounts list` tells"
        )
    return account


def singular(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The envelope with ``parameter`` and wrapped accounts (protocol 01 §1.3, E1)."""
    return {"request": {"parameter": {**more, "acctDetails": {"acctDetail": [row]}}}}


def plural(row: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The envelope with ``parameters`` and a plain list of accounts (protocol 01 §1.3, E2)."""
    return {"request": {"parameters": {"acctDetails": [row], **more}}}


def check(reply: WireReply, *roots: str) -> None:
    """Raises what the broker says instead of a payload; "no data" is an empty answer, not an error.

    Args:
        reply: The answer.
        roots: Keys under which the payload may stand.

    Raises:
        BrokerError: The broker sent an error message and nothing else, or no document at all.
    """
    document = reply.document
    if reply.status == 204:
        return
    found: str = roots[0]
    if isinstance(document, dict):
        notes = [note for note in as_list(document.get("messages")) if isinstance(note, dict)]
        if any(read_text(note.get("code")) == _NO_DATA for note in notes):
            return
        found = next((root for root in roots if document.get(root)), found)
    check_messages(reply, found)


def account_entry(document: Any, account: str, *roots: str) -> dict[str, Any]:
    """The broker's part about one account: matched by number, never by place (protocol 01 §1.7).

    Args:
        document: The whole document.
        account: Account number.
        roots: Keys under which the accounts may stand; the document itself comes last.

    Returns:
        An empty object where there is nothing about the account.
    """
    entries = _entries(document, roots)
    for entry in entries:
        if read_text(entry.get("acctNum")) == account:
            return entry
    if len(entries) == 1 and not read_text(entries[0].get("acctNum")):
        return entries[0]
    return {}


def _entries(document: Any, roots: tuple[str, ...]) -> list[dict[str, Any]]:
    if not isinstance(document, dict):
        return []
    for holder in (*(document.get(root) for root in roots), document):
        if isinstance(holder, dict) and "acctDetails" in holder:
            return _unwrapped(holder["acctDetails"])
        if isinstance(holder, dict) and holder and holder is not document:
            return [holder]
    return [document]


def _unwrapped(value: Any) -> list[dict[str, Any]]:
    """Account objects, each in its one-key wrapper or not; what is neither is skipped (protocol 01 §1.4)."""
    entries = [entry for entry in as_list(value, "acctDetail") if isinstance(entry, dict)]
    inner = [entry.get("acctDetail", entry) for entry in entries]
    return [entry for entry in inner if isinstance(entry, dict)]


class Span(NamedTuple):
    """A half-open range of days.

    Attributes:
        start: First day.
        end: Day after the last.
    """

    start: date
    end: date

    @property
    def last(self) -> date:
        """The last day, as the broker's inclusive ranges want it."""
        return self.end - _ONE_DAY

    def holds(self, day: date | None) -> bool:
        """Whether a day lies in the range; an unknown day does."""
        return day is None or self.start <= day < self.end


def span_of(core: Core, start: str | None, end: str | None, default: str) -> Span:
    """The range a caller names.

    Args:
        core: Tells the time.
        start: First day, as a date or a word.
        end: Day after the last; today is the last one where it is left out.
        default: The word for a start that is left out, counted back from the last day.

    Raises:
        ValidationFailed: A day does not parse, or the range is empty.
    """
    now = core.now()
    after = clean_day(end, now, "end") if end else market_date(now) + _ONE_DAY
    noon = datetime.combine(after - _ONE_DAY, time(12), NEW_YORK)
    first = clean_day(start, now, "start") if start else clean_day(default, noon, "start")
    if first >= after:
        raise ValidationFailed.of("start", start or first, f"be before the end, {after}")
    return Span(first, after)
