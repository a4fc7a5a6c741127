"""Settings in visible layers: flag > environment > profile > user file > default.

Each setting is declared once, as a field of :class:`Settings`: its type, default, environment
variables and meaning. ``ft config show`` prints every value with its origin. Unknown keys and
values that do not parse are errors with a suggestion: a typo must never mean "live".
"""

import os
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

import msgspec

from ftcli.config_file import config_file as config_file
from ftcli.config_file import default_dir, layers
from ftcli.config_file import read_secret as read_secret
from ftcli.errors import ValidationFailed
from ftcli.redaction import MASK, Secret

Environment = Literal["paper", "live"]
OutputFormat = Literal["table", "json", "jsonl", "csv", "raw"]


class Env(NamedTuple):
    """Where a setting comes from and what it means.

    Attributes:
        names: Environment variables, the first that is set wins.
        help: The meaning, for people.
    """

    names: tuple[str, ...]
    help: str


def env(names: str, help: str) -> Env:  # noqa: A002 - the field's natural word
    """Declares the environment variables (blank separated) and meaning of a setting."""
    return Env(tuple(names.split()), help)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Every setting of ftcli. The names are the keys of the user file and of ``ft config show``."""

    environment: Annotated[
        Environment, env("FT_ENV", "paper: the embedded paper broker. live: the real broker.")
    ] = "live"
    profile: Annotated[str, env("FT_PROFILE", "Name of a [profile.NAME] table of the user file.")] = ""
    account: Annotated[str, env("FT_ACCOUNT", "Account used where a command names none.")] = ""
    output: Annotated[OutputFormat, env("FT_OUTPUT", "Default output format.")] = "table"
    timeout: Annotated[float, env("FT_TIMEOUT", "Seconds to wait for one answer of the broker.")] = 30.0
    live_trading: Annotated[
        bool, env("FT_LIVE_TRADING FTSERVICE_LIVE_TRADING", "Let orders be placed in the live environment.")
    ] = False

    username: Annotated[str, env("FT_USERNAME", "User name at the broker.")] = ""
    password: Annotated[Secret | None, env("FT_PASSWORD", "Password at the broker.")] = None
    totp: Annotated[
        Secret | None, env("FT_TOTP", "Second factor: six digits, or the base32 secret of the authenticator.")
    ] = None

    data_dir: Annotated[Path | None, env("FT_DATA_DIR", "Folder of session, paper state and database.")] = (
        None
    )
    upstream: Annotated[
        str, env("FT_UPSTREAM", "One base URL for every broker host, streams too (a simulator).")
    ] = ""
    upstream_remote: Annotated[
        bool, env("FT_UPSTREAM_REMOTE", "Allow host overrides that do not point at this machine.")
    ] = False
    hosts: Annotated[
        dict[str, str], env("FT_HOSTS", "Base URLs by host key, as key=url pairs with commas: dp=https://…")
    ] = msgspec.field(default_factory=dict)
    paths: Annotated[
        dict[str, str],
        env(
            "FT_PATHS", "Replacements for wire paths that are inferred, as operation=path pairs with commas."
        ),
    ] = msgspec.field(default_factory=dict)
    app_version: Annotated[str, env("FT_APP_VERSION", "Version of the desktop app named to the broker.")] = (
        "4.5.1.4"
    )
    unverified: Annotated[
        bool, env("FT_UNVERIFIED", "Send request forms whose wire codes are placeholders to the live broker.")
    ] = False

    conditional_numbers: Annotated[
        Literal["shifted", "aligned"],
        env(
            "FT_CONDITIONAL_NUMBERS",
            "Which confirmation number travels with which order of a conditional group.",
        ),
    ] = "shifted"

    preview_max_age: Annotated[
        float, env("FT_PREVIEW_MAX_AGE", "Seconds after which a preview may not be placed any more.")
    ] = 1800.0
    limits: Annotated[
        dict[str, Any],
        env(
            "FT_LIMITS",
            "Limits of orders, as rule=value pairs with commas; the user file: a [limits] table. See docs/safety.md.",
        ),
    ] = msgspec.field(default_factory=dict)

    paper_db: Annotated[Path | None, env("FT_PAPER_DB", "SQLite file of the paper broker.")] = None
    paper_seed: Annotated[int, env("FT_PAPER_SEED", "Seed of the paper market and its accounts.")] = 1
    paper_market: Annotated[
        Literal["always", "nyse"], env("FT_PAPER_MARKET", "Trading hours of the paper market.")
    ] = "always"
    paper_totp: Annotated[
        Secret | None, env("FT_PAPER_TOTP", "Give the paper login this second factor (base32 secret).")
    ] = None
    paper_clock: Annotated[
        str, env("FT_PAPER_CLOCK", "Freeze the paper broker's clock at this ISO 8601 moment.")
    ] = ""

    paper_faults: Annotated[
        dict[str, str],
        env("FT_PAPER_FAULTS", "Faults of the paper broker as name=value pairs with commas: slow=2,html=on."),
    ] = msgspec.field(default_factory=dict)

    daemon: Annotated[
        str,
        env(
            "FT_DAEMON",
            "Where the daemon is that `ft stream status` and the like ask: http://…, or unix:///path of its socket.",
        ),
    ] = "http://127.0.0.1:8787"
    daemon_key: Annotated[Secret | None, env("FT_API_KEY", "API key for that daemon.")] = None

    host: Annotated[str, env("FTSERVICE_HOST", "Address the daemon binds.")] = "127.0.0.1"
    port: Annotated[int, env("FTSERVICE_PORT", "Port the daemon binds.")] = 8787
    api_key_required: Annotated[
        bool, env("FTSERVICE_API_KEY_REQUIRED", "Require `Authorization: Bearer <key>` from clients.")
    ] = True
    api_key: Annotated[Secret | None, env("FTSERVICE_API_KEY", "A first API key, for containers.")] = None
    encryption_key: Annotated[
        Secret | None, env("FTSERVICE_ENCRYPTION_KEY", "Fernet key of the encrypted stores.")
    ] = None
    passphrase: Annotated[
        Secret | None,
        env("FT_PASSPHRASE", "Passphrase of the encrypted stores, where there is no encryption key."),
    ] = None
    credential_store: Annotated[
        Literal["auto", "keyring", "file"],
        env(
            "FT_CREDENTIAL_STORE",
            "Where credentials are kept: the OS keyring, an encrypted file, or the first of these that is safe.",
        ),
    ] = "auto"
    session: Annotated[
        str, env("FT_SESSION", "Name of a session of its own; processes of the same name share one.")
    ] = ""
    key_rate: Annotated[
        str,
        env("FTSERVICE_KEY_RATE", "How often a key without a rate of its own may be used; off: no limit."),
    ] = "6000/m"
    wrong_key_rate: Annotated[
        str, env("FTSERVICE_WRONG_KEY_RATE", "How many wrong keys one address may send; off: no limit.")
    ] = "10/m"
    allowed_hosts: Annotated[
        str, env("FTSERVICE_ALLOWED_HOSTS", "Further names the daemon answers to, with commas.")
    ] = ""
    allowed_origins: Annotated[
        str,
        env(
            "FTSERVICE_ALLOWED_ORIGINS", "Origins whose pages may use the daemon, such as https://a.example."
        ),
    ] = ""
    tls_cert: Annotated[
        Path | None, env("FTSERVICE_TLS_CERT", "Certificate chain (PEM); switches TLS on.")
    ] = None
    tls_key: Annotated[
        Path | None, env("FTSERVICE_TLS_KEY", "Private key (PEM) where it is not in the certificate's file.")
    ] = None
    tls_key_password: Annotated[
        Secret | None, env("FTSERVICE_TLS_KEY_PASSWORD", "Password of that key, where it is encrypted.")
    ] = None
    socket: Annotated[
        Path | None, env("FTSERVICE_SOCKET", "Listen on this unix socket (0600) instead of a port.")
    ] = None
    max_connections: Annotated[
        int,
        env(
            "FTSERVICE_MAX_CONNECTIONS",
            "Connections held at once, where the limit of open files allows; strangers make room for newcomers.",
        ),
    ] = 1024
    auto_reauth: Annotated[bool, env("FTSERVICE_AUTO_REAUTH", "Log in again when the session expires.")] = (
        True
    )
    keepalive_interval: Annotated[
        float, env("FTSERVICE_SESSION_KEEPALIVE_INTERVAL", "Seconds between keep-alives.")
    ] = 300.0
    log_level: Annotated[
        Literal["DEBUG", "INFO", "WARNING", "ERROR"], env("FTSERVICE_LOG_LEVEL", "Log level of the daemon.")
    ] = "INFO"
    db_path: Annotated[Path | None, env("FTSERVICE_DB_PATH", "The daemon's SQLite file.")] = None
    stream_consumers: Annotated[int, env("FTSERVICE_STREAM_CONSUMERS", "Stream consumers at one time.")] = 500
    stream_symbols: Annotated[
        int, env("FTSERVICE_STREAM_SYMBOLS", "Symbols of one stream consumer, and held by one key.")
    ] = 200
    stream_backoff: Annotated[
        str,
        env("FTSERVICE_STREAM_BACKOFF", "Seconds before stream reconnects 1, 2, 3 ...; the last repeats."),
    ] = "0.5,1,2,3,4.5,10,30"
    beps_token: Annotated[
        Secret | None, env("FTSERVICE_BEPS_TOKEN", "BEPS JWT; setting it enables event streaming.")
    ] = None
    beps_host: Annotated[str, env("FTSERVICE_BEPS_HOST", "AppSync host of the BEPS WebSocket.")] = ""
    beps_stream_url: Annotated[
        str, env("FTSERVICE_BEPS_STREAM_URL", "BEPS WebSocket URL; {0} stands for the auth header.")
    ] = ""
    beps_mid: Annotated[str, env("FTSERVICE_BEPS_MID", "Member identifier of the BEPS subscription.")] = ""
    beps_app_id: Annotated[str, env("FTSERVICE_BEPS_APP_ID", "BEPS consumer application id.")] = "ATN"

    origins: dict[str, str] = msgspec.field(default_factory=dict)
    """Not a setting: where each value came from, for ``ft config show``."""

    @property
    def is_paper(self) -> bool:
        """Whether nothing real can happen here."""
        return self.environment == "paper"

    def data_path(self, name: str) -> Path:
        """A file in the data folder, which is made (0700) where it is missing.

        Raises:
            ValidationFailed: There is no folder and none can be made.
        """
        folder = self.data_dir or default_dir("user_data_dir")
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as problem:
            raise ValidationFailed.of(
                "data_dir",
                folder,
                f"be a folder, or one that can be made ({problem.strerror})",
                hint="Set FT_DATA_DIR.",
            ) from None
        return folder / name


def declared() -> dict[str, tuple[Any, Env]]:
    """Every setting: name → (type, its :class:`Env`). The table behind docs and ``ft config show``."""
    hints = get_type_hints(Settings, include_extras=True)
    return {
        name: (get_args(hint)[0], get_args(hint)[1])
        for name, hint in hints.items()
        if get_origin(hint) is Annotated
    }


def load(flags: Mapping[str, Any] | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings from all layers.

    Args:
        flags: Values given on the command line, by setting name; ``None`` values are no values.
        environ: The environment; the process's own by default.

    Raises:
        ValidationFailed: A key is unknown, a value does not parse, or a secret is given in two forms.
    """
    environ = os.environ if environ is None else environ
    table = declared()
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}

    def put(name: str, raw: Any, origin: str, shown: str) -> None:
        values[name] = _parse(shown, raw, table[name][0])
        origins[name] = origin

    profile = (flags or {}).get("profile") or environ.get("FT_PROFILE")
    for origin, layer in layers(environ, profile):
        for name, raw in layer.items():
            if name not in table:
                raise _unknown_key(name, origin, list(table))
            put(name, raw, origin, f"{name} in {origin}")
    for name, (_, source) in table.items():
        found = _from_environment(source.names, environ)
        if found:
            put(name, found[1], found[0], found[0])
    for name, raw in (flags or {}).items():
        if raw is not None:
            put(name, raw, "command line", f"--{name.replace('_', '-')}")
    return Settings(**values, origins=origins)


