"""SOAP envelopes: written with every text escaped, read by namespace and local name (protocol 04 §3)."""

import re
from typing import TYPE_CHECKING, NamedTuple

from ftcli.models import xml

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
PRINCIPAL = "http://xmlns.fmr.com/institutional/common/headers/2012/09/PrincipalIdentity"
PRODUCT = "http://xmlns.fmr.com/institutional/common/headers/2011/08/ProductIdentity"
SUBSCRIPTION = "http://xmlns.fmr.com/institutional/eca/fens/2014/06/AutoSubscription"
ALERTS = "http://xmlns.fmr.com/brokerage/fens/service/ALERTS/2009-09"

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;"})
_IMPOSSIBLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write."""


class Node(NamedTuple):
    """An element to be written.

    Attributes:
        name: Its name with the prefix it is written with. Names are ours and never a user's text.
        content: Its text, or the elements inside it.
        attributes: Attributes by name, namespaces among them.
    """

    name: str
    content: "str | tuple[Node, ...]" = ""
    attributes: tuple[tuple[str, str], ...] = ()


class SoapProblem(ValueError):
    """An envelope lacks what it should hold, or holds a fault.

    Args:
        text: What is wrong.
        fault: The service's own words, where it sent a fault.
    """

    def __init__(self, text: str, fault: str | None = None) -> None:
        super().__init__(text)
        self.fault = fault


def escaped(text: str) -> str:
    """A text as it stands inside an element or an attribute."""
    return _IMPOSSIBLE.sub("\ufffd", text).translate(_ENTITIES)


def written(node: Node) -> str:
    """An element as XML, without declaration and without blanks between elements."""
    attributes = "".join(f' {name}="{escaped(value)}"' for name, value in node.attributes)
    content = node.content
    inner = escaped(content) if isinstance(content, str) else "".join(written(child) for child in content)
    return f"<{node.name}{attributes}>{inner}</{node.name}>"


def body_part(text: object, namespace: str, name: str) -> "Element":
    """The element in the body of an envelope.

    Args:
        text: The envelope as it came.
        namespace, name: The element wanted.

    Raises:
        SoapProblem: It is no envelope, holds a fault, or lacks the element; the message names what is missing.
    """
    if not isinstance(text, str) or not text.lstrip().startswith("<"):
        raise SoapProblem("it is no XML")
    try:
        root = xml.parse(text)
    except xml.UnreadableXml as problem:
        raise SoapProblem(str(problem)) from None
    body = child(root, ENVELOPE, "Body") if root.tag == f"{{{ENVELOPE}}}Envelope" else None
    if body is None:
        raise SoapProblem("it has no SOAP Body")
    fault = child(body, ENVELOPE, "Fault")
    if fault is not None:
        words = fault.findtext("faultstring") or ""
        raise SoapProblem("it is a SOAP fault", " ".join(words.split()) or "no reason given")
    part = child(body, namespace, name)
    if part is None:
        raise SoapProblem(f"it has no {name}")
    return part


def child(element: "Element", namespace: str, name: str) -> "Element | None":
    """The child of a namespace and local name, whatever its prefix."""
    return element.find(f"{{{namespace}}}{name}")


def children(element: "Element", namespace: str, name: str) -> "list[Element]":
    """All children of a namespace and local name."""
    return element.findall(f"{{{namespace}}}{name}")


def required(element: "Element", namespace: str, name: str) -> "Element":
    """A child that must be there.

    Raises:
        SoapProblem: It is not.
    """
    found = child(element, namespace, name)
    if found is None:
        raise SoapProblem(f"it has no {name}")
    return found
