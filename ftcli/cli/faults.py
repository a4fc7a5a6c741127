"""How errors are told: a few lines for a person, one JSON object for a program, and the exit status."""

import sys
from typing import TYPE_CHECKING, Any

from ftcli.errors import FtError, InternalError

if TYPE_CHECKING:
    from ftcli.cli.call import Call

INTERRUPTED = 130


def report(problem: FtError, call: "Call") -> int:
    """Prints an error on stderr and answers the exit status."""
    terminal = call.terminal
    if _wants_json(call):
        from ftcli.models.json import dumps

        terminal.stderr.write(dumps(problem.document()).decode() + "\n")
        return problem.exit_status
    mark = "Error:"
    if terminal.has_color(call.color, terminal.stderr):
        mark = f"\x1b[1;31m{mark}\x1b[0m"
    terminal.talk(f"{mark} {problem.message} [{problem.code}]")
    for line in [*_more(problem), *_next_step(problem, call)]:
        terminal.talk(line)
    return problem.exit_status


def report_unexpected(problem: BaseException, call: "Call") -> int:
    """Prints a fault of ours: a short id, and with ``--debug`` the redacted traceback."""
    from secrets import token_hex

    from ftcli.redaction import redact, redact_log

    number = token_hex(4)
    if call.verbosity > 1:
        import traceback

        call.terminal.stderr.write(redact_log("".join(traceback.format_exception(problem))))
    hint = "" if call.verbosity > 1 else " Run it again with --debug to see where."
    what = redact(f"{type(problem).__name__}: {problem}"[:300])
    return report(
        InternalError(f"This is a fault of ft, not yours ({what}).{hint}", details={"id": number}), call
    )


def silence_stdout() -> None:
    """After a broken pipe: keeps the interpreter's last flush from complaining."""
    import os

    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except (OSError, ValueError):
        pass


def _wants_json(call: "Call") -> bool:
    """Whether errors are for a program. Settings may be what is wrong: then the bare command line tells."""
    output = call.flags.get("output")
    if output is None:
        args = call.args
        for index, arg in enumerate(args):
            if arg in ("-o", "--output") and index + 1 < len(args):
                output = args[index + 1]
            elif arg.startswith("--output="):
                output = arg.partition("=")[2]
            elif arg.startswith("-o") and len(arg) > 2:
                output = arg[2:].removeprefix("=")
    if output is None and call.has_settings:
        output = call.settings.output
    return (output or call.terminal.environ.get("FT_OUTPUT")) in ("json", "jsonl")


def _more(problem: FtError) -> list[str]:
    """What the message leaves out: the broker's further messages, an id, when to come back."""
    details: dict[str, Any] = problem.details or {}
    lines = []
    for item in details.get("messages") or []:
        text = item.get("text") if isinstance(item, dict) else None
        if text and text not in problem.message:
            lines.append(f"  {item.get('severity') or 'note'}: {text}")
    if "id" in details and isinstance(problem, InternalError):
        lines.append(f"  id: {details['id']}")
    if problem.retry_after:
        lines.append(f"  Try again in {problem.retry_after:.0f} s.")
    return lines


def _next_step(problem: FtError, call: "Call") -> list[str]:
    """The command that helps, where the message does not name one already."""
    if problem.code in ("AUTH_REQUIRED", "SESSION_EXPIRED"):
        rest = " ".join(arg for arg in call.args if arg not in ("--paper",))
        steps = []
        if "ft auth login" not in problem.message:
            steps.append("  Log in:             ft auth login")
        if "--paper" not in problem.message and call.flags.get("environment") != "paper":
            steps.append(f"  Without an account: ft --paper {rest}".rstrip())
        return steps
    if problem.code == "TOTP_REQUIRED" and "ft auth" not in problem.message:
        return ["  Give the second factor: ft auth approve --code CODE"]
    return []
