"""Sniffing and decoding of bodies (protocol 00 §5.1, 03 §3.2 and §5)."""

import json
from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftcli.transport.decode import Kind, UnreadableBody, decode, encode_json, is_html, sniff

numbers = st.integers() | st.decimals(
    allow_nan=False, allow_infinity=False, min_value=-(10**30), max_value=10**30
)
documents = st.recursive(
    st.none() | st.booleans() | st.text() | numbers,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)
roots = st.lists(documents, max_size=4) | st.dictionaries(st.text(), documents, max_size=4)
blanks = st.text(alphabet=" \t\r\n", max_size=4)
callbacks = st.from_regex(r"[A-Za-z_$][\w$.]{0,20}", fullmatch=True).filter(str.isascii) | st.just("")


def exact(document: object) -> object:
    """The document with numbers as text, so that 1.0 and 1 differ."""
    if isinstance(document, dict):
        return {key: exact(value) for key, value in document.items()}
    if isinstance(document, list):
        return [exact(value) for value in document]
    if isinstance(document, Decimal):
        return ("number", format(document, "f"))
    return document


@given(roots)
def test_what_is_sent_comes_back_exactly(document: object) -> None:
    def integral_as_int(value: object) -> object:
        if isinstance(value, dict):
            return {key: integral_as_int(item) for key, item in value.items()}
        if isinstance(value, list):
            return [integral_as_int(item) for item in value]
        if isinstance(value, Decimal) and "." not in format(value, "f"):
            return int(format(value, "f"))  # JSON does not tell 3 from 3
        return value

    assert exact(decode(encode_json(document))) == exact(integral_as_int(document))


@given(roots)
def test_numbers_are_sent_plainly(document: object) -> None:
    def shout(literal: str) -> None:
        assert "e" not in literal.lower()

    json.loads(encode_json(document), parse_float=shout, parse_int=shout)


@given(roots, callbacks, blanks, blanks, st.sampled_from(["", ";", ";\n"]))
def test_jsonp_is_unwrapped_whatever_the_padding(
    document: object, callback: str, before: str, inside: str, end: str
) -> None:
    plain = encode_json(document).decode()
    wrapped = f"{before}{callback}({inside}{plain}{inside})\n{end}"
    assert exact(decode(wrapped.encode())) == exact(decode(plain.encode()))


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(body: bytes) -> None:
    try:
        document = decode(body)
    except UnreadableBody:
        assert sniff(body.decode("utf-8", "replace").lstrip("\ufeff")) in (Kind.JSON, Kind.JSONP)
    else:
        assert document is None or isinstance(document, dict | list | str)


@given(st.text(alphabet='(){}[]ab,;:"1 <', max_size=30))
def test_any_text_of_brackets_is_decoded_or_refused(text: str) -> None:
    try:
        decode(text.encode())
    except UnreadableBody:
        pass


@given(numbers)
def test_no_digit_is_lost(number: Decimal | int) -> None:
    text = format(Decimal(number), "f")
    assert format(Decimal(decode(f"[{text}]".encode())[0]), "f").lstrip("-") == text.lstrip("-")


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b"", None),
        (b" \r\n\t", None),
        (b"cb()", None),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": 296, "b": 2.10}', {"a": 296, "b": Decimal("2.10")}),
        (b'jsonp_1783521737318_1({"Symbol":[]})', {"Symbol": []}),
        (b'\njsonp_1(\n{"a":"x)y("}\n)\n;', {"a": "x)y("}),
        (b'({"STATUS":{"ERROR_CODE":"0"}})', {"STATUS": {"ERROR_CODE": "0"}}),
        (b'  ({"a":1});\n', {"a": 1}),
        (b"cb(<CHAIN/>)", "<CHAIN/>"),
        (b'<?xml version="1.0"?><a>1</a>\n', '<?xml version="1.0"?><a>1</a>'),
        (b"Delayed quotes not supported", "Delayed quotes not supported"),
        (b" PHNhbWxwOlJlc3BvbnNl+/= \n", "PHNhbWxwOlJlc3BvbnNl+/="),
        (b"not a call (really)", "not a call (really)"),
        (b"call(me) maybe", "call(me) maybe"),
        (b'"bare"', '"bare"'),
        ('{"t":"8µs"}'.encode(), {"t": "8µs"}),
    ],
)
def test_documented_forms(body: bytes, document: object) -> None:
    assert decode(body) == document


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b'{"a":1',
        b'cb({"a":1}',
        b'cb({"a":)',
        b"[1,]",
        b"{'a':1}",
        b'{"a":NaN}',
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":1} trailing',
    ],
)
def test_broken_json_is_refused(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<!DOCTYPE html>",
        b"<html>",
        b"\n <HTML lang=en>",
        b"\xef\xbb\xbf<!doctype HTML>",
        b"<!-- x -->\n<html>",
        b'<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x"><html>',
        b"<head></head>",
        b"<body>down</body>",
    ],
)
def test_web_pages_are_recognised(body: bytes) -> None:
    assert is_html(body)


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"<htmlish/>", b"<a><html/></a>", b"<?xml version='1.0'?><CHAIN/>", b"html"]
)
def test_other_bodies_are_no_web_pages(body: bytes) -> None:
    assert not is_html(body)


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("Infinity"), Decimal("-Infinity")])
def test_a_number_that_is_none_is_not_sent(number: Decimal) -> None:
    with pytest.raises(ValueError, match="finite"):
        encode_json({"price": [number]})


def test_a_struct_is_sent_like_its_fields() -> None:
    class Order(msgspec.Struct, rename="camel"):
        limit_price: Decimal
        note: str | None = None

    document = [Order(Decimal("1E+3")), Order(Decimal("0.50"), "x")]
    assert encode_json(document) == b'[{"limitPrice":1000,"note":null},{"limitPrice":0.50,"note":"x"}]'


def test_plain_decimals_keep_their_zeros() -> None:
    assert encode_json(
        {"a": Decimal("150.00"), "b": Decimal("1E+3"), "c": Decimal("0E-7"), "d": (1, "x")}
    ) == (b'{"a":150.00,"b":1000,"c":0.0000000,"d":[1,"x"]}')
