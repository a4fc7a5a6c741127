"""Ranges of days and pages of lines: what is asked for, and that every line comes once."""

import base64
from datetime import date, timedelta
from pathlib import Path

import pytest
from accounts_kit import Wire, example, wired
from hypothesis import given
from hypothesis import strategies as st

from ftcli.client import Client
from ftcli.errors import ValidationFailed
from ftcli.models.tickets import EquityOrder
from ftcli.operations.binding import convert
from ftcli.operations.paging import Cursor, parse_cursor

DP = "/ftgw/dp/"
MARGIN, CASH, BILLS = "Z20000025", "Z10000017", "Z30000033"
LINES = f"{DP}accountmanagement/transaction/history/v2"


def bounds(wire: Wire) -> list[tuple[int, int]]:
    """The ranges asked for, in order."""
    criteria = [seen.body["searchCriteriaDetail"] for seen in wire.of(LINES)]
    return [(each["txnFromDate"], each["txnToDate"]) for each in criteria]


async def test_the_range_of_transactions_when_none_is_given(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire):
        answer = await client.accounts.transactions(MARGIN)
    assert bounds(wire) == [(1776052800, 1778644800)], "2026-04-13 to 2026-05-13, midnights in New York"
    assert (str(answer.start), str(answer.end)) == ("2026-04-13", "2026-05-14")


async def test_a_long_range_is_asked_for_in_pieces_newest_first(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire):
        answer = await client.accounts.transactions(MARGIN, start="2025-05-13", end="2026-05-14")
        spans = bounds(wire)
        assert len(spans) == 5
        assert all(89 * 86400 - 3600 <= last - first <= 89 * 86400 + 3600 for first, last in spans[:-1])
        for newer, older in zip(spans, spans[1:], strict=False):
            assert 23 * 3600 <= newer[0] - older[1] <= 25 * 3600, "the next day: none twice, none left out"
        parts = [
            await client.accounts.transactions(MARGIN, start=start, end=end)
            for start, end in (("2025-11-01", "2026-05-14"), ("2025-05-13", "2025-11-01"))
        ]
    assert len(answer.transactions) > 20
    assert answer.transactions == [row for part in parts for row in part.transactions]
    days = [row.posted for row in answer.transactions if row.posted]
    assert days == sorted(days, reverse=True)
    assert isinstance(answer.raw, list)
    assert len(answer.raw) == 5


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 50])
async def test_pages_give_every_line_once(tmp_path: Path, limit: int) -> None:
    async with wired(tmp_path) as (client, _):
        whole = await client.accounts.transactions(BILLS, start="8m")
        assert whole.next_cursor is None
        pages, cursor = [], None
        while True:
            page = await client.accounts.transactions(BILLS, start="8m", limit=limit, cursor=cursor)
            pages.append(page.transactions)
            cursor = page.next_cursor
            if cursor is None:
                break
    assert all(len(page) == limit for page in pages[:-1])
    assert 1 <= len(pages[-1]) <= limit
    assert [row for page in pages for row in page] == whole.transactions
    assert len(whole.transactions) > 20


async def test_a_page_needs_no_more_calls_than_it_shows(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire):
        page = await client.accounts.transactions(BILLS, start="2y", limit=2)
        assert (len(page.transactions), len(wire.of(LINES))) == (2, 1)


async def test_lines_that_come_in_between_pages_push_nothing_out(tmp_path: Path) -> None:
    order = {"account": CASH, "symbol": "KO", "action": "buy", "quantity": 1, "order_type": "market"}

    async def buy(client: Client) -> None:
        ticket = convert(order, EquityOrder)
        preview = await client.orders.equity.preview(ticket)
        assert preview.conf_num
        await client.orders.equity.place(ticket, preview.conf_num)

    async with wired(tmp_path) as (client, _):
        for _ in range(3):
            await buy(client)
        before = await client.accounts.transactions(CASH, start="today")
        first = await client.accounts.transactions(CASH, start="today", limit=2)
        await buy(client)
        rest = await client.accounts.transactions(CASH, cursor=first.next_cursor)
        assert first.transactions + rest.transactions == before.transactions
        assert len((await client.accounts.transactions(CASH, start="today")).transactions) == 4


async def test_a_cursor_belongs_to_its_account(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, _):
        page = await client.accounts.transactions(MARGIN, start="1y", limit=1)
        assert page.next_cursor
        with pytest.raises(ValidationFailed, match=f"answer about {CASH}"):
            await client.accounts.transactions(CASH, cursor=page.next_cursor)


async def test_the_series_is_cut_to_the_range_asked_for(tmp_path: Path) -> None:
    async with wired(tmp_path) as (client, wire):
        wire.say(f"{DP}retail-am-shortinsight/api/v1/timeseries", example("short_insight_series"))
        answer = await client.accounts.short_insights_timeseries(
            MARGIN, "HTBX", start="2026-04-01", end="2026-04-30"
        )
    assert [str(point.as_of) for point in answer.points] == ["2026-04-15"]


@given(
    st.dates(date(1990, 1, 1), date(2040, 1, 1)),
    st.integers(1, 3660),
    st.none() | st.integers(0, 10_000),
    st.text("AZ0123456789", min_size=4, max_size=12),
)
def test_cursors_and_their_windows(start: date, days: int, left: int | None, account: str) -> None:
    cursor = Cursor(account, start, start + timedelta(days=days), left)
    assert parse_cursor(cursor.text, account) == cursor
    assert cursor.text.replace("-", "").replace("_", "").isalnum(), "fit for a URL"
    windows = list(cursor.windows())
    assert windows[0].end == cursor.end
    assert windows[-1].start == cursor.start
    assert all(1 <= (window.end - window.start).days <= 90 for window in windows)
    assert all(older.end == newer.start for newer, older in zip(windows, windows[1:], strict=False))


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda raw: base64.urlsafe_b64encode(raw).decode()))
def test_anything_else_is_no_cursor(text: str) -> None:
    with pytest.raises(ValidationFailed):
        parse_cursor(text, MARGIN)


@pytest.mark.parametrize(
    "made_up",
    [
        Cursor(MARGIN, date(2026, 1, 1), date(2026, 1, 1)),
        Cursor(MARGIN, date(2026, 2, 1), date(2026, 1, 1)),
        Cursor(MARGIN, date(2026, 1, 1), date(2026, 2, 1), -1),
    ],
)
def test_a_cursor_that_leads_nowhere(made_up: Cursor) -> None:
    with pytest.raises(ValidationFailed):
        parse_cursor(made_up.text, MARGIN)
