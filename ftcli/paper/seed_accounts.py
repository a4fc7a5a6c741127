"""The demo customer's accounts (protocol 01 §3.1, §3.2)."""

from datetime import date, datetime
from decimal import Decimal

from ftcli.clock import market_date
from ftcli.paper.records import Account, WorkplacePlan
from ftcli.paper.seed_plan import (
    CASH_ACCOUNT,
    MANAGEMENT_ACCOUNT,
    MARGIN_ACCOUNT,
    PLAN_ACCOUNT,
    ROTH_ACCOUNT,
)


def demo_accounts(now: datetime) -> list[Account]:
    """The five accounts, in the order the broker lists them."""
    year = market_date(now).year
    return [_plan(year), _management(year), _cash(year), _margin(year), _roth(year)]


def _plan(year: int) -> Account:
    return Account(
        number=PLAN_ACCOUNT,
        kind="WPS",
        sub_type="Defined Contributions",
        sub_type_text=None,
        name="NORTHWIND MFG 401(K) PLAN",
        registration="DEFINED CONTRIBUTION",
        opened=date(year - 6, 2, 1),
        order=0,
        group_id="RA",
        retirement=True,
        plan=WorkplacePlan(
            market_value=Decimal("48210.77"),
            vested_value=Decimal("45120.30"),
            plan_type_name="401K",
            plan_type="401(k)",
            client_id="000098765",
        ),
    )


def _management(year: int) -> Account:
    return Account(
        number=MANAGEMENT_ACCOUNT,
        kind="Brokerage",
        sub_type="Cash Management",
        sub_type_text="Brokerage Cash Management",
        name="Bills and Cash",
        registration="INDIVIDUAL",
        opened=date(year - 4, 5, 17),
        order=1,
        group_id="SC",
        legal_construct="INDIVIDUAL",
        offering_code="CASHMGMTACCT",
        line_of_business="PI",
    )


def _cash(year: int) -> Account:
    return Account(
        number=CASH_ACCOUNT,
        kind="Brokerage",
        sub_type="Brokerage",
        sub_type_text="Individual Brokerage",
        name="Individual - TOD",
        registration="INDIVIDUAL",
        opened=date(year - 5, 9, 3),
        order=2,
        group_id="IA",
        default=True,
        legal_construct="INDIVIDUAL",
        line_of_business="PI",
        option_level=2,
        directed_trading=True,
    )


def _margin(year: int) -> Account:
    return Account(
        number=MARGIN_ACCOUNT,
        kind="Brokerage",
        sub_type="Brokerage",
        sub_type_text="Margin Brokerage",
        name="Active Trading",
        registration="INDIVIDUAL",
        opened=date(year - 3, 1, 22),
        order=3,
        group_id="IA",
        legal_construct="INDIVIDUAL",
        line_of_business="PI",
        option_level=5,
        margin=True,
        short_selling=True,
        directed_trading=True,
        penny_stock=True,
    )


def _roth(year: int) -> Account:
    return Account(
        number=ROTH_ACCOUNT,
        kind="Brokerage",
        sub_type="Brokerage",
        sub_type_text="Brokerage Retirement Individual",
        name="ROTH IRA",
        registration="IRA",
        opened=date(year - 4, 3, 8),
        order=4,
        group_id="RA",
        legal_construct="ROTHIRA",
        line_of_business="PI",
        option_level=0,
        retirement=True,
    )
