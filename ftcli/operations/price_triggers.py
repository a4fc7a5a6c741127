"""Price triggers: the broker tells you when a price is reached (protocol 04 §2)."""

from decimal import Decimal
from typing import Annotated, Any

from ftcli.errors import BrokerError, CallRefused, ValidationFailed
from ftcli.models.alerts import DeletedTrigger, PriceTrigger, TriggerOperator, TriggerStatus
from ftcli.models.alerts import PriceTriggers as TriggerList
from ftcli.models.field import as_list, read
from ftcli.models.json import dumps
from ftcli.models.tickets import positive
from ftcli.models.values import read_text
from ftcli.operations.confirmed import document_after_change, refusal
from ftcli.operations.dp import document_of
from ftcli.operations.fastquote import quote_symbol
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.params import Symbol
from ftcli.operations.verdicts import message_details, messages_of
from ftcli.wire import Retry, WireReply, WireRequest

BASE = "/ftgw/dp/retail-price-triggers/v1/investments/research/alert/price-triggers"
DEVICES = ("Active Trader Pro", "Fidelity mobile applications")
_MOST_PAGES = 100

OneSymbol = Annotated[
    str | None, Param("Only those of this symbol; all where left out.", complete="symbols", example="AAPL")
]
Devices = Annotated[
    list[str] | None, Param("Where to notify you; the desktop and mobile apps where left out.")
]
TriggerId = Annotated[str, Param("Id of the trigger, from the list.", argument=True, example="1107340021")]


class PriceTriggers(Group):
    """Alerts that a price sets off."""

    name = "alerts.price_triggers"

    @operation(
        "GET",
        "/alerts/price-triggers",
        examples=(
            "alerts price-triggers list",
            "alerts price-triggers list --symbol AAPL --status expired",
        ),
    )
    async def list(
        self,
        symbol: OneSymbol = None,
        status: Annotated[
            TriggerStatus, Param("active: those that wait; expired: those that have fired.")
        ] = TriggerStatus.ACTIVE,
        offset: Annotated[int, Param("Leave out so many at the start.")] = 0,
    ) -> TriggerList:
        """List price triggers: those that still wait, or those that have fired.

        Source: protocol 04 §2.1.
        """
        if offset < 0:
            raise ValidationFailed.of("offset", offset, "be 0 or above")
        query = {"symbol": quote_symbol(symbol)} if symbol else {}
        query["status"] = status.wire
        return await _all_pages(self.core, query, offset)

    @operation(
        "POST",
        "/alerts/price-triggers",
        risk="write",
        examples=(
            "alerts price-triggers create AAPL --operator greater_than --value 300",
            "alerts price-triggers create AAPL --operator less_than_percent --value 5 --notes 'time to look'",
        ),
    )
    async def create(
        self,
        symbol: Symbol,
        operator: Annotated[TriggerOperator, Param("What to wait for.", example="greater_than")],
        value: Annotated[
            Decimal, Param("Price in dollars; with the percent operators the move in percent.", example=300)
        ],
        currency: Annotated[str, Param("Currency of the price.")] = "USD",
        notes: Annotated[str, Param("A note for yourself.")] = "",
        devices: Devices = None,
    ) -> PriceTrigger:
        """Have yourself told when a price is reached.

        A percent operator counts from the price at the moment you make the trigger, as far as is known. It is
        sent once: after a lost answer, look at the list before you make it again.

        Raises:
            ValidationFailed: The value is not above zero.

        Source: protocol 04 §2.2.
        """
        positive("value", value)
        if operator is TriggerOperator.LESS_THAN_PERCENT and value >= 100:
            raise ValidationFailed.of("value", f"{value:f}", "be below 100: no price falls by more")
        money = currency.strip().upper()
        if len(money) != 3 or not money.isascii() or not money.isalpha():
            raise ValidationFailed.of("currency", currency, "be a code of three letters such as USD")
        names = [*DEVICES] if devices is None else _clean_devices(devices)
        note = notes.strip()
        terms = {
            "currency": money,
            "notes": note,
            "operator": operator.wire,
            "symbol": quote_symbol(symbol),
            "value": value,
        }
        body = {"triggers": [terms], "devices": [{"name": name} for name in names]}
        request = WireRequest(host="dp", method="POST", path=f"{BASE}/create", body=body, retry=Retry.NEVER)
        reply = await self.core.send(request)
        answer = _created(reply)
        answer.notes = answer.notes or note or None
        return with_reply(answer, reply)

    @operation(
        "DELETE",
        "/alerts/price-triggers/{trigger_id}",
        risk="write",
        inferred=True,
        examples=("alerts price-triggers delete 1107340021",),
    )
    async def delete(self, trigger_id: TriggerId) -> DeletedTrigger:
        """Delete a price trigger.

        The broker does not mind if there is none of that id.

        Raises:
            ValidationFailed: It cannot be an id.

        Source: protocol 04 §2.3.
        """
        wanted = trigger_id.strip()
        if not 0 < len(wanted) <= 64 or not wanted.isascii() or not wanted.replace("-", "").isalnum():
            raise ValidationFailed.of(
                "trigger_id", trigger_id, "be the id of a trigger, as the list shows it"
            )
        body = {"triggers": [{"id": wanted}]}
        request = WireRequest(host="dp", method="POST", path=f"{BASE}/delete", body=body, retry=Retry.WRITE)
        reply = await self.core.send(request)
        _check_change(reply, "delete the price trigger")
        return with_reply(DeletedTrigger(trigger_id=wanted), reply)


