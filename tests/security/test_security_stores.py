"""Encrypted stores: passphrase and key, rotation that loses nothing, moving, and never in the plain."""

import asyncio
import contextlib
import json
from pathlib import Path

import msgspec
import pytest
from cli_kit import ft

from ftcli.config import Settings
from ftcli.credentials import rekey as rekey_module
from ftcli.credentials import service
from ftcli.credentials.credentials import CredentialStore
from ftcli.credentials.encrypted_file import EncryptedFile
from ftcli.credentials.files import write_private
from ftcli.credentials.keys import KeySource, key_id, new_key
from ftcli.credentials.os_keyring import OsKeyring
from ftcli.credentials.passphrase import FILE_NAME as SALT
from ftcli.credentials.passphrase import passphrase_key
from ftcli.credentials.rekey import rekey
from ftcli.credentials.secret_store import StoreUnusable
from ftcli.errors import InternalError, ValidationFailed
from ftcli.redaction import Secret

PASSWORD = "tr0ub4dor & more"


class Memory:
    """A keyring in memory."""

    name = "Memory"

    def __init__(self) -> None:
        self.kept: dict[str, str] = {}
        self.locked = False

    def get_password(self, service: str, username: str) -> str | None:
        self._unlocked()
        return self.kept.get(username)

    def set_password(self, service: str, username: str, password: str) -> None:
        self._unlocked()
        self.kept[username] = password

    def _unlocked(self) -> None:
        if self.locked:
            raise RuntimeError("locked")

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[username]


class Fail:
    """No keyring."""

    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError

    set_password = delete_password = get_password


Fail.__module__ = "keyring.backends.fail"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path, encryption_key=Secret(new_key().decode()))


def keep(settings: Settings, backend: object | None = None) -> CredentialStore:
    store = CredentialStore(settings, OsKeyring(backend or Fail()))  # type: ignore[arg-type]
    store.store("kim", Secret(PASSWORD), Secret("JBSWY3DPEHPK3PXP"))
    return store


def found(settings: Settings, backend: object | None = None) -> str | None:
    store = CredentialStore(settings, OsKeyring(backend or Fail()))  # type: ignore[arg-type]
    credentials = store.get()
    return credentials.password.reveal() if credentials else None


