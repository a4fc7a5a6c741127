"""Watchlists (protocol 04 §1)."""

import re
from decimal import Decimal
from typing import Annotated, Any

from ftcli.errors import BrokerError, NotFound, ValidationFailed
from ftcli.models.field import as_list, read
from ftcli.models.order_confirmations import OrderMessage
from ftcli.models.watchlists import (
    DeletedWatchlist,
    SavedWatchlist,
    Watchlist,
    WatchlistChange,
    WatchlistEntry,
)
from ftcli.models.watchlists import Watchlists as WatchlistList
from ftcli.operations.account_calls import wire_path
from ftcli.operations.confirmed import check_answered, check_changed
from ftcli.operations.dp import document_of, dp_post
from ftcli.operations.fastquote import quote_symbol
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.verdicts import messages_of
from ftcli.wire import Retry, WireReply, WireRequest

BASE = "retail-watchlist/v1/customers/watchlists"
TYPE_CODE = "WL"
_SUCCESS, _UNKNOWN = "2000", "4040"
_ID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")

WatchlistIds = Annotated[
    list[str] | None,
    Param(
        "Ids or names of the lists wanted; all where left out.",
        example=["0f5b6f6e-2b86-4f0a-9f55-5d2f6fb6a1d1"],
    ),
]
WatchlistId = Annotated[
    str,
    Param(
        "Id of the list, or its name where only one has it.",
        argument=True,
        example="0f5b6f6e-2b86-4f0a-9f55-5d2f6fb6a1d1",
    ),
]


class Watchlists(Group):
    """Lists of securities, kept by the broker."""

    name = "watchlists"

    @operation(
        "GET",
        "/watchlists",
        examples=("watchlists list", "watchlists list --watchlist-ids Energy -o json"),
    )
    async def list(
        self,
        watchlist_ids: WatchlistIds = None,
        include_security_details: Annotated[bool, Param("Ask for the securities too.")] = True,
    ) -> WatchlistList:
        """List your watchlists and what is on them.

        Raises:
            NotFound: There is none of the lists named.

        Source: protocol 04 §1.1.
        """
        wanted = [word.strip() for word in watchlist_ids or [] if word.strip()]
        ids = wanted if all(_ID.fullmatch(word) for word in wanted) else []
        answer = await _fetch(self.core, ids, details=include_security_details)
        if wanted:
            answer.watchlists = [
                item for item in answer.watchlists if any(_is(item, word) for word in wanted)
            ]
            if not answer.watchlists:
                raise NotFound(
                    f"There is no watchlist {', '.join(wanted)}. See: ft watchlists list",
                    details={"watchlist_ids": wanted},
                )
        return answer

    @operation(
        "POST",
        "/watchlists/save",
        risk="write",
        examples=(
            "watchlists save --name Energy --symbols XOM,CVX",
            "watchlists save --watchlist-id Energy --add COP --remove CVX",
            "watchlists save --watchlist-id Energy --name 'Oil and gas' --is-default",
        ),
    )
    async def save(self, watchlist: Annotated[WatchlistChange, Param("The list.")]) -> SavedWatchlist:
        """Make a watchlist, or change one: its name, its securities, whether it is the default.

        The broker stores a list as a whole. Quantities and purchase prices are not in its answers, so a change
        sets those that you do not give to zero. A new list is sent once: after a lost answer, look at your
        lists before you make it again.

        Raises:
            NotFound: There is no such list.
            ValidationFailed: A symbol cannot be one, or the name fits several lists.

        Source: protocol 04 §1.2.
        """
        old = await find_watchlist(self.core, watchlist.watchlist_id) if watchlist.watchlist_id else None
        entries = _entries(watchlist, old)
        body = _body(watchlist, old, entries)
        retry = Retry.WRITE if old else Retry.NEVER
        reply = await self.core.send(dp_post(f"{BASE}/save", {"watchListDetails": [body]}, retry))
        check_changed(reply, _is_success, "save the watchlist")
        answer = _saved(reply, old)
        answer.name, answer.is_default = body["watchListName"], body["isDefault"]
        answer.symbols = [entry.symbol for entry in entries]
        return with_reply(answer, reply)

    @operation(
        "DELETE",
        "/watchlists/{watchlist_id}",
        risk="write",
        inferred=True,
        examples=("watchlists delete Energy",),
    )
    async def delete(self, watchlist_id: WatchlistId) -> DeletedWatchlist:
        """Delete a watchlist.

        Raises:
            NotFound: There is no such list.
            ValidationFailed: The name fits several lists.

        Source: protocol 04 §1.3.
        """
        found = await find_watchlist(self.core, watchlist_id)
        selector = {"watchListIds": [found.watchlist_id], "watchListTypeCode": found.type_code or TYPE_CODE}
        request = WireRequest(
            host="dp",
            method="POST",
            path=wire_path(self.core, "watchlists.delete", f"{BASE}/delete"),
            body={"watchlists": [selector]},
            retry=Retry.WRITE,
        )
        reply = await self.core.send(request)
        if any(message.outer_code == _UNKNOWN for message in messages_of(document_of(reply))):
            raise _no_such(watchlist_id)
        check_changed(reply, _is_success, "delete the watchlist")
        left = await _fetch(self.core, [found.watchlist_id or ""], details=False)
        if any(item.watchlist_id == found.watchlist_id for item in left.watchlists):
            raise BrokerError(
                f"The broker confirms the deletion of {found.name}, but the list is still there.",
                details={"watchlist_id": found.watchlist_id},
            )
        return with_reply(DeletedWatchlist(watchlist_id=found.watchlist_id or "", name=found.name), reply)


