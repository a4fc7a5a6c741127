"""The paper broker's world in memory: what a transaction reads and changes.

Accounts, cash, open lots and open orders are held in memory with running totals, so that a check of buying
power costs the number of symbols held and not the number of lots or orders. What only grows (finished
orders, previews, history, closed lots, events) stays in the database and is read on demand.
"""

import sqlite3
from datetime import date, datetime
from functools import cache
from typing import Any

import msgspec

from ftcli.clock import market_date
from ftcli.paper.codes import EventKind
from ftcli.paper.records import (
    Account,
    Cash,
    ClosedLot,
    Event,
    EventData,
    Loan,
    Lot,
    Meta,
    Order,
    Transaction,
)
from ftcli.paper.tables import LotTable, OrderTable, ReadOnlyError, Record, Table
from ftcli.paper.tickets import PreviewRecord

_encode = msgspec.json.Encoder().encode


@cache
def decoder(kind: type[Record]) -> "msgspec.json.Decoder[Record]":
    """The JSON reader of one record type, built on first use because building one takes time."""
    return msgspec.json.Decoder(kind)


class World:
    """Everything the paper broker knows, inside one transaction or one read.

    Reads see what the same transaction wrote. The tables and the append methods raise ``ReadOnlyError``
    outside a transaction.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._writable = False
        self._meta: Meta | None = None
        self._meta_changed = False
        self.accounts: Table[Account] = Table()
        self.cash: Table[Cash] = Table()
        self.loans: Table[Loan] = Table()
        self.lots = LotTable()
        self.orders = OrderTable()
        self._load()

    # -- loading and writing -------------------------------------------------------------------

    def _records(self, kind: type[Record], sql: str, values: tuple[Any, ...] = ()) -> list[Record]:
        decode = decoder(kind).decode
        return [decode(row[0]) for row in self._connection.execute(sql, values)]

    def _load(self) -> None:
        found = self._records(Meta, "SELECT data FROM meta")
        self._meta = found[0] if found else None
        accounts = sorted(self._records(Account, "SELECT data FROM accounts"), key=lambda found: found.order)
        self.accounts = Table((account.number, account) for account in accounts)
        self.cash = Table((cash.account, cash) for cash in self._records(Cash, "SELECT data FROM cash"))
        loans = self._records(Loan, "SELECT data FROM loans ORDER BY loan")
        self.loans = Table((f"{loan.account}/{loan.symbol}/{loan.since}", loan) for loan in loans)
        self.lots = LotTable(self._records(Lot, "SELECT data FROM lots ORDER BY opened, lot_id"))
        self.orders = OrderTable(
            self._records(Order, "SELECT data FROM orders WHERE open = 1 ORDER BY sequence")
        )

    def set_writable(self, writable: bool) -> None:
        """Open or shut the world for changes; only the state calls this."""
        self._writable = writable
        for table in (self.accounts, self.cash, self.loans, self.lots, self.orders):
            table.writable = writable

    def flush(self) -> None:
        """Write the changed records; only the state calls this, right before it commits."""
        execute = self._connection.execute
        if self._meta_changed:
            execute("INSERT OR REPLACE INTO meta (id, data) VALUES (1, ?)", (_encode(self._meta),))
            self._meta_changed = False
        for name, key, table in (
            ("accounts", "number", self.accounts),
            ("cash", "account", self.cash),
            ("loans", "loan", self.loans),
        ):
            for changed in sorted(table.changed):
                record = table.get(changed)
                execute(
                    f"INSERT INTO {name} ({key}, data) VALUES (?, ?) "  # nosec B608 # noqa: S608 - ours
                    f"ON CONFLICT({key}) DO UPDATE SET data = excluded.data",
                    (changed, _encode(record)),
                )
            table.changed.clear()
        self._flush_lots()
        for number in sorted(self.orders.changed):
            order = self.orders.get(number)
            if order is not None:
                self._write_order(order)
        self.orders.changed.clear()

    def _flush_lots(self) -> None:
        execute = self._connection.execute
        for lot_id in sorted(self.lots.changed):
            lot = self.lots.get(lot_id)
            if lot is None:
                execute("DELETE FROM lots WHERE lot_id = ?", (lot_id,))
            else:
                execute(
                    "INSERT OR REPLACE INTO lots (lot_id, opened, data) VALUES (?, ?, ?)",
                    (lot_id, lot.opened.isoformat(), _encode(lot)),
                )
        self.lots.changed.clear()

    def _write_order(self, order: Order) -> None:
        self._connection.execute(
            "INSERT OR REPLACE INTO orders (number, account, sequence, open, changed_on, data) "
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                order.number,
                order.account,
                order.sequence,
                int(not order.status.final),
                market_date(order.changed).isoformat(),
                _encode(order),
            ),
        )

    def _write(self, sql: str, values: tuple[Any, ...]) -> None:
        if not self._writable:
            raise ReadOnlyError(sql)
        self._connection.execute(sql, values)

    # -- meta ----------------------------------------------------------------------------------

    @property
    def empty(self) -> bool:
        """True before the world has been seeded."""
        return self._meta is None

    @property
    def meta(self) -> Meta:
        """Counters and the last look."""
        assert self._meta is not None, "the world has not been seeded"
        return self._meta

    @meta.setter
    def meta(self, meta: Meta) -> None:
        if not self._writable:
            raise ReadOnlyError("meta")
        self._meta = meta
        self._meta_changed = True

    def next(self, counter: str) -> int:
        """Count up one of the sequences of ``Meta`` and answer the new value."""
        value: int = getattr(self.meta, counter) + 1
        self.meta = msgspec.structs.replace(self.meta, **{counter: value})
        return value

    # -- orders and previews -------------------------------------------------------------------

    def order(self, number: str) -> Order | None:
        """An order by its number, open or finished."""
        found = self.orders.get(number)
        if found is not None:
            return found
        rows = self._records(Order, "SELECT data FROM orders WHERE number = ? AND open = 0", (number,))
        return rows[0] if rows else None

    def put_order(self, order: Order) -> Order:
        """Store an order with its next revision; a finished one leaves the open orders."""
        order = msgspec.structs.replace(order, revision=order.revision + 1)
        if order.status.final:
            if order.number in self.orders:
                self.orders.remove(order.number)
                self.orders.changed.discard(order.number)
            if not self._writable:
                raise ReadOnlyError(order.number)
            self._write_order(order)
        else:
            self.orders.put(order.number, order)
        return order

    def finished_orders(self, account: str, since: date) -> list[Order]:
        """Finished orders of an account whose last change is on ``since`` (a New York date) or later."""
        return self._records(
            Order,
            "SELECT data FROM orders WHERE account = ? AND open = 0 AND changed_on >= ? ORDER BY sequence",
            (account, since.isoformat()),
        )

    def group_orders(self, group: str) -> list[Order]:
        """The orders of a conditional group that still are open, in entry order."""
        return [order for order in self.orders if order.group == group]

    def preview(self, number: str) -> PreviewRecord | None:
        """The preview that minted a number."""
        rows = self._records(PreviewRecord, "SELECT data FROM previews WHERE number = ?", (number,))
        return rows[0] if rows else None

    def group_previews(self, group: str) -> list[PreviewRecord]:
        """The previews of a conditional group, in order."""
        return self._records(
            PreviewRecord, "SELECT data FROM previews WHERE group_number = ? ORDER BY rank", (group,)
        )

    def put_preview(self, record: PreviewRecord) -> None:
        """Store a preview."""
        self._write(
            "INSERT OR REPLACE INTO previews (number, made, group_number, rank, data) VALUES (?, ?, ?, ?, ?)",
            (record.number, record.made.isoformat(), record.group, record.index, _encode(record)),
        )

    def drop_previews(self, before: datetime) -> None:
        """Forget previews made before a moment."""
        self._write("DELETE FROM previews WHERE made < ?", (before.isoformat(),))

    # -- history -------------------------------------------------------------------------------

    def add_transaction(self, transaction: Transaction) -> None:
        """Append a line of history."""
        self._write(
            "INSERT INTO transactions (id, account, posted, data) VALUES (?, ?, ?, ?)",
            (
                transaction.transaction_id,
                transaction.account,
                transaction.posted.isoformat(),
                _encode(transaction),
            ),
        )

    def transactions(self, account: str, first: date, last: date) -> list[Transaction]:
        """History of an account with a posting date in ``first`` .. ``last``, newest first."""
        return self._records(
            Transaction,
            "SELECT data FROM transactions WHERE account = ? AND posted BETWEEN ? AND ? "
            "ORDER BY posted DESC, id DESC",
            (account, first.isoformat(), last.isoformat()),
        )

    def put_closed_lot(self, lot: ClosedLot) -> None:
        """Append or adjust a closed lot."""
        self._write(
            "INSERT OR REPLACE INTO closed_lots (closed_id, account, symbol, sold, data) "
            "VALUES (?, ?, ?, ?, ?)",
            (lot.closed_id, lot.account, lot.symbol, lot.sold.isoformat(), _encode(lot)),
        )

    def closed_lots(
        self, account: str, first: date, last: date, symbol: str | None = None
    ) -> list[ClosedLot]:
        """Lots of an account closed in ``first`` .. ``last``, oldest first."""
        sql = "SELECT data FROM closed_lots WHERE account = ? AND sold BETWEEN ? AND ?"
        values: tuple[str, ...] = (account, first.isoformat(), last.isoformat())
        if symbol is not None:
            sql, values = f"{sql} AND symbol = ?", (*values, symbol)
        return self._records(ClosedLot, f"{sql} ORDER BY sold, closed_id", values)

    # -- events --------------------------------------------------------------------------------

    def add_event(
        self, time: datetime, account: str, kind: EventKind, order: str | None, data: EventData
    ) -> None:
        """Append an event to the log."""
        event = Event(
            sequence=self.next("event_sequence"),
            time=time,
            account=account,
            kind=kind,
            order=order,
            data=data,
        )
        self._write("INSERT INTO events (sequence, data) VALUES (?, ?)", (event.sequence, _encode(event)))

    def events(self, after: int, limit: int) -> list[Event]:
        """Events with a sequence number above ``after``, oldest first."""
        return self._records(
            Event,
            "SELECT data FROM events WHERE sequence > ? ORDER BY sequence LIMIT ?",
            (after, limit),
        )
