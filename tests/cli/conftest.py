"""Paper brokers for the command line's tests: a folder and a frozen clock each."""

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from cli_kit import Outcome, ft

CLOCK = "2026-11-24T10:30:00-05:00"

Run = Callable[..., Outcome]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables of a paper broker of its own, in a folder of its own."""
    return {
        "FT_ENV": "paper",
        "FT_DATA_DIR": str(tmp_path),
        "FT_CONFIG": str(tmp_path / "config.toml"),
        "FT_PAPER_CLOCK": CLOCK,
        "TERM": "xterm-256color",
    }


@pytest.fixture
def paper(environ: dict[str, str]) -> Run:
    """Runs command lines against that paper broker."""
    return partial(ft, environ=environ)


@pytest.fixture
def live(environ: dict[str, str]) -> Run:
    """Runs command lines in the live environment, where nobody is logged in."""
    return partial(ft, environ=environ | {"FT_ENV": "live"})


@contextmanager
def paper_server(folder: Path, **variables: str) -> Iterator[str]:
    """``ft paper serve`` as a process of its own; gives its URL."""
    environ = {
        "PATH": os.environ["PATH"],
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": str(folder / "none.toml"),
        **variables,
    }
    process = subprocess.Popen(
        [sys.executable, "-m", "ftcli", "paper", "serve", "--port", "0"],
        stderr=subprocess.PIPE,
        env=environ,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:\d+", line)
        assert found, line
        yield found[0]
    finally:
        process.terminate()
        process.stderr.close()
        process.wait(timeout=10)


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[str]:
    """URL of a paper broker that stands in for the real one."""
    folder = tmp_path / "server"
    folder.mkdir()
    with paper_server(folder) as url:
        yield url


@pytest.fixture
def real(environ: dict[str, str], upstream: str) -> Run:
    """Runs command lines in the live environment, whose broker is the paper server."""
    variables = {name: value for name, value in environ.items() if name != "FT_PAPER_CLOCK"}
    return partial(ft, environ=variables | {"FT_ENV": "live", "FT_UPSTREAM": upstream})
