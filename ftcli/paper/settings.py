"""Settings of the paper broker's engine; the defaults behave like the broker."""

from datetime import timedelta
from decimal import Decimal

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How the engine trades.

    Attributes:
        commission: Dollars per option contract and leg; shares are free.
        fee: Regulatory fee in dollars per option contract, both sides.
        preview_life: How long a confirmation number can be placed.
        cancel_delay: From asking for a cancel to its confirmation; an order may still fill in between.
        display_size: Most shares or contracts (units of a package) one execution may have; None fills
            whole.
        fill_interval: Time between partial executions of one order.
        gtc_days: Calendar days a good-til-cancelled order lives.
        price_band: How far a limit may be on the wrong side of the last price (``MA5010``).
        locate: True where hard-to-borrow shares can be sold short (they have been located).
        margin_rate: Percent per year charged on a margin debit.
        core_rate: Percent per year earned by the core fund.
        preview_memory: How long previews are kept to tell an expired number from an unknown one.
    """

    commission: Decimal = Decimal("0.65")
    fee: Decimal = Decimal("0.02")
    preview_life: timedelta = timedelta(minutes=30)
    cancel_delay: timedelta = timedelta(0)
    display_size: Decimal | None = None
    fill_interval: timedelta = timedelta(seconds=1)
    gtc_days: int = 180
    price_band: Decimal = Decimal("0.10")
    locate: bool = True
    margin_rate: Decimal = Decimal("11.825")
    core_rate: Decimal = Decimal("3.52")
    preview_memory: timedelta = timedelta(days=7)
