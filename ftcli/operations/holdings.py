"""Around a holding: options, loans, borrowing, accruals (protocol 01 §3.5, 3.8, 3.11, 3.13-3.16)."""

from typing import Annotated, Any

from ftcli.errors import BrokerError, NotFound
from ftcli.models.field import read
from ftcli.models.holdings import (
    Accruals,
    HardToBorrow,
    LoanedSecurities,
    ShortInsights,
    ShortInsightSeries,
)
from ftcli.models.option_holdings import OptionsSummary
from ftcli.operations.account_calls import (
    CLIENT_LEVEL,
    ORIGINATING_APP,
    account_entry,
    ask,
    brokerage_account,
    check,
    plural,
    singular,
    span_of,
)
from ftcli.operations.operation import Group, Param, operation, with_reply
from ftcli.operations.option_summary import add_greeks, summary_of
from ftcli.operations.params import Acct, Symbol, Symbols, clean_symbol, clean_symbols
from ftcli.wire import WireReply

CASH_HOST = "dpxq1"


class Holdings(Group):
    """The part of the accounts group around what an account holds."""

    name = "accounts"

    @operation(
        "GET",
        "/accounts/{acct}/options-summary",
        examples=("accounts options-summary", "accounts options-summary --greeks -o json"),
    )
    async def options_summary(
        self,
        acct: Acct,
        greeks: Annotated[
            bool, Param("Add the Greeks from the quote stream; waits up to five seconds for them.")
        ] = False,
    ) -> OptionsSummary:
        """Show an account's options as strategies, with value and gain, nearest expiration first.

        The broker's answer has no Greeks. With ``greeks`` each leg gets those of the quote stream, per share
        and as if held; a leg the stream says nothing about in time stays without.

        Raises:
            NotFound: The login has no such account.

        Source: protocol 01 §3.8; Greeks: protocol 05 §3.3.
        """
        account = await brokerage_account(self.core, acct)
        body = singular(
            {"acctNum": account.account},
            returnCostBasisDetails=True,
            returnIntradayDetails=True,
            view="EXPIRATION",
            returnUnpairedPositions=True,
        )
        path = "retail-am-optionsummary/v1/accounts/positions/option-summary/get"
        reply = await ask(self.core, "accounts.options_summary", path, body)
        check(reply, "optionPairing")
        answer = summary_of(account_entry(reply.document, account.account, "optionPairing"))
        answer.account = account.account
        if greeks:
            await add_greeks(self.core, answer)
        return with_reply(answer, reply)

    @operation(
        "GET", "/accounts/{acct}/loaned-securities", examples=("accounts loaned-securities -a Z20000025",)
    )
    async def loaned_securities(self, acct: Acct) -> LoanedSecurities:
        """Show the shares an account has lent out, the interest they earn and the collateral.

        Loans that ended this month are listed with their interest only. An account outside the lending
        programme has none.

        Raises:
            NotFound: The login has no such account.

        Source: protocol 01 §3.11.
        """
        account = await brokerage_account(self.core, acct)
        reply = await ask(
            self.core,
            "accounts.loaned_securities",
            "retail-am-loanedsecurities/v1/accounts/positions/rates",
            plural({"acctNum": account.account}),
            CLIENT_LEVEL,
        )
        check(reply, "loanedSecurities")
        answer = read(LoanedSecurities, account_entry(reply.document, account.account, "loanedSecurities"))
        answer.account = account.account
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/accounts/{acct}/hard-to-borrow",
        inferred=True,
        examples=("accounts hard-to-borrow AAPL GME", "accounts hard-to-borrow GME -o json"),
    )
    async def hard_to_borrow(self, acct: Acct, symbols: Symbols) -> HardToBorrow:
        """Show whether securities are hard to borrow, and what being short them costs.

        Symbols the broker says nothing about are listed under ``unknown``.

        Raises:
            NotFound: The login has no such account, or the broker knows none of the symbols.
            ValidationFailed: A symbol does not parse.

        Source: protocol 01 §3.5.
        """
        wanted = clean_symbols(symbols)
        account = await brokerage_account(self.core, acct)
        reply = await ask(
            self.core,
            "accounts.hard_to_borrow",
            "retail-am-hardtoborrow/v1/accounts/positions/rates/borrow",
            plural({"acctNum": account.account}, securityDetails=_named(wanted)),
            CLIENT_LEVEL,
        )
        check(reply, "hardToBorrow")
        answer = read(HardToBorrow, account_entry(reply.document, account.account, "hardToBorrow"))
        answer.account = account.account
        answer.unknown = _missing(wanted, [row.symbol for row in answer.securities], "borrow rate")
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/accounts/{acct}/short-insights",
        inferred=True,
        examples=("accounts short-insights AAPL GME",),
    )
    async def short_insights(self, acct: Acct, symbols: Symbols) -> ShortInsights:
        """Show the short interest of securities: shares short, days to cover, borrow rate.

        Reports come twice a month. Symbols the broker says nothing about are listed under ``unknown``.

        Raises:
            NotFound: The login has no such account, or the broker knows none of the symbols.
            ValidationFailed: A symbol does not parse.

        Source: protocol 01 §3.13.
        """
        wanted = clean_symbols(symbols)
        account = await brokerage_account(self.core, acct)
        reply = await ask(
            self.core,
            "accounts.short_insights",
            "retail-am-shortinsight/v1/accounts/positions/insights",
            plural({"acctNum": account.account}, securityDetails=_named(wanted)),
            ORIGINATING_APP,
        )
        check(reply, "shortInsights", "securityDetails")
        answer = read(ShortInsights, reply.document)
        answer.account = account.account
        answer.unknown = _missing(wanted, [row.symbol for row in answer.securities], "short interest")
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/accounts/{acct}/short-insights/{symbol}/timeseries",
        inferred=True,
        examples=(
            "accounts short-insights-timeseries GME",
            "accounts short-insights-timeseries GME --from 2y",
        ),
    )
    async def short_insights_timeseries(
        self,
        acct: Acct,
        symbol: Symbol,
        start: Annotated[
            str | None, Param("First day: a date, or ytd, 6m, 1y ...", cli=("--from",), example="6m")
        ] = None,
        end: Annotated[
            str | None,
            Param("Day after the last: a date or a word; today is the last where left out.", cli=("--to",)),
        ] = None,
    ) -> ShortInsightSeries:
        """Show how the short interest of a security has developed, oldest report first.

        Without a range: the last twelve months.

        Raises:
            NotFound: The login has no such account.
            ValidationFailed: A date or symbol does not parse, or the range is empty.

        Source: protocol 01 §3.14.
        """
        name, span = clean_symbol(symbol), span_of(self.core, start, end, "1y")
        account = await brokerage_account(self.core, acct)
        reply = await ask(
            self.core,
            "accounts.short_insights_timeseries",
            "retail-am-shortinsight/api/v1/timeseries",
            {"symbol": name, "startDate": span.start.isoformat(), "endDate": span.last.isoformat()},
            ORIGINATING_APP,
        )
        document = reply.document
        if isinstance(document, list):
            document = {"timeseries": document}
        else:
            check(reply, "timeseries", "timeSeries", "data")
        answer = read(ShortInsightSeries, document)
        answer.account, answer.symbol = account.account, answer.symbol or name
        answer.start, answer.end = span.start, span.end
        answer.points = [point for point in answer.points if span.holds(point.as_of)]
        return with_reply(answer, reply)

    @operation(
        "GET", "/accounts/{acct}/accruals", inferred=True, examples=("accounts accruals -a Z20000025",)
    )
    async def accruals(self, acct: Acct) -> Accruals:
        """Show the margin interest and borrow fees that are adding up for an account.

        Negative amounts are charged to you.

        Raises:
            NotFound: The login has no such account.

        Source: protocol 01 §3.15.
        """
        account = await brokerage_account(self.core, acct)
        body = plural({"acctNum": account.account})
        try:
            reply = await self._accruals("v2", body)
        except BrokerError as problem:
            if _status(problem) != 404:
                raise
            reply = await self._accruals("v1", body)  # both versions are alive; which one depends on a switch
        check(reply, "accruals")
        answer = read(Accruals, account_entry(reply.document, account.account, "accruals"))
        answer.account = account.account
        return with_reply(answer, reply)

    async def _accruals(self, version: str, body: Any) -> WireReply:
        path = f"retail-am-accountaccruals/{version}/accounts/accruals"
        return await ask(self.core, f"accounts.accruals.{version}", path, body, ORIGINATING_APP)

    @operation(
        "GET",
        "/accounts/{acct}/cash-accruals",
        inferred=True,
        examples=("accounts cash-accruals -a Z30000033",),
    )
    async def cash_accruals(self, acct: Acct) -> Accruals:
        """Show the interest that an account's cash is earning.

        The broker keeps this on a host of its own, which may not be open to everyone: then it is
        "not available".

        Raises:
            NotFound: The login has no such account.
            BrokerError: Not available.

        Source: protocol 01 §3.16.
        """
        account = await brokerage_account(self.core, acct)
        path = "retail-am-accountaccruals/v1/accounts/cash/accruals"
        body = plural({"acctNum": account.account})
        try:
            reply = await ask(self.core, "accounts.cash_accruals", path, body, ORIGINATING_APP, CASH_HOST)
        except BrokerError as problem:
            raise _not_available(problem) from problem
        check(reply, "cashAccruals")
        answer = read(Accruals, account_entry(reply.document, account.account, "cashAccruals"))
        answer.account = account.account
        return with_reply(answer, reply)


