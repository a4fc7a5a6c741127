"""What gate and journal cost on a place, beside the same place without them, in one run.

    python tests/benchmarks/bench_gate.py 300

The same orders go to the same paper broker in this process, in turn through the gate and around it.
"""

import asyncio
import sys
import tempfile
import time
from decimal import Decimal
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from ftcli import config
from ftcli.client import Client
from ftcli.environment import open_client
from ftcli.models.tickets import EquityAction, EquityLimitOrder
from ftcli.wire import Placement

LIMITS = "max_quantity=100,max_daily_orders=1000000,duplicate_window=1,symbols_denied=GME"


def order(number: int) -> EquityLimitOrder:
    """A resting order unlike any other."""
    return EquityLimitOrder(
        account="Z20000025",
        symbol="KO",
        action=EquityAction.BUY,
        quantity=Decimal(1),
        limit_price=Decimal(100 + number) / 100,
    )


async def around(client: Client, placement: Placement[Any]) -> Any:
    """The call without gate and journal."""
    return placement.judge(await client.send(placement.request), placement.conf_nums)


async def measure(folder: Path, count: int, limits: str) -> tuple[list[float], list[float]]:
    """Milliseconds of each place, through the gate and around it."""
    settings = config.load({}, {"FT_ENV": "paper", "FT_DATA_DIR": str(folder), "FT_LIMITS": limits})
    through: list[float] = []
    past: list[float] = []
    async with open_client(settings) as client:
        gated = client.place
        for number in range(2 * count):
            one = order(number)
            preview = await client.orders.equity.preview(one)
            free = number % 2 == 0
            client.place = (lambda item: around(client, item)) if free else gated  # type: ignore[method-assign]
            started = time.perf_counter()
            await client.orders.equity.place(one, preview.conf_num or "")
            (past if free else through).append((time.perf_counter() - started) * 1000)
    return through, past


async def main(count: int) -> None:
    """Prints medians and 95th percentiles."""
    for name, limits in (("no limits", ""), ("four limits", LIMITS)):
        with tempfile.TemporaryDirectory() as folder:
            through, past = await measure(Path(folder), count, limits)
        added = median(through) - median(past)
        print(
            f"{name:<12} around {median(past):6.2f} ms   through {median(through):6.2f} ms   "
            f"added {added:5.2f} ms (median of {count})   p95 through {quantiles(through, n=20)[-1]:6.2f} ms"
        )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 300))
