"""The one declaration of an operation: everything its three faces need is read from it.

    class Accounts(Group):
        name = "accounts"

        @operation("GET", "/accounts/{acct}/positions")
        async def positions(self, acct: Acct) -> Positions:
            '''Show what an account holds, with market value and gain.'''
            ...

The SDK calls it as ``await ft.accounts.positions("Z20000025")``, fully typed. The command line and the daemon
read its method, path, parameters (where each lives, its type and help), result type, summary and risk from it.
An operation never does I/O of its own: it asks the :class:`Core` it stands on.
"""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import datetime
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    ClassVar,
    Concatenate,
    Generic,
    Literal,
    ParamSpec,
    Protocol,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
    overload,
)

import msgspec

from ftcli.models.field import Document, without_none
from ftcli.redaction import Secret
from ftcli.wire import Placement, Previewed, WireReply, WireRequest

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from ftcli.config import Settings
    from ftcli.models.accounts import Account
    from ftcli.models.session import SessionStatus, StoredCredentials
    from ftcli.models.trading import Facts, TradingStatus
    from ftcli.operations.desk import TradingDesk

Risk = Literal["read", "write", "money"]
Where = Literal["path", "query", "body"]
P = ParamSpec("P")
T = TypeVar("T")
G = TypeVar("G", bound="Group")
D = TypeVar("D", bound=Document)

INFERRED = "Wire form inferred, not yet seen live."


class Core(Protocol):
    """What an operation may ask of the client it belongs to."""

    @property
    def settings(self) -> "Settings": ...

    def now(self) -> datetime:
        """The present moment, aware."""
        ...

    async def send(self, request: WireRequest) -> WireReply:
        """Sends one request to the broker; reads may be repeated, nothing else is."""
        ...

    async def place(self, placement: Placement[T]) -> T:
        """Sends an order through the trading gate, at most once."""
        ...

    def previewed(self, preview: Previewed) -> None:
        """Remembers a preview: only an order that was previewed here can be placed."""
        ...

    @property
    def desk(self) -> "TradingDesk":
        """Journal and limits."""
        ...

    def halt(self, reason: str) -> None:
        """Halts trading in the environment in force."""
        ...

    def resume(self) -> None:
        """Lets orders through again."""
        ...

    def trading_status(self) -> "TradingStatus":
        """Whether orders can be placed; told even where the journal cannot be opened."""
        ...

    async def facts(self, account: str, symbols: list[str], rules: set[str]) -> "Facts":
        """What some limits must know of the market and an account."""
        ...

    async def login(self, username: str | None, password: Secret | None, totp: Secret | None) -> None:
        """Logs in at the broker; what is not given comes from the stored credentials."""
        ...

    async def answer_totp(self, code: Secret) -> None:
        """Answers a pending request for the second factor."""
        ...

    async def logout(self) -> bool:
        """Ends the session at the broker and forgets its cookies; answers whether the broker confirmed it."""
        ...

    async def store_credentials(
        self, username: str, password: Secret, totp: Secret | None
    ) -> "StoredCredentials":
        """Keeps credentials, encrypted, for logins to come."""
        ...

    async def remove_credentials(self) -> "StoredCredentials":
        """Forgets the stored credentials."""
        ...

    async def session_status(self, offline: bool) -> "SessionStatus":
        """Where the session stands; asks the broker unless ``offline``."""
        ...

    def updates(self, kind: str, symbols: list[str]) -> "AbstractAsyncContextManager[AsyncIterator[Any]]":
        """Live updates of some symbols, from the one hub; the context manager ends the subscription."""
        ...

    async def account(self, acct: str) -> "Account":
        """One account of the login, from a cache of the account list."""
        ...

    async def default_accounts(self) -> list[str]:
        """Every brokerage account of the login."""
        ...


