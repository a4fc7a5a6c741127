"""The broker's order numbers, in the layout of protocol 02 §1.1; counted, hence the same in every replay."""

from datetime import datetime

from ftcli.clock import NEW_YORK
from ftcli.paper.codes import Family
from ftcli.paper.world import World

_BASE20 = "0123456789ABCDEFGHIJ"
_TAIL = "0123456789BCDFGHJKLMNPQRSTVWXZ"
_MIX = 7_919_819
_TAIL_LENGTH = 5
_OFFSET = 11_000_003
_SPACE = len(_TAIL) ** _TAIL_LENGTH


def _tail(count: int) -> str:
    """Five characters without vowels; consecutive counts look unrelated and never collide."""
    value = count * _MIX % _SPACE
    text = ""
    for _ in range(_TAIL_LENGTH):
        value, digit = divmod(value, len(_TAIL))
        text += _TAIL[digit]
    return text


def confirmation_number(world: World, now: datetime, family: Family, *, conditional: bool = False) -> str:
    """Mint a ``confNum``.

    Equity orders and their replacements begin with ``2`` and the day of the year in base 20; options,
    packages and every conditional order begin with the month's letter and the day.
    """
    day = now.astimezone(NEW_YORK)
    tail = _tail(world.next("number_sequence"))
    if family is Family.EQUITY and not conditional:
        high, low = divmod(day.timetuple().tm_yday, 20)
        return f"2{_BASE20[high]}{_BASE20[low]}{tail}"
    return f"{chr(ord('A') + day.month - 1)}{day.day:02d}{tail}"


def system_order_id(sequence: int, now: datetime) -> str:
    """The back-office id of an order: two-digit year, day of the year, five characters."""
    return f"{now.astimezone(NEW_YORK):%y%j}{_tail(sequence + _OFFSET)}"
