"""The notebook as `dp` keeps it (protocol 03 §13); notes survive in the paper broker's file."""

import hashlib
from collections.abc import Container
from itertools import count
from typing import TYPE_CHECKING, Any

from ftcli.clock import NEW_YORK
from ftcli.models.field import as_list
from ftcli.models.values import WRITERS, read_text
from ftcli.paper.documents import Documents
from ftcli.paper.wire.exchange import BadRequest, PaperRequest, answers

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

PATH = "/ftgw/dp/research/tool/notebook/note"
KIND = "notes"


def _said(text: str, code: str = "2000", kind: str = "") -> dict[str, Any]:
    message = {"message": text, "detail": "", "source": "", "code": code, "type": kind}
    return {"sysMsgs": {"sysMsg": [message]}}


def _body(request: PaperRequest) -> dict[str, Any]:
    body = request.document
    if not isinstance(body, dict):
        raise BadRequest("Missing body")
    return body


def _given(body: dict[str, Any]) -> list[dict[str, Any]]:
    """The notes in a request.

    Raises:
        BadRequest: There is none, or one without a text.
    """
    notes = [note for note in as_list(body.get("noteDetails")) if isinstance(note, dict)]
    if not notes or not all(read_text(note.get("note")) for note in notes):
        raise BadRequest("Missing field noteDetails.note")
    return notes


def _content(note: dict[str, Any]) -> dict[str, Any]:
    return {name: note[name] for name in ("title", "note", "symbol") if read_text(note.get(name))}


@answers("POST", f"{PATH}/detail/v1")
def list_notes(desk: "Desk", request: PaperRequest) -> Any:
    """Notes by id and symbol; all of them where neither is given."""
    body = _body(request)
    ids, symbols = (set(map(str, body.get(name) or [])) for name in ("noteIds", "symbols"))
    notes = [
        note
        for key, note in Documents(desk.state, KIND).all().items()
        if (not ids or key in ids) and (not symbols or note.get("symbol") in symbols)
    ]
    return {**_said("Request Successful" if notes else "No notes found"), "noteDetails": notes}


@answers("POST", f"{PATH}/create/v1")
def create_notes(desk: "Desk", request: PaperRequest) -> Any:
    """Writes notes down."""
    stamp, written = _stamp(desk), []
    with Documents(desk.state, KIND).changing() as documents:
        for note in _given(_body(request)):
            key = _new_id(desk, stamp, documents.documents)
            kept = {"noteId": key, **_content(note), "createdTimeStamp": stamp, "lastUpdatedTime": stamp}
            documents.put(key, kept)
            written.append(kept)
    return {**_said("Request Successful"), "noteDetails": written}


@answers("POST", f"{PATH}/update/v1")
def update_notes(desk: "Desk", request: PaperRequest) -> Any:
    """Replaces notes as a whole; all of them or, where an id is unknown, none."""
    stamp, notes, written = _stamp(desk), _given(_body(request)), []
    with Documents(desk.state, KIND).changing() as documents:
        if any(str(note.get("noteId")) not in documents.documents for note in notes):
            return _said("Note not found", "4040", "E")
        for note in notes:
            key = str(note["noteId"])
            created = documents.documents[key]["createdTimeStamp"]
            kept = {"noteId": key, **_content(note), "createdTimeStamp": created, "lastUpdatedTime": stamp}
            documents.put(key, kept)
            written.append(kept)
    return {**_said("Request Successful"), "noteDetails": written}


@answers("POST", f"{PATH}/delete/v1")
def delete_notes(desk: "Desk", request: PaperRequest) -> Any:
    """Takes notes away; all of them or, where an id is unknown, none."""
    ids = [str(note_id) for note_id in _body(request).get("noteIds") or []]
    if not ids:
        raise BadRequest("Missing field noteIds")
    with Documents(desk.state, KIND).changing() as documents:
        if any(note_id not in documents.documents for note_id in ids):
            return _said("Note not found", "4040", "E")
        for note_id in dict.fromkeys(ids):
            documents.delete(note_id)
    return _said("Request Successful")


def _new_id(desk: "Desk", stamp: str, taken: Container[str]) -> str:
    """An id in the form of a UUID: the same on every paper broker that did the same at the same time."""
    for number in count():
        digits = hashlib.blake2b(f"{desk.member_id} {stamp} {number}".encode(), digest_size=16).hexdigest()
        key = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        if key not in taken:
            return key
    raise AssertionError  # there is always a next number


def _stamp(desk: "Desk") -> str:
    text: str = WRITERS["stamp"](desk.now().astimezone(NEW_YORK))
    return text
