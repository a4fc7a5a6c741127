"""Which key keeps which symbols subscribed: each may hold so many, and nobody lets go of another's."""

from collections import Counter
from collections.abc import Callable

from ftcli.errors import NotFound, ValidationFailed
from ftcli.server.keys import ApiKey
from ftcli.streaming.hub import Hub


class Holds:
    """Keeps account of the symbols that keys hold in the hub.

    Args:
        most: How many different symbols one key may hold.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._held: dict[str, Counter[str]] = {}
        self._keys: dict[str, ApiKey] = {}

    def hold(self, hub: Hub, key: ApiKey, symbols: list[str]) -> None:
        """Keeps symbols subscribed, once more each.

        Raises:
            RateLimited: The broker's sockets have no room for them.
            ValidationFailed: One is no symbol, or the key would hold too many.
        """
        mine = self._held.get(key.id, Counter())
        if (count := len({*mine, *symbols})) > self._most:
            raise ValidationFailed.of("symbols", count, f"be at most {self._most} held by one key")
        hub.hold(symbols)
        mine.update(symbols)
        self._held[key.id] = mine
        self._keys[key.id] = key

    def release(self, hub: Hub, key: ApiKey, symbols: list[str]) -> None:
        """Ends one hold of each symbol: the key's own, or where it is an admin's anybody's.

        Raises:
            NotFound: A symbol is not held by this key. None is changed then.
        """
        others = list(self._held) if key.allows("admin") else []
        owners = [
            next((one for one in [key.id, *others] if self._held.get(one, Counter())[symbol]), None)
            for symbol in symbols
        ]
        missing = [symbol for symbol, owner in zip(symbols, owners, strict=True) if owner is None]
        if missing:
            raise NotFound(
                f"Not held by this key: {', '.join(missing)}. Who subscribed them, or a key with the scope admin, "
                "can let go of them.",
                details={"symbols": missing},
            )
        hub.unhold(symbols)
        for symbol, owner in zip(symbols, owners, strict=True):
            assert owner is not None
            self._held[owner] -= Counter([symbol])
            if not self._held[owner]:
                self._forget(owner)

    def release_ended(self, hub: Hub, is_good: Callable[[ApiKey], bool]) -> None:
        """Ends every hold of keys that have ended.

        Args:
            hub: Where they hold.
            is_good: Whether a key is good still.
        """
        for key in [key for key in self._keys.values() if not is_good(key)]:
            for symbol in self._held[key.id].elements():
                hub.unhold([symbol])
            self._forget(key.id)

    def _forget(self, identity: str) -> None:
        del self._held[identity], self._keys[identity]

    def clear(self) -> None:
        """Forgets all: the hub they were in is gone."""
        self._held.clear()
        self._keys.clear()
