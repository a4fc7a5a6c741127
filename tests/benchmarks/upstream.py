"""The broker's side of the latency benchmark, in a process of its own: quotes of one symbol at an even rate.

    python upstream.py

Prints its port. Speaks MDDS to whoever connects; a line ``SECONDS RATE`` on its input makes it send so many deltas a
second, each with the moment it was sent as field 44. It ends when its input is closed.
"""

import asyncio
import json
import sys
import time

from websockets.asyncio.server import ServerConnection, serve

SYMBOL = "KO"


def delta(number: int, stamp: int) -> str:
    """A partial delta as the broker sends it; no two in a row are alike."""
    item = {"6": SYMBOL, "29": f"{70 + number % 97 / 100:.2f}", "33": str(8_000_000 + number), "28": "100"}
    item |= {"20": f"{70 + number % 89 / 100:.2f}", "18": f"{71 + number % 83 / 100:.2f}", "44": str(stamp)}
    return json.dumps({"ResponseType": "0", "Data": [item]}, separators=(",", ":"))


async def send(connections: set[ServerConnection], seconds: float, rate: int) -> None:
    """Ticks at an even rate."""
    start, number = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < seconds:
        while number < passed * rate:
            for connection in connections:
                await connection.send(delta(number, time.perf_counter_ns()))
            number += 1
        await asyncio.sleep(0.001)


async def main() -> None:
    """Serves until the input is closed."""
    connections: set[ServerConnection] = set()

    async def handle(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"SessionId": "session-1", "host": "a", "productid": "atn"}))
        async for message in connection:
            word = json.loads(message)["Command"]
            data = [{"0": "success", "6": SYMBOL, "29": "70.10", "128": "EQ", "169": "realtime"}]
            answer = {"Command": word, "ResponseType": "1", "Data": data, "Request": "00000001"}
            await connection.send(json.dumps(answer))
            connections.add(connection)

    async with serve(handle, "127.0.0.1", 0, ping_interval=None) as server:
        print(next(iter(server.sockets)).getsockname()[1], flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            seconds, rate = line.split()
            await send(connections, float(seconds), int(rate))
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
