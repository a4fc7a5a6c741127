"""Quotes of stocks, funds and indices at a moment."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from msgspec import Struct

from ftcli.clock import NEW_YORK
from ftcli.paper.calendar import previous_trading_day
from ftcli.paper.daily import DailyBars
from ftcli.paper.noise import mix
from ftcli.paper.quotes import Quote
from ftcli.paper.symbols import Security
from ftcli.paper.tape import VENUES, Book, Recent, State, Tape
from ftcli.paper.timeline import (
    Span,
    business_day,
    business_number,
    epoch_milliseconds,
    moment_of,
    night_span,
    regular_span,
    span_at,
)

_PERCENT = Decimal("0.0001")
_HUNDRED = Decimal(100)
_TEN = 10

Range = tuple[int, date, int, date]
"""Highest price and its date, lowest price and its date."""


class DayFacts(Struct):
    """What stays the same for one security throughout a trading day and the night after it.

    Attributes:
        day: The trading day.
        row: Its open, high, low, close and volume, in price units.
        trades: Its number of trades.
        previous: The close before it, in price units.
        average_volume: Mean of the ten sessions before.
        high, high_date, low, low_date: Extremes of the year before, the day itself excluded.
        pre_volume: Volume of its pre-market session.
        pre_last: The pre-market session's last trade; None in a market that is always open.
        final: The regular session's last trade.
    """

    day: date
    row: tuple[int, int, int, int, int]
    trades: int
    previous: int
    average_volume: int
    high: int
    high_date: date
    low: int
    low_date: date
    pre_volume: int
    pre_last: State | None
    final: State | None = None


def year_before(day: date) -> date:
    """The same date a year ago; 28 February for 29 February."""
    try:
        return day.replace(year=day.year - 1)
    except ValueError:
        return day.replace(year=day.year - 1, day=28)


def year_range(days: DailyBars, day: date, closes_only: bool = False) -> Range:
    """Highest and lowest price, with dates, of the sessions from a year before a day to the one before it."""
    first, last = business_number(year_before(day)), business_number(day)
    if year_before(day).weekday() > 4:
        first += 1
    high, low, high_number, low_number = -1, 1 << 62, first, first
    for number in range(first, last):
        if closes_only:
            value = days.close_if_open(number)
            if value is None:
                continue
            top = bottom = value
        else:
            row = days.row(number)
            if row is None:
                continue
            _, top, bottom, _, _ = row
        if top >= high:
            high, high_number = top, number
        if bottom <= low:
            low, low_number = bottom, number
    return high, business_day(high_number), low, business_day(low_number)


class QuoteMaker:
    """Makes quotes from the tape.

    Args:
        tape: The prices.
        always_open: Whether trading goes on through the night.
    """

    def __init__(self, tape: Tape, always_open: bool) -> None:
        self._tape = tape
        self._always_open = always_open
        self._facts: Recent[tuple[str, date], DayFacts] = Recent(4096)
        self._fund_ranges: Recent[tuple[str, date], Range] = Recent(1024)

    def quote(self, security: Security, at: datetime) -> Quote:
        """The quote of a security at a moment; see `ftcli.paper.market.Market.quote`."""
        if security.is_fund:
            return self._fund_quote(security, at)
        book = self._tape.book(security)
        milliseconds = epoch_milliseconds(at)
        span = span_at(milliseconds // 1000)
        facts = self._day_facts(book, span.day)
        if span.regular:
            fields = self._regular(book, facts, book.state(span, milliseconds))
        elif self._always_open:
            fields = self._endless(book, facts, book.state(span, milliseconds))
        else:
            fields = self._after_hours(book, facts, span, milliseconds)
        if security.average_volume:
            _add_sizes(fields, book, live_moment(span, milliseconds, self._always_open) // 1000)
        return Quote(symbol=security.symbol, kind=security.kind, time=at.astimezone(NEW_YORK), **fields)

    def _day_facts(self, book: Book, day: date) -> DayFacts:
        key = (book.security.symbol, day)
        facts = self._facts.get(key)
        if facts is None:
            facts = self._make_facts(book, day)
            self._facts.put(key, facts)
        return facts

    def _make_facts(self, book: Book, day: date) -> DayFacts:
        days = book.days
        before = previous_trading_day(day)
        volumes: list[int] = []
        number = business_number(day)
        while len(volumes) < _TEN:
            number -= 1
            row = days.row(number)
            if row is not None:
                volumes.append(row[4])
        pre_volume, pre_last = 0, None
        if book.extended and not self._always_open:
            night = night_span(before)
            pre_last = book.state(night, 1000 * night.end - 1)
            pre_volume = pre_last.volume - book.state(night, 1000 * night.pre_start - 1).volume
        high, high_date, low, low_date = year_range(days, day)
        return DayFacts(
            day=day,
            row=days.session(day),
            trades=book.trades_in(regular_span(day)),
            previous=days.session(before)[3],
            average_volume=sum(volumes) // _TEN,
            high=high,
            high_date=high_date,
            low=low,
            low_date=low_date,
            pre_volume=pre_volume,
            pre_last=pre_last,
        )

    def _regular(self, book: Book, facts: DayFacts, state: State) -> dict[str, Any]:
        fields = _day_fields(book, facts, state.last, state.high, state.low)
        fields.update(volume=state.volume, num_trades=state.count)
        fields["all_session_volume"] = facts.pre_volume + state.volume
        _add_last(fields, book, state, "@")
        _add_top(fields, book, state)
        if facts.pre_last is not None:
            _add_extended(fields, book, facts.pre_last)
        return fields

    def _endless(self, book: Book, facts: DayFacts, state: State) -> dict[str, Any]:
        """The night of a market that never closes: the day simply goes on."""
        _, high, low, close, volume = facts.row
        fields = _day_fields(book, facts, state.last, max(high, state.high), min(low, state.low))
        fields.update(volume=volume + state.volume, num_trades=facts.trades + state.count)
        fields.update(all_session_volume=volume + state.volume, close=book.price(close))
        _add_last(fields, book, state, "@")
        _add_top(fields, book, state)
        return fields

    def _after_hours(self, book: Book, facts: DayFacts, span: Span, milliseconds: int) -> dict[str, Any]:
        """The night of a market that keeps hours: the session's figures stand, quotes move on."""
        if facts.final is None:
            regular = regular_span(facts.day)
            facts.final = book.state(regular, 1000 * regular.end - 1)
        _, high, low, close, volume = facts.row
        fields = _day_fields(book, facts, close, high, low)
        fields.update(volume=volume, num_trades=facts.trades, close=book.price(close))
        _add_last(fields, book, facts.final, "6")
        if not book.extended:
            _add_top(fields, book, facts.final)
            return fields
        state = book.state(span, live_moment(span, milliseconds))
        post = state if milliseconds < 1000 * span.post_end else book.state(span, 1000 * span.post_end - 1)
        fields["all_session_volume"] = facts.pre_volume + volume + post.volume
        _add_top(fields, book, state)
        traded = state.last_ms is not None and state.last_ms >= 1000 * span.pre_start
        _add_extended(fields, book, state if traded else post)
        return fields

    def _fund_quote(self, security: Security, at: datetime) -> Quote:
        """A fund's quote: the net asset value struck at the latest close."""
        span = span_at(epoch_milliseconds(at) // 1000)
        day = span.day if not span.regular else previous_trading_day(span.day)
        moment = moment_of(1000 * regular_span(day).end)
        book = self._tape.book(security)
        days = book.days
        value, previous = days.close_on(day), days.close_on(previous_trading_day(day))
        high, high_date, low, low_date = self._fund_range(days, security.symbol, day)
        if value >= high:
            high, high_date = value, day
        if value <= low:
            low, low_date = value, day
        return Quote(
            symbol=security.symbol,
            kind=security.kind,
            time=at.astimezone(NEW_YORK),
            last=book.price(value),
            last_time=moment,
            close=book.price(value),
            prev_close=book.price(previous),
            change=book.price(value - previous),
            change_pct=_percent(book, value - previous, previous),
            trade_date=day,
            week52_high=book.price(high),
            week52_high_date=high_date,
            week52_low=book.price(low),
            week52_low_date=low_date,
        )

    def _fund_range(self, days: DailyBars, symbol: str, day: date) -> Range:
        key = (symbol, day)
        found = self._fund_ranges.get(key)
        if found is None:
            found = year_range(days, day, closes_only=True)
            self._fund_ranges.put(key, found)
        return found


def live_moment(span: Span, milliseconds: int, always_open: bool = False) -> int:
    """The moment whose quote is shown: between extended hours that is the end of the last ones."""
    if span.regular or always_open:
        return milliseconds
    if 1000 * span.post_end <= milliseconds < 1000 * span.pre_start:
        return 1000 * span.post_end - 1
    return milliseconds


def _percent(book: Book, change: int, previous: int) -> Decimal:
    if not change:
        return Decimal("0.0000")
    return (book.price(change) * _HUNDRED / book.price(previous)).quantize(_PERCENT)


def _day_fields(book: Book, facts: DayFacts, last: int, high: int, low: int) -> dict[str, Any]:
    price = book.price
    change = last - facts.previous
    above, below = high >= facts.high, low <= facts.low
    return {
        "trade_date": facts.day,
        "open": price(facts.row[0]),
        "high": price(high),
        "low": price(low),
        "prev_close": price(facts.previous),
        "change": price(change),
        "change_pct": _percent(book, change, facts.previous),
        "avg_volume_10day": facts.average_volume,
        "week52_high": price(high if above else facts.high),
        "week52_high_date": facts.day if above else facts.high_date,
        "week52_low": price(low if below else facts.low),
        "week52_low_date": facts.day if below else facts.low_date,
    }


def _add_last(fields: dict[str, Any], book: Book, state: State, conditions: str) -> None:
    fields["last"] = book.price(state.last)
    if state.last_ms is not None:
        fields.update(
            last_size=state.last_size,
            last_time=moment_of(state.last_ms),
            last_exchange=VENUES[state.venue],
            last_conditions=conditions,
        )


def _add_extended(fields: dict[str, Any], book: Book, state: State) -> None:
    if state.last_ms is not None:
        fields.update(
            ext_last=book.price(state.last),
            ext_last_size=state.last_size,
            ext_last_time=moment_of(state.last_ms),
            ext_last_exchange=VENUES[state.venue],
        )


def _add_top(fields: dict[str, Any], book: Book, state: State) -> None:
    fields["bid"] = book.price(state.bid)
    fields["ask"] = book.price(state.ask)


def _add_sizes(fields: dict[str, Any], book: Book, second: int) -> None:
    """Sizes and venues of bid and ask; they too change at most once a second."""
    number = mix(book.print_key ^ second)
    fields.update(
        bid_size=100 * (1 + (number & 7) * ((number >> 3) & 7)),
        ask_size=100 * (1 + ((number >> 8) & 7) * ((number >> 11) & 7)),
        bid_exchange=VENUES[(number >> 16) % 7],
        ask_exchange=VENUES[(number >> 24) % 7],
    )
