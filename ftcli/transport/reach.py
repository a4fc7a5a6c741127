"""Whether each of the broker's hosts can be reached, streams too: a connection is opened and closed, no more."""

import asyncio
import socket
import ssl
import time
from typing import NamedTuple
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from ftcli.transport.hosts import HOSTS, Hosts
from ftcli.transport.http import certificates

_UNUSED = frozenset({"mddsinit", "dpxq1"})
"""In the broker's table of hosts, but no operation of ours goes there."""
_SECURE = ("https", "wss")
_ESSENTIAL = frozenset({"auth", "digital", "dp"})
"""Without these nobody logs in or sees an account."""


class Reached(NamedTuple):
    """How the connection to one address went.

    Attributes:
        address: Name and port.
        keys: The hosts that are there.
        seconds: How long it took.
        problem: Why there was none; empty if there was one.
        how: ``TLSv1.3``, ``plain``, or ``by a proxy``.
    """

    address: str
    keys: tuple[str, ...]
    seconds: float
    problem: str
    how: str

    @property
    def is_essential(self) -> bool:
        """Whether nothing goes without it."""
        return bool(_ESSENTIAL.intersection(self.keys))


async def reach(hosts: Hosts, time_limit: float, elsewhere: dict[str, str]) -> list[Reached]:
    """Connects to every host that is used, to all at once.

    Args:
        hosts: Where they are.
        time_limit: Seconds for each connection.
        elsewhere: URLs of hosts that a setting of their own puts elsewhere.
    """
    places: dict[tuple[str, int, str], list[str]] = {}
    for key in HOSTS:
        if key not in _UNUSED:
            parts = urlsplit(elsewhere.get(key) or hosts.url(key))
            port = parts.port or (443 if parts.scheme in _SECURE else 80)
            trust = parts.scheme if parts.scheme in _SECURE else ""
            place = parts.hostname or "", port, trust
            places.setdefault(place, []).append(key)
    return list(await asyncio.gather(*(_reach(*place, keys, time_limit) for place, keys in places.items())))


async def _reach(name: str, port: int, trust: str, keys: list[str], time_limit: float) -> Reached:
    proxy = "" if proxy_bypass(name) else getproxies().get("https" if trust else "http", "")
    started = time.perf_counter()
    problem, how = "", "plain"
    try:
        async with asyncio.timeout(time_limit):
            if proxy and not _is_here(name):
                # What stands behind it is its affair: that it answers is all that can be told without a request.
                gate = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
                how = "by a proxy"
                _, writer = await asyncio.open_connection(gate.hostname, gate.port or 80)
            else:
                # The same trust as the calls that follow: httpx brings its own certificates, websockets does not.
                make = certificates if trust == "https" else ssl.create_default_context
                tls = await asyncio.to_thread(make) if trust else None
                _, writer = await asyncio.open_connection(name, port, ssl=tls)
                how = writer.get_extra_info("ssl_object").version() if tls else how
            writer.close()
    except TimeoutError:
        problem = f"no connection within {time_limit:g} s"
    except socket.gaierror as trouble:
        problem = f"its name is not known here ({trouble.strerror})"
    except ssl.SSLCertVerificationError as trouble:
        problem = f"its certificate is not trusted ({trouble.verify_message})"
    except (OSError, ValueError) as trouble:
        problem = (
            "the connection was refused" if isinstance(trouble, ConnectionRefusedError) else str(trouble)
        )
    return Reached(f"{name}:{port}", tuple(keys), time.perf_counter() - started, problem, how)


def _is_here(name: str) -> bool:
    return name in ("localhost", "127.0.0.1", "::1")