async def find_watchlist(core: Core, wanted: str) -> Watchlist:
    """One watchlist with its securities.

    Args:
        core: Sends.
        wanted: Its id, or its name.

    Raises:
        NotFound: There is none.
        ValidationFailed: Several lists have that name.
    """
    word = wanted.strip()
    if not word:
        raise ValidationFailed.of("watchlist_id", wanted, "be the id or name of a watchlist")
    ids = [word] if _ID.fullmatch(word) else []
    found = [item for item in (await _fetch(core, ids)).watchlists if item.watchlist_id and _is(item, word)]
    if not found:
        raise _no_such(word)
    if len(found) > 1:
        several = ", ".join(item.watchlist_id or "" for item in found)
        raise ValidationFailed.of(
            "watchlist_id", word, f"be an id here: several lists have that name ({several})"
        )
    return found[0]


def _no_such(wanted: str) -> NotFound:
    return NotFound(
        f"There is no watchlist {wanted}. See: ft watchlists list", details={"watchlist_id": wanted}
    )


def _is(watchlist: Watchlist, word: str) -> bool:
    return word.lower() in ((watchlist.watchlist_id or "").lower(), watchlist.name.lower())


def _is_success(message: OrderMessage) -> bool:
    return message.outer_code == _SUCCESS


async def _fetch(core: Core, ids: list[str], *, details: bool = True) -> WatchlistList:
    """Watchlists by id, or all of them, in the order in which the broker shows them."""
    body = {
        "watchlists": [{"watchListIds": ids, "watchListTypeCode": TYPE_CODE}],
        "includeWatchListSecurityDetails": details,
        "positionTypes": ["H", "O"],
    }
    reply = await core.send(dp_post(f"{BASE}/get", body))
    if "watchListDetails" not in document_of(reply) and not messages_of(document_of(reply)):
        return with_reply(WatchlistList(), reply)  # the broker's way of saying that there are none
    check_answered(reply, _is_success, "watchListDetails")
    answer = read(WatchlistList, document_of(reply))
    for item in answer.watchlists:
        rows = [row for row in item.securities if row.symbol]
        item.securities = sorted(rows, key=lambda row: (row.rank is None, row.rank or 0))
        item.symbols = [row.symbol for row in item.securities]
        item.count = len(rows) if details else None
    answer.watchlists.sort(key=lambda item: (item.sort_order is None, item.sort_order or 0))
    return with_reply(answer, reply)


def _entries(change: WatchlistChange, old: Watchlist | None) -> list[WatchlistEntry]:
    """What shall be on the list, each symbol once.

    Raises:
        ValidationFailed: A symbol cannot be one, or one to be removed is not there.
    """
    if change.securities is not None:
        given = [
            WatchlistEntry(
                symbol=quote_symbol(entry.symbol, f"securities[{number}].symbol"),
                quantity=entry.quantity,
                purchase_price=entry.purchase_price,
            )
            for number, entry in enumerate(change.securities)
        ]
        return list({entry.symbol: entry for entry in given}.values())
    if change.symbols is not None:
        symbols = [quote_symbol(symbol, "symbols") for symbol in change.symbols]
    else:
        symbols = [row.symbol for row in old.securities] if old else []
    for symbol in change.remove:
        name = quote_symbol(symbol, "remove")
        if name not in symbols:
            raise ValidationFailed.of("remove", symbol, "be on the list")
        symbols = [item for item in symbols if item != name]
    symbols += [quote_symbol(symbol, "add") for symbol in change.add]
    return [WatchlistEntry(symbol=symbol) for symbol in dict.fromkeys(symbols)]


def _body(change: WatchlistChange, old: Watchlist | None, entries: list[WatchlistEntry]) -> dict[str, Any]:
    """The whole list as it shall be (protocol 04 §1.2): the broker replaces, it does not merge."""
    known = {row.symbol: row.security_id for row in old.securities} if old else {}
    rows = []
    for place, entry in enumerate(entries, start=1):
        row: dict[str, Any] = {
            "symbol": entry.symbol,
            "shareQuantity": f"{_short(entry.quantity):f}",
            "rankId": str(place),
            "priceDetail": {"purchasePrice": _short(entry.purchase_price)},
        }
        if known.get(entry.symbol):
            row["securityId"] = known[entry.symbol]
        rows.append(row)
    is_default = change.is_default if change.is_default is not None else bool(old and old.is_default)
    body: dict[str, Any] = {
        "watchListName": (change.name or (old.name if old else "")).strip(),
        "productCode": TYPE_CODE,
        "isDefault": is_default,
        "watchListTypeCode": (old.type_code if old else None) or TYPE_CODE,
        "securityDetails": rows,
    }
    if old:
        body["watchListId"] = old.watchlist_id
    return body


def _short(number: Decimal) -> Decimal:
    """A number without zeroes at its end."""
    return number.normalize() if number else Decimal(0)


def _saved(reply: WireReply, old: Watchlist | None) -> SavedWatchlist:
    """The list of the answer; the broker says its id and little else."""
    entries = [
        entry for entry in as_list(document_of(reply).get("watchListDetails")) if isinstance(entry, dict)
    ]
    answers = [read(SavedWatchlist, entry) for entry in entries]
    if old is None:
        return SavedWatchlist(watchlist_id=answers[0].watchlist_id if answers else None, created=True)
    return SavedWatchlist(watchlist_id=old.watchlist_id)
