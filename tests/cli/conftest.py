"""Paper brokers for the command line's tests: a folder and a frozen clock each."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from cli_kit import CLOCK, Run, ft, paper_server


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Variables of a paper broker of its own, in a folder of its own."""
    (tmp_path / "config.toml").touch(0o600)
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
