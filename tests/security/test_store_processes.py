"""The one SQLite file, held open by a daemon while commands come and go."""

import subprocess
import sys
from pathlib import Path

from ftcli.paper.state import State
from ftcli.store import Store

WRITE = "INSERT INTO stream_events (environment, event_id, digest, at) VALUES ('paper', ?, 'd', 0)"
HOLDER = """
import sys
from pathlib import Path
from ftcli.store import Store

WRITE = sys.argv[2]
first, second = Store(Path(sys.argv[1])), Store(Path(sys.argv[1]))  # a daemon has it open more than once
print("ready", flush=True)
for line in sys.stdin:
    second.execute(WRITE, line.strip())
    print(*(row["event_id"] for row in first.rows("SELECT event_id FROM stream_events ORDER BY event_id")), flush=True)
"""
VISITOR = """
import sys
from pathlib import Path
from ftcli.store import Store

WRITE = sys.argv[2]
store = Store(Path(sys.argv[1]))
store.execute(WRITE, sys.argv[3])
store.close()
"""


def test_what_commands_and_a_daemon_write_is_seen_by_both_and_outlives_a_kill(tmp_path: Path) -> None:
    path = tmp_path / "service.db"
    daemon = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), WRITE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert daemon.stdin is not None
    assert daemon.stdout is not None
    try:
        assert daemon.stdout.readline() == "ready\n"
        for round_ in "12":
            subprocess.run([sys.executable, "-c", VISITOR, str(path), WRITE, f"command-{round_}"], check=True)
            daemon.stdin.write(f"daemon-{round_}\n")
            daemon.stdin.flush()
            seen = daemon.stdout.readline().split()
        assert seen == ["command-1", "command-2", "daemon-1", "daemon-2"]
        assert (tmp_path / "service.db-wal").exists(), "a command has taken it from the daemon"
    finally:
        daemon.kill()
        daemon.wait()
        daemon.stdin.close()
        daemon.stdout.close()
    store = Store(path)
    rows = store.rows("SELECT event_id FROM stream_events ORDER BY event_id")
    assert [row["event_id"] for row in rows] == ["command-1", "command-2", "daemon-1", "daemon-2"]
    assert store.rows("PRAGMA integrity_check")[0][0] == "ok"
    store.close()


def test_opening_a_file_that_is_there_leaves_its_mode_and_a_new_one_is_private(tmp_path: Path) -> None:
    for name, opened in (("service.db", Store), ("paper.sqlite", State)):
        path = tmp_path / name
        opened(path).close()
        assert path.stat().st_mode & 0o777 == 0o600
        opened(path).close()
