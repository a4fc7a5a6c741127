"""Limits, kill switch, and what they would say to an order."""

from typing import Annotated, Any

from ftcli.errors import FtError
from ftcli.models.conditional import ConditionalOrder
from ftcli.models.option_tickets import MultiLegOrder, OptionOrder
from ftcli.models.tickets import EquityOrder
from ftcli.models.trading import LimitTable, OrderCheck, TradingStatus
from ftcli.operations.operation import Group, Param, operation
from ftcli.operations.order_status import fetch_status

_PACKAGE = (
    "trading check-options --direction debit --net-price 4.50 --legs symbol=AAPL270115C150,action=buy_to_open"
    " --legs symbol=AAPL270115C160,action=sell_to_open"
)
_PAIR = (
    "trading check-conditional --condition oco --orders symbol=AAPL,action=sell,quantity=10,limit_price=165"
    " --orders symbol=AAPL,action=sell,quantity=10,stop_price=142"
)


class Trading(Group):
    """What keeps orders back: limits and the kill switch."""

    name = "trading"

    @operation("GET", "/trading/status", examples=("trading status",))
    async def status(self) -> TradingStatus:
        """Show whether orders can be placed, who halted trading, and how many outcomes are unknown."""
        return self.core.trading_status()

    @operation("GET", "/trading/limits", examples=("trading limits",))
    async def limits(self) -> LimitTable:
        """List the limits in force, and how much of each is used today.

        They come from the setting `limits`: a table of the user file, or FT_LIMITS.
        """
        return self.core.desk.limit_table()

    @operation(
        "POST",
        "/trading/check",
        examples=("trading check --symbol AAPL --action buy --quantity 10 --limit-price 150",),
    )
    async def check(self, order: Annotated[EquityOrder, Param("The order.")]) -> OrderCheck:
        """Ask the gate what it would say to an equity order: limits, kill switch, live switch. Nothing is sent."""
        return await self._check(order)

    @operation(
        "POST",
        "/trading/check/option",
        examples=(
            'trading check-option --symbol "AAPL 2027-01-15 150 C" --action buy_to_open --quantity 1 --limit-price 5',
        ),
    )
    async def check_option(self, order: Annotated[OptionOrder, Param("The order.")]) -> OrderCheck:
        """Ask the gate what it would say to an option order: limits, kill switch, live switch. Nothing is sent."""
        return await self._check(order)

    @operation(
        "POST",
        "/trading/check/options",
        examples=(_PACKAGE,),
    )
    async def check_options(
        self, order: Annotated[MultiLegOrder, Param("The legs and their net price.")]
    ) -> OrderCheck:
        """Ask the gate what it would say to a multi-leg option order. Nothing is sent."""
        return await self._check(order)

    @operation(
        "POST",
        "/trading/check/conditional",
        examples=(_PAIR,),
    )
    async def check_conditional(
        self, order: Annotated[ConditionalOrder, Param("The orders and how they hang together.")]
    ) -> OrderCheck:
        """Ask the gate what it would say to a conditional group: each order counts. Nothing is sent."""
        return await self._check(order)

    async def _check(self, order: Any) -> OrderCheck:
        account = (await self.core.account(order.account)).account
        symbols, rules = self.core.desk.needs(account, order)
        # The value is shown even where no rule asks for it.
        facts = await self.core.facts(account, symbols, rules | {"max_value"})
        return self.core.desk.check(account, order, facts)

    @operation(
        "POST",
        "/trading/halt",
        risk="write",
        examples=("trading halt --reason 'strategy misbehaves'", "trading halt --cancel-open"),
    )
    async def halt(
        self,
        reason: Annotated[str, Param("Why; told with every refusal.")] = "",
        cancel_open: Annotated[bool, Param("Also ask for every open order to be canceled.")] = False,
    ) -> TradingStatus:
        """Halt trading in this environment: no process and no face places an order until trading is resumed.

        Cancels still work. A halt that stands is left as it is, with its reason. Paper and live have a kill switch
        each. It needs neither database nor broker nor limits that can be read. Where open orders cannot be canceled,
        trading is halted all the same.

        Raises:
            InternalError: The flag cannot be made: trading is not halted.
            OrderRejected: Trading is halted, but the broker refused to cancel an order; the details name it.
            OrderUnknown: Trading is halted, but the answer to a cancel was lost; the details name the order.
            BrokerError: Trading is halted, but the broker cannot be asked.
        """
        self.core.halt(reason)
        canceled = await self._cancel_open() if cancel_open else []
        status = self.core.trading_status()
        status.canceled = canceled
        return status

    @operation("POST", "/trading/resume", risk="write", examples=("trading resume",))
    async def resume(self) -> TradingStatus:
        """End a halt of this environment: orders are let through again.

        Raises:
            InternalError: The flag cannot be taken away: trading stays halted.
        """
        self.core.resume()
        return self.core.trading_status()

    async def _cancel_open(self) -> list[str]:
        """Asks for every open order to be canceled; the orders it was asked of.

        Raises:
            FtError: Some are not; it is the worst problem, and says that trading is halted.
        """
        from ftcli.operations.cancel_orders import Target, ask_to_cancel
        from ftcli.operations.mass_cancel import look_again, together

        try:
            status, _ = await fetch_status(self.core, await self.core.default_accounts())
        except FtError as problem:
            problem.message = f"the open orders could not be read: {problem.message}"
            raise _still_open(problem, [], []) from None
        targets: dict[str, Target] = {}
        for order in status.orders:
            if order.cancelable and order.conf_num:
                targets.setdefault(order.conf_num, Target.of(order))  # of a package the first leg tells
        failed: dict[str, FtError] = {}
        for number, target in targets.items():
            try:
                await ask_to_cancel(self.core, target)
            except FtError as problem:
                failed[number] = problem
        failed, unread = await look_again(self.core, failed) if failed else (failed, None)
        canceled = [number for number in targets if number not in failed]
        if failed:
            raise _still_open(together(failed, len(targets), unread), canceled, list(failed))
        return canceled


def _still_open(problem: FtError, canceled: list[str], failed: list[str]) -> FtError:
    """The same problem, told after the good news."""
    problem.message = f"Trading is halted, but {problem.message}"
    problem.args = (problem.message,)
    problem.details = {
        **(problem.details or {}),
        "halted": True,
        "canceled": canceled,
        "not_canceled": failed,
    }
    return problem
