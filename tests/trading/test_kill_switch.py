"""The kill switch: for each environment, for every process, and whatever else does not work."""

import json
import re
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cli_kit import ft
from test_at_most_once import number_of
from test_gate import BUY, Upstream, live

from ftcli import config
from ftcli.environment import live_client, open_client
from ftcli.errors import BrokerError, InternalError, OrderUnknown, TradingHalted


async def test_a_halt_stops_every_process(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        other = live_client(client.settings, upstream.desk.clock)
        halted = await other.trading.halt("model is off")
        assert halted.halted
        with pytest.raises(TradingHalted) as refused:
            await client.orders.equity.place(BUY, number)
        message = refused.value.message
        assert re.match(
            r"Live trading was halted by sdk \(.+@.+\) at .* \(model is off\), so nothing", message
        )
        assert refused.value.details
        assert refused.value.details["environment"] == "live"
        client.switch.path.write_text("{ not json")
        with pytest.raises(TradingHalted, match="cannot be understood"):
            await client.orders.equity.place(BUY, number)
        await client.trading.resume()
        placed = await client.orders.equity.place(BUY, number)
        again = await client.trading.halt("once more", cancel_open=True)
        assert placed.conf_num in again.canceled, "cancels are always let through"
        await other.aclose()
    assert upstream.places == 1


async def test_paper_and_live_have_a_switch_each(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        async with open_client(
            msgspec.structs.replace(client.settings, environment="paper", upstream="")
        ) as paper:
            halted = await paper.trading.halt("a test of mine")
            assert (halted.halted, halted.environment) == (True, "paper")
            assert "live trading has a kill switch of its own" in (halted.note or "")
            assert not (await client.trading.status()).halted
            await client.trading.halt()
            await paper.trading.resume()
            assert not (await paper.trading.status()).halted
        assert (await client.trading.status()).halted
        with pytest.raises(TradingHalted):
            await client.orders.equity.place(BUY, number)
        assert client.switch.path.name == "trading-halted.json", "a flag of old halts live trading"
    assert upstream.places == 0


BROKEN = [
    {"FT_LIMITS": "nonsense"},
    {"FT_LIMITS": "max_valeu=5"},
    {"FT_LIMITS": "symbols_denied"},
    {"FTSERVICE_DB_PATH": "garbage.db"},
]


@pytest.mark.parametrize("broken", BROKEN, ids=lambda item: "=".join(next(iter(item.items()))))
@pytest.mark.parametrize("environment", ["paper", "live"])
def test_it_needs_neither_limits_nor_database(
    broken: dict[str, str], environment: str, tmp_path: Path
) -> None:
    (tmp_path / "garbage.db").write_bytes(b"no database at all" * 100)
    environ = {"FT_ENV": environment, "FT_DATA_DIR": str(tmp_path), **broken}
    if "FTSERVICE_DB_PATH" in environ:
        environ["FTSERVICE_DB_PATH"] = str(tmp_path / "garbage.db")

    def told(*words: str) -> dict[str, Any]:
        done = ft("trading", *words, "-o", "json", environ=environ)
        assert done.status == 0, done.err
        found: dict[str, Any] = json.loads(done.out)
        return found

    halted = told("halt", "--reason", "odd\x1b[31m\nfills")
    assert (halted["halted"], halted["reason"], halted["unresolved"]) == (True, "odd [31m fills", None)
    assert "No order can be placed" in halted["note"]
    assert told("status")["halted"]
    assert not told("resume")["halted"]


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that takes no files, root or not")
async def test_a_halt_that_cannot_be_made_says_so(tmp_path: Path) -> None:
    settings = config.load(
        {}, {"FT_ENV": "live", "FT_DATA_DIR": str(tmp_path), "FTSERVICE_DB_PATH": "/proc/x.db"}
    )
    async with open_client(settings) as client:
        with pytest.raises(InternalError, match="NOT halted"):
            await client.trading.halt()


async def test_a_cancel_that_fails_is_told_after_the_halt(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        placed = await client.orders.equity.place(BUY, await number_of(client))
        upstream.fault = "cancel"
        with pytest.raises(OrderUnknown, match="^Trading is halted, but the cancel of .* failed") as told:
            await client.trading.halt(cancel_open=True)
        assert told.value.details
        assert placed.conf_num in told.value.details["not_canceled"]
        assert (await client.trading.status()).halted
        await client.trading.resume()
    # The broker is gone.
    with pytest.raises(
        BrokerError, match="^Trading is halted, but the open orders could not be read"
    ) as told:
        await live_client(client.settings, upstream.desk.clock).trading.halt(cancel_open=True)
    assert told.value.exit_status != 0
    assert client.switch.read() is not None
