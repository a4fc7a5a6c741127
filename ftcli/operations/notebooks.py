"""The notebook (protocol 03 §13). Its bodies are inferred: nobody has recorded them."""

from typing import Annotated, Any

from ftcli.errors import BrokerError, NotFound, ValidationFailed
from ftcli.models.field import read
from ftcli.models.research import Note, NoteDeleted, Notes
from ftcli.operations.dp import check_said, dp_post
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.operations.params import clean_symbol, clean_symbols
from ftcli.wire import Retry, WireReply

_LONGEST = 20_000

NoteId = Annotated[
    str, Param("Id of the note.", argument=True, example="b21f7f7e-6f10-4c7d-9a9a-0d5a3a1f2c01")
]
Text = Annotated[str, Param("Text of the note.", example="Check Q2 cash flow.")]
Title = Annotated[str | None, Param("Title of the note.", example="Turnaround idea")]
About = Annotated[str | None, Param("Symbol the note is about.", complete="symbols", example="AAPL")]

SomeSymbols = Annotated[list[str] | None, Param("Notes about these symbols only.", complete="symbols")]


class Notebooks(Group):
    """Notes on securities, kept by the broker."""

    name = "research.notebooks"

    @operation(
        "GET",
        "/research/notebooks",
        inferred=True,
        examples=("research notebooks list", "research notebooks list --symbols AAPL"),
    )
    async def list(
        self,
        symbols: SomeSymbols = None,
    ) -> Notes:
        """List your notes.

        Source: protocol 03 §13.
        """
        wanted = clean_symbols(symbols) if symbols else []
        reply = await self.core.send(_call("detail", {"noteIds": [], "symbols": wanted}))
        answer = _notes(reply, "notes")
        if wanted:
            answer.notes = [note for note in answer.notes if (note.symbol or "").upper() in wanted]
        return with_reply(answer, reply)

    @operation(
        "POST",
        "/research/notebooks",
        risk="write",
        inferred=True,
        examples=("research notebooks create --note 'Check Q2 cash flow.' --symbol AAPL",),
    )
    async def create(self, note: Text, title: Title = None, symbol: About = None) -> Note:
        """Write a note.

        It is sent once: after a lost answer, look at the list before you write it again.

        Source: protocol 03 §13.
        """
        body = _body(note, title, symbol)
        reply = await self.core.send(_call("create", {"noteDetails": [body]}, Retry.NEVER))
        return with_reply(_written(reply, Note(note=note, title=title, symbol=body.get("symbol"))), reply)

    @operation(
        "PUT",
        "/research/notebooks/{note_id}",
        risk="write",
        inferred=True,
        examples=("research notebooks update b21f7f7e-6f10-4c7d-9a9a-0d5a3a1f2c01 --note 'Confirmed.'",),
    )
    async def update(
        self,
        note_id: NoteId,
        note: Annotated[str | None, Param("New text.")] = None,
        title: Annotated[str | None, Param("New title.")] = None,
        symbol: Annotated[str | None, Param("New symbol.", complete="symbols")] = None,
    ) -> Note:
        """Change a note. What is not given stays as it is.

        Raises:
            NotFound: There is no such note.

        Source: protocol 03 §13.
        """
        if note is None and title is None and symbol is None:
            raise ValidationFailed.of(
                "note", None, "be given, or title or symbol: there is nothing to change"
            )
        old = await find_note(self.core, note_id)
        body = _body(
            old.note or "" if note is None else note,
            old.title if title is None else title,
            old.symbol if symbol is None else symbol,
        )
        request = _call("update", {"noteDetails": [{"noteId": old.note_id, **body}]}, Retry.WRITE)
        reply = await self.core.send(request)
        given = Note(note_id=old.note_id, created=old.created, note=body["note"])
        given.title, given.symbol = body.get("title"), body.get("symbol")
        return with_reply(_written(reply, given), reply)

    @operation(
        "DELETE",
        "/research/notebooks/{note_id}",
        risk="write",
        inferred=True,
        examples=("research notebooks delete b21f7f7e-6f10-4c7d-9a9a-0d5a3a1f2c01",),
    )
    async def delete(self, note_id: NoteId) -> NoteDeleted:
        """Delete a note.

        Raises:
            NotFound: There is no such note.

        Source: protocol 03 §13.
        """
        wanted = _clean_id(note_id)
        reply = await self.core.send(_call("delete", {"noteIds": [wanted]}, Retry.WRITE))
        check_said(reply, "noteDetails", f"note {wanted}")
        return with_reply(NoteDeleted(note_id=wanted), reply)


async def find_note(core: Core, note_id: str) -> Note:
    """One note.

    Raises:
        NotFound: There is none of this id.
    """
    wanted = _clean_id(note_id)
    reply = await core.send(_call("detail", {"noteIds": [wanted], "symbols": []}))
    for note in _notes(reply, f"note {wanted}").notes:
        if note.note_id == wanted:
            return note
    raise NotFound(f"There is no note {wanted}. See: ft research notebooks list", details={"note_id": wanted})


def _call(verb: str, body: Any, retry: Retry = Retry.READ) -> Any:
    return dp_post(f"research/tool/notebook/note/{verb}/v1", body, retry)


def _clean_id(value: str) -> str:
    note_id = value.strip()
    if not note_id or len(note_id) > 64 or not all(sign.isalnum() or sign in "-_" for sign in note_id):
        raise ValidationFailed.of("note_id", value, "be the id of a note, as the list shows it")
    return note_id


def _body(note: str, title: str | None, symbol: str | None) -> dict[str, str]:
    """The wire's note: only what is given."""
    if not note.strip():
        raise ValidationFailed.of("note", note, "have a text")
    for name, text in (("note", note), ("title", title or "")):
        if len(text) > _LONGEST:
            raise ValidationFailed.of(name, f"{text[:20]}…", f"be {_LONGEST} characters at most")
    body = {"note": note}
    if title:
        body["title"] = title
    if symbol:
        body["symbol"] = clean_symbol(symbol)
    return body


def _notes(reply: WireReply, wanted: str) -> Notes:
    """Whatever the broker says, no notes are no notes (protocol 03 §13.2)."""
    document = check_said(reply, "noteDetails", wanted)
    answer = read(Notes, document)
    answer.notes = [note for note in answer.notes if note.note_id]
    return answer


def _written(reply: WireReply, given: Note) -> Note:
    """The note as the broker echoes it; where it echoes nothing, as it was given.

    Raises:
        NotFound: There is no such note.
        BrokerError: The broker refused it.
    """
    notes = _notes(reply, f"note {given.note_id}" if given.note_id else "the note").notes
    if notes:
        return notes[0]
    if not given.note_id:
        raise BrokerError(
            "The broker does not say under which id it keeps the note. See: ft research notebooks list",
            details={"status": reply.status},
        )
    return given
