"""Watchlists as `dp` keeps them (protocol 04 §1); they survive in the paper broker's file."""

from typing import TYPE_CHECKING, Any

from ftcli.models.field import as_list
from ftcli.models.values import WRITERS, read_decimal, read_int, read_text
from ftcli.paper.documents import Changing, Documents
from ftcli.paper.numbered import identity, lay_in, next_number, stocked
from ftcli.paper.wire.exchange import PaperRequest, answers, member

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

PATH = "/ftgw/dp/retail-watchlist/v1/customers/watchlists"
KIND = "watchlists"
_STOCK = {
    "My watchlist": ("AAPL", "MSFT", "NVDA", "KO", "SPY"),
    "Income": ("JNJ", "PG", "XOM", "VZ"),
}
"""Lists that every paper customer begins with; the first is the default one."""
_OPENED = "2025-11-03 09:30:00.0"


def _stock(desk: "Desk") -> dict[str, Any]:
    lists = {}
    for place, (name, symbols) in enumerate(_STOCK.items(), start=1):
        key = identity(desk.member_id, KIND, place)
        rows = [_row(desk, key, symbol, rank) for rank, symbol in enumerate(symbols, start=1)]
        rows[0]["watchCloselyInd"] = place == 1
        lists[key] = {
            "watchListId": key,
            "watchListName": name,
            "watchListTypeCode": "WL",
            "isDefault": place == 1,
            "sortOrder": place,
            "createdTimeStamp": _OPENED,
            "lastUpdatedTime": _OPENED,
            "rows": rows,
        }
    return lists


def _row(desk: "Desk", key: str, symbol: str, rank: int) -> dict[str, Any]:
    return {
        "symbol": symbol,
        "cusip": "",
        "securityType": "",
        "newsStateInd": False,
        "watchCloselyInd": False,
        "rankId": rank,
        "securityId": identity(desk.member_id, key, symbol, rank),
    }


def _said(
    detail: str, code: str = "2000", kind: str = "", text: str = "Request Successful"
) -> dict[str, Any]:
    message = {"message": text, "detail": detail, "source": "", "code": code, "type": kind}
    return {"sysMsgs": {"sysMsg": [message]}}


@answers("POST", f"{PATH}/get")
def get_watchlists(desk: "Desk", request: PaperRequest) -> Any:
    """Watchlists by id and kind, with their securities where those are asked for (protocol 04 §1.1)."""
    body = request.document
    details = member(body, "includeWatchListSecurityDetails")
    lists = stocked(Documents(desk.state, KIND).all(), _stock(desk))
    found: dict[str, Any] = {}
    for selector in as_list(member(body, "watchlists")):
        ids, kind = as_list(selector.get("watchListIds")), selector.get("watchListTypeCode")
        for key, item in lists.items():
            if (not ids or key in ids) and item["watchListTypeCode"] == kind:
                found[key] = _shown(item, bool(details))
    message = {"message": "Successfully retreived all Watchlist Details", "code": "2000"}
    rows = sorted(found.values(), key=lambda item: item["sortOrder"])
    return {"sysMsgs": {"sysMsg": [message]}, "watchListDetails": rows}


def _shown(item: dict[str, Any], details: bool) -> dict[str, Any]:
    shown = {name: value for name, value in item.items() if name != "rows"}
    if details:
        shown["securityDetails"] = [
            {name: row[name] for name in row if name not in ("shareQuantity", "purchasePrice")}
            for row in item["rows"]
        ]
    return shown


@answers("POST", f"{PATH}/save")
def save_watchlists(desk: "Desk", request: PaperRequest) -> Any:
    """Makes lists or replaces them as a whole: all of them or none (protocol 04 §1.2)."""
    entries = [
        entry for entry in as_list(member(request.document, "watchListDetails")) if isinstance(entry, dict)
    ]
    problem = next(
        (text for entry in entries if (text := _problem(entry))), "" if entries else "No watchlist"
    )
    if problem:
        return {**_said(problem, "5000", "E", "Request Failed"), "watchListDetails": []}
    with Documents(desk.state, KIND).changing() as changing:
        lay_in(changing, _stock(desk))
        saved = [_save(desk, changing, entry) for entry in entries]
    answer = [
        {
            "watchListId": item["watchListId"],
            "securityDetails": [
                {name: row[name] for name in ("securityId", "rankId", "symbol")} for row in item["rows"]
            ],
        }
        for item in saved
    ]
    detail = f"Watchlists successfully saved for user: {desk.logins.user.username}"
    return {**_said(detail), "watchListDetails": answer}