class TestEncryptedFile:
    def test_it_is_encrypted_private_and_comes_back(self, settings: Settings, tmp_path: Path) -> None:
        keep(settings)
        assert found(settings) == PASSWORD
        for path in tmp_path.iterdir():
            assert PASSWORD.encode() not in path.read_bytes()
            assert path.stat().st_mode & 0o077 == 0, path

    def test_without_a_key_from_outside_nothing_is_kept(self, tmp_path: Path) -> None:
        bare = Settings(data_dir=tmp_path)
        with pytest.raises(ValidationFailed, match="Nothing was written"):
            keep(bare)
        assert not (tmp_path / "credentials.bin").exists()

    def test_another_key_opens_nothing_and_overwrites_nothing(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        keep(settings)
        before = (tmp_path / "credentials.bin").read_bytes()
        other = msgspec.structs.replace(settings, encryption_key=Secret(new_key().decode()))
        store = CredentialStore(other, OsKeyring(Fail()))
        assert store.get() is None
        assert "another key" in store.reason
        with pytest.raises(ValidationFailed):
            keep(other)
        assert (tmp_path / "credentials.bin").read_bytes() == before

    @pytest.mark.parametrize("damage", [b"", b"x", b"ftcli-secrets-1 ", b"ftcli-secrets-1 abc def"])
    def test_a_damaged_file_is_told(self, settings: Settings, tmp_path: Path, damage: bytes) -> None:
        write_private(tmp_path / "credentials.bin", damage)
        with pytest.raises(StoreUnusable):
            EncryptedFile(tmp_path / "credentials.bin", KeySource(settings, OsKeyring(Fail()))).get("x")

    def test_environments_do_not_mix(self, settings: Settings) -> None:
        keep(settings)
        assert found(msgspec.structs.replace(settings, environment="paper")) is None


class TestPassphrase:
    def test_it_opens_what_it_closed(self, tmp_path: Path) -> None:
        right = Settings(data_dir=tmp_path, passphrase=Secret("correct horse battery"))
        keep(right)
        assert found(right) == PASSWORD
        assert (tmp_path / SALT).stat().st_mode & 0o077 == 0
        assert found(Settings(data_dir=tmp_path, passphrase=Secret("correct horse batterx"))) is None

    def test_a_short_one_is_refused_and_not_repeated(self, tmp_path: Path) -> None:
        with pytest.raises(ValidationFailed) as caught:
            passphrase_key(Secret("short"), tmp_path)
        assert "short" not in str(caught.value.details) + caught.value.message

    def test_a_salt_file_cannot_make_it_cheap_or_endless(self, tmp_path: Path) -> None:
        for text in (
            "ftcli-scrypt-1 2 AAAAAAAAAAAAAAAAAAAAAA==",
            "ftcli-scrypt-1 40 AAAAAAAAAAAAAAAAAAAAAA==",
            "x",
        ):
            write_private(tmp_path / SALT, text.encode())
            with pytest.raises(ValidationFailed, match="damaged"):
                passphrase_key(Secret("correct horse battery"), tmp_path)

    def test_each_folder_has_a_key_of_its_own(self, tmp_path: Path) -> None:
        keys = {passphrase_key(Secret("correct horse battery"), _folder(tmp_path, name)) for name in "ab"}
        assert len(keys) == 2


def _folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


class TestOneHome:
    def test_a_new_home_empties_the_old_one(self, settings: Settings, tmp_path: Path) -> None:
        backend = Memory()
        keep(msgspec.structs.replace(settings, credential_store="file"), backend)
        assert (tmp_path / "credentials.bin").exists()
        keep(settings, backend)
        assert not (tmp_path / "credentials.bin").exists()
        assert found(settings, backend) == PASSWORD

    def test_it_moves_there_and_back(self, settings: Settings, tmp_path: Path) -> None:
        backend = Memory()
        store = keep(settings, backend)
        store.migrate("file")
        assert not backend.kept
        assert found(settings, backend) == PASSWORD
        store.migrate("keyring")
        assert not (tmp_path / "credentials.bin").exists()
        assert found(settings, backend) == PASSWORD

    def test_a_move_that_fails_leaves_them_where_they_are(self, tmp_path: Path) -> None:
        backend = Memory()
        bare = Settings(data_dir=tmp_path)
        store = keep(bare, backend)
        with pytest.raises(ValidationFailed):
            store.migrate("file")
        assert found(bare, backend) == PASSWORD

    def test_deleting_forgets_both(self, settings: Settings) -> None:
        backend = Memory()
        store = keep(settings, backend)
        assert store.delete() is True
        assert store.delete() is False
        assert found(settings, backend) is None

    def test_what_cannot_be_opened_is_not_said_to_be_gone(self, settings: Settings, tmp_path: Path) -> None:
        keep(settings)
        with pytest.raises(ValidationFailed, match="still there"):
            CredentialStore(Settings(data_dir=tmp_path), OsKeyring(Fail())).delete()  # type: ignore[arg-type]
        assert (tmp_path / "credentials.bin").exists()


class TestTheNewestWins:
    """A store that was closed when newer credentials came, or all were deleted, opens again one day."""

    @pytest.fixture
    def closed(self, settings: Settings) -> Settings:
        """The same folder, without the key of its file."""
        keep(settings)
        return msgspec.structs.replace(settings, encryption_key=None)

    def test_an_old_file_whose_key_returns(self, settings: Settings, closed: Settings) -> None:
        backend = Memory()
        store = CredentialStore(closed, OsKeyring(backend))
        assert store.store("kim", Secret("the new password")) == "Memory"
        assert "credentials.bin" in store.warning
        assert found(settings, backend) == "the new password"
        backend.kept.clear()
        again = CredentialStore(settings, OsKeyring(backend))
        assert again.get() is None
        assert "older" in again.reason
        state = next(state for state in again.states() if state.name == "file")
        assert state.holds is False
        assert "older" in state.reason

    def test_an_old_file_after_everything_was_deleted(self, settings: Settings, closed: Settings) -> None:
        with pytest.raises(ValidationFailed, match="not used any more"):
            CredentialStore(closed, OsKeyring(Memory())).delete()
        assert found(settings) is None
        keep(settings)
        assert found(settings) == PASSWORD

    def test_an_old_keyring_that_is_unlocked(self, settings: Settings) -> None:
        backend = Memory()
        keep(settings, backend)
        backend.locked = True
        store = CredentialStore(settings, OsKeyring(backend))
        assert store.store("kim", Secret("the new password")) == "encrypted file credentials.bin"
        assert "Memory" in store.warning
        backend.locked = False
        (settings.data_path("credentials.bin")).unlink()
        assert found(settings, backend) is None

    def test_a_locked_keyring_is_not_said_to_be_empty(self, settings: Settings) -> None:
        backend = Memory()
        keep(settings, backend)
        backend.locked = True
        with pytest.raises(ValidationFailed, match="Memory"):
            CredentialStore(settings, OsKeyring(backend)).delete()
        backend.locked = False
        assert found(settings, backend) is None

    def test_an_old_entry_does_not_move(self, settings: Settings, closed: Settings) -> None:
        backend = Memory()
        CredentialStore(closed, OsKeyring(backend)).store("kim", Secret("the new password"))
        CredentialStore(settings, OsKeyring(backend)).migrate("file")
        assert not backend.kept
        assert found(settings, backend) == "the new password"

    def test_a_clock_set_back_hides_nothing(self, settings: Settings, tmp_path: Path) -> None:
        keep(settings)
        (tmp_path / "live-credentials.since").write_text("99999999999\n")
        assert found(settings) is None
        keep(settings)
        assert found(settings) == PASSWORD

    def test_without_the_note_the_newest_of_both_is_used(self, settings: Settings, closed: Settings) -> None:
        backend = Memory()
        CredentialStore(closed, OsKeyring(backend)).store("kim", Secret("the new password"))
        settings.data_path("live-credentials.since").unlink()
        assert found(settings, backend) == "the new password"

    def test_entries_of_before_there_was_a_time_are_used(self, settings: Settings) -> None:
        backend = Memory()
        backend.kept["live-credentials"] = json.dumps({"username": "kim", "password": PASSWORD, "totp": ""})
        assert found(settings, backend) == PASSWORD

    def test_the_command_says_what_stays_behind(self, settings: Settings, closed: Settings) -> None:
        note = asyncio.run(
            service.keep(closed, "kim", Secret("the new password"), None, OsKeyring(Memory()))
        )["note"]
        assert "credentials.bin" in note


class TestRekey:
    def test_a_key_from_outside_is_replaced(self, settings: Settings) -> None:
        keep(settings)
        fresh = Secret(new_key().decode())
        done = rekey(settings, fresh, OsKeyring(Fail()))
        assert (done.origin, done.files) == ("environment", ("credentials.bin",))
        assert found(settings) is None
        assert found(msgspec.structs.replace(settings, encryption_key=fresh)) == PASSWORD

    def test_a_passphrase_is_replaced(self, tmp_path: Path) -> None:
        old = Settings(data_dir=tmp_path, passphrase=Secret("correct horse battery"))
        keep(old)
        rekey(old, Secret("another long passphrase"), OsKeyring(Fail()))
        assert found(old) is None
        assert found(Settings(data_dir=tmp_path, passphrase=Secret("another long passphrase"))) == PASSWORD

    @pytest.mark.parametrize("backend", [Memory, Fail])
    def test_a_key_kept_here_is_replaced(self, tmp_path: Path, backend: type) -> None:
        bare, keyring = Settings(data_dir=tmp_path), OsKeyring(backend())
        _sealed(tmp_path, "session-live.bin", KeySource(bare, keyring).get())
        old = KeySource(bare, keyring).get()
        rekey(bare, None, keyring)
        source = KeySource(bare, keyring)
        assert source.get() != old
        assert _opens(tmp_path / "session-live.bin", source)
        assert not list(tmp_path.glob("*.previous"))

    @pytest.mark.parametrize("backend", [Memory, Fail])
    @pytest.mark.parametrize("at", range(6))
    @pytest.mark.parametrize("again", [None, *range(9)])
    def test_wherever_and_however_often_it_breaks_off_nothing_is_lost(
        self, tmp_path: Path, backend: type, at: int, again: int | None
    ) -> None:
        bare, keyring = Settings(data_dir=tmp_path), OsKeyring(backend())
        key = KeySource(bare, keyring).get()
        names = ["session-live.bin", "session-paper.bin"]
        for name in names:
            _sealed(tmp_path, name, key)
        for writes in (at, again):
            if writes is not None:
                with contextlib.suppress(InternalError):
                    rekey(bare, None, keyring, write=Failing(writes))
            assert all(_opens(tmp_path / name, KeySource(bare, keyring)) for name in names)
        rekey(bare, None, keyring)
        assert all(_opens(tmp_path / name, KeySource(bare, keyring)) for name in names)
        assert not list(tmp_path.glob("*.previous"))

    def test_a_second_file_that_cannot_be_written_is_told_with_what_is_where(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        keep(settings)
        _sealed(tmp_path, "session-live.bin", KeySource(settings, OsKeyring(Fail())).get())
        fresh = new_key()
        with pytest.raises(InternalError, match="Nothing is lost") as caught:
            rekey(settings, Secret(fresh.decode()), OsKeyring(Fail()), write=Failing(1))
        assert caught.value.details == {
            "file": str(tmp_path / "session-live.bin"),
            "new_key_id": key_id(fresh),
            "new_key": ["credentials.bin"],
            "old_key": ["session-live.bin"],
        }
        assert "power cut" in caught.value.message

    @pytest.mark.parametrize("writes", range(3))
    def test_broken_off_with_a_key_from_outside_it_is_finished_by_another_run(
        self, settings: Settings, tmp_path: Path, writes: int
    ) -> None:
        keep(settings)
        key = KeySource(settings, OsKeyring(Fail())).get()
        _sealed(tmp_path, "session-live.bin", key)
        fresh = Secret(new_key().decode())
        with pytest.raises(InternalError, match="power cut"):
            rekey(settings, fresh, OsKeyring(Fail()), write=Failing(writes))
        rekey(settings, fresh, OsKeyring(Fail()))
        after = msgspec.structs.replace(settings, encryption_key=fresh)
        assert found(after) == PASSWORD
        assert _opens(tmp_path / "session-live.bin", KeySource(after, OsKeyring(Fail())))

    def test_other_folders_closed_with_the_keyring_s_key_still_open(self, tmp_path: Path) -> None:
        keyring = OsKeyring(Memory())
        folders = [Settings(data_dir=_folder(tmp_path, name)) for name in "ab"]
        for one in folders:
            _sealed(one.data_path(""), "session-live.bin", KeySource(one, keyring).get())
        for one in folders:
            rekey(one, None, keyring)
            assert all(
                _opens(some.data_path("session-live.bin"), KeySource(some, keyring)) for some in folders
            )

    def test_who_runs_in_another_folder_learns_the_new_key_before_writing(self, tmp_path: Path) -> None:
        keyring = OsKeyring(Memory())
        here, there = (Settings(data_dir=_folder(tmp_path, name)) for name in ("a", "b"))
        running, session = KeySource(there, keyring), there.data_path("session-live.bin")
        _sealed(there.data_path(""), session.name, running.get())
        for _ in range(2):
            rekey(here, None, keyring)
            assert _opens(session, running)
            _sealed(there.data_path(""), session.name, running.get())
            assert _opens(session, KeySource(there, keyring))
        rekey(here, None, keyring)
        rekey(here, None, keyring)
        running.get()
        assert _opens(session, running)

    def test_where_the_keyring_falls_silent_the_key_in_memory_is_used(self, tmp_path: Path) -> None:
        backend = Memory()
        source = KeySource(Settings(data_dir=tmp_path), OsKeyring(backend))
        key = source.get()
        backend.locked = True
        assert source.get() == key
        assert not (tmp_path / "encryption.key").exists()

    @pytest.mark.parametrize("damage", [b"\xff\xfe\x00", b"x" * 100])
    def test_a_damaged_list_of_replaced_keys_stops_nothing(
        self, settings: Settings, tmp_path: Path, damage: bytes
    ) -> None:
        (tmp_path / "keys.retired").write_bytes(damage)
        keep(settings)
        assert found(settings) == PASSWORD

    def test_a_list_of_replaced_keys_that_cannot_be_read_stops_the_writing(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        (tmp_path / "keys.retired").mkdir()
        with pytest.raises(ValidationFailed, match=r"keys\.retired"):
            keep(settings)

    def test_a_file_of_another_key_stops_it_before_anything_changes(
        self, settings: Settings, tmp_path: Path
    ) -> None:
        keep(settings)
        _sealed(tmp_path, "session-live.bin", new_key())
        before = {path.name: path.read_bytes() for path in tmp_path.glob("*.bin")}
        with pytest.raises(InternalError):
            rekey(settings, Secret(new_key().decode()), OsKeyring(Fail()))
        assert {path.name: path.read_bytes() for path in tmp_path.glob("*.bin")} == before

    @pytest.mark.parametrize("new", ["", "nonsense"])
    def test_a_bad_new_key_is_refused(self, settings: Settings, new: str) -> None:
        keep(settings)
        with pytest.raises(ValidationFailed):
            rekey(settings, Secret(new) if new else None, OsKeyring(Fail()))
        assert found(settings) == PASSWORD


class Failing:
    """Writes so often, and then no more."""

    def __init__(self, times: int) -> None:
        self.left = times

    def __call__(self, path: Path, content: bytes) -> None:
        if not self.left:
            raise OSError("power cut")
        self.left -= 1
        write_private(path, content)


def _sealed(folder: Path, name: str, key: bytes) -> None:
    write_private(folder / name, rekey_module.seal("ftcli-session-1", key, b"{}"))


def _opens(path: Path, source: KeySource) -> bool:
    sealed = rekey_module.Sealed.parse(path.read_bytes())
    assert sealed
    key = source.find(sealed.key)
    return key is not None and rekey_module.unseal(sealed, key) == b"{}"


class TestCommands:
    KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="

    def environ(self, folder: Path, key: str = KEY) -> dict[str, str]:
        return {
            "FT_ENV": "live",
            "FT_DATA_DIR": str(folder),
            "FTSERVICE_ENCRYPTION_KEY": key,
            "FT_CREDENTIAL_STORE": "file",
        }

    def test_set_show_rekey_delete(self, tmp_path: Path) -> None:
        environ = self.environ(tmp_path)
        kept = ft(
            *(
                "auth",
                "credentials",
                "set",
                "--username",
                "kim",
                "--password-stdin",
                "--totp-stdin",
                "-o",
                "json",
            ),
            stdin=f"{PASSWORD}\nJBSWY3DPEHPK3PXP\n",
            environ=environ,
        )
        assert json.loads(kept.out)["stored"] is True
        shown = ft("auth", "credentials", "show", "-o", "json", environ=environ)
        assert json.loads(shown.out) | {"note": None} == {
            "stored": True,
            "username": "kim",
            "totp": True,
            "store": "encrypted file credentials.bin",
            "note": None,
        }
        storage = ft("auth", "storage", environ=environ)
        rotated = ft("auth", "rekey", "--generate", "-o", "json", environ=environ)
        fresh = json.loads(rotated.out)["new_key"]
        assert ft("auth", "credentials", "show", "-o", "json", environ=environ).out.startswith(
            '{"stored":false'
        )
        again = ft("auth", "credentials", "show", "-o", "json", environ=self.environ(tmp_path, fresh))
        assert json.loads(again.out)["username"] == "kim"
        gone = ft("auth", "credentials", "delete", "-o", "json", environ=self.environ(tmp_path, fresh))
        assert json.loads(gone.out)["note"] is None
        everything = "".join(done.out + done.err for done in (kept, shown, storage, rotated, again, gone))
        assert PASSWORD not in everything
        assert "JBSWY3DPEHPK3PXP" not in everything
        assert self.KEY not in everything
