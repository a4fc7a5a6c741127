"""Alerts, price triggers and announcements (protocol 04 §2, 3, 4, 7)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Self

from ftcli.models.field import PER_SHARE, SHARES, USD, Document, Model, at
from ftcli.models.order_codes import Action
from ftcli.models.values import Code

# -- subscription (§3.1) -------------------------------------------------------------------------------------


class AlertSubscription(Document):
    """What lets a program in at the broker's message bus, where alerts are pushed."""

    active: Annotated[
        bool | None, at("ActivationStatus", "Whether the subscription is active.", column="Active")
    ] = None
    server_url: Annotated[str | None, at("ServerUrl", "Address of the message bus.", column="Server")] = None
    user_id: Annotated[str | None, at("UserId", "User name at the bus.", column="User")] = None
    password: Annotated[
        str, at("Password", "Its password, masked unless it is asked for.", column="Password")
    ] = ""
    destinations: Annotated[
        list[str], at(None, "Topics: your own and the broadcast one.", column="Topics")
    ] = []


# -- history (§3.2) ------------------------------------------------------------------------------------------


class AlertType(Code):
    """What an alert tells, in the codes of the event stream (protocol 05 §7.10)."""

    ORDER_FILL = "order_fill", "MFCEX"
    ORDER_UPDATE = "order_update", "ORDUP"
    ORDER_CANCELLED = "order_cancelled", "CXL01"
    POSITION_UPDATE = "position_update", "SPPOS"
    COST_BASIS_UPDATE = "cost_basis_update", "CBUPD"
    BALANCE_UPDATE = "balance_update", "SPBSM"
    PRICE_ALERT_ABOVE = "price_alert_above", "TRPA"
    PRICE_ALERT_BELOW = "price_alert_below", "TRPB"
    MA50_ALERT_ABOVE = "ma50_alert_above", "MA50A"
    MA50_ALERT_BELOW = "ma50_alert_below", "MA50B"
    MA200_ALERT_ABOVE = "ma200_alert_above", "MA200A"
    MA200_ALERT_BELOW = "ma200_alert_below", "MA200B"
    WEEK52_ALERT_A = "week52_alert_a", "52WHA"
    WEEK52_ALERT_B = "week52_alert_b", "52WHB"
    VOLUME_ALERT = "volume_alert", "VOLAL"


class Alert(Model):
    """An alert of the past."""

    time: Annotated[
        datetime | None, at("MSG_HDR.ALERT_PUBLISHER_TMST", "When it was published.", column="Time")
    ] = None
    type: Annotated[AlertType | None, at("MSG_HDR.MSG_TYPE", "What it tells.", column="Type")] = None
    account: Annotated[str | None, at("MSG_DETAIL.ACCOUNT_NUM", "Account number.", column="Account")] = None
    symbol: Annotated[
        str | None,
        at(
            "MSG_DETAIL.DISP_MSG_SYMBOL|DISPLAY_DETAIL.DISPLAY_SYMBOL",
            "Symbol; options without a dash.",
            column="Symbol",
        ),
    ] = None
    text: Annotated[str | None, at("DISPLAY_DETAIL.DISPLAY_DATA", "The broker's words.", column="Text")] = (
        None
    )
    conf_num: Annotated[str | None, at("MSG_DETAIL.ORDER_NUM", "Confirmation number of the order.")] = None
    action: Annotated[Action | None, at("MSG_DETAIL.ORDER_ACTION", "What the order does.")] = None
    status_code: Annotated[
        str | None, at("MSG_DETAIL.ORDER_STATUS", "1 on an execution, 5 on a cancellation.")
    ] = None
    quantity: Annotated[Decimal | None, at("MSG_DETAIL.ORIGINAL_QTY", "Quantity ordered.", unit=SHARES)] = (
        None
    )
    filled_quantity: Annotated[
        Decimal | None, at("MSG_DETAIL.EXECUTED_QTY", "Executed so far.", unit=SHARES)
    ] = None
    fill_quantity: Annotated[
        Decimal | None, at("MSG_DETAIL.EXEC_SHRS", "Quantity of this execution.", unit=SHARES)
    ] = None
    price: Annotated[
        Decimal | None,
        at("MSG_DETAIL.PRICE", "Price of the execution; limit of what was cancelled.", unit=PER_SHARE),
    ] = None
    average_price: Annotated[
        Decimal | None, at("MSG_DETAIL.AVG_PRICE", "Average price so far.", unit=PER_SHARE)
    ] = None
    gross_amount: Annotated[Decimal | None, at("MSG_DETAIL.GROSS_AMT", "Gross amount.", unit=USD)] = None
    fill_date: Annotated[date | None, at("MSG_DETAIL.EXEC_DATE", "Day of the execution.")] = None
    exchange: Annotated[str | None, at("MSG_DETAIL.EXCH_CODE", "Where it was executed.")] = None
    security_class: Annotated[str | None, at("MSG_DETAIL.SEC_TYPE", "1 stock or ETF, 8 option.")] = None
    alert_id: Annotated[str | None, at("MSG_HDR.MSG_ID", "Its id.")] = None
    priority: Annotated[int | None, at("MSG_HDR.MSG_PRIORITY", "The broker's priority.")] = None
    system_flag: Annotated[str | None, at("MSG_HDR.SYSTEM_FLAG", "Where it came from, as a code.")] = None
    document: Annotated[str, at(None, "The alert's own XML: other types have more in it.")] = ""