def _clean_devices(devices: list[str]) -> list[str]:
    names = [name.strip() for name in devices if name.strip()]
    if not names:
        raise ValidationFailed.of("devices", None, f"name at least one device, such as {DEVICES[0]}")
    return names


async def _all_pages(core: Core, query: dict[str, str], offset: int) -> TriggerList:
    """All triggers from an offset on: the broker's page size is not known (protocol 04 §2.1)."""
    answer, known = TriggerList(), set[bytes]()
    replies: list[WireReply] = []
    for _ in range(_MOST_PAGES):
        request = WireRequest(
            host="dp", method="GET", path=f"{BASE}/list", query={**query, "offset": str(offset)}
        )
        reply = await core.send(request)
        document = _check(reply)
        replies.append(reply)
        page = read(TriggerList, document)
        wrapper = document.get("priceTrigger")
        rows = as_list(wrapper.get("triggers")) if isinstance(wrapper, dict) else []
        triggers = [_trigger(row) for row in rows if isinstance(row, dict)]
        # A service that does not know the offset would give the same page for ever.
        fresh = [item for item in triggers if dumps(item) not in known]
        known |= {dumps(item) for item in fresh}
        if len(replies) == 1:
            answer.total, answer.available = page.total, page.available
        answer.triggers += fresh
        offset += len(rows)
        if not fresh or (page.total and offset >= page.total):
            break
    return with_reply(answer, _joined(replies))


def _joined(replies: list[WireReply]) -> WireReply:
    """Several pages as one answer, whose document is the list of theirs."""
    first = replies[0]
    if len(replies) == 1:
        return first
    body = b"[" + b",".join(reply.body or b"null" for reply in replies) + b"]"
    documents = [reply.document for reply in replies]
    return WireReply(status=first.status, headers=first.headers, body=body, document=documents)


def _trigger(row: dict[str, Any]) -> PriceTrigger:
    trigger = read(PriceTrigger, row)
    names = [
        read_text(device.get("name") if isinstance(device, dict) else device)
        for device in as_list(row.get("devices"))
    ]
    trigger.devices = [name for name in names if name]
    return trigger


def _check(reply: WireReply) -> dict[str, Any]:
    """The list; this service says no more than the HTTP status, but an error message is believed.

    Raises:
        BrokerError: The broker sent an error message, or no object.
    """
    document = document_of(reply)
    errors = [message for message in messages_of(document) if message.is_error]
    if errors:
        raise BrokerError(
            f"The broker says: {errors[0].text}",
            details={"status": reply.status, "messages": message_details(errors)},
        )
    return document


def _check_change(reply: WireReply, what: str) -> dict[str, Any]:
    """The answer to a change: any object will do, unless it holds an error message (protocol 04 §2.3).

    Raises:
        CallRefused: It does.
        LostReply: It is no object.
    """
    document = document_after_change(reply)
    if any(message.is_error for message in messages_of(document)):
        raise refusal(reply, what)
    return document


def _created(reply: WireReply) -> PriceTrigger:
    """The new trigger.

    Raises:
        CallRefused: The broker made none.
        LostReply: Its answer does not say.
    """
    document = _check_change(reply, "make the price trigger")
    rows = [row for row in as_list(document.get("triggers")) if isinstance(row, dict)]
    if rows:
        return _trigger(rows[0])
    if "triggers" in document:
        raise CallRefused(
            "The broker made no price trigger and gave no reason.", details={"status": reply.status}
        )
    raise refusal(reply, "make the price trigger")
