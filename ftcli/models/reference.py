"""Reference data: the exchange's holidays (protocol 03 §14)."""

from datetime import date
from typing import Annotated

from ftcli.models.field import Document, Model, at
from ftcli.models.values import Code


class HolidayKind(Code):
    """What a holiday means for trading."""

    CLOSED = "closed", "H"
    EARLY_CLOSE = "early_close", "A"


class Holiday(Model):
    """A day on which the exchange is closed, or closes early."""

    day: Annotated[date | None, at("date", "The day.", form="epoch_day", column="Date")] = None
    weekday: Annotated[str | None, at(None, "Day of the week.", column="Weekday")] = None
    name: Annotated[str | None, at("holidayDesc", "Its name.", column="Holiday")] = None
    kind: Annotated[
        HolidayKind | None, at("holidayType", "Closed all day, or closing early.", column="Market")
    ] = None
    closes_at: Annotated[
        str | None, at("earlyCloseTm", "Closing time of an early close, New York time.", column="Closes")
    ] = None
    country: Annotated[str | None, at("countryCode", "Country of the exchange.")] = None


class HolidayCalendar(Document):
    """Holidays of an exchange, in order of date."""

    holidays: Annotated[list[Holiday], at("holidayCalendarDetails[]", "The holidays.")] = []
