"""The order ticket: what an order is, what it costs and what the broker says to it, before it is placed."""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ftcli.cli.output.numbers import moment_text, number_text
from ftcli.cli.placing import environment_line
from ftcli.models.field import PER_SHARE, USD
from ftcli.models.option_tickets import NetDirection, OptionOrderTerms

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from ftcli.cli.call import Call
    from ftcli.models.accounts import Account
    from ftcli.models.conditional import ConditionalLeg
    from ftcli.models.option_tickets import MultiLegOrder, OptionAction, OptionLeg
    from ftcli.models.order_confirmations import OrderMessage, OrderPreview
    from ftcli.models.tickets import EquityAction, EquityOrderTerms

_PRICES = (
    ("limit_price", "limit", PER_SHARE),
    ("stop_price", "stop", PER_SHARE),
    ("trailing_amount", "trailing by", PER_SHARE),
    ("trailing_percent", "trailing by", ""),
    ("limit_offset", "limit offset", PER_SHARE),
)


_ALL_IS_WELL = "000000"
"""The broker's note of this code says "Success" (protocol 02 §4)."""


def words(code: Any) -> str:
    """A code for people: ``stop_limit`` as ``stop limit``."""
    return str(code).replace("_", " ")


def order_kind(order: "EquityOrderTerms | OptionOrderTerms") -> str:
    """Order type with every price: ``limit 150.00``, ``stop limit, limit 81.00, stop 80.00``."""
    kind = words(order.__struct_config__.tag)
    prices = []
    for name, label, unit in _PRICES:
        price: Decimal | None = getattr(order, name, None)
        if price is not None:
            text = number_text(price, unit) + ("%" if name == "trailing_percent" else "")
            prices.append(f"{label} {text}")
    if len(prices) == 1 and prices[0].startswith(f"{kind} "):
        return prices[0]
    return f"{kind}, {', '.join(prices)}" if prices else kind


def terms(order: "EquityOrderTerms | OptionOrderTerms") -> str:
    """Order type with every price, time in force, session: ``limit 150.00 · day``."""
    parts = [order_kind(order), words(order.time_in_force)]
    if getattr(order, "trading_session", "") == "extended":
        parts.append("extended hours")
    return " · ".join(parts)


def headline(order: "EquityOrderTerms | OptionOrderTerms") -> str:
    """Action, quantity and symbol: ``BUY 10 AAPL``; of an option its contract in words."""
    symbol = order.contract.human if isinstance(order, OptionOrderTerms) else order.symbol
    return f"{words(order.action).upper()} {number_text(Decimal(order.quantity))} {symbol}"


def order_line(order: Any) -> str:
    """An order of any family in one line: what it trades, its prices, how long it lives."""
    if hasattr(order, "condition"):
        parts = order.orders if hasattr(order, "orders") else [change.order for change in order.changes]
        return f"{words(order.condition).upper()}: " + "; ".join(order_line(part) for part in parts)
    if hasattr(order, "legs"):
        legs = "; ".join(leg_line(leg) for leg in order.legs)
        return f"{legs} · {net_terms(order)}"
    return f"{headline(order)} · {terms(order)}"


def leg_line(leg: "OptionLeg") -> str:
    """A leg of a package: ``BUY TO OPEN 1 AAPL 2027-01-15 150 C``."""
    return f"{words(leg.action).upper()} {leg.quantity} {leg.contract.human}"


def net_terms(order: "MultiLegOrder") -> str:
    """Net price and time in force of a package: ``net debit 4.50 · day``."""
    price = "" if order.direction is NetDirection.EVEN else f" {number_text(order.net_price, PER_SHARE)}"
    return f"net {order.direction}{price} · {words(order.time_in_force)}"


def ticket_text(
    call: "Call",
    account: "Account",
    order: "EquityOrderTerms | OptionOrderTerms",
    preview: "OrderPreview",
    buying_power: Decimal | None = None,
    replaces: str = "",
) -> str:
    """The whole ticket.

    Args:
        call: The command line, for the environment.
        account: The account.
        order: The order as given.
        preview: What the broker said to it.
        buying_power: What the account can buy for now, where it is known.
        replaces: Number of the order it changes, if it does.
    """
    name = f"  {preview.security_name}" if preview.security_name else ""
    blocks = [
        [environment_line(call, account.account, account.name)],
        [
            f"  {headline(order)}{name}",
            f"  {terms(order)}{f' · replaces {replaces}' if replaces else ''}",
            *quote_line(preview),
        ],
        amount_lines(cost_rows(order.action, preview, buying_power, is_change=bool(replaces))),
        note_lines(preview.messages),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def price_line(**prices: Decimal | None) -> str:
    """Prices with their names, those that are not known left out: ``last 23.60   bid 23.75   ask 23.90``."""
    return "   ".join(
        f"{name.replace('_', ' ')} {number_text(price, PER_SHARE)}"
        for name, price in prices.items()
        if price is not None
    )


def quote_line(preview: "OrderPreview | ConditionalLeg") -> list[str]:
    """Last, bid and ask at the moment of the preview; no line where none is known."""
    prices = price_line(last=preview.last_price, bid=preview.bid, ask=preview.ask)
    moment = f"  ({moment_text(preview.price_time)} ET)" if preview.price_time else ""
    return [f"  {prices}{moment}"] if prices else []


def notes(messages: "Iterable[OrderMessage]") -> list[str]:
    """What the broker remarks, once each: warnings and notes, but not that all is well."""
    told = (
        f"{message.severity or 'note'}: {message.text}"
        for message in messages
        if message.text and message.code != _ALL_IS_WELL
    )
    return list(dict.fromkeys(told))


def note_lines(messages: "Iterable[OrderMessage]") -> list[str]:
    """The same as lines of a ticket."""
    return [f"  {note}" for note in notes(messages)]


def amount_lines(rows: "Sequence[tuple[str, str]]") -> list[str]:
    """Names and amounts, the amounts flush right."""
    label_width = max((len(label) + 2 for label, _ in rows), default=0)
    width = max((len(text) for _, text in rows), default=0)
    return [f"  {label:<{max(20, label_width)}}{text:>{width}}" for label, text in rows]


def cost_rows(
    action: "EquityAction | OptionAction",
    preview: "OrderPreview | ConditionalLeg",
    buying_power: Decimal | None,
    *,
    is_change: bool = False,
) -> list[tuple[str, str]]:
    """Value, commission, fees, cost or proceeds of an order, and the buying power before and after it.

    Args:
        action: What it does.
        preview: What the broker said to it.
        buying_power: What the account can buy for now, where it is known.
        is_change: Whether it changes an open order: what that one already takes, the broker does not tell.
    """
    with_fees: Decimal | None = getattr(preview, "net_amount_with_fees", None)
    net = preview.net_amount if with_fees is None else with_fees
    rows = [
        ("Order value", preview.order_value),
        ("Commission", preview.commission),
        ("Fees", getattr(preview, "fees", None)),
        ("Estimated cost" if action.is_buy else "Estimated proceeds", net),
        ("Buying power", buying_power),
    ]
    opens = str(action) in ("buy", "buy_to_open") and not is_change
    if opens and buying_power is not None and net is not None:
        # Margin lends the rest; what a purchase takes of the figure is its cost at most.
        rows.append(("After this order", buying_power - net))
    return [(label, number_text(amount, USD)) for label, amount in rows if amount is not None]
