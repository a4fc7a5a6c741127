"""The seeded customer's cash: pay, rent, shopping, contributions, interest and dividends."""

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ftcli.clock import NEW_YORK
from ftcli.paper import calendar, symbols
from ftcli.paper.amounts import cents
from ftcli.paper.codes import Holding
from ftcli.paper.ledger import Trade
from ftcli.paper.records import ZERO
from ftcli.paper.seed_plan import (
    CONTRIBUTION,
    CORE_TARGETS,
    GROCERIES,
    MANAGEMENT_ACCOUNT,
    MARGIN_ACCOUNT,
    PAYROLL,
    RENT,
    ROTH_ACCOUNT,
)

if TYPE_CHECKING:
    from ftcli.paper.matching import Floor

_HISTORY_DAYS = 365
_MORNING = time(10, 5)


class Deed(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened, ready to be booked."""

    time: datetime
    account: str
    amount: Decimal
    trade: Trade | None = None
    text: str = ""
    category: str = ""
    symbol: str | None = None
    holding: Holding = Holding.CASH


class Past:
    """Trading days and prices before the present."""

    def __init__(self, floor: "Floor", seed: int, now: datetime) -> None:
        self.floor = floor
        self.now = now
        self._seed = seed
        self.today = calendar.previous_session(now).date

    def moment(self, days: int, salt: str) -> datetime:
        """A moment in the session some trading days ago, a different one for each salt."""
        day = calendar.add_trading_days(self.today, -days)
        minutes = sum(ord(character) * (place + 3) for place, character in enumerate(salt)) + self._seed
        start = datetime.combine(day, _MORNING, NEW_YORK)
        moment = start + timedelta(minutes=minutes % 150, seconds=minutes % 60)
        return moment.astimezone(self.now.tzinfo)

    def price(self, symbol: str, at: datetime, *, buys: bool) -> Decimal | None:
        """The price a trade would have had: ask or bid, or a fund's value."""
        quote = self.floor.market.quote(symbol, at)
        if quote is None:
            return None
        side = quote.ask if buys else quote.bid
        return side if side is not None else quote.last


def holding_of(account: str, deed: str) -> Holding:
    if deed in ("short", "cover"):
        return Holding.SHORT
    return Holding.MARGIN if account == MARGIN_ACCOUNT else Holding.CASH


def household(past: Past) -> list[Deed]:
    """Pay, rent and shopping of the cash-management account, and contributions to the Roth IRA."""
    deeds = []
    for days in range(250, 0, -10):
        deeds.append(_cash(past, MANAGEMENT_ACCOUNT, days, *PAYROLL, "deposit"))
        if days % 20 == 0:
            deeds.append(_cash(past, MANAGEMENT_ACCOUNT, days - 3, *RENT, "withdrawal"))
        deeds.append(_cash(past, MANAGEMENT_ACCOUNT, days - 5, *GROCERIES, "withdrawal"))
    deeds += [_cash(past, ROTH_ACCOUNT, days, *CONTRIBUTION, "contribution") for days in range(245, 0, -21)]
    for account, target in CORE_TARGETS.items():
        rate = past.floor.settings.core_rate / Decimal(1200)
        for months in range(11, -1, -1):
            text = "INTEREST EARNED FIDELITY GOVERNMENT MONEY MARKET"
            deeds.append(_cash(past, account, 21 * months + 2, cents(target * rate), text, "interest"))
    return deeds


def _cash(past: Past, account: str, days: int, amount: Decimal, text: str, category: str) -> Deed:
    at = past.moment(days, account + text)
    return Deed(time=at, account=account, amount=amount, text=text, category=category)


def dividends(past: Past, deeds: list[Deed]) -> list[Deed]:
    """Quarterly dividends of the last year on the shares held then."""
    paid = []
    held = sorted({(deed.account, deed.trade.symbol) for deed in deeds if deed.trade is not None})
    for account, symbol in held:
        security = symbols.find(symbol)
        if security is None or not security.dividend:
            continue
        first = 5 + sum(map(ord, symbol)) % 50
        for days in (first + 189, first + 126, first + 63, first):
            at = past.moment(days, symbol)
            quantity = _quantity_at(deeds, account, symbol, at)
            amount = cents(quantity * security.dividend / 4)
            if amount <= 0 or (past.now - at).days > _HISTORY_DAYS:
                continue
            text = f"DIVIDEND RECEIVED {security.description} ({symbol})"
            holding = holding_of(account, "buy")
            paid.append(
                Deed(
                    time=at,
                    account=account,
                    amount=amount,
                    text=text,
                    category="dividend",
                    symbol=symbol,
                    holding=holding,
                )
            )
    return paid


def _quantity_at(deeds: list[Deed], account: str, symbol: str, at: datetime) -> Decimal:
    total = ZERO
    for deed in deeds:
        trade = deed.trade
        if trade is not None and trade.account == account and trade.symbol == symbol and trade.time < at:
            total += trade.quantity if trade.buys else -trade.quantity
    return total
