"""What an account did: transactions, closed positions, lots (protocol 01 §3.4, 3.7, 3.9, 3.10, 3.12)."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Annotated, Any

from ftcli.errors import ValidationFailed
from ftcli.models.accounts import Account
from ftcli.models.field import read
from ftcli.models.history import (
    AccountTransactions,
    ClosedPositions,
    Transaction,
    Transactions,
    TransactionsReply,
)
from ftcli.models.lots import ClosedLots, HoldingType, OpenLots, TaxLots
from ftcli.models.values import ny_midnight
from ftcli.operations.account_calls import (
    Span,
    account_entry,
    ask,
    brokerage_account,
    check,
    plural,
    singular,
    span_of,
)
from ftcli.operations.operation import Group, Param, operation, with_reply
from ftcli.operations.paging import Cursor, parse_cursor
from ftcli.operations.params import Acct, Symbol, clean_account, clean_symbol
from ftcli.wire import WireReply

DatedLine = tuple[date, Transaction]

MAX_DAYS = 3660
MAX_ROWS = 1000

Start = Annotated[
    str | None, Param("First day: a date, or ytd, mtd, 30d, 6m ...", cli=("--from",), example="30d")
]
End = Annotated[
    str | None,
    Param("Day after the last: a date or a word; today is the last where left out.", cli=("--to",)),
]
TaxYear = Annotated[int | None, Param("A whole calendar year instead of a range.", example=2025)]
NoWashSales = Annotated[bool, Param("Leave the adjustments for wash sales out.")]


class History(Group):
    """The part of the accounts group that looks back."""

    name = "accounts"

    @operation(
        "GET",
        "/accounts/{acct}/transactions",
        examples=(
            "accounts transactions --from ytd",
            "accounts transactions --from 2026-01-01 --to 2026-04-01 -o csv",
            "accounts transactions --limit 50",
        ),
    )
    async def transactions(
        self,
        acct: Acct,
        start: Start = None,
        end: End = None,
        limit: Annotated[
            int | None, Param("At most so many lines; the answer then has a next_cursor.")
        ] = None,
        cursor: Annotated[
            str | None, Param("The next_cursor of an earlier answer; its range stays in force.")
        ] = None,
    ) -> Transactions:
        """Show an account's trades, dividends, interest and transfers, newest first.

        Without a range: the last 30 days. The range counts posting dates in New York; long ones are asked for
        in pieces of 90 days.

        Raises:
            NotFound: The login has no such account.
            ValidationFailed: A date does not parse, the range is empty or longer than ten years, or the
                cursor belongs to another account.

        Source: protocol 01 §3.7.
        """
        if limit is not None and not 1 <= limit <= MAX_ROWS:
            raise ValidationFailed.of("limit", limit, f"be from 1 to {MAX_ROWS}")
        number = clean_account(acct)
        if cursor:
            place = parse_cursor(cursor, number)
        else:
            place = Cursor(number, *span_of(self.core, start, end, "30d"))
        if (place.end - place.start).days > MAX_DAYS:
            raise ValidationFailed.of("start", place.start, "be at most ten years before the end")
        account = await brokerage_account(self.core, number)
        rows, replies = await self._lines(place, limit)
        answer = Transactions(account=account.account, start=place.start, end=place.end)
        answer.as_of = read(TransactionsReply, replies[0].document).as_of
        answer.transactions = [row for _, row in rows[:limit]]
        if limit is not None and len(rows) > limit:
            answer.next_cursor = _rest(place, rows, limit).text
        return with_reply(answer, _joined(replies))

    async def _lines(self, place: Cursor, limit: int | None) -> tuple[list[DatedLine], list[WireReply]]:
        """The lines from a place on, until there are more than ``limit``, and the answers they came in."""
        rows: list[DatedLine] = []
        replies: list[WireReply] = []
        for window in place.windows():
            body = _history_body(place.account, window)
            reply = await ask(
                self.core, "accounts.transactions", "accountmanagement/transaction/history/v2", body
            )
            check(reply, "acctDetails")
            found = _newest_first(account_entry(reply.document, place.account), window)
            if not replies and place.left is not None:
                newest = sum(1 for day, _ in found if day >= place.newest)
                del found[: max(0, newest - place.left)]
            replies.append(reply)
            rows += found
            if limit is not None and len(rows) > limit:
                break
        return rows, replies

    @operation(
        "GET",
        "/accounts/{acct}/closed-positions",
        examples=(
            "accounts closed-positions",
            "accounts closed-positions --tax-year 2025 -o csv",
            "accounts closed-positions --from 2026-01-01 --to 2026-04-01 --sort -gain",
        ),
    )
    async def closed_positions(
        self,
        acct: Acct,
        start: Start = None,
        end: End = None,
        tax_year: TaxYear = None,
        exclude_wash_sales: NoWashSales = False,
    ) -> ClosedPositions:
        """Show what an account sold, with realised gains by security.

        Without a range: this year so far. The range counts sale dates. The short-term part is the gain less
        its long-term part.

        Raises:
            NotFound: The login has no such account.
            ValidationFailed: A date does not parse, the range is empty, or a range and a tax year are given.

        Source: protocol 01 §3.9.
        """
        span = self._sales(start, end, tax_year)
        account = await brokerage_account(self.core, acct)
        reply = await ask(
            self.core,
            "accounts.closed_positions",
            "customer-am-position/v1/accounts/closedposition",
            plural(_sales_row(account), **self._range_terms(span, exclude_wash_sales)),
        )
        check(reply, "closedPosition")
        answer = read(ClosedPositions, account_entry(reply.document, account.account, "closedPosition"))
        answer.account, answer.start, answer.end = account.account, span.start, span.end
        for gains in (answer.totals, *answer.positions):
            if gains is not None:
                gains.short_term_gain = _less(gains.gain, gains.long_term_gain)
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/accounts/{acct}/closed-lots/{symbol}",
        inferred=True,
        examples=("accounts closed-lots AAPL", "accounts closed-lots AAPL --tax-year 2025"),
    )
    async def closed_lots(
        self,
        acct: Acct,
        symbol: Symbol,
        start: Start = None,
        end: End = None,
        tax_year: TaxYear = None,
        exclude_wash_sales: NoWashSales = False,
    ) -> ClosedLots:
        """Show the lots behind the sales of one security, with holding period and realised gain.

        Without a range: this year so far. The range counts sale dates.

        Raises:
            NotFound: The login has no such account.
            ValidationFailed: A date or symbol does not parse, the range is empty, or a range and a tax year
                are given.

        Source: protocol 01 §3.10.
        """
        name, span = _held_symbol(symbol), self._sales(start, end, tax_year)
        account = await brokerage_account(self.core, acct)
        terms = {"symbol": name, "cusip": None, **self._range_terms(span, exclude_wash_sales)}
        reply = await ask(
            self.core,
            "accounts.closed_lots",
            "customer-am-position/v1/accounts/closedlots",
            plural(_sales_row(account), **terms),
        )
        check(reply, "closedLots", "closedPosition")
        entry = account_entry(reply.document, account.account, "closedLots", "closedPosition")
        answer = read(ClosedLots, entry)
        answer.account, answer.symbol = account.account, answer.symbol or name
        answer.start, answer.end = span.start, span.end
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/accounts/{acct}/lots/{symbol}",
        inferred=True,
        examples=("accounts lots AAPL", "accounts lots AAPL -o json"),
    )
    async def lots(self, acct: Acct, symbol: Symbol) -> OpenLots:
        """Show the open lots of one holding, with holding period and gain, oldest first.

        A security the account does not hold has no lots.

        Raises:
            NotFound: The login has no such account.
            ValidationFailed: The symbol does not parse.

        Source: protocol 01 §3.4.
        """
        name = _held_symbol(symbol)
        account = await brokerage_account(self.core, acct)
        body = singular({"acctNum": account.account, "symbol": name})
        reply = await ask(self.core, "accounts.lots", "position/open/lots/v1", body)
        check(reply, "openLots", "lots", "position")
        answer = read(
            OpenLots, account_entry(reply.document, account.account, "openLots", "lots", "position")
        )
        answer.account, answer.symbol = account.account, answer.symbol or name
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/accounts/{acct}/tax-lots/{symbol}",
        examples=("accounts tax-lots AAPL", "accounts tax-lots HTZ --holding short"),
    )
    async def tax_lots(
        self,
        acct: Acct,
        symbol: Symbol,
        holding: Annotated[
            HoldingType | None,
            Param("How the shares are held; margin or cash as the account is, where left out."),
        ] = None,
    ) -> TaxLots:
        """Show the lots that a sale of specific shares may choose from.

        Their ids and numbers are what an order to sell specific shares takes.

        Raises:
            NotFound: The login has no such account.
            ValidationFailed: The symbol does not parse.

        Source: protocol 01 §3.12.
        """
        name = _held_symbol(symbol)
        account = await brokerage_account(self.core, acct)
        usual = HoldingType.MARGIN if account.margin else HoldingType.CASH
        body = {
            "holdingTypeCode": (holding or usual).wire,
            "acctNum": account.account,
            "securityDetail": {"symbol": name},
        }
        reply = await ask(self.core, "accounts.tax_lots", "orderentry/taxlot/v1", body)
        check(reply, "specificShrTaxLotDetail")
        answer = read(TaxLots, reply.document)
        answer.account, answer.symbol = account.account, answer.symbol or name
        return with_reply(answer, reply)

    def _sales(self, start: str | None, end: str | None, tax_year: int | None) -> Span:
        """The range of sale dates: the one given, a whole year, or this year so far."""
        if tax_year is None:
            return span_of(self.core, start, end, "ytd")
        if start or end:
            raise ValidationFailed.of("tax_year", tax_year, "not go with a range")
        if not 1950 <= tax_year <= 2199:
            raise ValidationFailed.of("tax_year", tax_year, "be a year such as 2025")
        return Span(date(tax_year, 1, 1), date(tax_year + 1, 1, 1))

    def _range_terms(self, span: Span, exclude_wash_sales: bool) -> dict[str, Any]:
        """The range of a realised-gains call; its label says no more than the dates do (protocol 01 §3.9)."""
        this_year = span == span_of(self.core, "ytd", None, "ytd")
        return {
            "startDate": span.start.isoformat(),
            "endDate": span.last.isoformat(),
            "taxYear": None,
            "dateType": "YTD" if this_year else "CUSTOM",
            "isExcludeWashSales": exclude_wash_sales,
        }


def _held_symbol(symbol: str) -> str:
    """A symbol as lots have it: options without the leading dash."""
    return clean_symbol(symbol).removeprefix("-")


def _newest_first(entry: dict[str, Any], window: Span) -> list[DatedLine]:
    """The lines of an account with their days; within a day the broker's order stays: there are no times."""
    rows = read(AccountTransactions, entry).transactions
    for row in rows:
        row.kind = row.sub_category or row.category or row.type
    dated = [(row.posted or row.traded or window.last, row) for row in rows]
    return sorted(dated, key=lambda line: line[0], reverse=True)


