"""The demo customer: five accounts, what they bought and sold, and what is still open.

Days are trading days before the present. Quantities are shares, contracts, or dollars for funds.
"""

from decimal import Decimal

import msgspec

CASH_ACCOUNT = "Z10000017"
MARGIN_ACCOUNT = "Z20000025"
MANAGEMENT_ACCOUNT = "Z30000033"
ROTH_ACCOUNT = "240000041"
PLAN_ACCOUNT = "77012"


class Step(msgspec.Struct, frozen=True):
    """Something the customer did.

    Attributes:
        account: Account number.
        days: Trading days ago.
        deed: ``buy``, ``sell``, ``short``, ``cover``, ``fund`` (buy for dollars) or ``loss`` (buy, sell at a
            loss and buy again within thirty days, with whichever candidate fell).
        symbol: What; for ``loss`` the candidates, separated by blanks.
        amount: Shares or dollars.
    """

    account: str
    days: int
    deed: str
    symbol: str
    amount: str

    @property
    def quantity(self) -> Decimal:
        """The amount as a number."""
        return Decimal(self.amount)


class OptionStep(msgspec.Struct, frozen=True):
    """An option the customer bought or wrote.

    Attributes:
        account: Account number.
        days: Trading days ago.
        symbol: The underlying.
        right: ``C`` or ``P``.
        moneyness: Strike over the price of then.
        months: How far the expiration lay away then, in calendar days.
        contracts: Negative when written.
    """

    account: str
    days: int
    symbol: str
    right: str
    moneyness: str
    months: int
    contracts: str


TRADES = (
    Step(MARGIN_ACCOUNT, 505, "buy", "AAPL", "120"),
    Step(MARGIN_ACCOUNT, 470, "buy", "SPY", "30"),
    Step(MARGIN_ACCOUNT, 402, "buy", "MSFT", "40"),
    Step(MARGIN_ACCOUNT, 330, "buy", "NVDA", "150"),
    Step(MARGIN_ACCOUNT, 300, "buy", "JPM", "60"),
    Step(MARGIN_ACCOUNT, 210, "buy", "AMD", "80"),
    Step(MARGIN_ACCOUNT, 188, "fund", "FXAIX", "6000"),
    Step(MARGIN_ACCOUNT, 150, "buy", "AAPL", "75"),
    Step(MARGIN_ACCOUNT, 110, "buy", "QQQ", "25"),
    Step(MARGIN_ACCOUNT, 96, "loss", "INTC PFE NKE T SH TGT CVS BABA XOM TLT", "90"),
    Step(MARGIN_ACCOUNT, 64, "sell", "AMD", "80"),
    Step(MARGIN_ACCOUNT, 45, "short", "SPCE", "200"),
    Step(MARGIN_ACCOUNT, 40, "sell", "JPM", "20"),
    Step(MARGIN_ACCOUNT, 6, "buy", "AAPL", "5"),
    Step(CASH_ACCOUNT, 520, "buy", "KO", "100"),
    Step(CASH_ACCOUNT, 410, "buy", "VTI", "50"),
    Step(CASH_ACCOUNT, 360, "buy", "DIS", "30"),
    Step(CASH_ACCOUNT, 260, "buy", "AAPL", "40"),
    Step(CASH_ACCOUNT, 180, "fund", "FCNTX", "3000"),
    Step(CASH_ACCOUNT, 120, "buy", "DIS", "10"),
    Step(CASH_ACCOUNT, 75, "sell", "DIS", "40"),
    Step(CASH_ACCOUNT, 20, "buy", "SCHD", "60.5"),
    Step(ROTH_ACCOUNT, 480, "fund", "FXAIX", "12000"),
    Step(ROTH_ACCOUNT, 300, "fund", "FSKAX", "6500"),
    Step(ROTH_ACCOUNT, 215, "buy", "SCHD", "150"),
    Step(ROTH_ACCOUNT, 90, "fund", "FXNAX", "2500"),
    Step(ROTH_ACCOUNT, 30, "buy", "QQQM", "12"),
)

OPTIONS = (
    OptionStep(MARGIN_ACCOUNT, 28, "AAPL", "C", "1.05", 150, "2"),
    OptionStep(MARGIN_ACCOUNT, 28, "AAPL", "C", "1.15", 150, "-2"),
    OptionStep(MARGIN_ACCOUNT, 15, "NVDA", "C", "1.12", 60, "-1"),
    OptionStep(MARGIN_ACCOUNT, 12, "SPY", "P", "0.95", 120, "1"),
    OptionStep(CASH_ACCOUNT, 18, "DIS", "C", "1.05", 160, "1"),
)

CORE_TARGETS = {
    MARGIN_ACCOUNT: Decimal("25000"),
    CASH_ACCOUNT: Decimal("8000"),
    MANAGEMENT_ACCOUNT: Decimal("2400"),
    ROTH_ACCOUNT: Decimal("1100"),
}
"""What is about left in the core fund today; first deposits are made large enough for it."""

PAYROLL = (Decimal("1500.00"), "DIRECT DEPOSIT NORTHWIND MFGDIR DEP")
RENT = (Decimal("-2180.00"), "BILL PAYMENT HARBOR VIEW APTS")
GROCERIES = (Decimal("-212.47"), "DEBIT CARD PURCHASE FRESH FIELDS MARKET")
CONTRIBUTION = (Decimal("583.33"), "CASH CONTRIBUTION CURRENT YEAR")
