"""``ft auth credentials``, ``ft auth storage`` and ``ft auth rekey``: what is kept, where, under which key."""

from typing import TYPE_CHECKING, Annotated, Literal

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.errors import ValidationFailed
from ftcli.models.field import Document, Model, at
from ftcli.models.session import StoredCredentials
from ftcli.operations.operation import Param
from ftcli.redaction import Secret

if TYPE_CHECKING:
    from pathlib import Path


class StoreEntry(Model):
    """A place where credentials can come from."""

    store: Annotated[str, at(None, "environment, file or keyring.", column="Store")]
    where: Annotated[str, at(None, "Variables, path, or name of the keyring.", column="Where")]
    usable: Annotated[bool, at(None, "Whether it can keep credentials safely now.", column="Usable")]
    holds: Annotated[
        bool | None, at(None, "Whether it holds those of this environment.", column="Holds credentials")
    ] = None
    reason: Annotated[str | None, at(None, "Why it cannot be used.", column="Reason")] = None


class FileEntry(Model):
    """A file or folder that only its owner should see, or change."""

    what: Annotated[
        str, at(None, "What it is: data, settings, database, a variable that names it …", column="What")
    ]
    path: Annotated[str, at(None, "Its path.", column="File")]
    mode: Annotated[str, at(None, "Its rights; 0600 is right, 0700 for the data folder.", column="Mode")]
    private: Annotated[
        bool, at(None, "Whether only its owner can read it; of other folders, write in it.", column="Private")
    ]
    encrypted: Annotated[bool, at(None, "Whether its content is encrypted.", column="Encrypted")]
    fix: Annotated[str | None, at(None, "The command that makes it private.", column="Fix")] = None


class Storage(Document):
    """Where secrets are kept."""

    stores: Annotated[list[StoreEntry], at(None, "In the order in which they are asked.")] = []
    files: Annotated[list[FileEntry], at(None, "What we keep, wherever it is.")] = []
    folder: Annotated[str, at(None, "The data folder.", column="Data folder")] = ""
    folder_mode: Annotated[str, at(None, "Its rights.", column="Mode")] = ""
    key_origin: Annotated[
        str, at(None, "Where the key of the encrypted files comes from.", column="Key from")
    ] = ""
    key_warning: Annotated[str | None, at(None, "How the key could be safer.", column="Warning")] = None


class KeyChange(Document):
    """A change of the key of the encrypted files."""

    key_origin: Annotated[str, at(None, "Where the key comes from.", column="Key from")]
    key_id: Annotated[str, at(None, "Short name of the new key; it does not give it away.", column="Key id")]
    files: Annotated[list[str], at(None, "Files closed with it now.", column="Files")] = []
    new_key: Annotated[
        str | None,
        at(None, "The key made by --generate: set it now, it is shown this once.", column="New key"),
    ] = None


@form(
    examples=("auth credentials set", "auth credentials set --username kim --password-stdin < password.txt")
)
async def put(
    call: Call,
    username: Annotated[str | None, Param("User name; asked for where left out.")] = None,
    password_stdin: Annotated[bool, Param("Read the password from the first line of stdin.")] = False,
    totp_stdin: Annotated[
        bool, Param("Read the authenticator's base32 secret from the next line of stdin.")
    ] = False,
) -> None:
    """Keep the credentials at the broker.

    They go to the OS keyring; without one, to an encrypted file if FTSERVICE_ENCRYPTION_KEY or FT_PASSPHRASE
    is set; else they are refused. The password is asked for, or comes from stdin, FT_PASSWORD or
    FT_PASSWORD_FILE, and the authenticator's secret likewise (FT_TOTP): with it the session can be renewed
    without you. Nothing is sent to the broker.
    """
    settings, ask = call.settings, call.can_ask
    password = _line(call, "--password-stdin") if password_stdin else None
    totp = _line(call, "--totp-stdin") if totp_stdin else None
    name = username or settings.username or (call.terminal.ask("User name: ") if ask else "")
    if password is None and settings.password:
        password = settings.password.reveal()
    if password is None and ask:
        password = call.terminal.ask_secret("Password: ")
    if totp is None and settings.totp:
        totp = settings.totp.reveal()
    if totp is None and ask:
        totp = call.terminal.ask_secret("Authenticator's secret (empty for none): ").strip() or None
    for field, value in (("--username", name), ("--password-stdin", password)):
        if not value:
            raise ValidationFailed.of(field, None, "be given")
    async with call.open_client() as client:
        call.show(await client.credentials.store(name, password or "", totp))


@form(examples=("auth credentials show",))
def show(call: Call) -> None:
    """Show whose credentials are stored, and where.

    The secrets themselves are never shown.
    """
    from ftcli.credentials.credentials import CredentialStore

    store = CredentialStore(call.settings)
    found = store.get()
    if found is None:
        call.show(StoredCredentials(note=store.reason))
        return
    call.show(
        StoredCredentials(
            stored=True, username=found.username, totp=found.totp is not None, store=found.origin
        )
    )


@form(examples=("auth credentials delete",))
async def delete(call: Call) -> None:
    """Forget the stored credentials.

    The session that they opened lives on; end it with `ft auth logout`.
    """
    async with call.open_client() as client:
        call.show(await client.credentials.remove())


