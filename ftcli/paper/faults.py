"""A bad day at will: everything that can go wrong with the paper broker, as one table of switches.

The switches stand in the paper broker's file, so that every process that uses it sees a change at once:
``ft paper fault set slow=2`` slows down a daemon that is running. ``FT_PAPER_FAULTS`` sets some from the start.
Both readings of what is not known of the wire have their switch too (protocol 05 appendix C).
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

from ftcli.errors import ValidationFailed
from ftcli.paper.documents import Documents

if TYPE_CHECKING:
    from ftcli.paper.logins import Logins
    from ftcli.paper.state import State

KIND, KEY = "faults", "faults"
SECOND_FACTOR = "JBSWY3DPEHPK3PXP"
"""Base32 secret of the second factor that the switch of this name demands: public, as everything on paper."""


class Fault(msgspec.Struct, frozen=True):
    """What a switch does: the second argument of its ``Annotated``.

    Attributes:
        help: For users.
        happens: Whether it is no state but a happening: setting it makes it happen once more.
    """

    help: str
    happens: bool = False


class Faults(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The switches, each off by default. Help and choices of each: :func:`table`."""

    slow: Annotated[float, Fault("Seconds every HTTP answer is held back.")] = 0.0
    status: Annotated[int, Fault("Data calls answer this HTTP status, such as 500, 503 or 429.")] = 0
    html: Annotated[bool, Fault("Data calls answer an HTML page instead of JSON.")] = False
    paths: Annotated[str, Fault("Only paths that contain this are hit by slow, status and html.")] = ""
    lost_place: Annotated[bool, Fault("Orders are entered, but the answer to placing is lost.")] = False
    expire: Annotated[int, Fault("Every session ends now.", happens=True)] = 0
    second_factor: Annotated[
        bool, Fault(f"Logins demand a second factor; its secret is {SECOND_FACTOR}.")
    ] = False

    drop: Annotated[int, Fault("Every stream socket breaks now, without a close frame.", happens=True)] = 0
    close: Annotated[int, Fault("Every stream socket is closed now, with a close frame.", happens=True)] = 0
    mute: Annotated[bool, Fault("Stream sockets stay open and say nothing; pings go unanswered.")] = False
    refuse: Annotated[
        Literal["", "401", "403", "302", "close"], Fault("Stream sockets are refused this way.")
    ] = ""
    error_frames: Annotated[bool, Fault("Frames that are broken or mean nobody come in between.")] = False

    mdds_greeting: Annotated[
        Literal["a", "b", "error", "late", "none"], Fault("Form of the first message (protocol 05 §1.3).")
    ] = "a"
    mdds_wrong_session: Annotated[
        Literal["ignore", "error", "close"], Fault("What a wrong SessionId in a command does.")
    ] = "ignore"
    mdds_reply: Annotated[
        Literal["single", "together", "shuffled", "split"],
        Fault("How the items of a subscribe command are answered; split: one after another, with pauses."),
    ] = "single"
    mdds_unknown: Annotated[
        Literal["error", "item"], Fault("Unknown symbols: an error message, or a bad item in a good one.")
    ] = "error"
    mdds_limit: Annotated[
        Literal["accept", "error", "close"], Fault("More than 50 symbols in a command, 100 on a socket.")
    ] = "accept"
    mdds_greeks: Annotated[
        Literal["both", "first", "missing", "plain"], Fault("Where an option's Greeks come.")
    ] = "both"
    mdds_index_symbol: Annotated[bool, Fault("Whether items of an index carry id 6.")] = True
    mdds_deltas: Annotated[Literal["partial", "full"], Fault("Whether deltas are partial.")] = "partial"
    mdds_envelope: Annotated[
        Literal["none", "book", "both"], Fault("Which deltas carry Command and Request.")
    ] = "book"
    mdds_empty: Annotated[
        Literal["never", "unchanged", "removed"], Fault("What an empty value in a quote's delta means.")
    ] = "never"
    mdds_numbers: Annotated[bool, Fault("Values are JSON numbers where they are numbers.")] = False
    mdds_book: Annotated[
        Literal["full", "thin", "burst", "crossed"],
        Fault("A book of 25 levels; of 3; told slot by slot; or crossed now and then."),
    ] = "full"
    mdds_vanished: Annotated[
        Literal["empty", "absent", "zero"], Fault("How a book level that is gone is told.")
    ] = "empty"
    mdds_bars: Annotated[
        Literal["running", "last", "none"], Fault("Which bar a subscription is answered with.")
    ] = "running"
    mdds_bar_updates: Annotated[Literal["often", "minute"], Fault("When the running bar is told.")] = "often"
    mdds_unsubscribe: Annotated[
        Literal["silent", "reply", "late"], Fault("How an unsubscribe by request id ends.")
    ] = "silent"
    mdds_by_symbol: Annotated[bool, Fault("Whether an unsubscribe by symbol has any effect.")] = False
    mdds_unknown_command: Annotated[Literal["ignore", "error"], Fault("What an unknown command does.")] = (
        "ignore"
    )
    mdds_quality: Annotated[str, Fault("Quality flag of quotes, such as delayed.")] = "realtime"
    mdds_noise: Annotated[bool, Fault("Trades carry the ids 1159 to 1161 and 1163, which mean nothing.")] = (
        False
    )
    mdds_cookie: Annotated[bool, Fault("Whether a socket needs the cookies of a live session.")] = True
    mdds_unknown_ids: Annotated[bool, Fault("Items carry a field id that nobody knows.")] = False

    beps_token: Annotated[
        Literal["json", "text", "nested", "second_path"], Fault("How the event token is answered.")
    ] = "json"  # noqa: S105 - no token but the form of one
    beps_connect: Annotated[
        Literal["ack", "401", "403", "error", "none"], Fault("How an event connection is answered.")
    ] = "ack"
    beps_timeout: Annotated[int, Fault("connectionTimeoutMs; 0 leaves it out.")] = 300_000
    beps_keep_alive: Annotated[float, Fault("Seconds between keep-alives; 0 stops them.")] = 60.0
    beps_start: Annotated[
        Literal["ack", "none", "unauthorized", "limit", "query"], Fault("How a start is answered.")
    ] = "ack"
    beps_token_life: Annotated[int, Fault("Seconds a new event token lasts.")] = 3600
    beps_expiry: Annotated[
        Literal["ignore", "error", "close"], Fault("What becomes of a subscription whose token runs out.")
    ] = "ignore"
    beps_complete: Annotated[int, Fault("Every event subscription ends now, unasked.", happens=True)] = 0
    beps_duplicate: Annotated[bool, Fault("Every event comes twice.")] = False
    beps_reorder: Annotated[bool, Fault("Events that come together come in reverse.")] = False
    beps_noise: Annotated[bool, Fault("Null events, unknown codes and events of others come in between.")] = (
        False
    )
    beps_desc: Annotated[
        Literal["text", "double", "object", "xml", "plain", "empty"], Fault("Form of an event's details.")
    ] = "text"
    beps_times: Annotated[Literal["iso", "millis", "seconds", "old"], Fault("Form of an event's times.")] = (
        "iso"
    )


