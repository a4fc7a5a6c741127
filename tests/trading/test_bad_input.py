"""What nobody means is refused with field, value and rule, and account numbers stay out of exports."""

import json
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from cli_kit import ft
from test_at_most_once import number_of
from test_gate import BUY, Upstream, live

from ftcli.cli.exits import with_exits
from ftcli.errors import OrderUnknown, ValidationFailed
from ftcli.models.tickets import EquityAction, EquityLimitOrder, EquityMarketOrder, EquityStopOrder
from ftcli.models.trading import ResolveAs

ACCOUNT = ("-a", "Z20000025")
SPREAD = ("spread", "--buy", "KO270115C80", "--sell", "KO270115C85")


@pytest.mark.parametrize(
    ("words", "field"),
    [
        (("buy", "KO", "1e400"), "quantity"),
        (("buy", "KO", "1e-400"), "quantity"),
        (("buy", "KO", "1", "--limit", "1e400"), "limit"),
        (("buy", "KO", "1", "--trail", "1e400%"), "trail"),
        (("buy", "KO270115C80", "1e400", "--limit", "1"), "quantity"),
        ((*SPREAD, "--debit", "1e400"), "debit"),
        (("buy", "KO", "1000000000"), "quantity"),
        # Exits that would execute at once after their entry.
        (("buy", "KO", "1", "--limit", "60", "--take-profit", "60"), "--take-profit"),
        (("buy", "KO", "1", "--limit", "60", "--stop-loss", "61"), "--stop-loss"),
        (("buy", "KO", "1", "--stop", "90", "--take-profit", "89"), "--take-profit"),
        (("sell", "KO", "1", "--short", "--limit", "60", "--take-profit", "61"), "--take-profit"),
        (("sell", "KO", "1", "--short", "--limit", "60", "--stop-loss", "59"), "--stop-loss"),
    ],
    ids=lambda item: item if isinstance(item, str) else " ".join(item),
)
def test_what_nobody_means_is_refused(words: tuple[str, ...], field: str, tmp_path: Path) -> None:
    environ = {"FT_ENV": "paper", "FT_DATA_DIR": str(tmp_path)}
    told = ft(*words, *ACCOUNT, "--yes", "-o", "json", environ=environ)
    assert told.status == 2, told.err
    error = json.loads(told.err)
    error = error.get("error", error)
    assert (error["code"], error["details"]["field"]) == ("VALIDATION_ERROR", field)
    assert len(error["message"]) < 200


def test_exits_on_the_right_side_pass() -> None:
    short = msgspec.structs.replace(BUY, action=EquityAction.SELL_SHORT)
    market = EquityMarketOrder(account=BUY.account, symbol="KO", action=EquityAction.BUY, quantity=Decimal(2))
    assert BUY.limit_price == short.limit_price == 60
    for entry, profit, loss in ((BUY, 61, 59), (short, 59, 61), (market, 90, 50)):
        group = with_exits(entry, Decimal(profit), Decimal(loss), is_exit=False)
        assert [type(order) for order in group.orders] == [type(entry), EquityLimitOrder, EquityStopOrder]


async def test_an_export_holds_no_account_number(tmp_path: Path) -> None:
    """Not in what a person wrote either, nor in the key."""
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        upstream.fault = "500"
        with client.idempotency_key(f"{BUY.account}-rebalance"), pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, number)
        for reason in ("bell \a", "two\nlines", "x" * 501):
            with pytest.raises(ValidationFailed, match="at most 500 printable characters"):
                await client.orders.resolve(number, ResolveAs.PLACED, reason)
        reason = f"seen in z10000017 ({BUY.account}), not in Z20000025 or 240000041"
        await client.orders.resolve(number, ResolveAs.PLACED, reason)
        (entry,) = (await client.orders.journal.export()).entries
        assert (entry.account, entry.key) == ("***0017", "***0017-rebalance")
        assert entry.changes[-1].message == "seen in ***0017 (***0017), not in ***0025 or ***0041"
        assert BUY.account not in repr(entry)
        (shown,) = (await client.orders.journal.export(accounts_shown=True)).entries
        assert (shown.account, shown.changes[-1].message) == (BUY.account, reason)


def test_a_check_on_paper_says_nothing_of_live(tmp_path: Path) -> None:
    told = ft(
        *("trading", "check", "--symbol", "KO", "--action", "buy", "--quantity", "1", *ACCOUNT, "-o", "json"),
        environ={"FT_ENV": "paper", "FT_DATA_DIR": str(tmp_path)},
    )
    assert told.status == 0, told.err
    found = json.loads(told.out)
    assert (found["allowed"], found["may_place"], found["live_trading"]) == (True, True, False)