def _from_environment(names: tuple[str, ...], environ: Mapping[str, str]) -> tuple[str, str] | None:
    """The first variable of ``names`` that is set, in its plain or its ``_FILE`` form."""
    for name in names:
        plain, file = environ.get(name), environ.get(f"{name}_FILE")
        if plain and file:
            raise ValidationFailed(
                f"Both {name} and {name}_FILE are set; set only one of them.",
                details={"field": name, "value": None, "rule": "be given in one form only"},
            )
        if file:
            return f"{name}_FILE", read_secret(f"{name}_FILE", file)
        if plain:
            return name, plain
    return None


_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


def _parse(shown: str, raw: Any, kind: Any) -> Any:
    """``raw`` as the declared type; strict, because half-understood settings cost money."""
    if get_origin(kind) is Literal:
        choices = get_args(kind)
        if raw not in choices:
            raise ValidationFailed.of(
                shown, raw, f"be one of {', '.join(choices)}", hint=_did_you_mean(raw, choices)
            )
        return raw
    options = get_args(kind) or (kind,)
    if Secret in options or Path in options:
        return _parse_text(shown, raw, Secret in options)
    if kind is bool:
        if isinstance(raw, bool):
            return raw
        word = str(raw).strip().lower()
        if word not in _TRUE | _FALSE:
            raise ValidationFailed.of(shown, raw, "be true or false")
        return word in _TRUE
    if kind in (int, float):
        return _parse_number(shown, raw, kind)
    if get_origin(kind) is dict:
        if isinstance(raw, dict):
            return raw
        # Limits are judged where orders are placed: the kill switch works whatever they say.
        return _parse_pairs(shown, str(raw), strict=get_args(kind)[1] is not Any)
    return str(raw)