class Param(msgspec.Struct, frozen=True):
    """How a parameter shows itself: the second argument of ``Annotated``.

    Attributes:
        help: Its meaning, for users.
        where: Where HTTP carries it; ``None`` lets the path and method decide.
        cli: Spellings of its option; empty for the usual ``--name``.
        argument: Whether the command line takes it by position.
        complete: What shell completion offers.
        example: An example value.
        metavar: What the help calls its value; empty for a word of its name.
        tells_secret: Whether it asks for a secret: over HTTP that takes a key with the scope ``admin``, and is noted.
    """

    help: str
    where: Where | None = None
    cli: tuple[str, ...] = ()
    argument: bool = False
    complete: Literal["", "accounts", "symbols", "orders"] = ""
    example: Any = None
    metavar: str = ""
    tells_secret: bool = False


class ParamInfo(msgspec.Struct, frozen=True):
    """A parameter as declared, resolved.

    Attributes:
        name: Python and JSON name.
        type: Its type, with ``None`` where it may be left out.
        default: Its default, or :data:`msgspec.NODEFAULT` where it is required.
        where: Where HTTP carries it.
        param: How it shows itself.
    """

    name: str
    type: Any
    default: Any
    where: Where
    param: Param

    @property
    def required(self) -> bool:
        """Whether the caller must give it."""
        return self.default is msgspec.NODEFAULT

    @property
    def is_list(self) -> bool:
        """Whether it takes several values."""
        return get_origin(without_none(self.type)) is list


class Group:
    """A noun of the surface: the operations of one kind, on top of a core.

    Attributes:
        name: Dotted name, as in the SDK: ``orders.equity``.
    """

    name: ClassVar[str]

    def __init__(self, core: Core) -> None:
        self.core = core


class Operation(Generic[P, T]):
    """A declared operation. On a group instance it is the method; on the class it is this declaration.

    Attributes:
        name: Dotted name: ``accounts.positions``.
        method, path: Its HTTP route, the path under ``/api/v1``.
        risk: ``read``, ``write`` or ``money`` (places an order).
        cli: Its command's words, or ``None`` where the command line has another form for it.
        inferred: Whether its wire form is inferred (protocol README).
        streaming: Whether it answers with a stream of updates.
        examples: Command lines shown in the help.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        method: str,
        path: str,
        risk: Risk,
        cli: str | None,
        inferred: bool,
        streaming: bool,
        examples: tuple[str, ...],
    ) -> None:
        self.function = function
        self.method = method
        self.path = path
        self.risk: Risk = risk
        self.inferred = inferred
        self.streaming = streaming
        self.examples = examples
        self._cli = cli
        self.__doc__ = function.__doc__

    def __set_name__(self, owner: type[Group], name: str) -> None:
        self.attribute = name
        self.name = f"{owner.name}.{name}"
        if self._cli == "":
            self.cli: str | None = self.name.replace(".", " ").replace("_", "-")
        else:
            self.cli = self._cli

    @overload
    def __get__(self, group: None, owner: type) -> "Operation[P, T]": ...
    @overload
    def __get__(self, group: Group, owner: type) -> Callable[P, T]: ...
    def __get__(self, group: Group | None, owner: type) -> "Operation[P, T] | Callable[P, T]":
        if group is None:
            return self
        bound: Callable[P, T] = self.function.__get__(group, owner)
        return bound

    @property
    def summary(self) -> str:
        """The first line of the docstring: the command's help and the OpenAPI summary."""
        return (self.__doc__ or "").strip().partition("\n")[0]

    @property
    def description(self) -> str:
        """The docstring without its first line, unindented; it says where a wire form is inferred."""
        rest = (self.__doc__ or "").strip().partition("\n")[2]
        lines = [line.strip() for line in rest.strip().splitlines()]
        text = "\n".join(lines)
        return f"{text}\n\n{INFERRED}".strip() if self.inferred else text

    @property
    def result(self) -> Any:
        """The type of the answer; of one update, where it streams."""
        hint = get_type_hints(self.function, include_extras=True)["return"]
        return get_args(hint)[0] if get_origin(hint) is AsyncIterator else hint

    @property
    def params(self) -> list[ParamInfo]:
        """The parameters in order, each with its type, default, place and help."""
        code = self.function.__code__
        names = code.co_varnames[1 : code.co_argcount + code.co_kwonlyargcount]
        defaults = dict(self.function.__kwdefaults__ or {})
        given = self.function.__defaults__ or ()
        defaults.update(
            zip(code.co_varnames[code.co_argcount - len(given) : code.co_argcount], given, strict=True)
        )
        hints = get_type_hints(self.function, include_extras=True)
        return [self._param(name, hints[name], defaults.get(name, msgspec.NODEFAULT)) for name in names]

    def _param(self, name: str, hint: Any, default: Any) -> ParamInfo:
        param = Param("")
        if get_origin(hint) is Annotated:
            hint, *extras = get_args(hint)
            param = next((extra for extra in extras if isinstance(extra, Param)), param)
        if f"{{{name}}}" in self.path:
            where: Where = "path"
        elif param.where:
            where = param.where
        else:
            where = "query" if self.method in ("GET", "DELETE") else "body"
        return ParamInfo(name, hint, default, where, param)

    @property
    def body_is(self) -> ParamInfo | None:
        """The parameter that *is* the request body, where the body is one model and not a set of members."""
        body = [param for param in self.params if param.where == "body"]
        return body[0] if len(body) == 1 and is_model(body[0].type) else None

    def __repr__(self) -> str:
        return f"<operation {self.name}: {self.method} {self.path}>"


