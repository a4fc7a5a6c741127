"""The one narrow interface of everything that keeps secrets: four calls, one error."""

from typing import Protocol


class StoreUnusable(Exception):
    """The store cannot be used, or protects nothing. The text says why, and holds no secret.

    Attributes:
        absent: There is no such store here at all, so it holds nothing that could be reached.
    """

    absent = False


class SecretStore(Protocol):
    """Keeps texts by the name of their entry."""

    @property
    def name(self) -> str:
        """Its name for people."""

    def probe(self) -> None:
        """Finds out whether it can keep a secret.

        Raises:
            StoreUnusable: It cannot.
        """

    def get(self, entry: str) -> str | None:
        """The text of an entry, ``None`` if there is none.

        Raises:
            StoreUnusable: It cannot be read.
        """

    def set(self, entry: str, text: str) -> None:
        """Keeps a text, and has made sure of it.

        Raises:
            StoreUnusable: It was not kept.
        """

    def delete(self, entry: str) -> bool:
        """Removes an entry; answers whether it was there.

        Raises:
            StoreUnusable: It cannot be written.
        """
