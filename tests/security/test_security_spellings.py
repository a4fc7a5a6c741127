"""A secret is masked however it is spelled: in JSON, Python, URLs, forms, HTML, base64, and in one inside another."""

import base64
import html
import json
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import quote, quote_plus, urlencode

import hypothesis
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli import redaction
from ftcli.redaction import MASK, redact, redact_tree, redact_values, remember, remember_passing

Speller = Callable[[str], str]


def _lower(text: str) -> str:
    """Percent encoding with small letters, as many a client writes it."""
    return re.sub("%..", lambda found: found.group().lower(), quote(text, safe=""))


def _every_sign_as(form: str) -> Speller:
    return lambda text: "".join(
        sign if sign.isascii() and sign.isalnum() else form.format(ord(sign)) for sign in text
    )


SPELLERS: dict[str, Speller] = {
    "plain": str,
    "json": lambda text: json.dumps(text)[1:-1],
    "json, not ascii": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "json of msgspec": lambda text: msgspec.json.encode(text).decode()[1:-1],
    "json for html": lambda text: json.dumps(text)[1:-1].replace("&", r"\u0026").replace("<", r"\u003C"),
    "json, slashes": lambda text: json.dumps(text)[1:-1].replace("/", r"\/"),
    "json in json": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
    "python": lambda text: repr(text)[1:-1],
    "python, ascii": lambda text: ascii(text)[1:-1],
    "bytes of python": lambda text: repr(text.encode())[2:-1],
    "url": lambda text: quote(text, safe=""),
    "path of a url": quote,
    "url, small letters": _lower,
    "form": quote_plus,
    "form, whole": lambda text: urlencode({"a": text})[2:],
    "url in url": lambda text: quote(quote(text, safe=""), safe=""),
    "html": html.escape,
    "html, numbers": _every_sign_as("&#{};"),
    "html, hexadecimal": _every_sign_as("&#x{:04X};"),
    "html of html": lambda text: html.escape(html.escape(text)),
    "html of json": lambda text: html.escape(json.dumps(text)[1:-1]),
    "url of json": lambda text: quote(json.dumps(text)[1:-1], safe=""),
}
FLAT = [name for name in SPELLERS if name not in ("html of json", "url of json")]
"""Those that spell each sign by itself."""

SECRETS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=6, max_size=30
).filter(lambda text: len(set(text) & set("abcdefghijklmnopqrstuvwxyz0123456789")) >= 3)


@contextmanager
def nothing_known() -> Iterator[None]:
    """As in a new process: what is remembered here is forgotten afterwards."""
    kept = redaction._values.copy(), redaction._passing.copy()
    redaction._values.clear()
    redaction._passing.clear()
    redaction._longest_first.clear()
    try:
        yield
    finally:
        for where, values in zip((redaction._values, redaction._passing), kept, strict=True):
            where.clear()
            where.update(values)
        redaction._longest_first.clear()


@pytest.mark.parametrize("name", FLAT)
@given(secret=SECRETS, before=st.sampled_from(["", "see ", "x=", '{"a": "']), passing=st.booleans())
@hypothesis.settings(deadline=None, max_examples=60)
def test_every_spelling_is_masked(name: str, secret: str, before: str, passing: bool) -> None:
    with nothing_known():
        (remember_passing if passing else remember)(secret)
        hypothesis.assume(not passing or len(secret) >= 12)
        text = f"{before}{SPELLERS[name](secret)} end"
        assert redact_values(text) == f"{before}{MASK} end"


@pytest.mark.parametrize("name", SPELLERS)
def test_a_password_with_everything_in_it(name: str) -> None:
    secret = "pä$s /wörd+\"'<&>\\%41 😀end"
    with nothing_known():
        remember(secret)
        text = f"before {SPELLERS[name](secret)} after"
        assert redact(text) == f"before {MASK} after"
        assert redact_tree({"note": [text]}) == {"note": [f"before {MASK} after"]}


@given(user=st.text(max_size=12), secret=SECRETS, after=st.text(max_size=5))
@hypothesis.settings(deadline=None, max_examples=200)
def test_nothing_of_it_can_be_read_from_base64(user: str, secret: str, after: str) -> None:
    whole = f"{user}:{secret}{after}".encode()
    with nothing_known():
        remember(secret)
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            left = redact_values(encode(whole).decode())
            assert MASK in left
            for part in left.split(MASK):
                for skipped in range(4):  # whatever is tried, no part gives the secret away
                    text = part[skipped:].rstrip("=")
                    text = text[: len(text) // 4 * 4]
                    assert secret.encode()[1:-1] not in base64.b64decode(
                        text, altchars=b"-_" if "-" in text or "_" in text else None
                    )


@given(text=st.text(max_size=200))
@hypothesis.settings(deadline=None, max_examples=200)
def test_other_words_stay(text: str) -> None:
    secret = "s3cr3t/w0rd & more"
    hypothesis.assume("s3cr3t" not in text)
    with nothing_known():
        remember(secret)
        assert redact_values(text) == redaction._OWN.sub(MASK, text)


def test_a_long_text_is_looked_through_quickly() -> None:
    """No text makes a pattern try again and again: backslashes, percent signs, and the beginning without the end."""
    with nothing_known():
        remember("\\\\//%%&&" * 4)
        remember("abc \\ def")
        for piece in ("\\", "%25", "&amp;", "abc \\", "abc+\\\\\\", "\\u005c"):
            text = piece * (20_000 // len(piece))
            started = time.process_time()
            redact_values(text)
            assert time.process_time() - started < 2, piece
