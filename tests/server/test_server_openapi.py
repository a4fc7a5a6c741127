"""The description: valid, complete, typed, and read from the declarations."""

import json
import re
from typing import Any

import httpx
import pytest
from openapi_spec_validator import validate
from server_kit import Daemon

from ftcli.operations.registry import all_operations
from ftcli.server.app import OWN
from ftcli.server.envelope import RAW
from ftcli.server.openapi import document
from ftcli.server.routes import PREFIX
from ftcli.server.ws import QUERY


@pytest.fixture(scope="module")
def spec() -> dict[str, Any]:
    return document(all_operations(), OWN)


def schema(spec: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = spec["components"]["schemas"][name]
    return found


def nodes(part: Any) -> Any:
    if isinstance(part, dict):
        yield part
        for value in part.values():
            yield from nodes(value)
    elif isinstance(part, list):
        for value in part:
            yield from nodes(value)


def test_it_is_valid_openapi(spec: dict[str, Any]) -> None:
    validate(json.loads(json.dumps(spec)))
    assert spec["openapi"] == "3.1.0"


def test_every_operation_is_there(spec: dict[str, Any]) -> None:
    ids = set()
    for operation in all_operations():
        entry = spec["paths"][PREFIX + operation.path][operation.method.lower()]
        assert entry["summary"] == operation.summary != ""
        assert entry["security"] == [{"ApiKey": [entry["security"][0]["ApiKey"][0]]}]
        assert {"200", "403", "422", "500"} <= set(entry["responses"])
        names = {param["name"] for param in entry.get("parameters", [])}
        assert {param.name for param in operation.params if param.where != "body"} <= names
        ids.add(entry["operationId"])
    for route in OWN:
        path = route.path if route.root else PREFIX + route.path
        ids.add(spec["paths"][path][route.method.lower()]["operationId"])
    assert len(ids) == sum(len(methods) for methods in spec["paths"].values())


def test_paths_and_parameters_agree(spec: dict[str, Any]) -> None:
    for path, methods in spec["paths"].items():
        for entry in methods.values():
            wanted = {param["name"] for param in entry.get("parameters", []) if param["in"] == "path"}
            assert wanted == set(re.findall(r"\{(\w+)\}", path))
            assert all(param["description"] for param in entry.get("parameters", []))


def test_references_lead_somewhere_and_nothing_is_left_over(spec: dict[str, Any]) -> None:
    refs = {node["$ref"] for node in nodes(spec) if "$ref" in node}
    for ref in refs:
        part: Any = spec
        for step in ref.split("/")[1:]:
            part = part[step]
    unused = {f"#/components/schemas/{name}" for name in spec["components"]["schemas"]} - refs
    unused -= {
        target for node in nodes(spec) for target in node.get("mapping", {}).values() if "mapping" in node
    }
    assert unused == set()


def test_exact_numbers_are_numbers(spec: dict[str, Any]) -> None:
    price = schema(spec, "Position")["properties"]["last_price"]
    assert price["type"] == ["number", "null"]
    assert price["x-unit"] == "USD per share"
    assert price["description"].startswith("Latest price.")
    order = schema(spec, "EquityLimitOrder")["properties"]["limit_price"]
    assert order["type"] == ["number", "string"]
    assert not [node for node in nodes(spec["components"]["schemas"]) if node.get("format") == "decimal"]


def test_answers_are_typed_in_the_envelope(spec: dict[str, Any]) -> None:
    good = spec["paths"]["/api/v1/accounts/{acct}/positions"]["get"]["responses"]["200"]["content"]
    body = good["application/json"]["schema"]
    assert body["required"] == ["ok", "data", "error"]
    assert body["properties"]["data"] == {"$ref": "#/components/schemas/Positions"}
    assert RAW in good
    positions = schema(spec, "Positions")
    assert set(positions["required"]) == set(positions["properties"])
    assert positions["properties"]["positions"]["items"] == {"$ref": "#/components/schemas/Position"}
    assert schema(spec, "SessionStatus")["properties"]["expires_at"]["format"] == "date-time"


def test_kinds_of_orders_are_told_apart_by_their_tag(spec: dict[str, Any]) -> None:
    order = schema(spec, "EquityOrder")
    assert order["discriminator"]["propertyName"] == "order_type"
    assert order["discriminator"]["mapping"]["stop"] == "#/components/schemas/EquityStopOrder"
    assert {"$ref": "#/components/schemas/EquityStopOrder"} in order["oneOf"]
    stop = schema(spec, "EquityStopOrder")
    assert "stop_price" in stop["required"]
    assert stop["additionalProperties"] is False
    preview = spec["paths"]["/api/v1/orders/equity/preview"]["post"]["requestBody"]
    assert preview["required"] is True
    assert preview["content"]["application/json"]["schema"]["$ref"] == "#/components/schemas/EquityOrder"


def test_codes_are_closed_in_requests_and_open_in_answers(spec: dict[str, Any]) -> None:
    assert schema(spec, "TimeInForce")["enum"][0] == "day"
    sent = schema(spec, "EquityLimitOrder")["properties"]["time_in_force"]
    assert sent["$ref"] == "#/components/schemas/TimeInForce"
    seen = schema(spec, "Order")["properties"]["time_in_force"]["anyOf"]
    assert [option.get("$ref") or option["type"] for option in seen] == [
        "#/components/schemas/TimeInForce",
        "string",
        "null",
    ]


def test_errors_name_their_codes(spec: dict[str, Any]) -> None:
    place = spec["paths"]["/api/v1/orders/equity/place"]["post"]["responses"]
    assert "LIVE_TRADING_DISABLED: Live trading is off." in place["403"]["description"]
    assert set(place["422"]["content"]["application/json"]["examples"]) >= {
        "VALIDATION_ERROR",
        "ORDER_REJECTED",
    }
    assert "ORDER_UNKNOWN" in place["502"]["content"]["application/json"]["examples"]
    assert "504" not in place  # only a read can time out for sure
    assert "504" in spec["paths"]["/api/v1/accounts"]["get"]["responses"]
    assert "Retry-After" in place["429"]["headers"]
    for methods in spec["paths"].values():
        for entry in methods.values():
            assert "Raises:" not in entry.get("description", "")


def test_inferred_forms_say_so(spec: dict[str, Any]) -> None:
    for operation in all_operations():
        entry = spec["paths"][PREFIX + operation.path][operation.method.lower()]
        assert entry.get("x-inferred", False) is operation.inferred
        assert ("inferred" in entry.get("description", "")) >= operation.inferred


def test_the_parameters_of_sockets_are_those_they_take(spec: dict[str, Any]) -> None:
    sockets = [route for route in OWN if route.socket]
    assert len(sockets) == 5
    for route in sockets:
        entry = spec["paths"][PREFIX + route.path]["get"]
        assert tuple(param["name"] for param in entry["parameters"]) == QUERY


def test_health_needs_no_key(spec: dict[str, Any]) -> None:
    assert spec["paths"]["/health"]["get"]["security"] == []
    assert spec["paths"]["/metrics"]["get"]["security"] == [{"ApiKey": ["read"]}]


async def test_it_is_served(daemon: Daemon, spec: dict[str, Any]) -> None:
    async with daemon.client(None) as http:
        for path in ("/openapi.json", "/api/v1/openapi.json"):
            assert (await http.get(path)).json() == json.loads(json.dumps(spec))


async def test_the_pages_load_nothing_from_elsewhere(daemon: Daemon) -> None:
    async with daemon.client(None) as http:
        page = await http.get("/docs")
        assert page.headers["Content-Type"] == "text/html; charset=utf-8"
        policy = page.headers["Content-Security-Policy"]
        assert policy.startswith(
            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'"
        )
        assert "unsafe" not in policy
        files = re.findall(r'(?:src|href)="([^"]+)"', page.text)
        assert {"/docs/docs.css", "/docs/docs.js", "/docs/schema.js"} <= set(files)
        kinds = {"css": "text/css", "js": "text/javascript"}
        for file in files:
            assert not re.match(r"(?:https?:)?//", file)
            if file.startswith("/docs/"):
                found = await http.get(file)
                assert found.status_code == 200
                assert found.headers["Content-Type"].startswith(kinds[file.rpartition(".")[2]])
                assert not re.search(r"https?://", found.text)
        assert "<script>" not in page.text
        assert "style=" not in page.text


async def test_every_described_path_exists(http: httpx.AsyncClient, spec: dict[str, Any]) -> None:
    for path, methods in spec["paths"].items():
        url = re.sub(r"\{\w+\}", "X", path)
        allowed = (await http.options(url)).headers["Allow"].split(", ")
        assert {method.upper() for method in methods} <= set(allowed)
