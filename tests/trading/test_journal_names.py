"""Idempotency keys may look like journal numbers: one order is never taken for another."""

from pathlib import Path

import pytest
from test_at_most_once import number_of
from test_gate import BUY, Upstream, live

from ftcli.errors import Conflict, NotFound, OrderUnknown, ValidationFailed
from ftcli.models.trading import JournalState, ResolveAs


async def test_a_key_like_a_journal_number_hides_no_order(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        with client.idempotency_key("2"):
            await client.orders.equity.place(BUY, first := await number_of(client))
        upstream.fault = "500"  # nothing of it reaches the broker
        with pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, second := await number_of(client))
        upstream.fault = ""
        (found,) = (await client.orders.reconcile()).settled
        assert (found.id, found.state) == (2, JournalState.UNKNOWN)

        for ask in (client.orders.journal.show("2"), client.orders.resolve("2", ResolveAs.PLACED, "seen")):
            with pytest.raises(ValidationFailed, match="say id:1 or id:2"):
                await ask
        assert (await client.orders.journal.show("id:1")).conf_nums == [first]
        assert (await client.orders.journal.show(second)).id == 2
        with pytest.raises(NotFound):
            await client.orders.journal.show("id:999")
        resolved = await client.orders.resolve("id:2", ResolveAs.NOT_PLACED, "not in the app")
        assert (resolved.id, resolved.state) == (2, JournalState.NOT_PLACED)
        assert (await client.orders.journal.show("id:1")).state is JournalState.ACCEPTED


async def test_what_was_not_placed_says_how_to_place_it(tmp_path: Path) -> None:
    upstream = Upstream()
    async with live(tmp_path, upstream, live_trading=True) as client:
        number = await number_of(client)
        upstream.fault = "500"
        with client.idempotency_key("mine"), pytest.raises(OrderUnknown):
            await client.orders.equity.place(BUY, number)
        upstream.fault = ""
        await client.orders.resolve("mine", ResolveAs.NOT_PLACED, "not in the app")
        again = await number_of(client)
        with client.idempotency_key("mine"), pytest.raises(Conflict, match="another idempotency key"):
            await client.orders.equity.place(BUY, again)
        with client.idempotency_key("mine, again"):
            assert (await client.orders.equity.place(BUY, again)).conf_num == again
