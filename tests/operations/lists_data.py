"""The calls of watchlists, alerts, preferences and drafts, each with the protocol's example answer."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from market_kit import wired

from ftcli.client import Client
from ftcli.errors import FtError
from ftcli.models.alerts import TriggerOperator
from ftcli.models.json import dumps, loads
from ftcli.models.preferences import PreferenceValues
from ftcli.models.tickets import EquityAction, EquityLimitOrder
from ftcli.models.watchlists import WatchlistChange

DATA = Path(__file__).parent.parent / "data" / "watchlists"
WATCHLISTS = "/ftgw/dp/retail-watchlist/v1/customers/watchlists"
TRIGGERS = "/ftgw/dp/retail-price-triggers/v1/investments/research/alert/price-triggers"
ATN = "/ftgw/dp/retail-customers/v1/personalization/atn-prefs"
INDEPENDENT = "/ftgw/dp/retail-indepInvs-pref/v1"
STAGED = "/ftgw/dp/ent-research-staging/v1/customers/staged-order"
CONTENT = "/content-headless/v2/content"
TOKEN = "/ftgw/dp/security/token/authz/generate/1.0"
SIGN_ON = "/ftgw/alerts/services/ATBTSubscription"
HISTORY = "/ftgw/alerts/services/ATBTAlerts"
AGREEMENT = "/ftgw/dp/trade/useragreement/modify/v1"
LOCATE = "/ftgw/dp/reference/security/stock/locate/find/v1"
MARGIN = "Z20000025"
ORDER = EquityLimitOrder(
    account=MARGIN,
    symbol="ACMX",
    action=EquityAction.BUY,
    quantity=Decimal(100),
    limit_price=Decimal("41.05"),
)


def example(name: str) -> bytes:
    """One of the protocol's example payloads, as it would come."""
    return (DATA / name).read_bytes()


class Call(NamedTuple):
    """An operation, the path it calls and the example it is answered with.

    Attributes:
        once: Whether it must never be sent twice.
        confirms: Whether only a message tells that it went well.
    """

    path: str
    file: str
    make: Callable[[Client], Awaitable[Any]]
    once: bool = False
    confirms: bool = False


CALLS = {
    "watchlists": Call(f"{WATCHLISTS}/get", "watchlists.json", lambda ft: ft.watchlists.list()),
    "watchlist_saved": Call(
        f"{WATCHLISTS}/save",
        "watchlist_saved.json",
        lambda ft: ft.watchlists.save(WatchlistChange(name="Energy", symbols=["NVLT", "QRS"])),
        once=True,
        confirms=True,
    ),
    "triggers": Call(f"{TRIGGERS}/list", "triggers.json", lambda ft: ft.alerts.price_triggers.list()),
    "triggers_older": Call(
        f"{TRIGGERS}/list", "triggers_older.json", lambda ft: ft.alerts.price_triggers.list()
    ),
    "trigger_created": Call(
        f"{TRIGGERS}/create",
        "trigger_created.json",
        lambda ft: ft.alerts.price_triggers.create("NVLT", TriggerOperator.GREATER_THAN, Decimal(45)),
        once=True,
    ),
    "trigger_deleted": Call(
        f"{TRIGGERS}/delete",
        "trigger_deleted.json",
        lambda ft: ft.alerts.price_triggers.delete("1107340021"),
    ),
    "preferences": Call(f"{ATN}/getpreference", "preferences.json", lambda ft: ft.preferences.get()),
    "preferences_set": Call(
        f"{ATN}/savepreference",
        "preferences_changed.json",
        lambda ft: ft.preferences.set(
            PreferenceValues(preference_path="user/atn/global/v1", values={"Theme": "Light"})
        ),
        confirms=True,
    ),
    "preferences_deleted": Call(
        f"{ATN}/deletepreference",
        "preferences_changed.json",
        lambda ft: ft.preferences.delete("user/atn/layout/3d1c9b42/v1", ["NavBarPosition"]),
        confirms=True,
    ),
    "independent": Call(
        f"{INDEPENDENT}/getPreference",
        "independent.json",
        lambda ft: ft.preferences.independent.get("user/chart/"),
    ),
    "announcements": Call(CONTENT, "content.json", lambda ft: ft.alerts.announcements()),
    "event_token": Call(TOKEN, "token.json", lambda ft: ft.alerts.event_token(reveal=True)),
    "staged": Call(f"{STAGED}/get", "staged.json", lambda ft: ft.orders.staged.list()),
    "staged_saved": Call(
        f"{STAGED}/save", "staged_saved.json", lambda ft: ft.orders.staged.save(ORDER), once=True
    ),
    "staged_deleted": Call(
        f"{STAGED}/delete", "staged_deleted.json", lambda ft: ft.orders.staged.delete("SIMSTG000042")
    ),
    "agreement": Call(
        AGREEMENT,
        "agreement.json",
        lambda ft: ft.orders.accept_trade_agreement(MARGIN, "EXTHRS"),
        once=True,
    ),
    "locate": Call(
        LOCATE, "locate.json", lambda ft: ft.orders.locate("ACMX", MARGIN, Decimal(60)), once=True
    ),
}


async def reads(folder: Path, call: Call, *answers: Any) -> list[Any]:
    """What the operation answers to each document; an error of ours stands for itself."""
    found: list[Any] = []
    async with wired(folder) as (client, wire, _):
        for answer in answers:
            wire.say(call.path, answer)
            try:
                found.append(await call.make(client))
            except FtError as problem:
                found.append(problem)
    return found


async def shown(folder: Path, call: Call, *answers: Any) -> list[Any]:
    """The same as JSON documents of ours."""
    return [
        answer if isinstance(answer, Exception) else loads(dumps(answer))
        for answer in await reads(folder, call, *answers)
    ]


async def answer_of(folder: Path, name: str) -> Any:
    """What the operation makes of the protocol's example."""
    call = CALLS[name]
    (answer,) = await reads(folder, call, example(call.file))
    assert not isinstance(answer, Exception), answer
    return answer