def _parse_text(shown: str, raw: Any, secret: bool) -> Any:
    if isinstance(raw, Secret | Path):
        return raw
    if not isinstance(raw, str):
        # The value is not repeated: a password without quotes may look like a number.
        raise ValidationFailed(
            f"{shown} must be text, in quotes.", details={"field": shown, "value": None, "rule": "be text"}
        )
    if secret:
        return Secret(raw)
    try:
        return Path(raw).expanduser()
    except RuntimeError:
        raise ValidationFailed.of(shown, raw, "be a path whose ~ is known here") from None


def _parse_number(shown: str, raw: Any, kind: type) -> Any:
    try:
        number = kind(Decimal(str(raw).strip())) if kind is float else int(str(raw).strip())
    except (ValueError, ArithmeticError):
        raise ValidationFailed.of(shown, raw, "be a number") from None
    if number < 0:
        raise ValidationFailed.of(shown, raw, "not be negative")
    return number


def _parse_pairs(shown: str, raw: str, *, strict: bool) -> dict[str, Any]:
    pairs: dict[str, Any] = {}

    def words_of(value: Any) -> list[str]:
        return value if isinstance(value, list) else str(value).split()

    for item in filter(None, (part.strip() for part in raw.split(","))):
        key, equals, value = item.partition("=")
        if strict and (not equals or not key.strip() or not value.strip()):
            raise ValidationFailed.of(shown, item, "be key=value pairs separated by commas")
        name, text = key.strip(), value.strip()
        if strict and name in pairs:
            raise ValidationFailed.of(shown, item, f"give {name} once")
        # Of two limits nobody knows which is meant: both go to the judge of limits, who takes lists of symbols only.
        pairs[name] = [*words_of(pairs[name]), *words_of(text)] if name in pairs else text
    return pairs


def _did_you_mean(word: Any, choices: Any) -> str:
    import difflib  # deferred: only an error needs it

    close = difflib.get_close_matches(str(word).lower(), [str(choice) for choice in choices], n=1)
    return f"Did you mean {close[0]}?" if close else ""


def _unknown_key(name: str, origin: str, known: list[str]) -> ValidationFailed:
    hint = _did_you_mean(name, known)
    return ValidationFailed(
        f"{name} in {origin} is not a setting. {hint}".rstrip(),
        details={"field": name, "value": None, "rule": "be a known setting"},
    )


def shown(settings: Settings) -> list[tuple[str, str, str]]:
    """(name, value, origin) of every setting, secrets masked: what ``ft config show`` prints."""
    rows = []
    for name, (kind, _) in declared().items():
        value = getattr(settings, name)
        text = MASK if Secret in get_args(kind) and value else "" if value is None else str(value)
        if isinstance(value, bool):
            text = text.lower()
        rows.append((name, text, settings.origins.get(name, "default")))
    return rows
