"""Few open files: strangers may take what there is, and whoever has a key still gets in, reads, halts and cancels."""

import asyncio
import contextlib
import resource
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from ftcli.server.places import RESERVE, affordable

PROGRAM = """
import asyncio, sys
from pathlib import Path
from ftcli.config import Settings
from ftcli.server.run import serve
settings = Settings(environment="paper", data_dir=Path(sys.argv[1]), port=0)
asyncio.run(serve(settings, lambda line: print(line, flush=True)))
"""
HEALTH = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"
FILES = RESERVE + 60
ORDER = {
    "account": "Z20000025",
    "symbol": "AAPL",
    "action": "buy",
    "quantity": 1,
    "order_type": "limit",
    "limit_price": 1,
}


def _few_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (200, FILES))


@contextlib.asynccontextmanager
async def real_daemon(folder: Path) -> AsyncIterator[list[str]]:
    """A daemon in a process of its own that may open few files; gives what it announces."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", PROGRAM, str(folder), stdout=asyncio.subprocess.PIPE, preexec_fn=_few_files
    )
    assert process.stdout is not None
    try:
        lines: list[str] = []
        while not lines or "ft_" not in lines[-1]:
            lines.append((await asyncio.wait_for(process.stdout.readline(), 20)).decode().strip())
        yield lines
    finally:
        process.terminate()
        await process.communicate()


class Strangers:
    """Clients without a key that hold as many connections as they are given, and come again when they are cut off."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._tasks: list[asyncio.Task[None]] = []
        self.cut_off = 0

    async def __aenter__(self) -> "Strangers":
        self._tasks = [asyncio.create_task(self._hold()) for _ in range(FILES)]
        try:
            while not self.cut_off:
                await asyncio.sleep(0.01)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _hold(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
                try:
                    writer.write(HEALTH)
                    while await reader.read(4096):
                        await asyncio.sleep(0.5)
                        writer.write(HEALTH)
                finally:
                    writer.close()
            self.cut_off += 1
            await asyncio.sleep(1)


async def test_whoever_has_a_key_gets_in_and_can_stop_trading(tmp_path: Path) -> None:
    async with real_daemon(tmp_path) as lines:
        url, key = lines[0].rpartition(" ")[2], lines[-1].rpartition(" ")[2]
        (warning,) = [line for line in lines if "WARNING" in line]
        assert f"{FILES - RESERVE} connections at once instead of 1024" in warning

        async def call(method: str, path: str, body: Any = None) -> Any:
            async with httpx.AsyncClient(base_url=f"{url}/api/v1", trust_env=False, timeout=5) as http:
                answer = await http.request(
                    method, path, json=body, headers={"Authorization": f"Bearer {key}"}
                )
            assert answer.status_code == 200, answer.text
            return answer.json()["data"]

        async with asyncio.timeout(20), Strangers(int(url.rpartition(":")[2])):
            assert (await call("POST", "/trading/halt", {"reason": "enough"}))["halted"]
            assert (await call("GET", "/accounts/Z20000025/positions"))["positions"]
            assert not (await call("POST", "/trading/resume"))["halted"]
            previewed = await call("POST", "/orders/equity/preview", ORDER)
            number = previewed["conf_num"]
            await call("POST", "/orders/equity/place", {"order": ORDER, "conf_num": number})
            assert (await call("POST", f"/orders/{number}/cancel"))["conf_num"] == number
            halted = await call("POST", "/trading/halt", {"reason": "enough", "cancel_open": True})
            assert halted["halted"]


@pytest.mark.parametrize(
    ("limits", "places", "soft"),
    [
        ((200, 20_000), 1024, 1024 + RESERVE),
        ((200, 1024), 1024 - RESERVE, 1024),
        ((200, 200), 16, 200),
        ((5000, 20_000), 1024, 5000),
    ],
)
async def test_the_limit_of_open_files_is_raised_as_far_as_needed(
    limits: tuple[int, int], places: int, soft: int
) -> None:
    program = (
        "import resource; from ftcli.server.places import affordable; "
        "print(affordable(1024), resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        stdout=asyncio.subprocess.PIPE,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, limits),
    )
    out, _ = await process.communicate()
    assert out.decode().split() == [str(places), str(soft)]


LOADS = """
import asyncio, sys
from pathlib import Path
import httpx
from ftcli.config import Settings
from ftcli.server.run import running

async def main():
    said = []
    async with running(Settings(environment="paper", data_dir=Path(sys.argv[1]), port=0), said.append) as url:
        headers = {"Authorization": "Bearer " + said[-1].rpartition(" ")[2]}
        before = set(sys.modules)
        async with httpx.AsyncClient(base_url=url + "/api/v1", headers=headers, trust_env=False) as http:
            order = {"account": "Z20000025", "symbol": "AAPL", "action": "buy", "quantity": 1,
                     "order_type": "limit", "limit_price": 1}
            previewed = await http.post("/orders/equity/preview", json=order)
            number = previewed.json()["data"]["conf_num"]
            for path, body in (
                ("/orders/equity/place", {"order": order, "conf_num": number}),
                (f"/orders/{number}/cancel", None),
                ("/trading/halt", {"reason": "enough", "cancel_open": True}),
            ):
                assert (await http.post(path, json=body)).status_code == 200
        print([name for name in sorted(set(sys.modules) - before) if name.startswith("ftcli")])

asyncio.run(main())
"""


async def test_a_running_daemon_has_loaded_what_orders_and_the_halt_need(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", LOADS, str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode().strip() == "[]"


def test_no_more_places_than_wanted() -> None:
    assert affordable(5) == 5
