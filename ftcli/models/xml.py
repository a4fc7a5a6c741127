"""The broker's XML as the tree that its JSON gives, so that one reader serves both (protocol 03 §1.1)."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

TEXT = "#text"
"""Key of an element's own text where it has attributes or children besides."""


class UnreadableXml(ValueError):
    """A text is no well-formed XML, or one that tries to do more than carry data."""


def loads(text: str) -> dict[str, Any]:
    """An XML document as a tree: ``{"OPTIONCHAIN": {"BASE": {"ri": "AAPL", ...}, ...}}``.

    Attributes and child elements become keys; children of one name become a list, a single one stays alone
    (:func:`ftcli.models.field.as_list` takes either); an element with neither becomes its text. Namespaces
    are dropped, values stay texts.

    Args:
        text: The document; entities, external parts and document types are refused.

    Raises:
        UnreadableXml: It is no such document.
    """
    root = parse(text)
    return {_name(root.tag): _value(root)}


def parse(text: str) -> "Element":
    """An XML document as its outer element, for readers that must know namespaces (:mod:`ftcli.models.soap`).

    Args:
        text: The document; entities, external parts and document types are refused.

    Raises:
        UnreadableXml: It is no such document.
    """
    # Deferred: only XML replies need it.
    from xml.etree.ElementTree import ParseError

    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import fromstring

    try:
        # The declaration may name an encoding that has long been decoded; bytes would be read by it.
        root: Element = fromstring(text.strip(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError) as problem:
        raise UnreadableXml(f"XML that does not parse: {problem}") from None
    return root


def _value(element: "Element") -> Any:
    own = (element.text or "").strip()
    if not element.attrib and not len(element):
        return own
    tree: dict[str, Any] = {_name(key): value for key, value in element.attrib.items()}
    for child in element:
        key, value = _name(child.tag), _value(child)
        if key not in tree:
            tree[key] = value
        elif isinstance(tree[key], list):
            tree[key].append(value)
        else:
            tree[key] = [tree[key], value]
    if own:
        tree.setdefault(TEXT, own)
    return tree


def _name(tag: Any) -> str:
    return str(tag).rpartition("}")[2]
