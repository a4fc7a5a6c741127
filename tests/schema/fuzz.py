"""Asks the daemon everything its OpenAPI document allows, and much that it does not.

    python tests/schema/fuzz.py            # about a minute and a half
    python tests/schema/fuzz.py --seconds 600 --seed 7

``ft serve --paper`` runs on a fresh data folder with a frozen clock; schemathesis generates the requests. No answer
may be a 5xx that the document does not name, and none may differ from its schema: status, content type, headers, body.
What breaks the document is refused.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

HOME = Path(__file__).parents[2]
KEY = "a-key-for-the-schema-test-only-0123456789"
CLOCK = "2026-11-02T11:00:00-05:00"
CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "negative_data_rejection",
    "ignored_auth",
)


@contextmanager
def daemon(folder: str) -> Iterator[str]:
    """``ft serve --paper`` inside this block; gives its URL."""
    environ = {
        **os.environ,
        "PYTHONPATH": str(HOME),
        "FT_DATA_DIR": folder,
        "FT_PAPER_CLOCK": CLOCK,
        "FTSERVICE_API_KEY": KEY,
        "FTSERVICE_KEY_RATE": "off",
        "FTSERVICE_WRONG_KEY_RATE": "off",
    }
    command = [sys.executable, "-m", "ftcli", "--paper", "serve", "--port", "0"]
    with Path(folder, "log").open("w") as log:
        child = subprocess.Popen(command, env=environ, stdout=log, stderr=log)
        try:
            yield _address(child, Path(folder, "log"))
        finally:
            child.terminate()
            child.wait(10)


def _address(child: "subprocess.Popen[bytes]", log: Path) -> str:
    while child.poll() is None:
        for line in log.read_text().splitlines():
            if "ft serve listens on " in line:
                return line.rpartition(" ")[2]
    raise RuntimeError(f"ft serve did not start: {log.read_text()}")


def endless(document: dict[str, Any]) -> list[str]:
    """The operations whose answer never ends, or is no HTTP: streams are tested where they can be read."""
    found = []
    for methods in document["paths"].values():
        for operation in methods.values():
            content = operation["responses"].get("200", {}).get("content", {})
            if "text/event-stream" in content or "101" in operation["responses"]:
                found.append(operation["operationId"])
    return found


def main() -> int:
    """Runs it; answers schemathesis's exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=int, default=90)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--report", help="file for all requests and answers")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, daemon(folder) as url:
        with urlopen(f"{url}/openapi.json", timeout=10) as answer:
            document = json.load(answer)
        command = [
            str(Path(sys.executable).with_name("schemathesis")),
            "run",
            f"{url}/openapi.json",
            *("--header", f"Authorization:Bearer {KEY}"),
            *("--checks", ",".join(CHECKS)),
            *("--phases", "examples,coverage,fuzzing"),
            *("--max-time", str(given.seconds)),
            *("--seed", str(given.seed)),
            *("--request-timeout", "15"),
            *("--workers", "1"),
            *("--warnings", "off"),
            *("--report-ndjson-path", given.report) * bool(given.report),
            *(part for name in endless(document) for part in ("--exclude-operation-id", name)),
        ]
        try:
            status = subprocess.run(command, cwd=folder, timeout=given.seconds + 60, check=False).returncode
        except subprocess.TimeoutExpired:
            print("schemathesis did not end in time", file=sys.stderr)
            status = 1
        if status:
            lines = Path(folder, "log").read_text().splitlines()
            print(*[line for line in lines if '"level":"INFO"' not in line], sep="\n", file=sys.stderr)
        return status


if __name__ == "__main__":
    sys.exit(main())
