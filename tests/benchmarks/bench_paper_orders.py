"""What open package orders cost the paper broker: time per read and per place, beside their number.

    python tests/benchmarks/bench_paper_orders.py 100 400 1600

The clock goes on by a quarter of a second with every call, as it does for clients that ask again and again.
"""

import sys
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from statistics import mean, median

from ftcli.clock import NEW_YORK
from ftcli.paper.codes import Action, Effect, Family, NetSide, Response, TimeInForce
from ftcli.paper.engine import Engine
from ftcli.paper.market import Market
from ftcli.paper.state import State
from ftcli.paper.tickets import Ticket, TicketLeg

MARGIN = "Z20000025"
STEP = timedelta(milliseconds=250)
CALLS = 60


class Bench:
    """A broker with a clock that is turned by hand."""

    def __init__(self) -> None:
        self._moment = datetime(2026, 11, 24, 12, tzinfo=NEW_YORK)
        self.engine = Engine(State(":memory:"), Market(), lambda: self._moment)
        self._orders = 0

    def place(self) -> None:
        """One call spread more, far enough from the market to stay open, at a net price of its own."""
        self._orders += 1
        legs = [("AAPL270319C270", Action.BUY_CALL), ("AAPL270319C280", Action.SELL_CALL)]
        ticket = Ticket(
            account=MARGIN,
            family=Family.PACKAGE,
            legs=tuple(
                TicketLeg(symbol=symbol, action=action, quantity=Decimal(1), effect=Effect.OPEN)
                for symbol, action in legs
            ),
            limit_price=Decimal(self._orders % 100 + 1) / 100,
            net_side=NetSide.DEBIT,
            strategy="CU",
            time_in_force=TimeInForce.GTC,
        )
        answer = self.engine.place(self.engine.preview(ticket).number, ticket)
        assert answer.response is Response.ACCEPTED, answer.messages

    def timed(self, call: Callable[[], object]) -> list[float]:
        """Milliseconds of each of some calls."""
        found = []
        for _ in range(CALLS):
            self._moment += STEP
            started = time.perf_counter()
            call()
            found.append(1000 * (time.perf_counter() - started))
        return found


def main(counts: list[int]) -> None:
    """Measures and prints."""
    print(f"{'open packages':>13} {'':6} {'median ms':>10} {'mean ms':>10} {'longest ms':>10}")
    for count in counts:
        bench = Bench()
        for _ in range(count):
            bench.place()
        for name, call in (("read", bench.engine.last_event), ("place", bench.place)):
            times = bench.timed(call)
            print(f"{count:>13} {name:6} {median(times):>10.2f} {mean(times):>10.2f} {max(times):>10.2f}")


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [100, 400, 1600])
