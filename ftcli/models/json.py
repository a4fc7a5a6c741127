"""Our JSON: exact decimals as numbers, ISO 8601 times with zone. The same bytes on every face."""

from decimal import Decimal
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(decimal_format="number")
_decoder = msgspec.json.Decoder(float_hook=Decimal)


def dumps(value: Any) -> bytes:
    """``value`` as compact JSON. Models, decimals, dates and codes are understood."""
    return _encoder.encode(value)


def loads(text: bytes | str) -> Any:
    """JSON with its numbers kept exact: integers as ``int``, everything else as ``Decimal``.

    Raises:
        msgspec.DecodeError: The text is not JSON.
    """
    return _decoder.decode(text)