class AlertHistory(Document):
    """Alerts of the past, in the broker's order, which is newest first as far as is known."""

    alerts: Annotated[list[Alert], at(None, "The alerts.")] = []
    start: Annotated[int, at(None, "Number of the first one asked for, counted from 1.")] = 1
    total: Annotated[int | None, at(None, "How many the broker has on file.")] = None


# -- price triggers (§2) -------------------------------------------------------------------------------------


class TriggerOperator(Code):
    """What a price trigger waits for."""

    GREATER_THAN = "greater_than", "greaterThan"
    LESS_THAN = "less_than", "lessThan"
    GREATER_THAN_PERCENT = "greater_than_percent", "greaterThanPercent"
    LESS_THAN_PERCENT = "less_than_percent", "lessThanPercent"

    @property
    def is_percent(self) -> bool:
        """Whether its value is a move in percent and not a price."""
        return self in (TriggerOperator.GREATER_THAN_PERCENT, TriggerOperator.LESS_THAN_PERCENT)

    @property
    def is_above(self) -> bool:
        """Whether it waits for the price to rise."""
        return self in (TriggerOperator.GREATER_THAN, TriggerOperator.GREATER_THAN_PERCENT)

    @classmethod
    def from_wire(cls, code: str) -> Self:
        """The member of a broker's code, in the newer spelling or the older one (protocol 04 §2.1)."""
        return super().from_wire(_OLDER_OPERATORS.get(code, code))


_OLDER_OPERATORS = {"PRICE_ABOVE": "greaterThan", "PRICE_BELOW": "lessThan"}


class TriggerStatus(Code):
    """Whether a price trigger still waits."""

    ACTIVE = "active", "active"
    EXPIRED = "expired", "expired"


class PriceTrigger(Document):
    """A price trigger: tells you when a price is reached."""

    symbol: Annotated[str | None, at("symbol", "Symbol.", column="Symbol")] = None
    operator: Annotated[
        TriggerOperator | None, at("operator|triggerType", "What it waits for.", column="Waits for")
    ] = None
    value: Annotated[
        Decimal | None,
        at(
            "value|triggerPrice",
            "Price in dollars; with the percent operators the move in percent.",
            column="Value",
        ),
    ] = None
    status: Annotated[
        TriggerStatus | None, at("status", "active while it waits, expired after.", column="Status")
    ] = None
    currency: Annotated[str | None, at("currency", "Currency of the price.")] = None
    notes: Annotated[str | None, at("notes", "Your note.", column="Notes")] = None
    trigger_id: Annotated[str | None, at("id|triggerId", "Its id.", column="Id")] = None
    created_at: Annotated[
        datetime | None, at("createTime|createdDate", "When it was made.", form="epoch_ms", column="Made")
    ] = None
    updated_at: Annotated[
        datetime | None,
        at("updateTime", "When it last changed: fired, once it has expired.", form="epoch_ms"),
    ] = None
    devices: Annotated[list[str], at(None, "Where it notifies you.")] = []


class PriceTriggers(Document):
    """Price triggers."""

    triggers: Annotated[list[PriceTrigger], at("priceTrigger.triggers[]", "The triggers.")] = []
    total: Annotated[int | None, at("priceTrigger.totalAccount", "How many the broker counts in all.")] = None
    available: Annotated[
        int | None,
        at("priceTrigger.availableAccount", "How many the broker calls available; its meaning is not known."),
    ] = None


class DeletedTrigger(Document):
    """A price trigger that is gone."""

    trigger_id: Annotated[str, at(None, "Its id.", column="Id")] = ""
    deleted: Annotated[bool, at(None, "Whether it is gone.", column="Deleted")] = True


# -- announcements (§7) and the token of the event stream (§4) -----------------------------------------------


class Announcement(Model):
    """A message of the broker to all its customers."""

    title: Annotated[str | None, at("title|headline|name", "Title.", column="Title")] = None
    text: Annotated[
        str | None, at("body|text|message|description", "Text, without markup.", column="Text")
    ] = None
    kind: Annotated[str | None, at("type", "The broker's kind of message.", column="Kind")] = None
    start: Annotated[datetime | None, at("startDate", "Shown from.", column="From")] = None
    end: Annotated[datetime | None, at("endDate", "Shown until.", column="Until")] = None
    priority: Annotated[int | None, at("priority", "Order among others.")] = None
    announcement_id: Annotated[str | None, at("id", "Its id.")] = None


class Announcements(Document):
    """Messages of the broker, in its order."""

    announcements: Annotated[list[Announcement], at(None, "The messages.")] = []


class EventToken(Document):
    """What lets one in at the stream of account events."""

    token: Annotated[str, at(None, "The token, masked unless it is asked for.", column="Token")] = ""
    expires_at: Annotated[
        datetime | None, at(None, "When it runs out; null where it does not say.", column="Expires")
    ] = None