class FaultRow(msgspec.Struct, frozen=True):
    """One switch.

    Attributes:
        name: Its name.
        help: What it does.
        choices: Its values, where they are few.
        default: Its value on a good day.
        happens: See :class:`Fault`.
    """

    name: str
    help: str
    choices: tuple[str, ...]
    default: Any
    happens: bool


def table() -> list[FaultRow]:
    """Every switch."""
    rows = []
    hints = get_type_hints(Faults, include_extras=True)
    for field in msgspec.structs.fields(Faults):
        kind, fault = get_args(hints[field.name])
        choices = tuple(get_args(kind)) if get_origin(kind) is Literal else ()
        rows.append(FaultRow(field.name, fault.help, choices, field.default, fault.happens))
    return rows


def changed(faults: Faults, changes: Mapping[str, Any]) -> Faults:
    """The switches with some of them set anew.

    Args:
        faults: How they stand.
        changes: New values by name, as JSON values or as text. A happening takes anything that is not false.

    Raises:
        ValidationFailed: There is no such switch, or it has no such value.
    """
    if not changes:
        return faults
    rows = {row.name: row for row in table()}
    values = msgspec.structs.asdict(faults)
    for given, value in changes.items():
        name = given.strip().lower().replace("-", "_").replace(".", "_")
        row = rows.get(name)
        if row is None:
            rule = "be one that `ft paper fault list` shows"
            raise ValidationFailed.of("fault", given, rule, hint=_near(name, rows))
        if row.happens:
            values[name] += value not in (False, 0, "0", "false", "off", None)
        else:
            values[name] = _convert(row, value)
    return Faults(**values)


