"""Documents that carry numbers: counted up, never given twice, from a stock that is there at the start.

The count stands among the documents under a key of its own, so numbers stay unique when documents go, and its
presence tells that the stock has been laid in.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from ftcli.paper.documents import Changing

COUNTER = "#"
"""Key of the count."""


def stocked(documents: Mapping[str, Any], stock: Mapping[str, Any]) -> dict[str, Any]:
    """The documents as they stand; as long as nothing was ever changed, those of the stock."""
    found = documents if COUNTER in documents else stock
    return {key: document for key, document in found.items() if key != COUNTER}


def lay_in(changing: Changing, stock: Mapping[str, Any]) -> None:
    """Stores the stock at the first change; its documents count as numbers 1 on."""
    if COUNTER not in changing.documents:
        changing.put(COUNTER, {"last": len(stock)})
        for key, document in stock.items():
            changing.put(key, document)


def next_number(changing: Changing) -> int:
    """The next number."""
    number = int((changing.documents.get(COUNTER) or {"last": 0})["last"]) + 1
    changing.put(COUNTER, {"last": number})
    return number


def identity(*parts: object) -> str:
    """An id in the form of a UUID, always the same for the same parts."""
    text = hashlib.blake2b(" ".join(map(str, parts)).encode(), digest_size=16).hexdigest()
    return "-".join((text[:8], text[8:12], f"4{text[13:16]}", f"8{text[17:20]}", text[20:]))
