"""Worked transcripts of the stream protocol: lines of client, server and what is published."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

FOLDER = Path(__file__).parent.parent / "data" / "stream_transcripts"


class Line(NamedTuple):
    """One line: ``C`` the client sends, ``S`` the server sends, ``O`` is published."""

    who: str
    text: str

    @property
    def document(self) -> dict[str, Any]:
        document: dict[str, Any] = json.loads(self.text, parse_float=Decimal)
        return document


def transcript(name: str) -> list[Line]:
    lines = (FOLDER / f"{name}.txt").read_text("utf-8").splitlines()
    return [Line(line[0], line[3:]) for line in lines if line[:3] in ("C> ", "S> ", "O> ")]


def parse(body: bytes) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(body, parse_float=Decimal)
    return document


def covers(found: Any, wanted: Any) -> bool:
    """Whether ``found`` says at least what ``wanted`` says; a null may be left out."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(covers(found.get(key), value) for key, value in wanted.items())
    if isinstance(wanted, list):
        same = isinstance(found, list) and len(found) == len(wanted)
        return same and all(covers(one, other) for one, other in zip(found, wanted, strict=True))
    return bool(found == wanted)


def assert_in_order(published: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> None:
    """The wanted objects are among the published ones, in this order."""
    rest = iter(published)
    for document in wanted:
        for found in rest:
            if covers(found, document):
                break
        else:
            raise AssertionError(f"not published in its place: {document}\npublished: {published}")
