"""Limits of orders: what may be traded, how much of it, and when. Off unless the settings say so.

    [limits]
    max_value = 10000
    symbols_denied = ["GME", "AMC"]

    [limits.accounts.Z20000025]
    max_daily_orders = 20

    [limits.keys.3fA9xY2b]
    actions_allowed = ["buy", "sell"]

Every set that applies must let an order pass: that of all, that of its account, that of the API key it came with and
of those that rotation put in its place, or it in theirs.
"""

from collections.abc import Collection, Iterator
from decimal import Decimal
from typing import Any, NamedTuple, get_type_hints

import msgspec

from ftcli.errors import RiskLimit, ValidationFailed
from ftcli.models.option_tickets import OptionAction
from ftcli.models.tickets import EquityAction
from ftcli.models.trading import Facts, Finding
from ftcli.trading.symbols import is_symbol, names_of, one_spelling
from ftcli.trading.terms import Terms, sum_of

ASSETS = ("equity", "option")
ACTIONS = tuple(member.value for kind in (EquityAction, OptionAction) for member in kind)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """One set of limits; ``None`` and empty lists limit nothing.

    Attributes:
        max_quantity: Shares or contracts of one order.
        max_value: Dollars of one order, as :class:`~ftcli.trading.terms.Priced` counts them.
        max_daily_value, max_daily_orders: Dollars and orders of one New York day.
        price_band: Percent that each price of an order may be away from the last price: limit, stop, the stop and
            limit a trailing order starts with, and a package's net price from its net of last prices.
        symbols_allowed, symbols_denied: Symbols in any spelling; an option counts under its root and its underlying
            too.
        actions_allowed: ``buy``, ``sell``, ``buy_to_open`` ...
        asset_classes: ``equity``, ``option``.
        market_hours_only: Whether orders are taken in regular hours only.
        duplicate_window: Seconds in which the same order is not taken twice.
        max_open_orders: Open orders of the account, the new one included; a change of one opens no other.
    """

    max_quantity: Decimal | None = None
    max_value: Decimal | None = None
    max_daily_value: Decimal | None = None
    max_daily_orders: int | None = None
    price_band: Decimal | None = None
    symbols_allowed: list[str] = []
    symbols_denied: list[str] = []
    actions_allowed: list[str] = []
    asset_classes: list[str] = []
    market_hours_only: bool = False
    duplicate_window: int | None = None
    max_open_orders: int | None = None

    def in_force(self) -> dict[str, str]:
        """The rules that limit something, as texts."""
        found = {name: getattr(self, name) for name in self.__struct_fields__}
        # Zero limits too: "none of these".
        off = {name for name, value in found.items() if value is None or value is False or value == []}
        return {name: _text(value) for name, value in found.items() if name not in off}


class Day(msgspec.Struct, frozen=True, kw_only=True):
    """What the journal knows of today, for one scope; no value where that of one of its orders is not known."""

    value: Decimal | None = Decimal(0)
    orders: int = 0
    same_order_age: float | None = None


class Scoped(msgspec.Struct, frozen=True, kw_only=True):
    """A set of limits and whom it is for: everybody, an account, or an API key."""

    rules: Rules
    account: str = ""
    api_key: str = ""

    @property
    def name(self) -> str:
        """The scope as shown."""
        if self.account:
            return f"account {self.account}"
        return f"key {self.api_key}" if self.api_key else "all"


_KINDS: dict[Any, tuple[Any, str]] = {
    Decimal | None: (Decimal, "a number of zero or more"),
    int | None: (int, "a whole number of zero or more"),
    bool: (bool, "true or false"),
    list[str]: (list[str], "a list of words"),
}
"""Types of rules as they are given, since "null" is no number, and the same in words."""
_TYPES = {name: _KINDS[hint] for name, hint in get_type_hints(Rules).items()}
_NUMBERS = [name for name, (_, said) in _TYPES.items() if "number" in said]
_LISTS = ("symbols_allowed", "symbols_denied", "actions_allowed", "asset_classes")


def parse(raw: dict[str, Any]) -> list[Scoped]:
    """The limits of the setting ``limits``, strictly: half-understood limits would be none.

    Raises:
        ValidationFailed: A rule is unknown, or its value is not what it should be.
    """
    tables: dict[tuple[str, str], dict[str, Any]] = {("", ""): {}}
    for name, value in raw.items():
        kind, _, rest = name.partition(".")
        if kind in ("accounts", "keys") and isinstance(value, dict):
            for owner, table in value.items():
                if not isinstance(table, dict):
                    raise ValidationFailed.of(f"limits.{kind}.{owner}", table, "be a table of rules")
                tables.setdefault((kind, owner), {}).update(table)
        elif kind in ("accounts", "keys") and rest.count(".") == 1:
            owner, rule = rest.split(".")
            tables.setdefault((kind, owner), {})[rule] = value
        else:
            tables[("", "")][name] = value
    return [_scoped(kind, owner, table) for (kind, owner), table in tables.items()]


