"""The gate every order passes on its way to the broker: nothing reaches a place call by another way.

In order: environment and live switch, what the journal already knows, kill switch, the preview, limits, the
journal, then the call, once, then its outcome. Kill switch and session are looked at once more when the first byte
is about to leave, since a call may wait for its turn. A lost answer becomes ``ORDER_UNKNOWN`` and is never repeated
(protocol 02 §19).
"""

import sqlite3
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

import msgspec

from ftcli.config import Settings
from ftcli.errors import (
    AuthRequired,
    Conflict,
    FtError,
    InternalError,
    LiveTradingDisabled,
    LostReply,
    NotSent,
    OrderRejected,
    OrderUnknown,
    SessionExpired,
    ValidationFailed,
)
from ftcli.models.json import loads
from ftcli.models.trading import Facts, JournalState
from ftcli.trading.desk import Desk
from ftcli.trading.digest import digest
from ftcli.trading.limits import refuse
from ftcli.trading.origin import Origin, current_origin
from ftcli.trading.previews import Preview
from ftcli.trading.records import Standing
from ftcli.trading.terms import symbols_of, terms_of
from ftcli.wire import LastWord, Placement, WireReply, WireRequest

T = TypeVar("T")
Send = Callable[[WireRequest, LastWord], Awaitable[WireReply]]
FactsCall = Callable[[str, list[str], set[str]], Awaitable[Facts]]
"""Finds out what the limits must know: of an account, some symbols, and the rules that ask."""


class _Withheld(Exception):
    """The last look before the first byte said no: nothing was sent.

    Attributes:
        why: What it said.
    """

    def __init__(self, why: FtError) -> None:
        super().__init__(why.message)
        self.why = why


