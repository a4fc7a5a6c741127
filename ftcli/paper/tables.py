"""Records held in memory, with the running totals that keep checks cheap."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import Generic, TypeVar

import msgspec

from ftcli.paper.codes import Action, Effect, Family, Holding
from ftcli.paper.records import ZERO, Lot, Order, OrderLeg

Record = TypeVar("Record", bound=msgspec.Struct)


class ReadOnlyError(RuntimeError):
    """The world was opened for reading and something tried to change it."""


class Table(Generic[Record]):
    """Records of one kind held in memory, by key; ``changed`` holds the keys to write."""

    def __init__(self, rows: Iterable[tuple[str, Record]] = ()) -> None:
        self._rows: dict[str, Record] = dict(rows)
        self.changed: set[str] = set()
        self.writable = False

    def __contains__(self, key: object) -> bool:
        return key in self._rows

    def __getitem__(self, key: str) -> Record:
        return self._rows[key]

    def __iter__(self) -> Iterator[Record]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Record | None:
        """The record with this key, or None."""
        return self._rows.get(key)

    def put(self, key: str, record: Record) -> None:
        """Add or replace a record."""
        if not self.writable:
            raise ReadOnlyError(key)
        self._rows[key] = record
        self.changed.add(key)

    def remove(self, key: str) -> None:
        """Take a record out."""
        if not self.writable:
            raise ReadOnlyError(key)
        del self._rows[key]
        self.changed.add(key)


class Holdings(msgspec.Struct):
    """Running totals of the open lots of one symbol in one account.

    ``cash_quantity`` is the part booked in the cash type, which a margin account cannot borrow on.
    """

    quantity: Decimal = ZERO
    cost: Decimal = ZERO
    cash_quantity: Decimal = ZERO


class LotTable(Table[Lot]):
    """Open lots with running totals per account and symbol."""

    def __init__(self, rows: Iterable[Lot] = ()) -> None:
        super().__init__()
        self._by_account: dict[str, dict[str, dict[str, Lot]]] = {}
        self._totals: dict[str, dict[str, Holdings]] = {}
        for lot in rows:
            self._rows[lot.lot_id] = lot
            self._index(lot)

    def _index(self, lot: Lot) -> None:
        symbols = self._by_account.setdefault(lot.account, {})
        symbols.setdefault(lot.symbol, {})[lot.lot_id] = lot
        total = self._totals.setdefault(lot.account, {}).setdefault(lot.symbol, Holdings())
        total.quantity += lot.quantity
        total.cost += lot.cost
        if lot.holding is Holding.CASH:
            total.cash_quantity += lot.quantity

    def _forget(self, lot: Lot) -> None:
        total = self._totals[lot.account][lot.symbol]
        total.quantity -= lot.quantity
        total.cost -= lot.cost
        if lot.holding is Holding.CASH:
            total.cash_quantity -= lot.quantity

    def put(self, key: str, record: Lot) -> None:
        """Add or replace a lot."""
        old = self._rows.get(key)
        super().put(key, record)
        if old is not None:
            self._forget(old)
        self._index(record)

    def remove(self, key: str) -> None:
        """Take a lot out when nothing of it is left."""
        lot = self._rows[key]
        super().remove(key)
        self._forget(lot)
        symbols = self._by_account[lot.account]
        del symbols[lot.symbol][key]
        if not symbols[lot.symbol]:
            del symbols[lot.symbol]
            del self._totals[lot.account][lot.symbol]

    def of(self, account: str, symbol: str) -> list[Lot]:
        """The open lots of a symbol, oldest first."""
        lots = self._by_account.get(account, {}).get(symbol, {})
        return sorted(lots.values(), key=lambda lot: (lot.opened, lot.lot_id))

    def totals(self, account: str) -> dict[str, Holdings]:
        """Quantity and cost per symbol of an account; do not change the answer."""
        return self._totals.get(account, {})

    def quantity(self, account: str, symbol: str) -> Decimal:
        """Signed quantity held."""
        total = self._totals.get(account, {}).get(symbol)
        return ZERO if total is None else total.quantity


class Commitments(msgspec.Struct):
    """Dollars and margin that the open orders of an account hold back."""

    cash: Decimal = ZERO
    requirement: Decimal = ZERO


def closing_key(order: Order, leg: OrderLeg) -> tuple[str, str, bool] | None:
    """Which holding a leg would reduce: account, symbol, and True where it closes a long one."""
    if leg.action in (Action.SELL, Action.SELL_ALL, Action.SELL_SPECIFIC):
        return order.account, leg.symbol, True
    if leg.action is Action.BUY_TO_COVER:
        return order.account, leg.symbol, False
    if leg.effect is Effect.CLOSE:
        return order.account, leg.symbol, not leg.action.buys
    return None


class OrderTable(Table[Order]):
    """Open orders with running totals of what they hold back; ``touched`` collects changed numbers."""

    def __init__(self, rows: Iterable[Order] = ()) -> None:
        super().__init__()
        self._by_account: dict[str, dict[str, Order]] = {}
        self._with_options: dict[str, dict[str, Order]] = {}
        self._commitments: dict[str, Commitments] = {}
        self._closing: dict[tuple[str, str, bool], Decimal] = {}
        self.touched: set[str] = set()
        for order in rows:
            self._rows[order.number] = order
            self._count(order, 1)

    def _count(self, order: Order, sign: int) -> None:
        indexes = [self._by_account.setdefault(order.account, {})]
        if order.family is not Family.EQUITY:
            indexes.append(self._with_options.setdefault(order.account, {}))
        for index in indexes:
            if sign > 0:
                index[order.number] = order
            else:
                index.pop(order.number, None)
        total = self._commitments.setdefault(order.account, Commitments())
        total.cash += sign * order.committed
        total.requirement += sign * order.requirement
        if order.on_hold or order.status.waiting:
            return
        for leg in order.legs:
            key = closing_key(order, leg)
            if key is not None:
                self._closing[key] = self._closing.get(key, ZERO) + sign * leg.remaining

    def put(self, key: str, record: Order) -> None:
        """Add or replace an open order."""
        old = self._rows.get(key)
        super().put(key, record)
        self.touched.add(key)
        if old is not None:
            self._count(old, -1)
        self._count(record, 1)

    def remove(self, key: str) -> None:
        """Take an order out of the open ones."""
        old = self._rows[key]
        super().remove(key)
        self._count(old, -1)

    def of(self, account: str) -> list[Order]:
        """Open orders of an account, oldest first."""
        return sorted(self._by_account.get(account, {}).values(), key=lambda order: order.sequence)

    def with_options(self, account: str) -> list[Order]:
        """Open orders of an account that have option legs, in no order."""
        return list(self._with_options.get(account, {}).values())

    def commitments(self, account: str) -> Commitments:
        """What the open orders of an account hold back."""
        return self._commitments.get(account) or Commitments()

    def closing(self, account: str, symbol: str, *, long: bool) -> Decimal:
        """Quantity of a holding that open orders would already close."""
        return self._closing.get((account, symbol, long), ZERO)
