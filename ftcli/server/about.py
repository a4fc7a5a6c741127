"""What the daemon tells about itself: alive, ready, who it is, its figures, its description."""

from datetime import datetime
from typing import Annotated, Any

import msgspec
from aiohttp import web

from ftcli.errors import AuthRequired, BrokerError, FtError, SessionExpired, TotpRequired
from ftcli.models.field import Model, at
from ftcli.server.envelope import REQUEST_ID, Prebuilt, answer, headers, refuse
from ftcli.server.metrics import CONTENT_TYPE
from ftcli.server.own import OwnRoute
from ftcli.server.service import Handler, Service
from ftcli.version import __version__


class Health(Model):
    """The daemon is alive."""

    status: Annotated[str, at(None, "Always healthy: a dead daemon does not answer.", example="healthy")] = (
        "healthy"
    )


class Check(Model):
    """One thing that must be right before the daemon is of use."""

    name: Annotated[str, at(None, "session or streams.")]
    ok: Annotated[bool, at(None, "Whether it is right.")]
    reason: Annotated[str | None, at(None, "Why not.")] = None


class Readiness(Model):
    """The daemon is ready."""

    status: Annotated[str, at(None, "ready.", example="ready")] = "ready"
    checks: Annotated[list[Check], at(None, "What was looked at.")] = []


class ServiceInfo(Model):
    """The daemon in figures."""

    version: Annotated[str, at(None, "Version of ft.")]
    environment: Annotated[str, at(None, "paper or live.")]
    live_trading: Annotated[bool, at(None, "Whether orders may be placed in the live environment.")]
    session: Annotated[str, at(None, "disconnected, authenticated, totp_pending or expired.")]
    api_key_required: Annotated[bool, at(None, "Whether clients need an API key.")]
    started_at: Annotated[datetime, at(None, "When it started.")]
    uptime: Annotated[float, at(None, "How long it has been running.", unit="s")]


def _health(service: Service) -> Handler:
    async def health(request: web.Request) -> web.StreamResponse:
        return answer(request, Health())

    return health


def _ready(service: Service) -> Handler:
    async def ready(request: web.Request) -> web.StreamResponse:
        checks = [_session_check(service), *_stream_checks(service)]
        bad = [check for check in checks if not check.ok]
        if service.closing.is_set():
            bad = [Check(name="service", ok=False, reason="The daemon is stopping.")]
        if not bad:
            return answer(request, Readiness(checks=checks))
        details = {"checks": msgspec.to_builtins(bad if bad[0].name == "service" else checks)}
        return refuse(request, _not_ready(service, bad[0], details), status=503)

    return ready


_STATE_REASONS = {
    "disconnected": "Not logged in at the broker.",
    "totp_pending": "The broker waits for the second factor.",
    "expired": "The session with the broker has expired.",
}


def _session_check(service: Service) -> Check:
    state = service.client.broker.state
    return Check(name="session", ok=state == "authenticated", reason=_STATE_REASONS.get(state))


def _stream_checks(service: Service) -> list[Check]:
    """The streams count only while somebody uses them."""
    status = service.hub.status() if service.hub else None
    if status is None or not status.subscriptions:
        return []
    reason = None if status.connected else f"Market data is not connected: {status.mdds.state}."
    return [Check(name="streams", ok=status.connected, reason=reason)]


def _not_ready(service: Service, check: Check, details: dict[str, Any]) -> FtError:
    text = check.reason or check.name
    if check.name != "session":
        return BrokerError(text, details=details)
    kinds = {"totp_pending": TotpRequired, "expired": SessionExpired}
    return kinds.get(service.client.broker.state, AuthRequired)(text, details=details)


def _info(service: Service) -> Handler:
    settings = service.settings

    async def info(request: web.Request) -> web.StreamResponse:
        return answer(
            request,
            ServiceInfo(
                version=__version__,
                environment=settings.environment,
                live_trading=settings.live_trading and not settings.is_paper,
                session=service.client.broker.state,
                api_key_required=service.keys is not None,
                started_at=service.started_at,
                uptime=round(service.uptime, 3),
            ),
        )

    return info


def _metrics(service: Service) -> Handler:
    async def metrics(request: web.Request) -> web.StreamResponse:
        found = headers(request[REQUEST_ID], CONTENT_TYPE)
        return web.Response(text=service.metrics.render(), headers=found)

    return metrics


def prebuilt(body: Prebuilt) -> Handler:
    """A handler that always gives the same public body."""

    async def give(request: web.Request) -> web.StreamResponse:
        return body.reply(request)

    return give


ABOUT: tuple[OwnRoute, ...] = (
    OwnRoute(
        name="service.health",
        method="GET",
        path="/health",
        make=_health,
        tag="service",
        summary="Tell that the daemon is alive.",
        text="Needs no key and asks nobody.",
        scope=None,
        result=Health,
        root=True,
    ),
    OwnRoute(
        name="service.ready",
        method="GET",
        path="/ready",
        make=_ready,
        tag="service",
        summary="Tell whether the daemon can do its work.",
        text="Answers 503 with the reason until the session is up, and the streams if they are used.",
        result=Readiness,
        errors=(),
        root=True,
    ),
    OwnRoute(
        name="service.info",
        method="GET",
        path="/service/info",
        make=_info,
        tag="service",
        summary="Show version, environment, session and uptime.",
        result=ServiceInfo,
    ),
    OwnRoute(
        name="service.metrics",
        method="GET",
        path="/metrics",
        make=_metrics,
        tag="service",
        summary="Give the daemon's figures as Prometheus text.",
        media="text/plain",
        root=True,
    ),
)
