"""A seeded paper broker, made once and copied for every face of every case."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from faces import environ_of

from ftcli import config
from ftcli.paper.desk import open_desk


@pytest.fixture(scope="session")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The state file of a paper broker on its first day."""
    folder = tmp_path_factory.mktemp("seeded")
    desk = open_desk(config.load({}, environ_of(folder)))
    assert desk.engine.accounts()
    desk.state.close()
    return folder / "paper.sqlite"


@pytest.fixture
def stage(seeded: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes the data folder of a face, with a paper broker of its own in it."""

    def make(name: str) -> Path:
        folder = tmp_path / name
        folder.mkdir(mode=0o700)
        shutil.copy(seeded, folder / "paper.sqlite")
        return folder

    return make
