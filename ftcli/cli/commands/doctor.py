"""``ft doctor``: looks at everything a login and the daemon need, and says what is wrong and what to do."""

from typing import Annotated

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.models.field import Document, Model, at
from ftcli.operations.operation import Param


class Finding(Model):
    """One thing that was looked at."""

    check: Annotated[str, at(None, "What was looked at.", column="Check")]
    status: Annotated[str, at(None, "ok, warning, failed or skipped.", column="Status")]
    ms: Annotated[int | None, at(None, "How long it took.", unit="ms", column="ms")] = None
    outcome: Annotated[str, at(None, "What was found.", column="Outcome")] = ""
    advice: Annotated[str | None, at(None, "What to do about it.", column="What to do")] = None


class Examination(Document):
    """What the doctor found; fit to be pasted into a bug report: secrets, names and numbers are masked."""

    healthy: Annotated[bool, at(None, "Whether nothing failed.", column="Healthy")] = True
    environment: Annotated[str, at(None, "paper or live.", column="Environment")] = "live"
    findings: Annotated[list[Finding], at(None, "One after the other.")] = []


@form(examples=("doctor", "--paper doctor", "doctor --login", "doctor --json"))
async def doctor(
    call: Call,
    login: Annotated[
        bool, Param("Log in anew too, and show each step. In the live environment this is one real attempt.")
    ] = False,
    json: Annotated[bool, Param("The same as -o json.")] = False,
) -> None:
    """Check limits, login, clock, keyring, disk, broker and streams.

    Nothing is changed and no order is touched. Without --login the present session is asked about; with the
    paper broker the login is always made. The output holds no secret and may go into a bug report. The exit status
    is that of the first failure: 2 limits of orders or what a login needs, 4 login, 8 stopped or throttled, 9 broker
    or network, 10 no answer in time, 1 else.
    """
    from ftcli.cli.examination import examine
    from ftcli.cli.parsing import Exit

    if json:
        call.flags["output"] = "json"
    chart = await examine(call, login=login or call.settings.is_paper)
    rows = [Finding(**row) for row in chart.rows]
    if call.output == "table" and not call.columns:
        call.terminal.write(_as_text(rows))
    else:
        healthy = not chart.exit_status
        call.show(Examination(healthy=healthy, environment=call.settings.environment, findings=rows))
    if chart.exit_status:
        raise Exit(chart.exit_status)


def _as_text(rows: "list[Finding]") -> str:
    """One line a finding, and the advice below it."""
    width = max(len(row.check) for row in rows)
    lines = []
    for row in rows:
        took = "" if row.ms is None else f" ({row.ms} ms)"
        lines.append(f"{row.status:8} {row.check:{width}}  {row.outcome}{took}")
        if row.advice and row.status != "ok":
            lines.append(f"{'':8} {'':{width}}  → {row.advice}")
    return "\n".join(lines) + "\n"
