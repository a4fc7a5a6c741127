"""Runs ``ft`` in processes of its own against a double of the broker."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

from broker_double import PASS, USER, BrokerDouble

ROOT = Path(__file__).parents[2]


def environ_of(double: BrokerDouble, folder: Path) -> dict[str, str]:
    """The live environment with its credentials; no key from outside and no keyring, so the key is in a file."""
    return {
        "PATH": os.environ["PATH"],
        "FT_ENV": "live",
        "FT_DATA_DIR": str(folder),
        "FT_CONFIG": "/dev/null",
        "FT_UPSTREAM": double.url,
        "FT_USERNAME": USER,
        "FT_PASSWORD": PASS,
        "PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring",
    }


async def cli(environ: dict[str, str], *words: str, stdin: str = "") -> tuple[int, str, str]:
    """Runs ``ft WORDS``: exit status, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "ftcli", *words),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environ,
        cwd=ROOT,
    )
    out, err = await asyncio.wait_for(process.communicate(stdin.encode()), 60)
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
