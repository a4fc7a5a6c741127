"""The XML of `fastquote` and of the scans: the tree of its JSON form, single values as attributes."""

from typing import Any

from ftcli.models.json import dumps
from ftcli.paper.wire.exchange import PaperReply, PaperRequest, text_reply

XML = "text/xml;charset=UTF-8"
_ENTITIES = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\n": "&#10;",
    "\r": "&#13;",
    "\t": "&#9;",
}
_TABLE = str.maketrans(_ENTITIES)


def xml_reply(root: str, tree: dict[str, Any]) -> PaperReply:
    """A tree as XML: single values as attributes, groups and lists as elements.

    Args:
        root: Name of the outer element.
        tree: What stands in it.
    """
    return text_reply(f'<?xml version="1.0" encoding="UTF-8"?>\n{element(root, tree)}', XML)


def element(name: str, value: Any) -> str:
    """An element, or one per item of a list."""
    if isinstance(value, list):
        return "".join(element(name, item) for item in value)
    if not isinstance(value, dict):
        text = str(value).translate(_TABLE)
        return f"<{name}>{text}</{name}>" if text else f"<{name}/>"
    attributes, children = "", ""
    for key, part in value.items():
        if isinstance(part, dict | list):
            children += element(key, part)
        else:
            attributes += f' {key}="{str(part).translate(_TABLE)}"'
    return f"<{name}{attributes}>{children}</{name}>" if children else f"<{name}{attributes}/>"


def tree_reply(request: PaperRequest, root: str, tree: dict[str, Any], *, outer: bool) -> PaperReply:
    """A tree in the form the request accepts (protocol 03 §1.1): JSON, JSONP, or else XML.

    Args:
        request: Its ``Accept`` and ``callback`` decide.
        root: Name of the outer element.
        tree: What stands in it.
        outer: Whether the JSON form has the outer key too.
    """
    accept = request.headers.get("accept", "").lower()
    if "application/json" not in accept or "xml" in accept:
        return xml_reply(root, tree)
    document = converted(tree)
    body = dumps({root: document} if outer else document)
    callback = request.query.get("callback", "")
    if callback:
        body = callback.encode() + b"(" + body + b")"
    return PaperReply(headers=[("Content-Type", "application/json;charset=UTF-8")], body=body)


def converted(tree: Any) -> Any:
    """The tree as the broker's converter gives it: a list of one as its item, an empty group as ``""``."""
    if isinstance(tree, dict):
        return {key: converted(value) for key, value in tree.items()} or ""
    if isinstance(tree, list):
        items = [converted(item) for item in tree]
        return items[0] if len(items) == 1 else items
    return tree