class Gate:
    """Lets an order through, at most once.

    Args:
        settings: Environment and live switch.
        desk: Opens journal, limits and kill switch.
        send: Sends a request to the broker, once for requests that must not be repeated, and asks for the last
            word before its first byte leaves.
        ready: Makes sure of the session, so that its end shows before the intent is written.
        facts: Finds out what the limits must know.
        session: Names the session with the broker.
        shares_session: Whether other processes use the same one.
    """

    def __init__(
        self,
        settings: Settings,
        desk: Callable[[], Desk],
        send: Send,
        *,
        ready: Callable[[], Awaitable[None]],
        facts: FactsCall,
        session: Callable[[], str],
        shares_session: bool,
    ) -> None:
        self._settings = settings
        self._open = desk
        self._send = send
        self._ready = ready
        self._facts = facts
        self._session = session
        self._shares_session = shares_session

    async def place(self, placement: Placement[T]) -> T:
        """Places an order.

        Args:
            placement: The order, its request, and how its answer is judged.

        Raises:
            LiveTradingDisabled: Live environment, and live trading is off. Nothing was sent.
            TradingHalted: The kill switch is on. Nothing was sent.
            ValidationFailed: The confirmation number is not that of a fresh preview of ours. Nothing was sent.
            Conflict: The order differs from its preview or from the one its key belongs to, or is being placed
                right now. Nothing was sent.
            RiskLimit: It breaks a limit. Nothing was sent.
            OrderRejected: The broker refused the order.
            OrderUnknown: The order was sent and its answer is lost or says neither yes nor no.
            BrokerError: The order was not sent.
        """
        self.check_live(placement.kind)
        desk, origin = self._open(), current_origin()
        origin.replayed = False
        hashed = digest(placement.kind, placement.account, placement.order, placement.replaces)
        try:
            begun = await self._begin(desk, placement, hashed, origin)
        except sqlite3.Error as problem:
            raise InternalError(
                f"The journal of orders cannot be written ({problem}), so nothing was sent.",
                details={"file": str(desk.path)},
            ) from problem
        if isinstance(begun, Standing):
            return self._first_outcome(desk, placement, begun, origin)
        number, preview = begun
        return await self._call(desk, placement, number, preview)

    def check_live(self, kind: str) -> None:
        """Refuses an order in the live environment while live trading is off.

        Raises:
            LiveTradingDisabled: It is off.
        """
        if self._settings.is_paper or self._settings.live_trading:
            return
        raise LiveTradingDisabled(
            "Live trading is off, so nothing was sent. To place real orders, add --live to the command or set "
            "FT_LIVE_TRADING=true (the daemon: FTSERVICE_LIVE_TRADING=true).",
            details={"operation": kind, "environment": self._settings.environment},
        )

    # -- before the call ------------------------------------------------------------------------------------

    async def _begin(
        self, desk: Desk, placement: Placement[T], hashed: str, origin: Origin
    ) -> tuple[int, Preview] | Standing:
        """All that comes before the call: the number of the journalled intent, or what stands already."""
        preview = desk.previews.find(placement.conf_nums)
        standing = desk.journal.begun(origin.key, preview.id if preview else None, hashed)
        if standing is not None:
            return standing
        desk.switch.check()
        await self._ready()
        known = self._check_preview(desk, placement, preview, hashed)
        facts = await self._gather(desk, placement, known, origin)
        terms = terms_of(placement.order, facts.last, placement.replaces)

        def last_checks() -> None:
            desk.switch.check()
            refuse(desk.findings(placement.account, origin.api_key, terms, facts))

        begun = desk.journal.begin(
            placement, hashed, known.id, origin, terms.value, len(terms.orders), last_checks
        )
        return begun if isinstance(begun, Standing) else (begun, known)

    def _check_preview(
        self, desk: Desk, placement: Placement[T], preview: Preview | None, hashed: str
    ) -> Preview:
        numbers = ", ".join(placement.conf_nums)
        field = "conf_num" if len(placement.conf_nums) == 1 else "conf_nums"
        if preview is None:
            raise ValidationFailed.of(
                field, numbers, "come from a preview made here", hint="Preview the order, then place it."
            )
        age = desk.now() - preview.at
        limit = timedelta(seconds=self._settings.preview_max_age)
        if not timedelta(0) <= age <= limit:
            # Below zero the clock was set back, and nobody knows how old the preview is.
            rule = f"come from a preview of the last {limit.total_seconds():.0f} s"
            raise ValidationFailed.of(field, numbers, rule, hint="Preview the order again.")
        if (preview.kind, preview.account, preview.digest) != (placement.kind, placement.account, hashed):
            raise Conflict(
                f"The order is not the one that was previewed as {numbers}, so nothing was sent. Preview it as it "
                "shall be, then place exactly that.",
                details={"conf_nums": placement.conf_nums, "reason": "changed"},
            )
        self._check_session(desk, preview, self._session(), placement.conf_nums)
        return preview

    def _check_session(self, desk: Desk, preview: Preview, session: str, conf_nums: list[str]) -> None:
        here = self._shares_session or preview.owner == desk.owner.name
        if here and preview.session != session:
            raise Conflict(
                f"The session with the broker has changed since {', '.join(conf_nums)} was previewed, so nothing "
                "was sent. Preview the order again.",
                details={"conf_nums": conf_nums, "reason": "session"},
            )

    async def _gather(self, desk: Desk, placement: Placement[T], preview: Preview, origin: Origin) -> Facts:
        rules = desk.rules(placement.account, origin.api_key)
        if not rules:
            return Facts(last=preview.marks)
        mark = desk.journal.mark()
        facts = await self._facts(placement.account, symbols_of(placement.order), rules)
        return msgspec.structs.replace(facts, last={**preview.marks, **facts.last}, mark=mark)

    # -- a repeat -------------------------------------------------------------------------------------------

    def _first_outcome(self, desk: Desk, placement: Placement[T], standing: Standing, origin: Origin) -> T:
        """What the first call came to; nothing is sent."""
        numbers = ", ".join(standing.conf_nums)
        if standing.state is JournalState.SENDING and desk.owner.lives(standing.owner):
            raise Conflict(
                f"The order {numbers} is being placed right now, so nothing was sent. Wait for its outcome.",
                details={"conf_nums": standing.conf_nums, "reason": "running"},
            )
        origin.replayed = True
        detail = standing.detail
        if standing.state is JournalState.ACCEPTED:
            if standing.reply is None:
                return placement.proven(detail.get("claims") or standing.conf_nums)
            reply = WireReply(status=200, headers={}, body=standing.reply, document=loads(standing.reply))
            return placement.judge(reply, standing.conf_nums)
        if standing.state is JournalState.REJECTED:
            raise OrderRejected(
                detail.get("message", "The broker refused the order."), details=detail.get("details")
            )
        if standing.state is JournalState.NOT_PLACED:
            raise Conflict(
                f"The order {numbers} was settled as not placed ({detail.get('message')}). To place it, preview it "
                f"again{' and give it another idempotency key' if origin.key else ''}.",
                details={"conf_nums": standing.conf_nums, "reason": "not_placed"},
            )
        if standing.state is JournalState.PARTLY_ACCEPTED:
            raise _partly(placement, standing)
        if standing.state is JournalState.SENDING:
            desk.journal.settle_dead()
        raise _unknown(
            placement,
            standing.conf_nums,
            detail.get("message") or "the process that sent it ended before an answer.",
        )

    # -- the call -------------------------------------------------------------------------------------------

    async def _call(self, desk: Desk, placement: Placement[T], number: int, preview: Preview) -> T:
        has_left = False

        def last_word(session: str) -> None:
            nonlocal has_left
            try:
                desk.switch.check()
                self._check_session(desk, preview, session, placement.conf_nums)
            except FtError as problem:
                raise _Withheld(problem) from problem
            has_left = True

        try:
            reply = await self._send(placement.request, last_word)
        except _Withheld as held:
            desk.journal.note(number, JournalState.NOT_SENT, code=held.why.code, message=held.why.message)
            raise held.why from None
        except (NotSent, AuthRequired) as problem:
            if isinstance(problem, SessionExpired):
                raise self._lost(desk, placement, number, problem.message) from problem
            desk.journal.note(number, JournalState.NOT_SENT, code=problem.code, message=problem.message)
            raise
        except LostReply as problem:
            raise self._lost(desk, placement, number, problem.cause) from problem
        except FtError as problem:
            raise self._lost(desk, placement, number, problem.message) from problem
        except BaseException as problem:
            # Broken off, or a fault of ours: from the first byte on it may have gone out.
            state = JournalState.UNKNOWN if has_left else JournalState.NOT_SENT
            desk.journal.note(number, state, message=f"broken off ({type(problem).__name__})")
            raise
        try:
            result = placement.judge(reply, placement.conf_nums)
        except OrderRejected as problem:
            desk.journal.note(
                number,
                JournalState.REJECTED,
                reply=reply.body,
                code=problem.code,
                message=problem.message,
                details=problem.details,
                messages=(problem.details or {}).get("messages", []),
            )
            raise
        except OrderUnknown as problem:
            said = problem.details or {}
            desk.journal.note(
                number,
                JournalState.UNKNOWN,
                reply=reply.body,
                message=problem.message,
                messages=said.get("messages", []),
                found=said.get("found", {}),
            )
            raise
        except Exception as problem:
            raise self._lost(desk, placement, number, str(problem)) from problem
        messages = [
            {"severity": item.severity, "code": item.code, "text": item.text}
            for item in getattr(result, "messages", [])
        ]
        desk.journal.note(number, JournalState.ACCEPTED, reply=reply.body, messages=messages)
        return result

    def _lost(self, desk: Desk, placement: Placement[T], number: int, reason: str) -> OrderUnknown:
        desk.journal.note(number, JournalState.UNKNOWN, message=reason)
        return _unknown(placement, placement.conf_nums, reason)


def _unknown(placement: Placement[T], conf_nums: list[str], reason: str) -> OrderUnknown:
    numbers = ", ".join(conf_nums)
    return OrderUnknown(
        f"Whether the order {numbers} was placed is unknown: it was sent, and its answer was lost. Do not send it "
        f"again; `ft orders reconcile` looks for it. What happened: {reason}",
        details={"account": placement.account, "conf_nums": conf_nums, "reason": reason},
    )


def _partly(placement: Placement[T], standing: Standing) -> OrderUnknown:
    return OrderUnknown(
        f"The answer to the orders was lost, and {standing.detail['message']} Do not send them again. Cancel or keep "
        f"what is there, then `ft orders resolve id:{standing.id}` says so.",
        details={
            "account": placement.account,
            "conf_nums": standing.conf_nums,
            "reason": "partly accepted",
            "found": standing.detail["found"],
        },
    )
