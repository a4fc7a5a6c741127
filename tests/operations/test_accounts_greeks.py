"""Greeks of the options held: those of the quote stream, joined to the legs."""

from pathlib import Path

import pytest
from accounts_calls import CALLS
from accounts_kit import example, wired

from ftcli.operations import option_summary
from ftcli.paper import options

MARGIN, BILLS = "Z20000025", "Z30000033"


async def test_each_leg_gets_the_greeks_of_the_stream(tmp_path: Path) -> None:
    async with wired(tmp_path, "2026-11-24T11:15:30-05:00") as (client, wire):
        plain = await client.accounts.options_summary(MARGIN)
        answer = await client.accounts.options_summary(MARGIN, greeks=True)
        legs = [leg for strategy in answer.strategies for leg in strategy.legs]
        assert len(legs) >= 4
        for leg in legs:
            contract = options.find(leg.symbol or "")
            assert contract is not None
            true = options.option_greeks(wire.desk.market, contract, wire.desk.now())
            assert true is not None
            assert leg.delta == true.delta
            assert leg.gamma == true.gamma
            assert leg.theta == true.theta
            assert leg.vega == true.vega
            assert leg.rho == true.rho
            assert leg.implied_volatility == true.iv_mid
            for name in ("delta", "gamma", "theta", "vega", "rho", "implied_volatility"):
                setattr(leg, name, None)
        assert answer == plain, "nothing else has changed"


async def test_a_leg_the_stream_does_not_know_stays_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(option_summary, "GREEKS_SECONDS", 0.3)
    async with wired(tmp_path) as (client, wire):
        wire.say(CALLS["options_summary"].path, example("option_summary"))
        answer = await client.accounts.options_summary(MARGIN, greeks=True)
    legs = [leg for strategy in answer.strategies for leg in strategy.legs]
    assert [leg.symbol for leg in legs] == ["ACME260717C90", "ACME260717C100", "QZX261218P42"]
    assert all(leg.delta is None for leg in legs)


async def test_without_options_no_stream_is_opened(tmp_path: Path) -> None:
    async with wired(tmp_path, hosts={"mdds": "http://127.0.0.1:9"}) as (client, _):
        answer = await client.accounts.options_summary(BILLS, greeks=True)
    assert answer.strategies == []