def is_model(kind: Any) -> bool:
    """Whether a type is a model, or a choice between models."""
    options = get_args(kind) or (kind,)
    return all(isinstance(option, type) and issubclass(option, msgspec.Struct) for option in options)


def operation(
    method: str,
    path: str,
    *,
    risk: Risk = "read",
    cli: str | None = "",
    inferred: bool = False,
    examples: tuple[str, ...] = (),
) -> Callable[[Callable[Concatenate[G, P], Coroutine[Any, Any, T]]], Operation[P, Coroutine[Any, Any, T]]]:
    """Declares an operation that answers once.

    Args:
        method, path: Its HTTP route, under ``/api/v1``. ``{name}`` takes the parameter of that name.
        risk: ``money`` for everything that enters or changes an order, ``write`` for other changes.
        cli: The command's words where they differ from the operation's name; ``None`` for no command.
        inferred: The wire form is inferred: help, docstring and OpenAPI say so.
        examples: Command lines for the help, without the leading ``ft``.
    """

    def declare(
        function: Callable[Concatenate[G, P], Coroutine[Any, Any, T]],
    ) -> Operation[P, Coroutine[Any, Any, T]]:
        return Operation(
            function,
            method=method,
            path=path,
            risk=risk,
            cli=cli,
            inferred=inferred,
            streaming=False,
            examples=examples,
        )

    return declare


def streaming(
    path: str, *, cli: str | None = "", inferred: bool = False, examples: tuple[str, ...] = ()
) -> Callable[[Callable[Concatenate[G, P], AsyncIterator[T]]], Operation[P, AsyncIterator[T]]]:
    """Declares an operation that answers with updates: an async iterator, an SSE route, a live table."""

    def declare(function: Callable[Concatenate[G, P], AsyncIterator[T]]) -> Operation[P, AsyncIterator[T]]:
        return Operation(
            function,
            method="GET",
            path=path,
            risk="read",
            cli=cli,
            inferred=inferred,
            streaming=True,
            examples=examples,
        )

    return declare


def operations_of(group: type[Group]) -> list[Operation[..., Any]]:
    """The operations of a group: its own in order, then those of the parts it inherits."""
    found: dict[str, Operation[..., Any]] = {}
    for part in group.__mro__:
        for name, value in vars(part).items():
            if isinstance(value, Operation):
                found.setdefault(name, value)
    return list(found.values())


def with_reply(document: D, reply: WireReply) -> D:
    """``document``, remembering the broker's answer it was read from (``result.raw``)."""
    document.__dict__["_reply"] = reply
    return document


_TEMPLATE = re.compile(r"\{(\w+)\}")


def path_names(path: str) -> list[str]:
    """The parameter names in a path template."""
    return _TEMPLATE.findall(path)


AnyOperation = Operation[..., Awaitable[Any]]
