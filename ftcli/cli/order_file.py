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
        self.prefix = f"apply:{batch}:"

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
    batch = document.pop("batch", None)
    if not isinstance(batch, str) or not batch.strip() or len(batch) > _LONGEST:
        raise ValidationFailed.of(
            "batch",
            batch,
            f"be a name of at most {_LONGEST} characters",
            hint='Begin the file with a line such as batch = "rebalance-2026-03": what is placed under it is never '
            "placed again.",
        )
    items: list[Item] = []
    for family, tables in document.items():
        if family not in FAMILIES or not isinstance(tables, list):
            raise ValidationFailed.of(family, None, f"be one of [[{']], [['.join(FAMILIES)}]]")
        items += [_item(family, number, table) for number, table in enumerate(tables, start=1)]
    names = [item.name for item in items]
    if len(set(names)) < len(names) or not items:
        raise ValidationFailed.of(
            "name", ", ".join(names) or None, "be there, and differ from order to order"
        )
    return OrderFile(batch.strip(), items)


def _parsed(path: Path) -> dict[str, Any]:
    import tomllib

    try:
        return tomllib.loads(path.read_text("utf-8"), parse_float=Decimal)
    except OSError as problem:
        raise ValidationFailed.of("file", path, f"be a readable file ({problem.strerror})") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as problem:
        raise ValidationFailed.of("file", path, f"be valid TOML ({problem})") from None


def _item(family: str, number: int, table: dict[str, Any]) -> Item:
    given = table.pop("name", None)
    name = f"{family}-{number}" if given is None else str(given)
    if len(name) > _LONGEST:
        raise ValidationFailed.of("name", name, f"have at most {_LONGEST} characters")
    return Item(name, FAMILIES[family], table, is_named=given is not None)
