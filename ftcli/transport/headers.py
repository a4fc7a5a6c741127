"""The header profiles DATA and LOGIN, and the request id (protocol 00 §2)."""

import os
from collections.abc import Mapping

from ftcli.transport.hosts import DIGITAL

_BROWSER = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/146.0.0.0 Safari/537.36 Edg/146.0.0.0"
)


def request_id() -> str:
    """A fresh ``fsreqid``: ``REQ`` and the 32 hex digits of a random UUID (protocol 00 §2.2)."""
    # The uuid module would cost 6 ms of start-up for these two lines.
    raw = bytearray(os.urandom(16))
    raw[6], raw[8] = raw[6] & 0x0F | 0x40, raw[8] & 0x3F | 0x80
    return f"REQ{raw.hex()}"


def data_user_agent(app_version: str) -> str:
    """The desktop app's name on data calls (protocol 00 §2.3)."""
    return f"ATPNext/{app_version} FTPlusDesktop/{app_version}"


def login_user_agent(app_version: str) -> str:
    """The name of the browser that is embedded in the desktop app (protocol 00 §2.3)."""
    return f"{_BROWSER} {data_user_agent(app_version)}"


def data_headers(app_version: str) -> dict[str, str]:
    """Profile DATA: every host except during login (protocol 00 §2.1)."""
    return {
        "AppId": "AP149323",
        "AppName": "Active Trader Desktop for Windows",
        "User-Agent": data_user_agent(app_version),
        "Content-Type": "application/json; charset=utf-8",
        "Accept": "application/json",
        **_CONNECTION,
    }


def login_headers(app_version: str) -> dict[str, str]:
    """Profile LOGIN: the login page and every call to ``auth`` (protocol 00 §2.1)."""
    return {
        "AppId": "RETAIL-CC-LOGIN-SDK",
        "AppName": "PILoginExperience",
        "User-Agent": login_user_agent(app_version),
        "Content-Type": "application/json",
        "Accept": "*/*",
        "Origin": DIGITAL,
        "Referer": f"{DIGITAL}/",
        "Accept-Token-Type": "ET",
        "Accept-Token-Location": "HEADER",
        "Token-Location": "HEADER",
        "Cache-Control": "no-cache, no-store, must-revalidate",
        **_CONNECTION,
    }


_CONNECTION = {"Accept-Encoding": "gzip, deflate", "Connection": "keep-alive"}


def merged(base: Mapping[str, str], *more: Mapping[str, str]) -> dict[str, str]:
    """Headers in which later ones replace earlier ones; names match without case."""
    names: dict[str, str] = {}
    values: dict[str, str] = {}
    for headers in (base, *more):
        for name, value in headers.items():
            names[name.lower()], values[name.lower()] = name, value
    return {name: values[key] for key, name in names.items()}
