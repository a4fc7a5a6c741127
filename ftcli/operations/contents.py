"""The table of contents: every group of operations, without loading any of them.

``ft --help`` and shell completion list the groups from here, so this module imports nothing of ours. A
group's own module is imported only when one of its operations is used or described.
"""

from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ftcli.operations.operation import Group


class GroupEntry(NamedTuple):
    """Where a group lives.

    Attributes:
        name: Dotted name, as in the SDK.
        module, cls: Its module and class.
        summary: One line for ``ft --help`` and the OpenAPI tag.
        commands: Whether it has commands of its own; else they stand under another group.
    """

    name: str
    module: str
    cls: str
    summary: str
    commands: bool = True

    def load(self) -> "type[Group]":
        """The group's class; imports its module."""
        group: type[Group] = getattr(import_module(f"ftcli.operations.{self.module}"), self.cls)
        return group


GROUPS = (
    GroupEntry("auth", "auth", "Auth", "Log in, log out, credentials, where the session stands"),
    GroupEntry(
        "credentials", "credentials", "CredentialGroup", "Keep and forget credentials", commands=False
    ),
    GroupEntry("accounts", "accounts", "Accounts", "Accounts, positions, balances and history"),
    GroupEntry("orders", "orders", "Orders", "Order status, previews, orders and cancels"),
    GroupEntry("orders.equity", "equity_orders", "EquityOrders", "Orders for stocks and ETFs"),
    GroupEntry("orders.option", "option_orders", "OptionOrders", "Single-leg option orders"),
    GroupEntry("orders.options", "multi_leg_orders", "MultiLegOrders", "Multi-leg option orders"),
    GroupEntry("orders.cancel", "cancel_orders", "CancelOrders", "Cancels of open orders"),
    GroupEntry("orders.replace", "replace_orders", "ReplaceOrders", "Changes of open orders"),
    GroupEntry("orders.conditional", "conditional_orders", "ConditionalOrders", "OTO, OCO and OTOCO orders"),
    GroupEntry(
        "orders.conditional_replace",
        "conditional_orders",
        "ConditionalReplaceOrders",
        "Changes of conditional orders",
    ),
    GroupEntry("orders.staged", "staged_orders", "StagedOrderGroup", "Saved drafts of orders"),
    GroupEntry(
        "orders.journal", "journal", "JournalGroup", "Every order placed from here, and what came of it"
    ),
    GroupEntry("trading", "trading", "Trading", "Limits, kill switch, dry checks"),
    GroupEntry("market_data", "market_data", "MarketData", "Quotes, charts and option chains"),
    GroupEntry("stream", "stream", "Stream", "Live quotes, trades, books, bars and account events"),
    GroupEntry("research", "research", "Research", "Earnings, dividends, search, analytics, scans, notes"),
    GroupEntry("research.notebooks", "notebooks", "Notebooks", "Notes on securities"),
    GroupEntry("watchlists", "watchlists", "Watchlists", "Lists of securities"),
    GroupEntry("alerts", "alerts", "Alerts", "Alerts, price triggers, announcements"),
    GroupEntry("alerts.price_triggers", "price_triggers", "PriceTriggers", "Alerts that a price sets off"),
    GroupEntry("preferences", "preferences", "PreferenceStore", "Settings that the broker keeps"),
    GroupEntry(
        "preferences.independent",
        "preferences",
        "IndependentPreferences",
        "Chart settings shared between the broker's products",
    ),
    GroupEntry("reference", "reference", "Reference", "Holidays of the exchange"),
)


def top_groups() -> list[GroupEntry]:
    """The groups that stand directly under ``ft``."""
    return [entry for entry in GROUPS if "." not in entry.name]


def groups_of(name: str) -> list[GroupEntry]:
    """A top group and the groups inside it."""
    return [entry for entry in GROUPS if entry.name == name or entry.name.startswith(f"{name}.")]
