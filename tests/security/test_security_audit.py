"""Each use of money or rights leaves one line of the audit log: who, what, with what outcome, and nothing private."""

import json
import logging
from pathlib import Path
from typing import Any

import pytest
from fence_kit import FOREIGN, MINE, NEVER_GOOD, OPERATIONS, Wire, plain, send, settings_in, staged
from server_kit import daemon
from test_security_keys import make

from ftcli.server.log import JsonLines

AUDITED = [operation for operation in OPERATIONS if operation.risk != "read"]
GROUPS = list(dict.fromkeys(operation.name.rpartition(".")[0] for operation in AUDITED))


def lines(records: list[logging.LogRecord]) -> list[dict[str, Any]]:
    """The lines that the daemon writes, but for those of keys that are made."""
    told = [record for record in records if record.name == "ftcli.audit"]
    found = [json.loads(JsonLines().format(record)) for record in told]
    return [line for line in found if not line["message"].startswith("keys.")]


def texts_of(value: Any) -> list[str]:
    """Every text in a request's arguments."""
    if isinstance(value, dict):
        return [text for item in value.values() for text in texts_of(item)]
    if isinstance(value, list):
        return [text for item in value for text in texts_of(item)]
    return [value] if isinstance(value, str) else []


@pytest.mark.parametrize("group", GROUPS)
async def test_one_line_each(group: str, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "ftcli.audit")
    settings = settings_in(tmp_path)
    operations = [operation for operation in AUDITED if operation.name.rpartition(".")[0] == group]
    arguments = await staged(tmp_path, operations)
    async with daemon(settings, opener=Wire().opener) as running:
        keys = {
            "reader": make(settings, "read,stream"),
            "bound": make(settings, accounts=MINE),
            "whole": make(settings, "read,stream,trade,admin"),
        }
        for operation in operations:
            for name, key in keys.items():
                request = plain(operation, arguments[operation.name])
                caplog.clear()
                async with running.client(key) as http:
                    answer = await send(http, request)
                [line] = lines(caplog.records)
                outcome = f"{operation.method} {operation.name} -> {answer.status_code} in "
                assert line["message"].startswith(outcome), name
                assert line["key"] == key[3:11], name
                assert line["request_id"] == answer.headers["X-Request-Id"]
                assert set(line) == {
                    "time",
                    "level",
                    "logger",
                    "message",
                    "request_id",
                    "key",
                    "path",
                    "remote",
                }
                told = json.dumps(line)
                secrets = [
                    text for text in texts_of(arguments[operation.name]) if "password" in text or " " in text
                ]
                assert not [text for text in (key, *FOREIGN, MINE, *secrets) if text in told]
                if name != "whole":
                    assert answer.status_code in (200, 403), name
                elif operation.name not in NEVER_GOOD:
                    assert answer.status_code == 200, answer.text


def test_there_are_such_operations_of_every_kind() -> None:
    assert {"orders.equity.place", "orders.cancel.place", "auth.login", "trading.halt"} < {
        one.name for one in AUDITED
    }
