"""What the command line has beyond the operations, as plain tables: nothing of it is loaded to list it.

Three things stand here: the shortcuts, which are thin aliases of operations; the hand-made forms at the top;
and the hand-made forms inside the groups.
"""

from typing import NamedTuple

SHORTCUTS = {
    "positions": "accounts positions",
    "balances": "accounts balances",
    "quote": "market-data quotes",
    "chart": "market-data chart",
    "chain": "market-data chain",
    "search": "research search",
}
"""A word directly under ``ft`` and the command it stands for. ``ft orders`` is :data:`DEFAULTS`' affair."""

DEFAULTS = {"orders": "status"}
"""A group and the command that runs where only the group is named."""


class FormEntry(NamedTuple):
    """Where a hand-made form lives.

    Attributes:
        words: Its words after ``ft``.
        module, attribute: Its module under ``ftcli.cli.commands`` and its name there.
        summary: One line, the same as the first line of its docstring.
    """

    words: str
    module: str
    attribute: str
    summary: str

    @property
    def is_top(self) -> bool:
        """Whether it stands directly under ``ft``."""
        return " " not in self.words


FORMS = (
    FormEntry("buy", "trade", "buy", "Buy shares or an option: preview, ticket, question, order."),
    FormEntry("sell", "trade", "sell", "Sell shares or an option: preview, ticket, question, order."),
    FormEntry(
        "spread",
        "spread",
        "spread",
        "Trade a package of two to four options: preview, ticket, question, order.",
    ),
    FormEntry("cancel", "cancel", "cancel", "Ask for an open order to be canceled."),
    FormEntry("demo", "demo", "demo", "Take a tour on the paper broker: positions, an order, live quotes."),
    FormEntry("serve", "serve", "serve", "Run the local HTTP service."),
    FormEntry("api", "api", "api", "Call any HTTP route by method and path, without a server."),
    FormEntry("doctor", "doctor", "doctor", "Check limits, login, clock, keyring, disk, broker and streams."),
    FormEntry("auth login", "login", "login", "Log in at the broker."),
    FormEntry("auth approve", "login", "approve", "Answer a login that waits for its second factor."),
    FormEntry("auth storage", "credentials", "storage", "Show where secrets are kept, and how safe that is."),
    FormEntry("auth rekey", "credentials", "rekey", "Change the key of the encrypted files."),
    FormEntry("auth credentials set", "credentials", "put", "Keep the credentials at the broker."),
    FormEntry(
        "auth credentials show", "credentials", "show", "Show whose credentials are stored, and where."
    ),
    FormEntry("auth credentials delete", "credentials", "delete", "Forget the stored credentials."),
    FormEntry("auth credentials migrate", "credentials", "migrate", "Move the credentials to another store."),
    FormEntry("keys create", "keys", "create", "Make an API key for the daemon."),
    FormEntry("keys list", "keys", "listed", "List the API keys of the daemon."),
    FormEntry("keys revoke", "keys", "revoke", "End an API key at once."),
    FormEntry("keys rotate", "keys", "rotate", "Replace an API key by a new one that may do the same."),
    FormEntry("orders cancel", "cancel", "cancel", "Ask for an open order to be canceled."),
    FormEntry("orders wait", "wait", "wait", "Wait until an order is filled, canceled, or over."),
    FormEntry("orders apply", "apply", "apply", "Place the orders of a file: plan, question, report."),
    FormEntry(
        "paper serve", "paper", "serve", "Run the paper broker as a server that speaks the broker's wire."
    ),
    FormEntry("paper status", "paper", "status", "Show the paper broker's accounts, clock and market."),
    FormEntry("paper reset", "paper", "reset", "Put the paper broker back to its start."),
    FormEntry(
        "paper fault list", "fault", "list_faults", "List every fault of the paper broker and how it is set."
    ),
    FormEntry(
        "paper fault set",
        "fault",
        "set_faults",
        "Set faults of the paper broker, in every process that uses its file.",
    ),
    FormEntry(
        "paper fault clear",
        "fault",
        "clear_faults",
        "Put every fault of the paper broker back to a good day.",
    ),
    FormEntry("stream status", "stream", "status", "Show the state of the daemon's streams."),
    FormEntry(
        "stream subscriptions",
        "stream",
        "subscriptions",
        "List the symbols the daemon is subscribed to, with their counts.",
    ),
    FormEntry(
        "stream subscribe",
        "stream",
        "subscribe",
        "Keep symbols subscribed in the daemon, whether or not somebody reads them.",
    ),
    FormEntry("stream unsubscribe", "stream", "unsubscribe", "End in the daemon what subscribe began."),
    FormEntry("config show", "config", "show", "Show every setting with its value and where it came from."),
    FormEntry("config path", "config", "path", "Print where the user file is looked for."),
)

FORM_GROUPS = {
    "paper": "The embedded paper broker: serve, status, reset, faults",
    "config": "Settings: values, origins, the user file",
    "keys": "API keys of the daemon: create, list, revoke, rotate",
}
"""Groups that hold forms only, with their summaries."""

INNER_GROUPS = {
    "paper fault": "A bad day at the paper broker, at will",
    "auth credentials": "Credentials at the broker: set, show, delete, migrate",
}
"""Such groups inside others, by all their words."""

TRADING, SHORT, TOOLS = "Trading", "Shortcuts", "Tools"

HEADINGS = {
    "buy": TRADING,
    "sell": TRADING,
    "spread": TRADING,
    "cancel": TRADING,
    "demo": TOOLS,
    "serve": TOOLS,
    "api": TOOLS,
    "paper": TOOLS,
    "config": TOOLS,
    "keys": TOOLS,
    "doctor": TOOLS,
    **dict.fromkeys(SHORTCUTS, SHORT),
}
"""Headings of the root's help; groups of operations stand under "Commands"."""
