"""Every test's output, log and files are searched for secrets once it is over (:mod:`secret_watch`)."""

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from secret_watch import WATCH

WRITTEN_BY_TESTS = ("*.toml", "*.env", "secret*", "*password*", "*passphrase*", "*_key")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Learns the secrets of the tests' own modules."""
    modules = {id(item.module): item.module for item in items if isinstance(item, pytest.Function)}
    for module in modules.values():
        WATCH.know_module(module)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[Any]:
    """Turns a pass into a failure where a secret came out."""
    report = yield
    if not report.passed:
        return report
    hits = [hit for name, text in report.sections for hit in WATCH.hits(f"output: {name}", text.encode())]
    hits += WATCH.drain()
    folder = item.funcargs.get("tmp_path") if isinstance(item, pytest.Function) else None
    if call.when == "teardown" and folder is not None:  # once nothing of the test has the files open
        hits += WATCH.hits_in_folder(folder, WRITTEN_BY_TESTS)
    if hits:
        report.outcome = "failed"
        report.longrepr = "A secret came out:\n" + "\n".join(hits[:20])
    else:
        report.sections.clear()  # searched, and of no use to anybody: thousands of them would be kept
    if call.when == "teardown":
        item._report_sections.clear()
    return report


# -- what was searched, told at the end ---------------------------------------------------------------------

_searched: Counter[str] = Counter()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hands a worker's figures to whoever started it."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["searched"], output["secrets"] = dict(WATCH.searched), WATCH.count
    else:
        _searched.update(WATCH.searched)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes a worker's figures."""
    output = getattr(node, "workeroutput", {})
    _searched.update(output.get("searched", {}))
    WATCH.known_elsewhere = max(WATCH.known_elsewhere, output.get("secrets", 0))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Says what was searched; with FT_SHOW_SEARCHED=1 every kind of place."""
    secrets = max(WATCH.count, WATCH.known_elsewhere)
    files = sum(count for place, count in _searched.items() if place.startswith("file "))
    outputs = sum(_searched.values()) - files
    terminalreporter.write_line(
        f"{secrets} kinds of secrets searched in {outputs} outputs and logs, {files} files"
    )
    if os.environ.get("FT_SHOW_SEARCHED"):
        for place, count in _searched.most_common():
            terminalreporter.write_line(f"{count:>8}  {place}")
