"""The other side of the stream benchmarks: many connections in a process of their own, so that they do not count.

    python drain.py PORT PATH COUNT SYMBOLS [stuck | slow]

Opens COUNT connections to PORT; each says ``GET PATH`` (``SYMBOLS`` in turn for ``{}``), as a WebSocket where the path
begins with ``/api/v1/ws``. Prints ``ready``, then counts what comes until its input closes, and prints the count of
``"last"`` (one a quote), the delays found, and the last price of each symbol as one line of JSON. With ``stuck`` the
first connection reads nothing until then, with ``slow`` 20 KB a second.
"""

import asyncio
import contextlib
import json
import re
import socket
import sys
import time

STAMP = re.compile(rb'"last_time":"(\d+)"')
LAST = re.compile(rb'"symbol":"(\w+)"[^{}]*?"last":([\d.]+)')


class Count:
    quotes = 0
    delays: list[float] = []


async def connect(
    port: int, path: str, symbols: list[str], ready: asyncio.Event, gate: asyncio.Event, slow: bool
) -> bytes:
    sock = socket.socket()
    if slow:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 15)  # or the kernel would read for it
    sock.connect(("127.0.0.1", port))
    reader, writer = await asyncio.open_connection(sock=sock, limit=1 << (16 if slow else 22))
    head = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
    if path.startswith("/api/v1/ws"):
        key = "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n"
        writer.write(f"{head}Connection: Upgrade\r\nUpgrade: websocket\r\n{key}\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        payload = json.dumps({"action": "subscribe", "symbols": symbols}).encode()
        writer.write(bytes((0x81, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
    else:
        writer.write(f"{head}\r\n".encode())
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(20):
            await reader.readuntil(b'"last"' if path.startswith("/api") else b"ready")
    ready.set()
    rest = b""
    while slow and not gate.is_set():
        await asyncio.sleep(0.1)
        rest = (rest + await reader.read(1 << 11))[-65536:]
    await gate.wait()
    while data := await reader.read(1 << 18):
        now = time.perf_counter_ns()
        Count.quotes += data.count(b'"last":')
        Count.delays += [(now - int(stamp)) / 1e6 for stamp in STAMP.findall(data) if len(stamp) > 8]
        rest = (rest + data)[-65536:]
    writer.close()
    return rest


async def main(port: int, path: str, count: int, symbols: list[str], first: str) -> None:
    tasks, gate, open_gate = [], asyncio.Event(), asyncio.Event()
    open_gate.set()
    for number in range(count):
        ready = asyncio.Event()
        mine = symbols[number % len(symbols)]
        held, slow = (gate, first == "slow") if first and number == 0 else (open_gate, False)
        tasks.append(asyncio.create_task(connect(port, path.format(mine), [mine], ready, held, slow)))
        await ready.wait()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    gate.set()
    tails = await asyncio.gather(*tasks)
    lasts = {name.decode(): price.decode() for name, price in LAST.findall(tails[0])}
    print(json.dumps({"quotes": Count.quotes, "delays": sorted(Count.delays), "lasts": lasts}), flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    asyncio.run(main(int(given[0]), given[1], int(given[2]), given[3].split(","), "".join(given[4:])))
