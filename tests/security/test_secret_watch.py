"""The search itself: it must find what it looks for, or its silence means nothing."""

import base64
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from secret_watch import Watch

from ftcli.paper.event_tokens import mint
from ftcli.paper.logins import Logins, User
from ftcli.server.key_text import new_key

HIDDEN = 's3cret "value" / 99'


def found(data: bytes) -> list[str]:
    watch = Watch()
    watch.know("hidden", HIDDEN)
    return [hit.partition(" in ")[0] for hit in watch.hits("somewhere", data)]


@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_a_secret_is_found_in_base64_at_any_offset(before: bytes, after: bytes) -> None:
    assert "hidden" in found(base64.b64encode(before + HIDDEN.encode() + after))


@pytest.mark.parametrize(
    "text",
    [
        HIDDEN,
        quote(HIDDEN, safe=""),
        HIDDEN.encode().hex(),
        HIDDEN.encode().hex().upper(),
        HIDDEN.replace('"', '\\"'),
    ],
)
def test_a_secret_is_found_in_every_spelling(text: str) -> None:
    assert found(f"x={text}&y".encode()) == ["hidden"]


def test_what_the_paper_broker_hands_out_is_found(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    token = Logins(User(username="kim", password="no matter what")).token()
    assert found(f"Cookie: ATC={token}".encode()) == ["token of the paper broker"]
    assert found(mint("member", datetime.now(UTC))[0].encode()) == ["event token"]
    key = new_key()
    assert found(key.encode()) == ["API key"]
    assert found(key[:-1].encode() + (b"0" if key[-1] != "0" else b"1")) == []
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "some.log").write_text(token)
    (tmp_path / "password.txt").write_text(token)
    watch = Watch()
    assert len(list(watch.hits_in_folder(tmp_path, ("*password*",)))) == 1
    (tmp_path / "deep" / "some.log").unlink()  # or the search of the whole suite would find it


def test_only_commands_that_tell_secrets_are_spared() -> None:
    watch = Watch()
    watch.know("hidden", HIDDEN)
    watch.collect("answer", ("--debug", "keys", "create"), HIDDEN)
    assert list(watch.drain()) == []
    watch.collect("answer", ("keys", "list"), "fine", HIDDEN)
    assert len(list(watch.drain())) == 1
    assert list(watch.drain()) == []
