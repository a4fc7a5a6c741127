"""The two stores of settings (protocol 04 §5, 6), which differ in address and nothing else."""

from typing import TYPE_CHECKING, Any

from ftcli.models.field import as_list
from ftcli.models.values import read_text
from ftcli.paper.documents import Documents
from ftcli.paper.numbered import lay_in, stocked
from ftcli.paper.wire.exchange import PaperRequest, answers

if TYPE_CHECKING:
    from ftcli.paper.desk import Desk

ATN = "/ftgw/dp/retail-customers/v1/personalization/atn-prefs"
INDEPENDENT = "/ftgw/dp/retail-indepInvs-pref/v1"
WRITER = "lastUpdatedBy"
_APP = "AP149323"
_STOCKS: dict[str, dict[str, dict[str, str]]] = {
    "atn_preferences": {
        "user/atn/global/v1": {"DefaultAccountNumber": "Z10000017", "Theme": "Dark", WRITER: _APP},
        "user/atn/layout/3d1c9b42/v1": {
            "NavBarPosition": "Left",
            "LayoutJson": '{"tiles":[1,2]}',
            WRITER: _APP,
        },
    },
    "independent_preferences": {
        "user/chart/v1": {"ChartDefaults": '{"barWidth":"DAILY","type":"candle"}', WRITER: _APP}
    },
}
"""By kind of document: what every paper customer begins with."""


class _Refused(Exception):
    """A request that the service answers with a message instead of a success."""


def _store(request: PaperRequest) -> str:
    return "atn_preferences" if request.path.startswith(ATN) else "independent_preferences"


def _entries(request: PaperRequest) -> list[dict[str, Any]]:
    body = request.document if isinstance(request.document, dict) else {}
    entries = [entry for entry in as_list(body.get("preferences")) if isinstance(entry, dict)]
    if not entries or not all(read_text(entry.get("preferencePath")) for entry in entries):
        raise _Refused("preferencePath is missing")
    return entries


def _keys(entry: dict[str, Any]) -> list[str] | None:
    """The names in a request; ``None`` means all."""
    keys = entry.get("prefKeys")
    if keys is None:
        return None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise _Refused("prefKeys must be a list of texts")
    return keys


def _covers(path: str, whole: str) -> bool:
    """Whether a path leads to another or above it; half a name is no path."""
    return whole == path or whole.startswith(path.rstrip("/") + "/")


def _failed(problem: _Refused) -> Any:
    message = {
        "message": "Error occurred",
        "detail": str(problem),
        "source": "Paper",
        "code": "99999",
        "type": "E",
    }
    return {"sysMsgs": {"sysMsg": [message]}, "preferenceData": []}


def _updated() -> Any:
    return {"sysMsgs": {"sysMsg": [{"message": "Successful table update"}]}, "preferenceData": []}


@answers("POST", f"{INDEPENDENT}/getPreference")
@answers("POST", f"{ATN}/getpreference")
def get_preferences(desk: "Desk", request: PaperRequest) -> Any:
    """Settings of a path and all below it (protocol 04 §5.1)."""
    kind = _store(request)
    kept = stocked(Documents(desk.state, kind).all(), _STOCKS[kind])
    found: dict[str, dict[str, str]] = {}
    try:
        for entry in _entries(request):
            keys = _keys(entry)
            for path, values in kept.items():
                wanted = {name: text for name, text in values.items() if keys is None or name in keys}
                if _covers(str(entry["preferencePath"]), path) and wanted.keys() - {WRITER}:
                    found[path] = {**wanted, WRITER: values[WRITER]}
    except _Refused as problem:
        return _failed(problem)
    message = {
        "message": "Successful table query",
        "detail": "",
        "source": "AP159679" if kind == "atn_preferences" else "",
        "code": "00000",
        "type": "",
    }
    rows = [{"preferencePath": path, "data": [values]} for path, values in found.items()]
    return {"sysMsgs": {"sysMsg": [message]}, "preferenceData": rows}


@answers("POST", f"{INDEPENDENT}/savePreference")
@answers("POST", f"{ATN}/savepreference")
def save_preferences(desk: "Desk", request: PaperRequest) -> Any:
    """Sets names of a path; others of it stay (protocol 04 §5.2)."""
    kind = _store(request)
    try:
        entries = _entries(request)
        for entry in entries:
            values = entry.get("prefValues")
            if not isinstance(values, dict) or not all(isinstance(text, str) for text in values.values()):
                raise _Refused("prefValues must be texts by name")
    except _Refused as problem:
        return _failed(problem)
    writer = request.headers.get("appid", _APP)
    with Documents(desk.state, kind).changing() as changing:
        lay_in(changing, _STOCKS[kind])
        for entry in entries:
            path = str(entry["preferencePath"])
            old = changing.documents.get(path) or {}
            changing.put(path, {**old, **entry["prefValues"], WRITER: writer})
    return _updated()


@answers("POST", f"{INDEPENDENT}/deletePreference")
@answers("POST", f"{ATN}/deletepreference")
def delete_preferences(desk: "Desk", request: PaperRequest) -> Any:
    """Takes names of a path away, or everything at and below it (protocol 04 §5.3)."""
    kind = _store(request)
    try:
        asked = [(str(entry["preferencePath"]), _keys(entry)) for entry in _entries(request)]
    except _Refused as problem:
        return _failed(problem)
    writer = request.headers.get("appid", _APP)
    with Documents(desk.state, kind).changing() as changing:
        lay_in(changing, _STOCKS[kind])
        for asked_path, keys in asked:
            for path, values in stocked(changing.documents, {}).items():
                if not _covers(asked_path, path):
                    continue
                left = {name: text for name, text in values.items() if keys is not None and name not in keys}
                if left.keys() - {WRITER}:
                    changing.put(path, {**left, WRITER: writer if left != values else values[WRITER]})
                else:
                    changing.delete(path)
    return _updated()
