"""Time as the paper market sees it: regular sessions and the nights between them.

Every moment belongs to exactly one span: the regular session of a trading day, or the night from
its close to the next trading day's open (weekends and holidays included). Spans begin and end on
the half hour and are cut into half-hour blocks of thirty minutes.
"""

from datetime import UTC, date, datetime, timedelta

from ftcli.clock import NEW_YORK
from ftcli.paper.calendar import Session, next_trading_day, previous_trading_day, session_on

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
BLOCK_SECONDS = 1800
BLOCK_MINUTES = 30

_SECOND = timedelta(seconds=1)
_MILLISECOND = timedelta(milliseconds=1)
_POST_SECONDS = 4 * 3600
_PRE_SECONDS = 5 * 3600 + 1800

# Share of a session's trading in each half hour: busy at the open, busiest before the close.
_FULL_DAY = (20.0, 11.0, 8.5, 7.0, 6.2, 5.6, 5.2, 5.0, 5.2, 5.8, 6.6, 8.4, 15.5)
_HALF_DAY = (20.0, 12.0, 9.0, 8.0, 8.0, 10.0, 18.0)
_POST_MARKET = (9.0, 5.0, 3.0, 2.2, 1.8, 1.6, 1.5, 1.5)
_PRE_MARKET = (1.0, 0.8, 0.8, 1.0, 1.2, 1.6, 2.0, 2.6, 3.2, 4.0, 6.0)
_NIGHT = 0.5
_WEEKEND = 0.35


def business_number(day: date) -> int:
    """The running number of a weekday; holidays are numbered, weekends count as their Friday."""
    week, weekday = divmod(day.toordinal() - 1, 7)
    return 5 * week + min(weekday, 4)


def business_day(number: int) -> date:
    """The weekday with a running number."""
    week, weekday = divmod(number, 5)
    return date.fromordinal(7 * week + weekday + 1)


def epoch_seconds(moment: datetime) -> int:
    """Whole seconds since 1970, rounded down."""
    return (moment - EPOCH) // _SECOND


def epoch_milliseconds(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded down."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1000 + since.microseconds // 1000


def first_millisecond(moment: datetime) -> int:
    """Whole milliseconds since 1970, rounded up."""
    return epoch_milliseconds(moment) + (1 if moment.microsecond % 1000 else 0)


def moment_of(milliseconds: int) -> datetime:
    """The New York datetime of a count of milliseconds since 1970."""
    return (EPOCH + milliseconds * _MILLISECOND).astimezone(NEW_YORK)


class Span:
    """A regular session or the night after it.

    Attributes:
        regular: True for a session, False for a night.
        day: The trading day; for a night that of the session before it.
        next_day: The trading day after ``day``.
        early: Whether ``day`` closes early.
        start, end: Seconds since 1970, ``end`` not included.
        blocks: Number of half-hour blocks.
        key: A number unique to the span, ascending in time.
        activity: Each block's share of the trading, in arbitrary units.
    """

    __slots__ = ("activity", "blocks", "day", "early", "end", "key", "next_day", "regular", "start")

    def __init__(self, session: Session, regular: bool) -> None:
        self.regular = regular
        self.day = session.date
        self.next_day = next_trading_day(session.date)
        self.early = session.early
        if regular:
            self.start, self.end = epoch_seconds(session.open), epoch_seconds(session.close)
        else:
            self.start = epoch_seconds(session.close)
            self.end = epoch_seconds(_session(self.next_day).open)
        self.blocks = (self.end - self.start) // BLOCK_SECONDS
        self.key = 2 * business_number(session.date) + (0 if regular else 1)
        self.activity = self._activity()

    @property
    def post_end(self) -> int:
        """End of the post-market session at the beginning of a night."""
        return self.start + _POST_SECONDS

    @property
    def pre_start(self) -> int:
        """Start of the pre-market session at the end of a night."""
        return self.end - _PRE_SECONDS

    def extended(self) -> list[tuple[int, int]]:
        """The extended-hours windows of a night, as seconds since 1970."""
        return [] if self.regular else [(self.start, self.post_end), (self.pre_start, self.end)]

    def _activity(self) -> list[float]:
        if self.regular:
            return list(_HALF_DAY if self.blocks == len(_HALF_DAY) else _FULL_DAY)
        quiet = self.blocks - len(_POST_MARKET) - len(_PRE_MARKET)
        rate = _NIGHT if self.end - self.start < 86_400 else _WEEKEND
        return [*_POST_MARKET, *([rate] * quiet), *_PRE_MARKET]


_by_block: dict[int, Span] = {}
_by_day: dict[tuple[date, bool], Span] = {}
_LIMIT = 50_000


def _session(day: date) -> Session:
    session = session_on(day)
    if session is None:
        raise ValueError(f"{day} is not a trading day")
    return session


def regular_span(day: date) -> Span:
    """The span of a trading day's regular session.

    Raises:
        ValueError: The exchange is closed that day.
    """
    return _span(day, True)


def night_span(day: date) -> Span:
    """The span from a trading day's close to the next trading day's open.

    Raises:
        ValueError: The exchange is closed that day.
    """
    return _span(day, False)


def _span(day: date, regular: bool) -> Span:
    span = _by_day.get((day, regular))
    if span is None:
        span = Span(_session(day), regular)
        if len(_by_day) > _LIMIT:
            _by_day.clear()
        _by_day[(day, regular)] = span
    return span


def span_at(seconds: int) -> Span:
    """The span that holds a moment, given in seconds since 1970."""
    block = seconds // BLOCK_SECONDS
    span = _by_block.get(block)
    if span is None:
        span = _find(seconds)
        if len(_by_block) > _LIMIT:
            _by_block.clear()
        _by_block[block] = span
    return span


def _find(seconds: int) -> Span:
    day = (EPOCH + seconds * _SECOND).astimezone(NEW_YORK).date()
    session = session_on(day)
    if session is None or seconds < epoch_seconds(session.open):
        return night_span(previous_trading_day(day))
    if seconds < epoch_seconds(session.close):
        return regular_span(day)
    return night_span(day)


def previous_span(span: Span) -> Span:
    """The span that ends where another begins."""
    return night_span(previous_trading_day(span.day)) if span.regular else regular_span(span.day)


def next_span(span: Span) -> Span:
    """The span that begins where another ends."""
    return night_span(span.day) if span.regular else regular_span(span.next_day)
