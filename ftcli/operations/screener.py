"""Market scans: three calls that hand the session over to the company of the scans (protocol 03 §12)."""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from ftcli.errors import BrokerError
from ftcli.models import xml
from ftcli.models.field import read
from ftcli.models.research import Scan, ScanField, ScanResult, ScanRow
from ftcli.models.session import SessionState
from ftcli.models.values import read_decimal, read_int, read_text
from ftcli.operations.fastquote import find_with
from ftcli.redaction import Secret
from ftcli.wire import Retry, WireReply, WireRequest

if TYPE_CHECKING:
    from ftcli.operations.operation import Core

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_MARGIN = timedelta(minutes=1)
_REFUSALS = (401, 403, 500)
_COMMON = {"symbol": "symbol", "company name": "name", "last": "last", "last change": "change"}


class Pass(msgspec.Struct, frozen=True):
    """What lets one scan.

    Attributes:
        token: The credential.
        until: When it ends.
        owner: User name of the session it was given for.
    """

    token: Secret
    until: datetime
    owner: str


class Scanner:
    """Runs scans; keeps the pass until it expires or the session it stems from has ended.

    Args:
        core: Sends.
    """

    def __init__(self, core: "Core") -> None:
        self._core = core
        self._pass: Pass | None = None
        self._asking: Any = None

    async def run(self, scan_id: int) -> tuple[Scan, WireReply]:
        """Runs a scan.

        Raises:
            BrokerError: The exchange was refused, or the scan failed.
        """
        known = await self._valid_pass()
        if known is not None:
            try:
                # A refusal of an old pass is answered with a new one, not with repetitions.
                return await self._execute(known, scan_id, Retry.WRITE)
            except BrokerError as problem:
                status = (problem.details or {}).get("status")
                if status is not None and status not in _REFUSALS:
                    raise
                if status is not None and self._pass is known:
                    self._pass = None
        return await self._execute(await self._new_pass(), scan_id, Retry.READ)

    async def _valid_pass(self) -> Pass | None:
        known = self._pass
        if known is None:
            return None
        status = await self._core.session_status(offline=True)
        alive = status.state is SessionState.AUTHENTICATED and (status.username or "") == known.owner
        if not alive or self._core.now() >= known.until - _MARGIN:
            self._pass = None
        return self._pass

    async def _new_pass(self) -> Pass:
        """Steps 1 and 2; callers at the same time share them."""
        import asyncio  # a call is under way: it is loaded

        self._asking = self._asking or asyncio.Lock()
        async with self._asking:
            if self._pass is None:
                assertion = await self._assertion()
                owner = (await self._core.session_status(offline=True)).username or ""
                self._pass = await self._exchange(assertion, owner)
            return self._pass

    async def _assertion(self) -> Secret:
        """Step 1: the broker vouches for the session."""
        reply = await self._core.send(
            WireRequest(host="digital", method="GET", path="/ftgw/digital/rschwidgets/api/saml")
        )
        text = reply.document.strip().strip('"') if isinstance(reply.document, str) else ""
        if not text or text.startswith("<") or len(text.split()) != 1:
            raise BrokerError(
                "The broker's answer is not the assertion that scans need.", details={"status": reply.status}
            )
        return Secret(text)

    async def _exchange(self, assertion: Secret, owner: str) -> Pass:
        """Step 2: the assertion for a pass."""
        from urllib.parse import quote

        reply = await self._core.send(
            WireRequest(
                host="livevolauth",
                method="POST",
                path="/auth/api/v1/sessions/samllogin",
                query={"fetchToken": "true"},
                body=f"SAMLResponse={quote(assertion.reveal(), safe='')}",
                headers=_FORM,
                retry=Retry.PREVIEW,
            )
        )
        document = reply.document if isinstance(reply.document, dict) else {}
        token, seconds = read_text(document.get("token")), read_int(document.get("expiresAt"))
        if not token:
            raise BrokerError("The scan service gave no token.", details={"status": reply.status})
        # Without an end it serves this one scan.
        until = self._core.now() if seconds is None else datetime.fromtimestamp(seconds, UTC)
        return Pass(Secret(token), until, owner)

    async def _execute(self, known: Pass, scan_id: int, retry: Retry) -> tuple[Scan, WireReply]:
        """Step 3: the scan."""
        from urllib.parse import quote

        reply = await self._core.send(
            WireRequest(
                host="livevol",
                method="POST",
                path="/DataService/ScannerServiceReference.asmx/ExecuteScan",
                body=f"TOKEN={quote(known.token.reveal(), safe='')}&SCANID={scan_id}",
                headers=_FORM,
                retry=retry,
            )
        )
        return scan_of(reply, scan_id), reply


def scan_of(reply: WireReply, scan_id: int) -> Scan:
    """The rows of a scan's answer, wherever in it they stand.

    Raises:
        BrokerError: It is no such document.
    """
    tree = reply.document
    if isinstance(tree, str):
        try:
            tree = xml.loads(tree)
        except xml.UnreadableXml as problem:
            raise BrokerError(
                "The scan's answer is not the XML it should be.",
                details={"status": reply.status, "reason": str(problem)},
            ) from None
    if not isinstance(tree, dict):
        raise BrokerError("The scan's answer is not the XML it should be.", details={"status": reply.status})
    holder = find_with(tree, "ScanResult")
    rows = read(ScanResult, holder["ScanResult"]).rows if holder else []
    for row in rows:
        _read_common(row)
    return Scan(scan_id=scan_id, rows=rows)


def _read_common(row: ScanRow) -> None:
    """The columns every scan has, typed; on duplicate names the first wins (protocol 03 §12.3)."""
    values: dict[str, str] = {}
    others: list[ScanField] = []
    for field in row.fields:
        key = field.name.strip().lower()
        if key in values:
            continue
        values[key] = field.value
        if key not in _COMMON and field.value:
            others.append(field)
    for key, name in _COMMON.items():
        text = read_text(values.get(key))
        setattr(row, name, read_decimal(text) if name in ("last", "change") else text)
    row.figures = ", ".join(_figure(field, others[0].name) for field in others)


def _figure(field: ScanField, first: str) -> str:
    """A figure in words; what the first one has said is not said again: ``Average 420``."""
    name = field.name
    if name != first and first:
        name = " ".join(name.replace(first, " ").split()) or name
    return f"{name} {field.value}".strip()
