"""Reference data (protocol 03 §14)."""

from typing import Annotated

from ftcli.errors import ValidationFailed
from ftcli.models.field import read
from ftcli.models.reference import HolidayCalendar
from ftcli.operations.dp import check_said, dp_get
from ftcli.operations.operation import Group, Param, operation, with_reply
from ftcli.operations.params import clean_day


class Reference(Group):
    """Calendars and other facts that change rarely."""

    name = "reference"

    @operation(
        "GET",
        "/reference/holiday-calendar",
        examples=("reference holiday-calendar", "reference holiday-calendar --from today"),
    )
    async def holiday_calendar(
        self,
        country_code: Annotated[
            str, Param("Country of the exchange.", cli=("--country",), example="US")
        ] = "US",
        start: Annotated[
            str | None, Param("First day: a date or a word such as today, ytd.", cli=("--from",))
        ] = None,
        end: Annotated[str | None, Param("Last day: a date or a word.", cli=("--to",))] = None,
    ) -> HolidayCalendar:
        """Show the days on which the exchange is closed or closes early.

        The broker lists past years too; give a range to leave them out. Times are New York times.

        Source: protocol 03 §14.
        """
        country = country_code.strip().upper()
        if len(country) != 2 or not country.isascii() or not country.isalpha():
            raise ValidationFailed.of("country_code", country_code, "be a code of two letters such as US")
        now = self.core.now()
        first = clean_day(start, now, "start") if start else None
        last = clean_day(end, now, "end") if end else None
        if first and last and first > last:
            raise ValidationFailed.of("start", start, f"be at most the end, {last}")
        reply = await self.core.send(dp_get("market/holidaycalendar/v1", {"countryCode": country}))
        answer = read(HolidayCalendar, check_said(reply, "holidayCalendarDetails", f"country {country}"))
        found = [
            item
            for item in answer.holidays
            if item.day and (first is None or item.day >= first) and (last is None or item.day <= last)
        ]
        for item in found:
            assert item.day is not None
            item.weekday = f"{item.day:%A}"
            if item.closes_at:
                item.closes_at = item.closes_at.partition(".")[0]
        answer.holidays = sorted(found, key=lambda item: item.day or now.date())
        return with_reply(answer, reply)