def _scoped(kind: str, owner: str, table: dict[str, Any]) -> Scoped:
    if kind == "keys" and not owner.isalnum():
        # It may be the key itself, which must not be told.
        raise ValidationFailed.of("limits.keys", None, "name keys by their ids, the 8 signs after ft_")
    if kind == "accounts" and not owner.isalnum():
        raise ValidationFailed.of(
            "limits.accounts", owner, "name accounts by their numbers, such as Z20000025"
        )
    where = ".".join(filter(None, ("limits", kind, owner)))
    for name, value in table.items():
        if isinstance(value, str) and not value.strip():
            raise ValidationFailed.of(
                f"{where}.{name}", value, "be a rule with its value, as in max_value=1000"
            )
    rules = Rules(**{name: _converted(f"{where}.{name}", name, value) for name, value in table.items()})
    for name in _NUMBERS:
        number = getattr(rules, name)
        if number is not None and (not Decimal(number).is_finite() or number < 0):
            raise ValidationFailed.of(f"{where}.{name}", number, f"be {_TYPES[name][1]}")
    for name, known_words in (("actions_allowed", ACTIONS), ("asset_classes", ASSETS)):
        for word in getattr(rules, name):
            if word not in known_words:
                raise ValidationFailed.of(f"{where}.{name}", word, f"be one of {', '.join(known_words)}")
    for name in ("symbols_allowed", "symbols_denied"):
        for word in getattr(rules, name):
            if not is_symbol(word):
                raise ValidationFailed.of(f"{where}.{name}", word, "be one symbol, such as BRK.B")
    account, key = (owner.upper() if kind == "accounts" else ""), (owner if kind == "keys" else "")
    return Scoped(rules=rules, account=account, api_key=key)


def _converted(field: str, name: str, value: Any) -> Any:
    """The value of a rule, in its own type.

    Raises:
        ValidationFailed: There is no such rule, or it takes no such value.
    """
    if name not in _TYPES:
        raise ValidationFailed.of(field, value, f"be one of the rules: {', '.join(_TYPES)}")
    kind, said = _TYPES[name]
    try:
        return msgspec.convert(_value(name, value), kind, strict=False)
    except msgspec.ValidationError:
        raise ValidationFailed.of(field, value, f"be {said}") from None


def _value(name: str, value: Any) -> Any:
    """A list may be one text; symbols are upper case, words lower case; floats keep their digits."""
    if name in _LISTS:
        words = value.replace(",", " ").split() if isinstance(value, str) else value
        if isinstance(words, list) and (words or words == value):
            return [str(word).upper() if name.startswith("symbols") else str(word).lower() for word in words]
    return str(value) if isinstance(value, float | bool) and name in _NUMBERS else value


def applying(limits: list[Scoped], account: str, keys: Collection[str]) -> list[Scoped]:
    """The sets that an order must pass.

    Args:
        limits: All sets.
        account: Its account.
        keys: Ids of the API key it came with, and of those that count as the same.
    """
    return [
        one
        for one in limits
        if one.account in ("", account) and one.api_key in ("", *keys) and one.rules.in_force()
    ]


def judge(one: Scoped, terms: Terms, facts: Facts, day: Day) -> list[Finding]:
    """What an order breaks of one set of limits. What a rule needs and nobody knows counts as broken.

    Args:
        one: The set.
        terms: What the order comes to.
        facts: What is known of the market and the account.
        day: What the journal knows of today, for this set's scope.
    """
    rules = one.rules
    limits = rules.in_force()
    found: list[_Broken] = [
        *_what(rules, terms),
        *_how_much(rules, terms, day),
        *_price(rules, terms),
        *_when(rules, terms, facts, day),
    ]
    return [
        Finding(
            rule=item.rule,
            scope=one.name,
            limit=limits.get(item.rule, ""),
            value=item.value,
            text=f"{item.rule} ({one.name}): {item.text}.",
        )
        for item in found
    ]


class _Broken(NamedTuple):
    """A rule that an order breaks: what the order comes to, and the same in words."""

    rule: str
    value: str
    text: str