def _problem(entry: dict[str, Any]) -> str:
    """What makes a list impossible; empty where nothing does."""
    if not read_text(entry.get("watchListName")):
        return "Watchlist name is missing"
    if entry.get("watchListTypeCode") != "WL":
        return "Unknown watchlist type"
    if not isinstance(entry.get("securityDetails"), list):
        return "Security details are missing"
    for row in entry["securityDetails"]:
        if not isinstance(row, dict) or not read_text(row.get("symbol")):
            return "Symbol is missing"
        if read_int(row.get("rankId")) is None:
            return f"Rank of {row['symbol']} is no number"
    return ""


def _save(desk: "Desk", changing: Changing, entry: dict[str, Any]) -> dict[str, Any]:
    """One list: what it had keeps its times and marks."""
    lists = stocked(changing.documents, {})
    number = next_number(changing)
    key = read_text(entry.get("watchListId")) or identity(desk.member_id, KIND, number)
    old = lists.get(key)
    stamp = WRITERS["stamp"](desk.now())
    marked = bool(entry.get("isDefault"))
    item = {
        "watchListId": key,
        "watchListName": entry["watchListName"].strip(),
        "watchListTypeCode": "WL",
        "isDefault": marked,
        "sortOrder": old["sortOrder"]
        if old
        else 1 + max((one["sortOrder"] for one in lists.values()), default=0),
        "createdTimeStamp": old["createdTimeStamp"] if old else stamp,
        "lastUpdatedTime": stamp,
        "rows": _rows(desk, key, entry["securityDetails"], old["rows"] if old else [], number),
    }
    changing.put(key, item)
    for other, one in lists.items():
        if marked and other != key and one["isDefault"]:
            changing.put(other, {**one, "isDefault": False})
    return item


def _rows(
    desk: "Desk", key: str, given: list[dict[str, Any]], old: list[dict[str, Any]], number: int
) -> list[dict[str, Any]]:
    known = {row["securityId"]: row for row in old}
    rows = []
    for entry in sorted(given, key=lambda row: read_int(row["rankId"]) or 0):
        rank = read_int(entry["rankId"]) or 0
        row = _row(desk, f"{key} {number}", str(entry["symbol"]).strip(), rank)
        row["securityId"] = read_text(entry.get("securityId")) or row["securityId"]
        kept = known.get(row["securityId"], {})
        row |= {name: kept[name] for name in ("newsStateInd", "watchCloselyInd") if name in kept}
        price = entry.get("priceDetail")
        row["shareQuantity"] = read_decimal(entry.get("shareQuantity"))
        row["purchasePrice"] = read_decimal(price.get("purchasePrice")) if isinstance(price, dict) else None
        rows.append(row)
    return rows


@answers("POST", f"{PATH}/delete")
def delete_watchlists(desk: "Desk", request: PaperRequest) -> Any:
    """Takes lists away: all of them or, where an id is unknown, none (protocol 04 §1.3)."""
    body = request.document if isinstance(request.document, dict) else {}
    ids = [
        key for selector in as_list(body.get("watchlists")) for key in as_list(selector.get("watchListIds"))
    ]
    ids += [row.get("watchListId") for row in as_list(body.get("watchListDetails")) if isinstance(row, dict)]
    if not ids:
        member(body, "watchlists", "watchListIds")
    with Documents(desk.state, KIND).changing() as changing:
        lay_in(changing, _stock(desk))
        if not ids or any(str(key) not in stocked(changing.documents, {}) for key in ids):
            return _said("Watchlist not found", "4040", "E", "Request Failed")
        for key in dict.fromkeys(ids):
            changing.delete(str(key))
    return _said(f"Watchlists successfully deleted for user: {desk.logins.user.username}")
