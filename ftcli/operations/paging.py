"""Long lists in pages: an opaque cursor that says where the next page begins.

The broker's history has no paging of its own (protocol 01 §3.7). A cursor names the day on which the next
page begins and how many rows of that day are still to come, counted from its oldest one: rows that the broker
adds in the meantime are newer, so nothing is given twice and nothing is left out.
"""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from ftcli.errors import ValidationFailed
from ftcli.operations.account_calls import Span

WINDOW_DAYS = 90
"""Days of history asked for in one call; the broker may refuse wider ranges."""


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page begins.

    Attributes:
        account: The account it belongs to.
        start: First day of the whole range.
        end: Day after the newest one still to be given.
        left: Rows of the newest day still to be given; ``None`` for all.
    """

    account: str
    start: date
    end: date
    left: int | None = None

    @property
    def text(self) -> str:
        """The cursor as callers see it."""
        import base64  # deferred: most calls need no cursor

        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")

    @property
    def newest(self) -> date:
        """The newest day still to be given."""
        return self.end - timedelta(days=1)

    def windows(self) -> Iterator[Span]:
        """The range in pieces that the broker takes, the newest first."""
        end = self.end
        while end > self.start:
            start = max(self.start, end - timedelta(days=WINDOW_DAYS))
            yield Span(start, end)
            end = start


def parse_cursor(text: str, account: str) -> Cursor:
    """The cursor of an earlier answer.

    Args:
        text: What the caller gave.
        account: The account asked about, to which the cursor must belong.

    Raises:
        ValidationFailed: It is no cursor of ours, or one of another account.
    """
    import base64  # deferred: most calls need no cursor

    rule = "be the next_cursor of an earlier answer"
    try:
        raw = base64.b64decode(text.encode() + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=Cursor)
    except ValueError:  # what both raise
        raise ValidationFailed.of("cursor", text, rule) from None
    if cursor.start >= cursor.end or (cursor.left is not None and cursor.left < 0):
        raise ValidationFailed.of("cursor", text, rule)
    if cursor.account != account:
        raise ValidationFailed.of("cursor", text, f"be the next_cursor of an answer about {account}")
    return cursor