def _what(rules: Rules, terms: Terms) -> Iterator[_Broken]:
    for part in terms.parts:
        names, symbol = names_of(part.symbol), part.symbol
        if rules.symbols_allowed and not names & set(map(one_spelling, rules.symbols_allowed)):
            allowed = " ".join(rules.symbols_allowed)
            yield _Broken("symbols_allowed", symbol, f"{symbol} is not among the symbols allowed ({allowed})")
        if names & set(map(one_spelling, rules.symbols_denied)):
            denied = " ".join(rules.symbols_denied)
            yield _Broken("symbols_denied", symbol, f"{symbol} is among the symbols denied ({denied})")
        if rules.actions_allowed and part.action not in rules.actions_allowed:
            allowed = " ".join(rules.actions_allowed)
            text = f"{part.action} ({symbol}) is not among the actions allowed ({allowed})"
            yield _Broken("actions_allowed", part.action, text)
        if rules.asset_classes and part.asset not in rules.asset_classes:
            allowed = " ".join(rules.asset_classes)
            yield _Broken(
                "asset_classes", part.asset, f"{symbol} is of class {part.asset}; allowed: {allowed}"
            )
        quantity = part.quantity
        if rules.max_quantity is not None and (quantity is None or quantity > rules.max_quantity):
            ordered = "all" if quantity is None else f"{quantity:f}"
            text = f"{ordered} of {symbol} are ordered; at most {rules.max_quantity:f} are allowed"
            yield _Broken("max_quantity", _known(quantity), text)


def _how_much(rules: Rules, terms: Terms, day: Day) -> Iterator[_Broken]:
    if rules.max_value is not None:
        for order in terms.orders:
            if order.value is None or order.value > rules.max_value:
                text = f"the order is worth {_money(order.value)}; at most ${rules.max_value:f} is allowed"
                yield _Broken("max_value", _known(order.value), text)
    if rules.max_daily_value is not None:
        total = sum_of([day.value, terms.value])
        if total is None or total > rules.max_daily_value:
            limit = f"at most ${rules.max_daily_value:f} a day is allowed"
            yield _Broken(
                "max_daily_value", _known(total), f"with this order the day is worth {_money(total)}; {limit}"
            )
    count = day.orders + len(terms.orders)
    if rules.max_daily_orders is not None and count > rules.max_daily_orders:
        text = f"with this order the day has {count} orders; at most {rules.max_daily_orders} are allowed"
        yield _Broken("max_daily_orders", str(count), text)


def _price(rules: Rules, terms: Terms) -> Iterator[_Broken]:
    band = rules.price_band
    for order in terms.orders if band is not None else []:
        for name, price in order.prices.items():
            if not order.last or price is None:
                text = f"the last price is not known, so the {name} cannot be held against it"
                yield _Broken("price_band", "the last price is not known", text)
                continue
            away = abs(price - order.last) / abs(order.last) * 100
            if band is not None and away > band:
                value = f"{price:f} is {away:.2f} % from {order.last:f}"
                yield _Broken(
                    "price_band", value, f"the {name} {value}, the last; at most {band:f} % is allowed"
                )


def _when(rules: Rules, terms: Terms, facts: Facts, day: Day) -> Iterator[_Broken]:
    if rules.market_hours_only and facts.market_open is not True:
        known = facts.market_open is not None
        text = "the market is closed" if known else "whether the market is open is not known"
        value = "closed" if known else "not known"
        yield _Broken("market_hours_only", value, f"{text}; orders are taken in regular hours only")
    age = day.same_order_age
    if rules.duplicate_window is not None and age is not None and age < rules.duplicate_window:
        value = f"the same order {max(age, 0):.0f} s ago"
        text = f"the same order was placed {max(age, 0):.0f} s ago; within {rules.duplicate_window} s it is refused"
        yield _Broken("duplicate_window", value, text)
    if rules.max_open_orders is not None:
        # A change ends the order that it changes, and opens no other one.
        more = len(terms.orders) - len(terms.replaces & set(facts.open_numbers))
        count = None if facts.open_orders is None else facts.open_orders + more
        if more > 0 and (count is None or count > rules.max_open_orders):
            text = (
                "how many orders are open is not known"
                if count is None
                else f"with this {count} orders are open"
            )
            limit = f"at most {rules.max_open_orders} are allowed"
            yield _Broken("max_open_orders", "not known" if count is None else str(count), f"{text}; {limit}")


def refuse(findings: list[Finding]) -> None:
    """Refuses an order that breaks limits.

    Raises:
        RiskLimit: There are findings.
    """
    if not findings:
        return
    first = findings[0]
    more = f" And {len(findings) - 1} more." if len(findings) > 1 else ""
    raise RiskLimit(
        f"The order breaks a limit, so nothing was sent: {first.text}{more}",
        details={
            "rule": first.rule,
            "scope": first.scope,
            "limit": first.limit,
            "value": first.value,
            "findings": [
                {"rule": item.rule, "scope": item.scope, "limit": item.limit, "value": item.value}
                for item in findings
            ],
        },
    )


def _text(value: Any) -> str:
    if isinstance(value, list):
        return " ".join(value)
    if isinstance(value, bool):
        return "true"
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _known(value: Decimal | None) -> str:
    return "not known" if value is None else f"{value:f}"


def _money(value: Decimal | None) -> str:
    return "an amount not known" if value is None else f"${value:f}"
