"""What the hub hands to consumers: bytes made once, shared by all."""

from decimal import Decimal
from typing import Any, Literal

import msgspec

from ftcli.models.streaming import (
    Bar,
    Book,
    Event,
    Gap,
    Quote,
    StreamState,
    SymbolError,
    Trade,
)

UpdateKind = Literal["quote", "trade", "book", "bar", "event", "status", "symbol_error", "gap"]

MODELS: dict[UpdateKind, type[msgspec.Struct]] = {
    "quote": Quote,
    "trade": Trade,
    "book": Book,
    "bar": Bar,
    "event": Event,
    "status": StreamState,
    "symbol_error": SymbolError,
    "gap": Gap,
}
"""The typed form of each kind of update."""

Payload = bytes
_SSE_EVENT = {"event": "beps"}
_decoders: dict[str, msgspec.json.Decoder[Any]] = {}


class Update(msgspec.Struct, eq=False):
    """One thing that happened, as ready JSON.

    The same object goes to every consumer that wants it, so framings made for one serve all.

    Attributes:
        kind: What it is.
        symbol: What it is about, or an empty text.
        seq: Position in its symbol's stream.
        id: Position in the hub's stream, across all symbols; what ``Last-Event-ID`` counts.
        bytes: The JSON object.
        key: Updates with the same key replace one another for a slow consumer; ``None``: never.
        epoch: The hub's start, so that an id of another life is recognised.
    """

    kind: UpdateKind
    symbol: str
    seq: int
    id: int
    bytes: Payload
    key: str | None = None
    epoch: str = ""
    _sse: Payload = b""
    _chunk: Payload = b""
    _frame: Payload = b""

    @property
    def value(self) -> Any:
        """The typed object (:class:`~ftcli.models.streaming.Quote` ...), decoded on demand; numbers exact."""
        decoder = _decoders.get(self.kind)
        if decoder is None:
            decoder = _decoders[self.kind] = msgspec.json.Decoder(MODELS[self.kind], float_hook=Decimal)
        return decoder.decode(self.bytes)

    @property
    def quote(self) -> Quote:
        """The quote of an update of kind ``quote``."""
        quote: Quote = self.value
        return quote

    @property
    def event_id(self) -> str:
        """The id as Server-Sent Events carry it."""
        return f"{self.epoch}-{self.id}"

    @property
    def sse(self) -> Payload:
        """The update as one Server-Sent Event."""
        if not self._sse:
            name = _SSE_EVENT.get(self.kind, self.kind)
            head = f"event: {name}\nid: {self.epoch}-{self.id}\ndata: "
            self._sse = b"%b%b\n\n" % (head.encode(), self.bytes)
        return self._sse

    @property
    def sse_chunk(self) -> Payload:
        """The Server-Sent Event as one chunk of a chunked HTTP/1.1 body."""
        if not self._chunk:
            self._chunk = b"%x\r\n%b\r\n" % (len(self.sse), self.sse)
        return self._chunk

    @property
    def ws_frame(self) -> Payload:
        """The JSON with its ``id`` as one unmasked, uncompressed WebSocket text frame, as servers send them."""
        if not self._frame:
            identity = f',"id":"{self.epoch}-{self.id}"}}'
            self._frame = ws_text_frame(self.bytes[:-1] + identity.encode())
        return self._frame


def with_raw(update: Update, raw: dict[str, str]) -> Update:
    """The update with the broker's own values as its member ``raw``; as it is where there are none."""
    if not raw:
        return update
    body = b'%b,"raw":%b}' % (update.bytes[:-1], msgspec.json.encode(raw))
    return Update(update.kind, update.symbol, update.seq, update.id, body, update.key, update.epoch)


def ws_text_frame(payload: bytes) -> bytes:
    """A payload as a final, unmasked WebSocket text frame (RFC 6455 §5.2)."""
    size = len(payload)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 65536:
        head = b"\x81\x7e" + size.to_bytes(2, "big")
    else:
        head = b"\x81\x7f" + size.to_bytes(8, "big")
    return head + payload