def _rest(place: Cursor, rows: list[DatedLine], limit: int) -> Cursor:
    """The place of the first line that was not given."""
    day = rows[limit][0]
    left = sum(1 for other, _ in rows[limit:] if other == day)
    return Cursor(place.account, place.start, day + timedelta(days=1), left)


def _joined(replies: list[WireReply]) -> WireReply:
    """Several answers as one, whose document is the list of theirs."""
    if len(replies) == 1:
        return replies[0]
    return WireReply(
        status=replies[0].status,
        headers=replies[0].headers,
        body=b"[" + b",".join(reply.body for reply in replies) + b"]",
        document=[reply.document for reply in replies],
    )


def _less(whole: Decimal | None, part: Decimal | None) -> Decimal | None:
    return None if whole is None or part is None else whole - part


def _history_body(account: str, window: Span) -> dict[str, Any]:
    """Protocol 01 §3.7: the nulls are sent on purpose, and the flags do not restrict the answer."""
    flags = {
        "hasCoreStlmnt": False,
        "hasFrgnTxn": False,
        "hasPortfolioRetirementIncDetail": True,
        "hasOnlyPortfolioRetirementIncDetail": True,
        "hasAcctRetirementIncDetail": True,
        "hasOnlyAcctRetirementIncDetail": True,
        "hasIntradayTxn": False,
        "hasJournaledTxn": False,
        "hasOnlyContributionTxn": True,
        "hasBasketName": True,
    }
    criteria = {
        "txnType": None,
        "txnCat": None,
        "txnSubCat": None,
        "txnFromDate": ny_midnight(window.start),
        "txnToDate": ny_midnight(window.last),
        "securityDetail": None,
        "filterCriteriaDetail": flags,
    }
    row = {"acctType": "brokerage", "acctNum": account, "sysOfRcd": None}
    return {"acctDetails": [row], "searchCriteriaDetail": criteria}


def _sales_row(account: Account) -> dict[str, Any]:
    return {"acctNum": account.account, "isRetirementAcct": account.retirement}
