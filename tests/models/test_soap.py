"""SOAP envelopes: whatever the text, it comes back as it was and changes nothing around it."""

from xml.etree.ElementTree import Element

import pytest
from defusedxml.ElementTree import fromstring
from hypothesis import given
from hypothesis import strategies as st

from ftcli.models import soap
from ftcli.models.soap import Node, SoapProblem

SPACE = "urn:x"
WRITABLE = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"))


def envelope(body: str) -> str:
    return f'<a:Envelope xmlns:a="{soap.ENVELOPE}">{body}</a:Envelope>'


@given(WRITABLE, WRITABLE)
def test_texts_come_back(text: str, attribute: str) -> None:
    root: Element = fromstring(soap.written(Node("a", (Node("b", text),), (("c", attribute),))))
    assert [node.tag for node in root.iter()] == ["a", "b"]
    assert root.findtext("b") == text
    assert root.get("c") == attribute


@given(st.text())
def test_no_text_breaks_the_document(text: str) -> None:
    root: Element = fromstring(soap.written(Node("a", text)))
    assert (root.tag, len(root)) == ("a", 0)


def test_a_document_in_a_document() -> None:
    inner = soap.written(Node("ALERT", (Node("TEXT", "AT&T < 5 > 3"),)))
    outer: Element = fromstring(soap.written(Node("Document", inner)))
    assert outer.text == inner == "<ALERT><TEXT>AT&amp;T &lt; 5 &gt; 3</TEXT></ALERT>"


def test_the_part_is_found_by_namespace() -> None:
    text = envelope(f'<a:Body><p:Reply xmlns:p="{SPACE}"><p:X>1</p:X><X>2</X></p:Reply></a:Body>')
    part = soap.body_part(text, SPACE, "Reply")
    assert soap.required(part, SPACE, "X").text == "1"
    assert [node.text for node in soap.children(part, "urn:y", "X")] == []
    with pytest.raises(SoapProblem, match="has no Y"):
        soap.required(part, SPACE, "Y")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "no XML"),
        ({"a": 1}, "no XML"),
        ("", "no XML"),
        ("plain", "no XML"),
        ("<a>", "does not parse"),
        ("<a/>", "no SOAP Body"),
        ("<Envelope><Body/></Envelope>", "no SOAP Body"),
        (envelope(""), "no SOAP Body"),
        (envelope("<a:Body/>"), "has no Reply"),
        (envelope("<a:Body><Reply/></a:Body>"), "has no Reply"),
        (f'<!DOCTYPE x [<!ENTITY e "boom">]>{envelope("<a:Body>&e;</a:Body>")}', "does not parse"),
    ],
)
def test_what_is_missing_is_named(text: object, said: str) -> None:
    with pytest.raises(SoapProblem, match=said) as problem:
        soap.body_part(text, SPACE, "Reply")
    assert problem.value.fault is None


@pytest.mark.parametrize(
    ("fault", "said"),
    [("<faultstring> Not \n today </faultstring>", "Not today"), ("", "no reason given")],
)
def test_a_fault_says_why(fault: str, said: str) -> None:
    text = envelope(f"<a:Body><a:Fault><faultcode>x</faultcode>{fault}</a:Fault></a:Body>")
    with pytest.raises(SoapProblem) as problem:
        soap.body_part(text, SPACE, "Reply")
    assert problem.value.fault == said
