"""Second chances for single symbols that met an error which may pass, or no answer (protocol 05 §2.12, 2.13)."""

WAITS = (0.5, 1.0, 2.0)
"""Seconds before each retry of a symbol: the start of the reconnect schedule, three times at most."""
AFTER_SILENCE = 30.0
"""Seconds before a symbol is asked for again that was reported as unanswered: the schedule's last wait."""


class Retries:
    """How often each symbol has failed, and when it is due again."""

    def __init__(self) -> None:
        self._failed: dict[str, int] = {}
        self._due: dict[str, float] = {}
        self._silent: set[str] = set()

    def plan(self, symbol: str, now: float) -> int:
        """Note a failure.

        Returns:
            How many tries are left, the one planned now included; 0: this was the last.
        """
        failed = self._failed.get(symbol, 0)
        if failed >= len(WAITS):
            self.forget(symbol)
            return 0
        self._failed[symbol] = failed + 1
        self._due[symbol] = now + WAITS[failed]
        return len(WAITS) - failed

    def unanswered(self, symbol: str, now: float) -> bool:
        """Note that a symbol was asked for twice in vain. It will be asked for again, as long as that lasts.

        Returns:
            Whether this is new.
        """
        self._due[symbol] = now + AFTER_SILENCE
        known = symbol in self._silent
        self._silent.add(symbol)
        return not known

    def forget(self, symbol: str) -> None:
        """The symbol works, or nobody needs it."""
        self._silent.discard(symbol)
        self._failed.pop(symbol, None)
        self._due.pop(symbol, None)

    def due(self, now: float) -> list[str]:
        """The symbols to be tried now; each is handed out once."""
        found = [symbol for symbol, when in self._due.items() if when <= now]
        for symbol in found:
            del self._due[symbol]
        return found

    def times(self) -> list[float]:
        """When symbols are due."""
        return list(self._due.values())
