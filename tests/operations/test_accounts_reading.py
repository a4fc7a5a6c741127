"""What the accounts operations make of all that the broker's documents may turn into."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from accounts_calls import CALLS, MARGIN, Call, reads, shown
from accounts_kit import changed, example, leaves, places, wired, without
from hypothesis import given
from hypothesis import strategies as st

from ftcli.errors import BrokerError, NotFound
from ftcli.models.accounts import PositionsReply
from ftcli.models.field import read
from ftcli.models.history import AccountTransactions, ClosedPositions
from ftcli.models.holdings import Accruals, HardToBorrow, LoanedSecurities, ShortInsightSeries
from ftcli.models.lots import ClosedLots, OpenLots, TaxLots, Term
from ftcli.operations.account_calls import account_entry
from ftcli.operations.option_summary import summary_of

D = Decimal
each_call = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def as_text(key: str, value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:f}" if isinstance(value, Decimal) else str(value) if isinstance(value, int) else value


def with_more(key: str, value: Any) -> Any:
    return (
        {**value, "somethingNew": {"deep": [1, {"x": None}]}, "andMore": "--"}
        if isinstance(value, dict)
        else value
    )


def cut(key: str, value: Any) -> Any:
    return value[:1] if isinstance(value, list) else value


def collapsed(key: str, value: Any) -> Any:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], dict) else value


def unwrapped(key: str, value: Any) -> Any:
    """``{"legDetails": {"legDetail": [...]}}`` as ``{"legDetails": [...]}``."""
    return value[key[:-1]] if isinstance(value, dict) and list(value) == [key[:-1]] else value


def wrapped_singly(key: str, value: Any) -> Any:
    """The same as ``{"legDetails": [{"legDetail": {...}}, ...]}``."""
    inner = unwrapped(key, value)
    return [{key[:-1]: item} for item in inner] if inner is not value and isinstance(inner, list) else value


@each_call
@pytest.mark.parametrize("change", [as_text, with_more, unwrapped, wrapped_singly])
async def test_the_same_said_otherwise(tmp_path: Path, call: Call, change: Callable[[str, Any], Any]) -> None:
    """Numbers as texts, fields we do not know, wrappers in other shapes: the answer is the same."""
    document = example(call.file)
    plain, other = await shown(tmp_path, call, document, changed(document, change))
    assert other == plain


@each_call
async def test_a_single_object_for_a_list(tmp_path: Path, call: Call) -> None:
    document = example(call.file)
    if isinstance(document.get("balances"), list):
        document["balances"].reverse()  # the account asked for is the one that is left
    for holder in (document, *(value for value in document.values() if isinstance(value, dict))):
        accounts = holder.get("acctDetails")
        inner = accounts.get("acctDetail") if isinstance(accounts, dict) else accounts
        if isinstance(inner, list) and "acctNum" in str(inner):
            inner.sort(key=lambda row: MARGIN not in str(row))
    document = changed(document, cut)
    listed, single = await shown(tmp_path, call, document, changed(document, collapsed))
    assert not isinstance(listed, Exception)
    assert single == listed


@each_call
@pytest.mark.parametrize("sentinel", ["--", "N/A", "", None])
async def test_nothing_is_invented_for_what_is_not_there(tmp_path: Path, call: Call, sentinel: Any) -> None:
    kept = {"acctNum", *call.named}

    def blank(key: str, value: Any) -> Any:
        return value if key in kept or isinstance(value, dict | list) else sentinel

    (answer,) = await shown(tmp_path, call, changed(example(call.file), blank))
    assert not isinstance(answer, Exception)
    ours = {"account", "start", "end", "symbol", "name", "unknown", "next_cursor"}
    said = {path for path, value in leaves(answer) if value is not None and path.split(".")[-1] not in ours}
    assert not said


@each_call
async def test_any_group_may_be_missing(tmp_path: Path, call: Call) -> None:
    document = example(call.file)
    gone = [without(document, path) for path in places(document)]
    null = [without(document, path, None) for path in places(document)]
    odd = [without(document, path, "--") for path in places(document)]
    answers = await reads(tmp_path, call, *gone, *null, *odd)
    failed = [answer for answer in answers if isinstance(answer, Exception)]
    assert all(isinstance(problem, NotFound) for problem in failed)
    assert not failed or not call.empty


@each_call
@pytest.mark.parametrize("document", [{}, {"sysMsgs": {}}, {"acctDetails": []}, {"acctDetails": None}])
async def test_an_empty_document_reads_as_nothing(tmp_path: Path, call: Call, document: Any) -> None:
    (answer,) = await shown(tmp_path, call, document)
    if not call.empty:
        assert isinstance(answer, NotFound)
        return
    ours = {"account", "start", "end", "symbol"}
    assert {path for path, value in leaves(answer) if value is not None} <= ours


@each_call
async def test_an_error_without_a_payload_is_an_error(tmp_path: Path, call: Call) -> None:
    said = {"message": "Account not authorized", "detail": "", "code": "4003", "type": "ERROR"}
    alone = {"sysMsgs": {"sysMsg": [said]}}
    beside = {**example(call.file), "sysMsgs": {"sysMsg": {**said, "type": "warning"}}}
    refused, fine = await reads(tmp_path, call, alone, beside)
    assert isinstance(refused, BrokerError)
    assert "Account not authorized" in refused.message
    assert not isinstance(fine, Exception)


NEWER = {
    name: call for name, call in CALLS.items() if name not in ("list", "positions", "balances", "features")
}


@pytest.mark.parametrize("call", NEWER.values(), ids=NEWER)
async def test_no_data_is_not_an_error(tmp_path: Path, call: Call) -> None:
    (answer,) = await reads(
        tmp_path, call, {"messages": [{"code": "204", "severity": "error", "message": "none"}]}
    )
    assert isinstance(answer, NotFound) or call.empty


@each_call
@pytest.mark.parametrize("body", [b"[]", b'"text"', b"7", b"null"])
async def test_what_is_no_document_is_an_error(tmp_path: Path, call: Call, body: bytes) -> None:
    (answer,) = await reads(tmp_path, call, body)
    if body == b"[]" and call.file in ("short_insight_series", "features"):  # a list may be their root
        assert isinstance(answer, NotFound) or answer.points == []
    else:
        assert isinstance(answer, BrokerError)


async def test_unknown_codes_are_shown_as_they_come(tmp_path: Path) -> None:
    document = changed(
        example("option_summary"),
        lambda key, value: {"legBuySellInd": "X", "legSymbolPCIndex": "Q", "legInTheMoneyIndex": "A"}.get(
            key, value
        ),
    )
    (answer,) = await shown(tmp_path / "a", CALLS["options_summary"], document)
    leg = answer["strategies"][0]["legs"][0]
    assert (leg["side"], leg["right"], leg["moneyness"]) == ("X", "Q", "A")
    assert answer["strategies"][0]["summary"] == "3 90 3 100"
    for name in ("lots", "tax_lots", "closed_lots"):
        document = changed(example(CALLS[name].file), lambda key, value: "Mixed" if key == "term" else value)
        (answer,) = await shown(tmp_path / name, CALLS[name], document)
        assert {lot["term"] for lot in answer["lots"]} == {"Mixed"}


@pytest.mark.parametrize("spelling", ["LONG", "long", "Long"])
async def test_terms_are_read_in_any_case(tmp_path: Path, spelling: str) -> None:
    document = changed(example("open_lots"), lambda key, value: spelling if key == "term" else value)
    (answer,) = await reads(tmp_path, CALLS["lots"], document)
    assert [lot.term for lot in answer.lots] == [Term.LONG] * 3


@pytest.mark.parametrize("root", ["openLots", "lots", "position", ""])
@pytest.mark.parametrize("inner", ["lotDetails", "lotDetail", "lots"])
async def test_other_homes_of_open_lots(tmp_path: Path, root: str, inner: str) -> None:
    entry = example("open_lots")["openLots"]["acctDetails"]["acctDetail"][0]
    rows = entry.pop("lotDetails")
    entry[inner] = rows if inner == "lotDetails" else rows["lotDetail"]
    entries = {"acctDetails": {"acctDetail": [entry]}}
    full, bare = ({root: entries}, {root: entry}) if root else (entries, entry)
    for answer in await reads(tmp_path, CALLS["lots"], full, bare):
        assert [lot.lot_id for lot in answer.lots] == ["220741001318", "220741002318", "220741003318"]


@pytest.mark.parametrize("key", ["timeseries", "timeSeries", "data", ""])
async def test_other_homes_of_the_series(tmp_path: Path, key: str) -> None:
    points = example("short_insight_series")["timeseries"]
    (answer,) = await reads(tmp_path, CALLS["short_insights_timeseries"], {key: points} if key else points)
    assert (answer.symbol, len(answer.points)) == ("HTBX", 3)


async def test_the_other_name_of_a_borrow_rate(tmp_path: Path) -> None:
    document = changed(
        example("hard_to_borrow"),
        lambda key, value: (
            {"rate" if name == "borrowRate" else name: part for name, part in value.items()}
            if isinstance(value, dict)
            else value
        ),
    )
    (answer,) = await reads(tmp_path, CALLS["hard_to_borrow"], document)
    assert answer.securities[0].borrow_rate == D("18.250")


async def test_symbols_the_broker_is_silent_about(tmp_path: Path) -> None:
    document = example("hard_to_borrow")
    rows = document["hardToBorrow"]["acctDetails"]["acctDetail"][0]["securityDetails"]["securityDetail"]
    rows[0]["symbol"] = "BRK/B"
    async with wired(tmp_path) as (client, wire):
        wire.say(CALLS["hard_to_borrow"].path, document)
        answer = await client.accounts.hard_to_borrow(MARGIN, ["brk.b", "nope", "ACME"])
        assert answer.unknown == ["NOPE"]
        with pytest.raises(NotFound, match="NOPE, NADA"):
            await client.accounts.hard_to_borrow(MARGIN, ["nope", "nada"])


async def test_dates_in_every_form(tmp_path: Path) -> None:
    forms = [
        "2026-05-12",
        "20260512",
        "05/12/2026",
        "1778558400",
        1778558400,
        1778558400000,
        "2026-05-12T00:00:00-04:00",
    ]
    documents = [
        changed(example("open_lots"), lambda key, value, form=form: form if key == "acquiredDate" else value)  # type: ignore[misc]
        for form in forms
    ]
    for answer in await reads(tmp_path, CALLS["lots"], *documents):
        assert {lot.acquired for lot in answer.lots} == {date(2026, 5, 12)}


KEYS = st.sampled_from(
    ["acctDetails", "acctDetail", "acctNum", "lotDetails", "lotDetail", "lots", "openLots", "optionPairing"]
    + ["underlyingDetails", "underlyingDetail", "pairingDetails", "pairingDetail", "legDetails", "legDetail"]
    + [
        "transactionDetails",
        "dateDetail",
        "postedDate",
        "amtDetail",
        "net",
        "cycleDate",
        "cycleTime",
        "legShares",
    ]
    + [
        "legSecurityDetails",
        "legSymbolStrike",
        "accrualDetails",
        "accrualDetail",
        "timeseries",
        "term",
        "totalGainLossDetail",
    ]
)
SCALARS = st.none() | st.booleans() | st.integers(-(10**14), 10**14) | st.text(max_size=6) | st.just(MARGIN)


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)


NUMBERS = st.decimals(allow_nan=True, allow_infinity=True)
DOCUMENTS = st.recursive(SCALARS | NUMBERS, nested, max_leaves=20)


@given(DOCUMENTS)
def test_any_document_reads(document: Any) -> None:
    """Whatever the broker adds, drops or garbles: no crash."""
    entry = account_entry(document, MARGIN, "openLots", "optionPairing")
    assert isinstance(entry, dict)
    summary_of(entry)
    kinds = (
        AccountTransactions,
        ClosedPositions,
        ClosedLots,
        OpenLots,
        TaxLots,
        LoanedSecurities,
        HardToBorrow,
    )
    for kind in (*kinds, Accruals, ShortInsightSeries, PositionsReply):
        read(kind, document)
        read(kind, entry)
