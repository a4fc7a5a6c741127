"""The interactive pages: packaged files only, nothing from another host."""

from importlib import resources

from ftcli.models.json import dumps
from ftcli.server.about import prebuilt
from ftcli.server.envelope import JSON, Prebuilt
from ftcli.server.own import OwnRoute
from ftcli.server.service import Handler, Service

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_TYPES = {"html": "text/html", "css": "text/css", "js": "text/javascript"}


def page_handlers() -> dict[str, Handler]:
    """The pages' files by their path."""
    folder = resources.files("ftcli.server") / "static"
    found: dict[str, Handler] = {}
    for file in sorted(folder.iterdir(), key=lambda entry: entry.name):
        kind = _TYPES.get(file.name.rpartition(".")[2])
        if kind is None:
            continue
        path = "/docs" if file.name == "docs.html" else f"/docs/{file.name}"
        policy = _POLICY if kind == "text/html" else ""
        found[path] = prebuilt(Prebuilt(file.read_bytes(), f"{kind}; charset=utf-8", policy))
    return found


def _description(service: Service) -> Handler:
    return prebuilt(Prebuilt(dumps(service.description), JSON))


DOCS: tuple[OwnRoute, ...] = (
    OwnRoute(
        name="service.openapi",
        method="GET",
        path="/openapi.json",
        make=_description,
        tag="service",
        summary="Give this description.",
        scope=None,
        media="application/json",
        root=True,
    ),
)
