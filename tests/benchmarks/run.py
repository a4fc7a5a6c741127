"""Runs every benchmark and holds each ratio against its floor.

    python tests/benchmarks/run.py            # fails where a floor is missed
    python tests/benchmarks/run.py gateway    # one of them

Each figure is ours over the bare minimum that could do the job, taken in turns in one run, so that the speed of
the machine falls out. The whole takes about eight minutes.
"""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

if __name__ == "__main__":
    sys.path[:0] = [str(Path(__file__).parents[2]), str(Path(__file__).parent)]

import bench_fanout
import bench_gateway
import bench_latency
import bench_streaming

Figures = dict[str, float]
Floors = dict[str, float]

BENCHMARKS: dict[str, tuple[Callable[[], Figures], Floors]] = {
    "gateway": (
        bench_gateway.gateway,
        {f"{way} / bare": floor for way, floor in bench_gateway.FLOORS.items()},
    ),
    "decode": (bench_streaming.decoding, {"ratio": 0.5}),
    "fan-out": (lambda: asyncio.run(bench_streaming.fanning()), {"ratio": 0.6}),
    "latency": (bench_latency.latency, {}),
    **{name: (run, bench_fanout.FLOORS[name]) for name, run in bench_fanout.ALL.items()},
}
"""Each benchmark, and the least its ratios may be."""


def main(names: list[str]) -> int:
    """Runs some benchmarks, or all; answers how many floors were missed."""
    missed = 0
    for name in names or BENCHMARKS:
        run, floors = BENCHMARKS[name]
        for figure, value in run().items():
            floor = floors.get(figure)
            fine = floor is None or value >= floor
            missed += not fine
            beside = "" if floor is None else f"   floor {floor:g}{'' if fine else '   MISSED'}"
            print(f"{name:10} {figure:16} {value:12,.2f}{beside}", flush=True)
    return missed


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
