"""What ``ft doctor`` asks the broker: hosts, clock, login step by step, session, accounts, streams."""

import contextlib
from typing import TYPE_CHECKING, Any

from ftcli.cli.chart import Chart, Said
from ftcli.errors import AuthRequired, BrokerError, FtError, RateLimited, TotpRequired, ValidationFailed

if TYPE_CHECKING:
    from ftcli.client import Client

_CONNECT_LIMIT = 5.0
_CLOCK_TOLERANCE = 15.0
_STREAM_SECONDS = 8.0
_NETWORK = "Check the network, a proxy or firewall, and FT_UPSTREAM or FT_HOSTS."
_APPROVE = "ft auth approve --code CODE, within two minutes"


async def examine_broker(chart: Chart, client: "Client", *, login: bool) -> None:
    """Looks at everything that the broker has to do with.

    Args:
        chart: Where the findings go.
        client: Asks.
        login: Whether to log in anew.
    """
    await _hosts(chart, client)
    await chart.look("broker", lambda: _answers(client), lambda problem: _NETWORK)
    _clock(chart, client.broker.clock_ahead)
    if login:
        await _login(chart, client)
    else:
        chart.add("login", "skipped", "not tried", "ft doctor --login tries it: one real attempt.")
    alive = await chart.look("session", lambda: _session(client))
    if alive and client.broker.state == "authenticated":
        await chart.look("accounts", lambda: _accounts(client))
        await chart.look("stream mdds", lambda: _market_data(client))
        await chart.look("stream beps", lambda: _events(client))
    else:
        for stream in ("stream mdds", "stream beps"):
            chart.add(stream, "skipped", "no session")


async def _hosts(chart: Chart, client: "Client") -> None:
    settings = client.settings
    limit, elsewhere = min(_CONNECT_LIMIT, settings.timeout), {"beps": settings.beps_stream_url}
    reached = await client.broker.reach(limit, elsewhere)
    if not reached:
        chart.add("hosts", "skipped", "the paper broker is inside this process")
    for one in reached:
        status = "ok" if not one.problem else "failed" if one.is_essential else "warning"
        outcome = one.problem or f"connects ({one.how})"
        advice = _NETWORK if one.problem else None
        text = f"{outcome}; for {', '.join(one.keys)}"
        chart.add(f"host {one.address}", status, text, advice, one.seconds * 1000, BrokerError.exit_status)


async def _answers(client: "Client") -> Said:
    ahead = await client.broker.look_at_login_page()
    return "ok", "the login page answers" + ("; it tells no time" if ahead is None else ""), None


def _clock(chart: Chart, ahead: float | None) -> None:
    if ahead is None:
        chart.add("clock", "skipped", "the broker told no time")
        return
    where = "ahead of" if ahead > 0 else "behind"
    text = f"{abs(ahead):.0f} s {where} the broker's"
    if abs(ahead) < _CLOCK_TOLERANCE:
        chart.add("clock", "ok", text)
    else:
        chart.add(
            "clock", "failed", text, "Set this machine's clock: codes of the second factor depend on it."
        )


async def _login(chart: Chart, client: "Client") -> None:
    def note(step: Any) -> None:
        # The row "login" that follows says what it means; a step is never the first to fail for the exit status.
        status = "ok" if step.ok else "failed"
        chart.add(f"login {step.name}", status, step.outcome, ms=step.seconds * 1000, exit_status=0)

    async def run() -> Said:
        await client.login(None, None, None)
        return "ok", "logged in", None

    client.broker.watch_login(note)
    try:
        # Not broken off: once the password has left, its answer counts.
        await chart.look("login", run, _advice_on_login, limited=False)
    finally:
        client.broker.watch_login(None)


def _advice_on_login(problem: FtError) -> Said | str | None:
    """What to do about a login that failed; a second factor that is waited for is no failure."""
    details = problem.details or {}
    if isinstance(problem, TotpRequired):
        return "warning", "the broker waits for the code of the second factor", _APPROVE
    if isinstance(problem, ValidationFailed):
        return "Give the credentials: ft auth credentials set, or FT_USERNAME and FT_PASSWORD."
    if isinstance(problem, RateLimited):
        if details.get("reason") == "attempts":
            return (
                "Do not try on: ft has stopped before the broker locks the account. Log in with the official app to "
                "make sure of the password, store it with ft auth credentials set, and wait for the hour to end."
            )
        return "The broker throttles logins: wait, and log in once."
    if isinstance(problem, AuthRequired):
        if details.get("step") == "password":
            return (
                "Make sure of user name and password in the official app. If the account is locked, unlock it there or "
                "by phone, and store the right password before ft tries again: every wrong attempt counts."
            )
        if details.get("step") == "totp":
            return "Check this machine's clock and the authenticator's secret; then log in with a fresh code."
        return "Log in once with the official app: it shows what the broker wants."
    return _NETWORK if isinstance(problem, BrokerError) else None


async def _session(client: "Client") -> Said:
    status = await client.session_status(offline=False)
    text = f"{status.state}" + (f"; {status.note}" if status.note else "")
    if status.state == "authenticated":
        quotes = {True: "real-time quotes", False: "delayed quotes", None: "entitlement not known"}
        text = f"{text}; {quotes[status.real_time_quotes]}"
        return ("warning" if status.note else "ok"), text, _NETWORK if status.note else None
    advice = _APPROVE if status.state == "totp_pending" else "ft auth login"
    return "warning", text, advice


async def _accounts(client: "Client") -> Said:
    found = await client.accounts.list()
    with contextlib.suppress(ValidationFailed):  # limits that do not parse have a row of their own
        unknown = {one.account for one in client.desk.limits if one.account} - {
            account.account for account in found.accounts
        }
        if unknown:
            rule = "in [limits] is no account of this login"
            return (
                "warning",
                f"{', '.join(sorted(unknown))} {rule}",
                "These limits hold for nobody: put it right.",
            )
    return "ok", f"{len(found.accounts)} accounts", None


async def _market_data(client: "Client") -> Said:
    return await _stream(client, "quote", ["SPY"], "market data flows")


async def _events(client: "Client") -> Said:
    return await _stream(client, "event", [], "account events are subscribed to")


async def _stream(client: "Client", kind: str, symbols: list[str], fine: str) -> Said:
    """Subscribes and waits for the first sign of life."""
    import asyncio

    said = "it says nothing"
    try:
        async with asyncio.timeout(_STREAM_SECONDS), client.updates(kind, symbols) as updates:
            async for update in updates:
                if update.kind == kind:
                    return "ok", fine, None
                if update.kind == "status":
                    if kind == "event" and update.value.state == "open":
                        return "ok", fine, None
                    said = f"{update.value.state}" + (
                        f" ({update.value.reason})" if update.value.reason else ""
                    )
                elif update.kind == "symbol_error":
                    said = "the broker refuses the symbol"
    except TimeoutError:
        return "failed", f"not up within {_STREAM_SECONDS:g} s: {said}", _NETWORK
    return "failed", f"the stream ended: {said}", _NETWORK
