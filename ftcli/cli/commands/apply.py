"""``ft orders apply``: a file of orders, planned, placed once, and continued where it stopped."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.cli.parsing import Exit
from ftcli.cli.placing import environment_line, switch_live_on, unbroken
from ftcli.errors import FtError, NotFound, OrderRejected, OrderUnknown, ValidationFailed
from ftcli.models.trading import FileReport, FileRow
from ftcli.operations.binding import bind
from ftcli.operations.operation import Param
from ftcli.operations.registry import find

if TYPE_CHECKING:
    from ftcli.client import Client

FAMILIES = {
    "order": "orders.equity",
    "option": "orders.option",
    "spread": "orders.options",
    "group": "orders.conditional",
}
"""Tables of the file and the operations that place them."""
_DONE = "already placed"


class Item:
    """One order of the file.

    Args:
        name: Its name, unique in the file.
        family: Its operations' group.
        order: The order.
        batch: The file's batch.
        is_named: Whether the file names it; else the name only says where it stands.
    """

    def __init__(self, name: str, family: str, order: Any, batch: str, *, is_named: bool) -> None:
        self.name, self.family, self.order, self.batch, self.is_named = name, family, order, batch, is_named
        self.digest = self.key = ""
        self.numbers: list[str] = []
        self.row = FileRow(name=name, outcome="planned", order=_words(order), account=order.account)


@form(examples=("orders apply orders.toml", "orders apply orders.toml --yes --keep-going"))
async def apply(
    call: Call,
    file: Annotated[str, Param("The file, in TOML.", argument=True)],
    yes: Annotated[bool, Param("Place without asking.", cli=("--yes", "-y"))] = False,
    keep_going: Annotated[bool, Param("Go on after a refusal.")] = False,
    live: Annotated[bool, Param("Switch live trading on for this command.")] = False,
) -> None:
    """Place the orders of a file: plan, question, report.

    The file names its batch, and has one [[order]], [[option]], [[spread]] or [[group]] table for each order. What was
    placed under a batch and name is never placed again: running the file once more continues where it stopped.
    It stops at the first refusal, and always at an unknown outcome.
    """
    if live:
        switch_live_on(call)
    items = read_file(Path(file))
    async with call.open_client() as client:
        call.talk(environment_line(call, ""))
        _take_keys(client, items)
        for item in items:
            await _plan(client, item)
        refused = [item for item in items if item.row.outcome == "refused"]
        waiting = [item for item in items if item.row.outcome == "planned"]
        go = bool(waiting) and (keep_going or not refused) and await _agreed(call, client, items, yes)
        if go:
            await _place_all(call, client, waiting, keep_going)
    report = _report(items)
    if go or not (call.can_ask and waiting and not yes):
        call.show(report)
    _end(call, items, go)


def read_file(path: Path) -> list[Item]:
    """The orders of a file.

    Raises:
        ValidationFailed: It cannot be read, or an order in it breaks a rule.
    """
    import tomllib

    try:
        document = tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as problem:
        raise ValidationFailed.of("file", path, f"be a readable file ({problem.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValidationFailed.of("file", path, f"be valid TOML ({problem})") from None
    batch = document.pop("batch", None)
    if not isinstance(batch, str) or not batch.strip() or len(batch) > 60:
        raise ValidationFailed.of(
            "batch",
            batch,
            "be a name of at most 60 characters",
            hint='Begin the file with a line such as batch = "rebalance-2026-03": what is placed under it is never '
            "placed again.",
        )
    items: list[Item] = []
    for family, tables in document.items():
        if family not in FAMILIES or not isinstance(tables, list):
            raise ValidationFailed.of(family, None, f"be one of [[{']], [['.join(FAMILIES)}]]")
        for number, table in enumerate(tables, start=1):
            given_name = table.pop("name", None)
            name = f"{family}-{number}" if given_name is None else str(given_name)
            given = bind(find(f"{FAMILIES[family]}.preview"), {"order": table}, texts=False)
            if len(name) > 60:
                raise ValidationFailed.of("name", name, "have at most 60 characters")
            items.append(
                Item(name, FAMILIES[family], given["order"], batch.strip(), is_named=given_name is not None)
            )
    names = [item.name for item in items]
    if len(set(names)) < len(names) or not items:
        raise ValidationFailed.of(
            "name", ", ".join(names) or None, "be there, and differ from order to order"
        )
    return items


def _take_keys(client: "Client", items: list[Item]) -> None:
    """Gives each order its digest and its idempotency key: the batch and its name.

    An order without a name goes by its content: where it stands in the file may change. The same content once more is
    an order of its own.
    """
    seen: Counter[str] = Counter()
    for item in items:
        item.digest = client.desk.digest_of(f"{item.family}.place", item.order)
        if item.is_named:
            item.key = f"apply:{item.batch}:{item.name}"
        else:
            seen[item.digest] += 1
            item.key = f"apply:{item.batch}:{item.family}={item.digest[:16]}#{seen[item.digest]}"


async def _plan(client: "Client", item: Item) -> None:
    row = item.row
    try:
        standing = client.desk.entry(item.key)
    except NotFound:
        standing = None
    if standing is not None and standing.digest != item.digest:
        row.outcome = "refused"
        row.message = (
            f"the name {item.name} belongs to another order of this batch: give a changed order a new name"
        )
        return
    if standing is not None and standing.state != "not_sent":
        row.conf_nums = standing.conf_nums
        said = {"accepted": _DONE, "rejected": "refused", "not_placed": "refused"}
        row.outcome = said.get(str(standing.state), "unknown")
        row.message = "" if row.outcome == _DONE else f"the journal says {standing.state}"
        return
    try:
        preview = await _method(client, f"{item.family}.preview")(item.order)
        symbols, rules = client.desk.needs(item.order.account, item.order)
        facts = await client.facts(item.order.account, symbols, rules)
        check = client.desk.check(f"{item.family}.place", item.order.account, item.order, facts)
    except FtError as problem:
        row.outcome, row.message = "refused", problem.message
        return
    item.numbers = row.conf_nums = getattr(preview, "conf_nums", None) or [preview.conf_num]
    row.cost = _cost(item.order, preview)
    if check.findings:
        row.outcome, row.message = "refused", check.findings[0].text


async def _agreed(call: Call, client: "Client", items: list[Item], yes: bool) -> bool:
    """Shows the plan and asks; without a person and without ``--yes`` the plan is all."""
    if yes:
        client.gate.check_live("orders.apply")
        return True
    if not call.can_ask or not (call.settings.is_paper or call.settings.live_trading):
        return False
    call.show(_report(items))
    return call.confirm("Place these orders?")


async def _place_all(call: Call, client: "Client", items: list[Item], keep_going: bool) -> None:
    stopped = False
    for item in items:
        row = item.row
        if stopped:
            row.outcome = "not sent"
            continue
        place = _method(client, f"{item.family}.place")
        handle: Any = item.numbers if item.family == "orders.conditional" else item.numbers[0]

        async def send(item: Item = item, place: Any = place, handle: Any = handle) -> Any:
            with client.placing_as("cli", key=item.key):
                return await place(item.order, handle)

        try:
            await unbroken(call, send, item.numbers)
        except OrderUnknown as problem:
            row.outcome, row.message, stopped = "unknown", problem.message, True
        except FtError as problem:
            row.outcome, row.message, stopped = "refused", problem.message, not keep_going
        else:
            row.outcome = "placed"


def _report(items: list[Item]) -> FileReport:
    rows = [item.row for item in items]
    costs = [row.cost for row in rows if row.cost is not None and row.outcome in ("planned", "placed")]
    return FileReport(orders=rows, total=sum(costs, Decimal(0)))


def _end(call: Call, items: list[Item], went: bool) -> None:
    outcomes = [item.row.outcome for item in items]
    if "unknown" in outcomes:
        call.talk(f"An outcome is unknown: {call.program} orders reconcile")
        raise Exit(OrderUnknown.exit_status)
    if "refused" in outcomes:
        raise Exit(OrderRejected.exit_status)
    if not went and "planned" in outcomes:
        call.talk("Not placed: this is the plan. Add --yes to place the orders (and --live, for real ones).")


def _method(client: "Client", name: str) -> Any:
    found: Any = client
    for part in name.split("."):
        found = getattr(found, part)
    return found


def _cost(order: Any, preview: Any) -> Decimal | None:
    if hasattr(order, "orders"):
        return _cost(order.orders[0], preview.orders[0]) if preview.orders else None
    amount: Decimal | None = preview.net_amount
    buys = str(order.direction) != "credit" if hasattr(order, "legs") else order.action.is_buy
    return None if amount is None else amount if buys else -amount


def _words(order: Any) -> str:
    from ftcli.cli.ticket import headline, terms, words

    if hasattr(order, "orders"):
        return f"{words(order.condition)}: " + "; ".join(_words(part) for part in order.orders)
    if hasattr(order, "legs"):
        legs = "; ".join(headline(leg) for leg in order.legs)
        return f"{legs} · {words(order.direction)} {order.net_price:f} · {words(order.time_in_force)}"
    return f"{headline(order)} · {terms(order)}"