def _named(symbols: list[str]) -> list[dict[str, str]]:
    return [{"symbol": symbol} for symbol in symbols]


def _missing(wanted: list[str], found: list[str | None], what: str) -> list[str]:
    """The symbols without an answer.

    Raises:
        NotFound: These are all of them.
    """
    known = {_plain(symbol) for symbol in found if symbol}
    missing = [symbol for symbol in wanted if _plain(symbol) not in known]
    if len(missing) == len(wanted):
        raise NotFound(f"The broker has no {what} for {', '.join(wanted)}.", details={"symbols": wanted})
    return missing


def _plain(symbol: str) -> str:
    """A symbol without the signs in which its spellings differ: BRK.B, BRK/B."""
    return "".join(sign for sign in symbol.upper() if sign.isalnum())


def _status(problem: BrokerError) -> Any:
    return (problem.details or {}).get("status")


def _not_available(problem: BrokerError) -> BrokerError:
    """The plain words for a host that cannot be reached or does not let us in."""
    return BrokerError(
        "Cash accruals are not available: the broker's host for them cannot be reached or refuses this "
        "login. "
        "To try the main host instead, set FT_HOSTS=dpxq1=https://dpservice.fidelity.com and "
        f"FT_UPSTREAM_REMOTE=true. ({problem.message})",
        details=problem.details,
        retry_after=problem.retry_after,
    )