def _convert(row: FaultRow, value: Any) -> Any:
    if value is None:
        return row.default
    if row.choices:
        if str(value) not in row.choices:
            choices = ", ".join(choice or '""' for choice in row.choices)
            raise ValidationFailed.of(row.name, str(value), f"be one of {choices}")
        return str(value)
    kind = type(row.default)
    if kind is bool and isinstance(value, str):
        value = {"on": True, "yes": True, "off": False, "no": False}.get(value.lower(), value)
    try:
        return msgspec.convert(str(value) if kind is str else value, kind, strict=False)
    except msgspec.ValidationError:
        rule = {bool: "be on or off", int: "be a whole number", float: "be a number"}[kind]
        raise ValidationFailed.of(row.name, str(value), rule) from None


def _near(name: str, rows: Mapping[str, FaultRow]) -> str:
    import difflib  # deferred: only an error needs it

    close = difflib.get_close_matches(name, rows, n=1)
    return f"Did you mean {close[0]}?" if close else ""


class FaultBoard:
    """The switches of one paper broker.

    Args:
        state: Where they are kept.
        fixed: Those set from the start, by ``FT_PAPER_FAULTS``.
        logins: Whose sessions and second factor they trouble.

    Raises:
        ValidationFailed: One of ``fixed`` is no switch, or has no such value.
    """

    def __init__(self, state: "State", fixed: Mapping[str, str], logins: "Logins") -> None:
        self._connection = state._connection
        self._documents = Documents(state, KIND)
        self._fixed = changed(Faults(), fixed)
        self._logins = logins
        self._imposed = False
        """Whether the second factor in force is the fault's, not the user's own."""
        self._version = -1
        self._faults = self._fixed
        self._expired = self._load().expire
        self._apply()

    def current(self) -> Faults:
        """How the switches stand; what another process has set counts at once."""
        version = int(self._connection.execute("PRAGMA data_version").fetchone()[0])
        if version != self._version:
            self._version = version
            self._faults = self._load()
            self._apply()
        return self._faults

    def _load(self) -> Faults:
        kept = self._documents.get(KEY)
        if not isinstance(kept, dict):
            return self._fixed
        known = {row.name for row in table()}
        values = {name: value for name, value in kept.items() if name in known}
        return msgspec.convert(msgspec.structs.asdict(self._fixed) | values, Faults, strict=False)

    def change(self, changes: Mapping[str, Any]) -> Faults:
        """Sets some switches.

        Raises:
            ValidationFailed: There is no such switch, or it has no such value.
        """
        with self._documents.changing() as documents:
            kept = documents.documents.get(KEY)
            base = msgspec.structs.asdict(self._fixed) | (kept if isinstance(kept, dict) else {})
            self._faults = changed(msgspec.convert(base, Faults, strict=False), changes)
            documents.put(KEY, msgspec.structs.asdict(self._faults))
        self._apply()
        return self._faults

    def clear(self) -> Faults:
        """Puts all switches back to a good day. Happenings keep their count: nothing happens again by it."""
        counts = {row.name: getattr(self.current(), row.name) for row in table() if row.happens}
        with self._documents.changing() as documents:
            self._faults = Faults(**counts)
            documents.put(KEY, msgspec.structs.asdict(self._faults))
        self._apply()
        return self._faults

    def _apply(self) -> None:
        faults = self._faults
        if faults.expire > self._expired:
            self._logins.expire_all()
        self._expired = faults.expire
        user = self._logins.user
        if faults.second_factor and not user.totp_secret:
            self._imposed = True
            self._logins.user = msgspec.structs.replace(user, totp_secret=SECOND_FACTOR)
        elif self._imposed and not faults.second_factor:
            self._imposed = False
            self._logins.user = msgspec.structs.replace(user, totp_secret=None)
