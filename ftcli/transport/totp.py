"""The second factor: a typed code, or a secret from which the code is computed (protocol 00 §3.6)."""

import base64
import binascii
from collections.abc import Awaitable, Callable
from typing import NamedTuple

from ftcli.clock import Clock
from ftcli.errors import ValidationFailed
from ftcli.redaction import Secret
from ftcli.totp import STEP, code_of

MARGIN = 3.0
"""With less than this left of a step, the next code is awaited: the call itself takes time."""
_FAR_AHEAD = 3
"""Steps by which clocks differ that were merely corrected."""


class Factor(NamedTuple):
    """A second factor that passed the check of its form.

    Attributes:
        text: Six digits, or the base32 secret in upper case without blanks, dashes and padding.
        is_code: Whether it is the code itself, which works once and soon.
    """

    text: str
    is_code: bool

    def __repr__(self) -> str:
        return f"Factor({'code' if self.is_code else 'secret'})"


class FreshCode(NamedTuple):
    """A code to send now.

    Attributes:
        code: Six digits.
        step: Number of its 30-second step since 1970; ``None`` for a typed code.
    """

    code: str
    step: int | None

    def __repr__(self) -> str:
        return f"FreshCode(step={self.step})"


def parse_factor(given: Secret | str) -> Factor:
    """Tells a code from a secret.

    Raises:
        ValidationFailed: It is neither. The text is not repeated in the error.
    """
    text = (given.reveal() if isinstance(given, Secret) else given).strip()
    if len(text) == 6 and text.isascii() and text.isdigit():
        return Factor(text, is_code=True)
    seed = "".join(text.split()).replace("-", "").upper().rstrip("=")
    try:
        usable = bool(base64.b32decode(seed + "=" * (-len(seed) % 8)))
    except (binascii.Error, ValueError):
        usable = False
    if not usable:
        rule = "be six digits or the base32 secret of the authenticator app"
        raise ValidationFailed(
            f"totp: the text given must {rule}.", details={"field": "totp", "value": None, "rule": rule}
        )
    return Factor(seed, is_code=False)


def is_spent(step: int, last_step: int) -> bool:
    """Whether the code of a step may not be sent any more.

    Args:
        step: The step.
        last_step: The step whose code was sent last, 0 for none. One that lies far ahead was counted by a clock that
            was wrong then: to wait for it could take days.
    """
    return step <= last_step <= step + _FAR_AHEAD


async def fresh_code(
    factor: Factor, last_step: int, clock: Clock, sleep: Callable[[float], Awaitable[None]]
) -> FreshCode:
    """The code to send now; waits where the present step is nearly over or its code was sent before.

    Args:
        factor: The second factor.
        last_step: The step whose code was sent last, 0 for none: a code is never sent twice.
        clock: Reads the time.
        sleep: Waits that many seconds.
    """
    if factor.is_code:
        return FreshCode(factor.text, None)
    now = clock().timestamp()
    step = int(now // STEP)
    spent = is_spent(step, last_step)
    if spent or (step + 1) * STEP - now < MARGIN:
        step = (max(step, last_step) if spent else step) + 1
        # A little into the step, so that a server clock that is slightly behind agrees.
        await sleep(step * STEP - now + 0.5)
    return FreshCode(code_of(factor.text, step), step)