@form(examples=("auth credentials migrate --to file", "auth credentials migrate --to keyring"))
def migrate(
    call: Call, to: Annotated[Literal["keyring", "file"], Param("Where they shall be kept.")]
) -> None:
    """Move the credentials to another store.

    The old one is emptied once the new one has proved to hold them.
    """
    from ftcli.credentials.credentials import CredentialStore

    store = CredentialStore(call.settings)
    where = store.migrate(to)
    found = store.get()
    call.show(
        StoredCredentials(
            stored=True,
            username=found.username if found else None,
            totp=bool(found and found.totp),
            store=where,
            note=store.warning or None,
        )
    )


@form(examples=("auth storage", "auth storage -o json"))
def storage(call: Call) -> None:
    """Show where secrets are kept, and how safe that is.

    Asks the keyring, with a limit of 3 seconds, and looks at the rights of our files: the data folder, the user
    file, the database and the files that hold secrets, wherever they are. Says what to type where others can read one.
    """
    found = storage_of(call)
    if call.output != "table" or call.columns:
        call.show(found)
        return
    rows: list[tuple[str, str, str]] = []
    for store in found.stores:
        holds = {True: "holds credentials", False: "holds none", None: "cannot be read"}[store.holds]
        mark = "usable" if store.usable else "not usable"
        rows.append((store.store, mark, f"{store.where}: {holds}"))
        rows.append(("", "", store.reason or ""))
    rows.append(("key", "", f"from {found.key_origin or 'nowhere'}"))
    rows.append(("", "", found.key_warning or ""))
    for file in found.files:
        marks = ("" if file.private else "OPEN TO OTHERS", "encrypted" if file.encrypted else "")
        rows.append((file.what, file.mode, " ".join(filter(None, (file.path, *marks)))))
        rows.append(("", "", file.fix or ""))
    width = max(len(first) for first, _, _ in rows)
    lines = [f"{first:{width}}  {second:10}  {third}" for first, second, third in rows if third]
    call.terminal.write("\n".join(lines) + "\n")


def storage_of(call: Call) -> Storage:
    """Where secrets are kept: stores, files with their rights, and the key."""
    from ftcli.credentials.credentials import CredentialStore
    from ftcli.credentials.keys import KeySource
    from ftcli.credentials.os_keyring import OsKeyring
    from ftcli.credentials.rights import all_rights
    from ftcli.errors import FtError

    keyring = OsKeyring()
    settings = call.settings
    stores = [
        StoreEntry(
            store=state.name,
            where=state.where,
            usable=state.usable,
            holds=state.holds,
            reason=state.reason or None,
        )
        for state in CredentialStore(settings, keyring).states()
    ]
    files = [
        FileEntry(
            what=rights.what,
            path=str(rights.path),
            mode=rights.mode,
            private=not rights.fix,
            encrypted=_is_sealed(rights.path),
            fix=rights.fix or None,
        )
        for rights in all_rights(settings, call.terminal.environ)
    ]
    source, origin, warning = KeySource(settings, keyring), "", ""
    try:
        origin = source.describe()
        warning = source.warning
    except FtError as problem:
        warning = problem.message
    return Storage(
        stores=stores,
        files=files,
        folder=files[0].path,
        folder_mode=files[0].mode,
        key_origin=origin,
        key_warning=warning or None,
    )


@form(examples=("auth rekey", "auth rekey --generate", "auth rekey --key-stdin < new.key"))
def rekey(
    call: Call,
    key_stdin: Annotated[
        bool, Param("Read the new encryption key or passphrase from the first line of stdin.")
    ] = False,
    generate: Annotated[
        bool, Param("Make a new encryption key and show it once, where the present one comes from outside.")
    ] = False,
) -> None:
    """Change the key of the encrypted files.

    A key in the keyring or in a file is replaced by a random one. Where the key comes from outside, give the
    new key or passphrase, and set it in FTSERVICE_ENCRYPTION_KEY or FT_PASSPHRASE afterwards. Nothing is lost
    if this breaks off: run it again with --key-stdin and the same new key. A running daemon finds the new key in
    the keyring, the key file or a ..._FILE; it must be started anew where the key is in a plain variable.
    """
    from ftcli.credentials.keys import KeySource, new_key
    from ftcli.credentials.rekey import rekey as change

    if key_stdin and generate:
        raise ValidationFailed.of("--generate", None, "be left out with --key-stdin")
    new: Secret | None = None
    if generate:
        new = Secret(new_key().decode())
        # Told before anything is closed with it: whatever breaks off then, the key is at hand.
        call.announce(f"New encryption key: {new.reveal()}")
    elif key_stdin:
        new = Secret(_line(call, "--key-stdin"))
    elif call.can_ask and KeySource(call.settings).describe() in ("environment", "passphrase"):
        new = Secret(call.terminal.ask_secret("New encryption key or passphrase: "))
        if call.terminal.ask_secret("Once more: ") != new.reveal():
            raise ValidationFailed("The two texts differ. Nothing was changed.")
    done = change(call.settings, new)
    call.show(
        KeyChange(
            key_origin=done.origin,
            key_id=done.key,
            files=list(done.files),
            new_key=new.reveal() if generate and new else None,
        )
    )
    if done.origin in ("environment", "passphrase"):
        name = "FTSERVICE_ENCRYPTION_KEY" if done.origin == "environment" else "FT_PASSPHRASE"
        call.talk(f"Set {name} to the new one now: the old one opens nothing any more.")


def _is_sealed(path: "Path") -> bool:
    from ftcli.credentials.sealed import is_sealed

    try:
        return is_sealed(path)
    except OSError:
        return False  # its rights say why


def _line(call: Call, option: str) -> str:
    text = call.terminal.stdin.readline().rstrip("\r\n")
    if not text:
        raise ValidationFailed.of(option, None, "find a line on stdin")
    return text
