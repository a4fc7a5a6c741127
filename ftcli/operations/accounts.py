"""Accounts and portfolio (protocol 01)."""

from typing import Any, TypeVar

from ftcli.errors import NotFound
from ftcli.models.accounts import (
    Account,
    Features,
    FeaturesReply,
    Positions,
    PositionsReply,
)
from ftcli.models.accounts import Accounts as AccountList
from ftcli.models.balances import Balances, BalancesReply
from ftcli.models.field import read
from ftcli.operations.account_calls import check, dp_read
from ftcli.operations.history import History
from ftcli.operations.holdings import Holdings
from ftcli.operations.operation import operation, with_reply
from ftcli.operations.params import Acct, clean_account
from ftcli.operations.verdicts import check_messages
from ftcli.redaction import remember_account
from ftcli.wire import WireReply, WireRequest

P = TypeVar("P", Positions, Balances, Features)

ALL_CATEGORIES = "Brokerage,WorkplaceContributions"


class Accounts(History, Holdings):
    """Accounts, positions, balances and history."""

    name = "accounts"

    @operation("GET", "/accounts", examples=("accounts list", "accounts list -o json"))
    async def list(self) -> AccountList:
        """List the accounts of the login.

        Source: protocol 01 §3.1.
        """
        reply = await self.core.send(accounts_request())
        check_messages(reply, "acctDetails")
        answer = read(AccountList, reply.document)
        answer.accounts = [account for account in answer.accounts if account.account]
        for account in answer.accounts:
            remember_account(account.account)
        return with_reply(answer, reply)

    @operation(
        "GET",
        "/accounts/{acct}/positions",
        examples=("accounts positions", "accounts positions -a Z20000025 --sort -market_value"),
    )
    async def positions(self, acct: Acct) -> Positions:
        """Show what an account holds, with market value and gain.

        The money-market core fund is a position without cost basis, so its whole value counts as gain: leave
        rows of security type Core out for gains of investments.

        Raises:
            NotFound: The login has no such account.

        Source: protocol 01 §3.3.
        """
        account = await self.core.account(clean_account(acct))
        reply = await self.core.send(dp_read("position/v2", _positions_body(account)))
        check_messages(reply, "position")
        return _own(account, read(PositionsReply, reply.document).accounts, reply)

    @operation(
        "GET", "/accounts/{acct}/balances", examples=("accounts balances", "accounts balances -o json")
    )
    async def balances(self, acct: Acct) -> Balances:
        """Show an account's value, cash, buying power and margin.

        Three snapshots: at the latest prices, at regular-session prices, and at the last close; the broker may
        leave any of them out.

        Raises:
            NotFound: The login has no such account.

        Source: protocol 01 §3.6.
        """
        account = await self.core.account(clean_account(acct))
        reply = await self.core.send(dp_read("balance/detail/v2", _balances_body(account)))
        check_messages(reply, "balances")
        return _own(account, read(BalancesReply, reply.document).accounts, reply)

    @operation("GET", "/accounts/{acct}/features", inferred=True, examples=("accounts features",))
    async def features(self, acct: Acct) -> Features:
        """Show what an account may do: margin, options, short selling.

        Raises:
            NotFound: The login has no such account.

        Source: protocol 01 §3.2.
        """
        account = await self.core.account(clean_account(acct))
        body = {"acctNums": [account.account]}
        reply = await self.core.send(dp_read("customer-am-feature/v2/accounts/features/get", body))
        document = reply.document
        if isinstance(document, list):
            document = {"acctDetails": document}
        else:
            check(reply, "acctDetails", "accountFeatures", "acctFeatures", "features")
        return _own(account, read(FeaturesReply, document).accounts, reply)


def _own(account: Account, entries: "list[P]", reply: WireReply) -> P:
    """The entry of the account asked for: matched by number, never by place (protocol 01 §1.7)."""
    for entry in entries:
        if entry.account == account.account:
            return with_reply(entry, reply)
    raise NotFound(
        f"The broker gave no data for account {account.account}.", details={"account": account.account}
    )


def accounts_request() -> WireRequest:
    """Account discovery, with every block we can read (protocol 01 §3.1)."""
    wanted = (
        "PreferenceDetail",
        "AcctTradeAttrDetail",
        "AcctTypesIndDetail",
        "AcctLegalAttrDetail",
        "WorkplacePlanDetail",
        "GroupDetail",
    )
    filters = {f"return{block}": True for block in wanted}
    return dp_read("customer-am-acctnxt/v2/accounts", {"acctCategory": ALL_CATEGORIES, "filters": filters})


def _positions_body(account: Account) -> Any:
    """Protocol 01 §3.3; the nulls are sent on purpose."""
    row = {
        "retirementInd": account.retirement,
        "tradable": False,
        "acctNum": account.account,
        "acctType": account.account_type,
        "acctSubType": account.sub_type,
        "isTradable": True,
        "managedAcctCode": None,
        "filiSystem": None,
        "filiProdDesc": None,
        "filiProdCode": None,
    }
    parameter = {
        "returnSecurityDetail": True,
        "returnAvailabilityStatus": False,
        "returnUnadjustedFields": True,
        "returnPositionMarketValDetail": True,
        "returnAccountGainLossDetail": True,
        "returnPortfolioGainLossDetail": True,
        "returnDistributionDetail": True,
        "externalCustomerID": None,
        "returnAdditionalPositionDetail": True,
        "returnTradingAllowedActionDetail": True,
        "returnSellToTransferEligible": False,
        "returnBasketDetail": False,
        "returnAccountBasketDetail": False,
        "acctDetails": {"acctDetail": [row]},
    }
    return {"request": {"parameter": parameter}}


def _balances_body(account: Account) -> Any:
    """Protocol 01 §3.6; the nulls are sent on purpose."""
    blocks = (
        "AddlInfoDetail",
        "AcctValDetail",
        "AvailableToWithdrawDetail",
        "CashDetail",
        "BuyingPowerDetail",
        "MarginDetail",
        "BondDetail",
        "ShortDetail",
        "OptionsDetail",
        "SimplifiedMarginDetail",
    )
    row = {
        "acctType": account.account_type,
        "acctNum": account.account,
        "acctSubType": account.sub_type,
        "hardToBorrow": False,
        "multiMarginSummaryInd": False,
        "filiSystem": None,
        "depositsInd": False,
        "clientID": None,
    }
    filters = {
        "priceTiming": {"includeRecent": True, "includeIntraday": True, "includeClose": True},
        "requestedData": {f"include{block}": True for block in blocks},
        "includeGrossLiquidityVal": False,
        "includeDeposits": False,
        "includeDCLoan": False,
        "includeCryptoMarketVal": False,
        "includeAvailForCryptoTransferDetail": False,
    }
    return {"request": {"parameter": {"filters": filters, "acctDetails": {"acctDetail": [row]}}}}
