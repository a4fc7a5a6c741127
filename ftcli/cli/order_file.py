"""A file of orders: read, bound to accounts, and keyed, so that none of it is ever placed twice."""

from collections import Counter
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ftcli.cli.accounts import PLACEHOLDER, Slot, account_slot
from ftcli.errors import ValidationFailed
from ftcli.models.trading import FileRow
from ftcli.operations.binding import bind
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
_LONGEST = 60
_SEPARATOR = ":"
"""Stands behind the batch in a key. A batch holds none, so that no two batches and names make one key."""


class Item:
    """One order of the file.

    Args:
        name: Its name, unique in the file.
        family: Its operations' group.
        table: Its fields, as they stand in the file.
        is_named: Whether the file names it; else the name only says where it stands.

    Attributes:
        order: The order; without an account of its own it has a placeholder until :meth:`fill`.
        digest, key: Its hash and its idempotency key, once they are given.
        numbers: Confirmation numbers of its preview.
        amounts: What it costs by its preview, as :func:`ftcli.cli.file_costs.amounts_of` says; ``None``: not known.
        row: Its row in the report.
        exit_status: What the command ends with for it.
        is_beyond: Whether it is beyond a limit of the day.
    """

    def __init__(self, name: str, family: str, table: dict[str, Any], *, is_named: bool) -> None:
        self.name, self.family, self.is_named = name, family, is_named
        self._given = {"order": table}
        slot = account_slot(find(f"{family}.preview"), self._given)
        self._slot = slot or Slot([table], "account")
        self.fill(self._slot.value or PLACEHOLDER)
        self.digest = self.key = ""
        self.numbers: list[str] = []
        self.amounts: list[Decimal] | None = None
        self.exit_status = 0
        self.is_beyond = False

    @property
    def needs_account(self) -> bool:
        """Whether the file gives it none."""
        return self._slot.value == PLACEHOLDER

    def fill(self, account: str) -> None:
        """Gives it an account, where it has none.

        Raises:
            ValidationFailed: It breaks a rule.
        """
        from ftcli.cli.ticket import order_line

        self._slot.fill(account)
        self.order: Any = bind(find(f"{self.family}.preview"), self._given, texts=False)["order"]
        self.row = FileRow(
            name=self.name,
            outcome="planned",
            order=order_line(self.order),
            account=self.order.account,
        )

    def end(self, outcome: str, message: str, code: str = "", exit_status: int = 0) -> None:
        """Says what becomes of it, and why."""
        self.row.outcome, self.row.message, self.row.code = outcome, message, code
        self.exit_status = exit_status


class OrderFile:
    """The orders of a file and the batch they belong to."""

    def __init__(self, batch: str, items: list[Item]) -> None:
        self.batch, self.items = batch, items
        self.prefix = f"apply:{batch}{_SEPARATOR}"

    @property
    def accounts(self) -> list[str]:
        """The accounts of its orders that are yet to be placed."""
        return list(dict.fromkeys(item.order.account for item in self.of("planned")))

    def of(self, outcome: str) -> list[Item]:
        """The orders with an outcome."""
        return [item for item in self.items if item.row.outcome == outcome]

    def take_keys(self, client: "Client") -> None:
        """Gives each order its digest and its idempotency key: the batch and its name.

        An order without a name goes by its content: where it stands in the file may change. The same content once
        more is an order of its own.
        """
        seen: Counter[str] = Counter()
        for item in self.items:
            item.digest = client.desk.digest_of(f"{item.family}.place", item.order)
            if item.is_named:
                item.key = f"{self.prefix}{item.name}"
            else:
                seen[item.digest] += 1
                item.key = f"{self.prefix}{item.family}={item.digest[:16]}#{seen[item.digest]}"


def read_file(path: Path) -> OrderFile:
    """The orders of a file, family by family, in the order the families first come in it.

    Raises:
        ValidationFailed: It cannot be read, or an order in it breaks a rule.
    """
    document = _parsed(path)
    batch = _label(
        "batch",
        document.pop("batch", None),
        hint='Begin the file with a line such as batch = "rebalance-2026-03": what is placed under it is never '
        "placed again.",
    )
    if _SEPARATOR in batch:
        raise ValidationFailed.of("batch", batch, f"hold no {_SEPARATOR!r}")
    items = _items(document, path)
    for name, count in Counter(item.name for item in items).items():
        if count > 1:
            raise ValidationFailed.of("name", name, f"differ from order to order; {count} have this one")
    return OrderFile(batch, items)


def _items(document: dict[str, Any], path: Path) -> list[Item]:
    """The orders. What is wrong with any is told together, so that a file is mended in one go.

    Raises:
        ValidationFailed: There is none, or something is wrong.
    """
    tables = ", ".join(f"[[{family}]]" for family in FAMILIES)
    items: list[Item] = []
    faults: dict[str, ValidationFailed] = {}
    for family, found in document.items():
        if family not in FAMILIES or not isinstance(found, list):
            raise ValidationFailed.of("file", family, f"hold, beside the batch, only tables {tables}")
        for number, table in enumerate(found, start=1):
            try:
                items.append(_item(family, number, table))
            except ValidationFailed as fault:
                place = f"{family}-{number}"
                named = table.get("name") if isinstance(table, dict) else None
                is_clear = isinstance(named, str) and named.isprintable() and named not in faults
                faults[named if named and is_clear else place] = fault
    if faults:
        raise _together(faults)
    if not items:
        raise ValidationFailed.of("file", path, f"hold an order: one of {tables}")
    return items


def _together(faults: dict[str, ValidationFailed]) -> ValidationFailed:
    """The faults as one error, with the details of the first and those of all by order."""
    lines = [f"{name}: {fault.message}" for name, fault in faults.items()]
    head = [] if len(faults) == 1 else [f"{len(faults)} orders of the file are not right."]
    details = dict(next(iter(faults.values())).details or {})
    return ValidationFailed(
        "\n  ".join([*head, *lines]),
        details=details | {"orders": {name: fault.details for name, fault in faults.items()}},
    )


def _label(field: str, value: object, *, hint: str = "") -> str:
    """A batch or a name: part of a key that must be the same in every run, and of no other order.

    Raises:
        ValidationFailed: It is none.
    """
    if (
        not isinstance(value, str)
        or not 0 < len(value) <= _LONGEST
        or value != value.strip()
        or not value.isprintable()
    ):
        rule = f"be a text (in quotes) of 1 to {_LONGEST} printable characters, with no blank at its ends"
        raise ValidationFailed.of(field, value, rule, hint=hint)
    return value


def _parsed(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as problem:
        raise ValidationFailed.of("file", path, f"be a readable file ({problem.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValidationFailed.of("file", path, f"be valid TOML ({problem})") from None


def _item(family: str, number: int, table: dict[str, Any]) -> Item:
    if not isinstance(table, dict):
        raise ValidationFailed.of(family, table, f"be a table: [[{family}]]")
    fields = dict(table)
    given = fields.pop("name", None)
    name = f"{family}-{number}" if given is None else _label("name", given)
    return Item(name, FAMILIES[family], fields, is_named=given is not None)
