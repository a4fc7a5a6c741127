"""Proves the image without an engine: runs each step of the Dockerfile in an empty folder, then what it starts.

    python tests/docker/prove.py

Builds what the build stage builds, into a folder that stands for the image's root; runs the entry point with the
image's own environment; asks its health check; stops it. Then checks the compose file.
"""

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker" / "docker-compose.yml"
ABSOLUTE = ("/opt/ftcli", "/data", "/src")


def say(text: str) -> None:
    print(f"· {text}", flush=True)


def check(condition: bool, text: str) -> None:
    if not condition:
        sys.exit(f"prove: {text}")


def stages() -> list[list[tuple[str, str]]]:
    """The Dockerfile's instructions, one list a stage."""
    text = re.sub(r"\\\n\s*", " ", (ROOT / "Dockerfile").read_text("utf-8"))
    found: list[list[tuple[str, str]]] = []
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.strip().partition(" ")
            if word == "FROM":
                found.append([])
            found[-1].append((word, rest.strip()))
    return found


def inside(root: Path, text: str) -> str:
    """A command with the image's folders moved under ``root``."""
    for folder in ABSOLUTE:
        text = text.replace(folder, f"{root}{folder}")
    return text


def build(root: Path, steps: list[tuple[str, str]]) -> None:
    """The build stage: copies and runs, in the image's order."""
    workdir = root / "src"
    for word, rest in steps:
        if word == "WORKDIR":
            workdir = root / rest.lstrip("/")
            workdir.mkdir(parents=True)
        elif word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                copy(ROOT / source, (workdir / target).resolve())
        elif word == "RUN":
            say(f"RUN {rest}")
            command = re.sub(r"^python ", f"{shlex.quote(sys.executable)} ", inside(root, rest))
            environ = {"PATH": "/usr/bin:/bin", "HOME": str(root)} | {
                name: value for name, value in os.environ.items() if name.startswith("PIP_")
            }
            subprocess.run(["/bin/sh", "-ec", command], cwd=workdir, env=environ, check=True)


def copy(source: Path, target: Path) -> None:
    check(source.exists(), f"COPY {source}: there is no such file")
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def environment(root: Path, steps: list[tuple[str, str]]) -> dict[str, str]:
    """The environment the image gives its process."""
    environ = {"PATH": "/usr/bin:/bin", "HOME": str(root)}
    for word, rest in steps:
        if word == "ENV":
            for pair in shlex.split(rest):
                name, _, value = pair.partition("=")
                environ[name] = inside(root, value).replace("$PATH", environ["PATH"])
    return environ


def examine(steps: list[tuple[str, str]]) -> None:
    """What a reader of the Dockerfile relies on."""
    words = dict(steps)
    check(words.get("USER") not in (None, "root", "0"), "the image must not run as root")
    check("HEALTHCHECK" in words, "the image needs a health check")
    check(words["FROM"].split()[0].endswith("-slim"), "the result must be a slim image")
    runs = [rest for word, rest in steps if word == "RUN"]
    tools = [tool for tool in ("gcc", "build-essential", "apt-get", "pip install") if tool in " ".join(runs)]
    check(not tools, f"the result must hold no build tools: {tools}")


def run(root: Path, steps: list[tuple[str, str]]) -> None:
    """Starts what the image starts, asks the health check, stops it as Docker would."""
    words = dict(steps)
    environ = environment(root, steps)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        environ |= {"FTSERVICE_PORT": str(free.getsockname()[1]), "FT_ENV": "paper"}
    (root / "data").mkdir(mode=0o700)
    command = [*json.loads(words["ENTRYPOINT"]), *json.loads(words["CMD"])]
    command[0] = shutil.which(command[0], path=environ["PATH"]) or command[0]
    probe = json.loads(words["HEALTHCHECK"].partition("CMD ")[2])
    probe[0] = shutil.which(probe[0], path=environ["PATH"]) or probe[0]
    say(f"ENTRYPOINT + CMD {' '.join(command)}")
    process = subprocess.Popen(
        command, cwd=root, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    try:
        for _ in range(60):
            healthy = subprocess.run(probe, env=environ, capture_output=True, check=False, timeout=10)
            if healthy.returncode == 0:
                break
            if process.poll() is not None:
                sys.exit(f"prove: it ended: {process.communicate()[0]!r}")
        check(healthy.returncode == 0, f"it never became healthy: {healthy.stderr.decode()[-300:]}")
        say("HEALTHCHECK is healthy")
    finally:
        process.send_signal(signal.SIGTERM)
        status = process.wait(timeout=6)
    check(status == 0, f"it did not stop cleanly (status {status})")
    check(any((root / "data").iterdir()), "its state is not on the volume")


def compose() -> None:
    """The compose file, as ``docker compose config`` reads it."""
    for command in (["docker", "compose"], ["docker-compose"]):
        if (
            shutil.which(command[0])
            and subprocess.run([*command, "version"], capture_output=True).returncode == 0
        ):
            break
    else:
        sys.exit("prove: neither `docker compose` nor `docker-compose` is here to read the compose file")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(ROOT / "docker", Path(folder) / "docker")
        shutil.copy(ROOT / "docker" / ".env.example", Path(folder) / "docker" / ".env")
        file = Path(folder) / "docker" / "docker-compose.yml"
        result = subprocess.run(
            [*command, "-f", str(file), "config"], capture_output=True, text=True, check=False
        )
    check(result.returncode == 0, f"compose config: {result.stderr}")
    check("FTSERVICE_ENCRYPTION_KEY" in result.stdout, "compose does not hand the settings over")
    say(f"{' '.join(command)} config is valid")


def main() -> None:
    first, last = stages()
    examine(last)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        build(root, first)
        run(root, last)
    compose()
    say("the image is proved")


if __name__ == "__main__":
    main()
