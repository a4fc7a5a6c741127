"""The broker's hosts by key, and where each one is reached: the real address or an override.

Two addresses are kept apart on purpose. A *canonical* URL names the real host; cookies, ``Origin``
and ``Referer`` are always computed from it. The *reached* URL is where the bytes go: a simulator on
this machine when ``upstream`` or ``hosts`` says so (protocol 00 §1.2).
"""

from typing import Literal, NamedTuple
from urllib.parse import urlsplit

from ftcli.config import Settings
from ftcli.errors import ValidationFailed

Profile = Literal["data", "login"]

DIGITAL = "https://digital.fidelity.com"
"""The real web host: value of ``Origin``, ``Referer`` and ``AuthRedUrl`` whatever is overridden."""


class Host(NamedTuple):
    """One row of the host table (protocol 00 §1.1).

    Attributes:
        base: Real base URL without a trailing slash.
        tail: Path and query that belong to the address itself (streams).
        profile: Header profile of protocol 00 §2.1.
        cookies: Whether the session's cookies are meant for it; the scanner's hosts are foreign.
    """

    base: str
    tail: str = ""
    profile: Profile = "data"
    cookies: bool = True

    @property
    def is_stream(self) -> bool:
        """Whether it is spoken to over a WebSocket."""
        return self.base.startswith("wss:")


HOSTS: dict[str, Host] = {
    "auth": Host("https://ecaap.fidelity.com", profile="login"),
    "digital": Host(DIGITAL),
    "dp": Host("https://dpservice.fidelity.com"),
    "fastquote": Host("https://fastquote.fidelity.com"),
    "alerts": Host("https://ecawsgateway.fidelity.com"),
    "news": Host("https://streaming-news.mds.fidelity.com"),
    "mdds": Host("wss://mdds-i-tc.fidelity.com", tail="/?productid=atn"),
    "mddsinit": Host("wss://mdds-i.fidelity.com", tail="/?productid=atn"),
    "beps": Host("wss://spservice.fidelity.com", tail="/graphql/realtime"),
    "content": Host("https://contentapi.fidelity.com"),
    "dpxq1": Host("https://dpservicexq1.fidelity.com"),
    "livevolauth": Host("https://fidelity-widgets.financial.com", cookies=False),
    "livevol": Host("https://fidelity.apps.livevol.com", cookies=False),
}


class Hosts:
    """Where every host key leads under the given settings.

    Args:
        settings: ``upstream``, ``hosts`` and ``upstream_remote`` are read.

    Raises:
        ValidationFailed: An override names an unknown key, is no usable URL, or points at another
            machine while ``upstream_remote`` is off.
    """

    def __init__(self, settings: Settings) -> None:
        self._remote_allowed = settings.upstream_remote
        self._overrides: dict[str, str] = {}
        if settings.upstream:
            base = self._checked("upstream", settings.upstream)
            self._overrides = {key: _speaking(base, host.is_stream) for key, host in HOSTS.items()}
        for key, url in settings.hosts.items():
            host = find(key)
            base = self._checked(f"hosts.{key}", url)
            if base.startswith("ws") and not host.is_stream:
                raise ValidationFailed.of(f"hosts.{key}", url, "be an http or https URL: it has no streams")
            self._overrides[key] = _speaking(base, host.is_stream)

    def url(self, key: str) -> str:
        """The address of a host: a base URL without trailing slash; for a stream the complete URL.

        Raises:
            ValidationFailed: There is no such key.
        """
        host = find(key)
        base = self._overrides.get(key, host.base)
        return base if host.tail and base.endswith(host.tail) else base + host.tail

    def canonical(self, key: str) -> str:
        """The real address of a host, whatever is overridden; ``wss`` shown as ``https``."""
        return find(key).base.replace("wss:", "https:", 1)

    def is_overridden(self, key: str) -> bool:
        """Whether the host is reached at another address than the real one."""
        find(key)
        return key in self._overrides

    @property
    def overrides(self) -> dict[str, str]:
        """The addresses in force that are not the real ones: a saved session belongs to them."""
        return dict(self._overrides)

    @property
    def all_local(self) -> bool:
        """Whether no host but this machine can be reached at all."""
        return set(self._overrides) == set(HOSTS) and all(map(_is_loopback, self._overrides.values()))

    def locate(self, url: str) -> tuple[str, str] | None:
        """Which host an absolute URL belongs to: (key, path with query), or ``None`` for a stranger.

        Real and overridden addresses are both known, so a redirect that names the real login page
        leads back to the simulator and never off this machine.
        """
        for key, host in HOSTS.items():
            for base in (self._overrides.get(key, ""), host.base):
                if host.is_stream or not base or not url.startswith(base):
                    continue
                rest = url.removeprefix(base)
                if rest[:1] in ("", "/", "?"):
                    return key, rest if rest.startswith("/") else f"/{rest}"
        return None

    def _checked(self, field: str, url: str) -> str:
        """The override without its trailing slash, once it has passed every rule."""
        try:
            parts = urlsplit(url)
            usable = parts.scheme in ("http", "https", "ws", "wss") and bool(parts.hostname)
            _ = parts.port  # an unusable port shows only when it is read
        except ValueError:
            usable = False
        if not usable or parts.fragment or parts.username or parts.password:
            # The value is not repeated: it may hold a password.
            raise ValidationFailed(
                f"{field} must be an http, https, ws or wss URL without user name and fragment.",
                details={"field": field, "value": None, "rule": "be a plain URL"},
            )
        if parts.query and parts.scheme in ("http", "https"):
            raise ValidationFailed.of(field, url, "be a base URL without a query")
        if not self._remote_allowed and not _is_loopback(url):
            raise ValidationFailed.of(
                field,
                url,
                "point at this machine (127.0.0.1, ::1 or localhost)",
                hint="Set upstream_remote (FT_UPSTREAM_REMOTE=true) if another machine is meant: "
                "it will see your password and orders.",
            )
        return url.rstrip("/")


def find(key: str) -> Host:
    """The host of a key.

    Raises:
        ValidationFailed: There is no such key; says which is nearest.
    """
    host = HOSTS.get(key)
    if host is not None:
        return host
    import difflib  # deferred: only an error needs it

    near = difflib.get_close_matches(key.lower(), HOSTS, n=1)
    raise ValidationFailed.of(
        "hosts", key, f"be one of {', '.join(HOSTS)}", hint=f"Did you mean {near[0]}?" if near else ""
    )


def _speaking(base: str, stream: bool) -> str:
    """The same address in the scheme that HTTP calls or WebSockets need."""
    scheme, _, rest = base.partition("://")
    secure = scheme in ("https", "wss")
    wanted = ("wss" if secure else "ws") if stream else ("https" if secure else "http")
    return f"{wanted}://{rest}"


def _is_loopback(url: str) -> bool:
    name = (urlsplit(url).hostname or "").rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    import ipaddress  # deferred: only overrides need it

    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
