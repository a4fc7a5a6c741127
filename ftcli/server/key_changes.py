"""Who made, replaced or ended an API key: kept with the keys, and told once in the daemon's audit log.

`ft keys` works on the database whether a daemon runs or not, and has no log of its own. So each change is written
down in the transaction that makes it, and the daemon tells what it has not told yet: at its start, and when
it sees that another process has written.
"""

import getpass
import logging
from datetime import UTC, datetime

from ftcli.store import Store

audit = logging.getLogger("ftcli.audit")

DAEMON = "daemon"


def command_line() -> str:
    """The user of this process, as the audit log names him."""
    try:
        return f"command line of {getpass.getuser()}"
    except (KeyError, OSError):
        return "command line of a user without a name"


def note(store: Store, change: str, key: str, what: str, who: str, at: datetime) -> None:
    """Writes a change down. Call it in the transaction of the change itself.

    Args:
        store: Where the keys are kept.
        change: ``create``, ``rotate`` or ``revoke``.
        key: Id of the key.
        what: Name, scopes, end; the key that takes its place.
        who: Who did it.
        at: When.
    """
    store.execute(
        "INSERT INTO key_changes (change, key, what, who, at) VALUES (?, ?, ?, ?, ?)",
        *(change, key, what, who, int(at.timestamp())),
    )


def tell(store: Store) -> None:
    """Tells the changes that no daemon has told yet."""
    if not store.rows("SELECT 1 FROM key_changes WHERE told = 0 LIMIT 1"):
        return
    with store.transaction():
        rows = store.rows("SELECT * FROM key_changes WHERE told = 0 ORDER BY id")
        store.execute("UPDATE key_changes SET told = 1 WHERE told = 0")
    for row in rows:
        at = datetime.fromtimestamp(row["at"], UTC)
        audit.info(
            "keys.%s %s (%s) by %s at %s",
            *(row["change"], row["key"], row["what"], row["who"], at.isoformat()),
            extra={"key": row["key"]},
        )
