"""Keys and credentials: where they come from, what is refused. The real keyring is never touched."""

import base64
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ftcli.config import Settings
from ftcli.credentials.credentials import CredentialStore
from ftcli.credentials.keys import ENTRY, FILE_NAME, KeySource, key_id
from ftcli.credentials.os_keyring import KeyringUnusable, OsKeyring
from ftcli.errors import InternalError, ValidationFailed
from ftcli.redaction import Secret

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
OTHER = base64.urlsafe_b64encode(b"o" * 32).decode()


class Memory:
    """A keyring backend that keeps its entries in memory."""

    name = "Memory Keyring"

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.entries.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.entries[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.entries[service, username]


class Forgetful(Memory):
    def set_password(self, service: str, username: str, password: str) -> None:
        pass


class Broken(Memory):
    def get_password(self, service: str, username: str) -> str | None:
        raise RuntimeError("the password hunter2 leaked")


class Mute(Memory):
    """Waits for a dialog that nobody sees."""

    def __init__(self) -> None:
        super().__init__()
        self.release = threading.Event()
        self.asked = 0

    def get_password(self, service: str, username: str) -> str | None:
        self.asked += 1
        self.release.wait(10)
        return None


class MuteAt(Memory):
    """Answers, but for one call, which waits for a dialog that nobody sees."""

    def __init__(self, call: str) -> None:
        super().__init__()
        self.call = call
        self.release = threading.Event()
        self.asked = 0

    def set_password(self, service: str, username: str, password: str) -> None:
        self._wait("set")
        super().set_password(service, username, password)

    def delete_password(self, service: str, username: str) -> None:
        self._wait("delete")
        super().delete_password(service, username)

    def _wait(self, call: str) -> None:
        if call == self.call:
            self.asked += 1
            self.release.wait(10)


def posing_as(module: str, **attributes: Any) -> Memory:
    """A backend of a class that pretends to live in ``module``."""
    backend = type("Keyring", (Memory,), {"__module__": module})()
    for name, value in attributes.items():
        setattr(backend, name, value)
    return backend


@pytest.fixture
def settings(tmp_path: Path) -> Callable[..., Settings]:
    return lambda **values: Settings(data_dir=tmp_path / "data", **values)


class TestOsKeyring:
    def test_entries_are_kept_and_removed(self) -> None:
        keyring = OsKeyring(Memory())
        keyring.probe()
        assert keyring.get("x") is None
        keyring.set("x", "text")
        assert keyring.get("x") == "text"
        assert keyring.delete("x") is True
        assert keyring.delete("x") is False
        assert keyring.name == "Memory Keyring"

    @pytest.mark.parametrize(
        "module",
        [
            "keyring.backends.fail",
            "keyring.backends.null",
            "keyrings.alt.file",
            "keyrings.alt.multi",
            "keyring.backends.chainer",
        ],
    )
    def test_backends_that_protect_nothing_are_refused(self, module: str) -> None:
        with pytest.raises(KeyringUnusable, match="no OS keyring"):
            OsKeyring(posing_as(module)).set("x", "secret")

    def test_a_chain_is_used_by_its_first_protecting_member(self) -> None:
        good, plain = Memory(), posing_as("keyrings.alt.file")
        OsKeyring(posing_as("keyring.backends.chainer", backends=[plain, good])).set("x", "secret")
        assert list(good.entries.values()) == ["secret"]
        assert plain.entries == {}

    def test_the_library_s_own_null_and_fail_backends_are_refused(self, monkeypatch) -> None:
        import keyring
        from keyring.backends import fail, null

        for backend in (fail.Keyring(), null.Keyring()):
            monkeypatch.setattr(keyring, "get_keyring", lambda backend=backend: backend)
            with pytest.raises(KeyringUnusable):
                OsKeyring().probe()

    def test_a_keyring_that_does_not_answer_is_given_up(self) -> None:
        backend = Mute()
        keyring = OsKeyring(backend, time_limit=0.05)
        with pytest.raises(KeyringUnusable, match="did not answer within"):
            keyring.probe()
        backend.release.set()
        backend.asked = 0
        with pytest.raises(KeyringUnusable, match="did not answer within"):
            keyring.get("x")  # not asked again for a while: every question would cost the time limit
        assert backend.asked == 0

    @pytest.mark.parametrize("call", ["set", "delete"])
    def test_one_that_hangs_only_when_it_is_changed_is_given_up_too(self, call: str) -> None:
        backend = MuteAt(call)
        backend.entries["ftcli", "x"] = "text"
        keyring = OsKeyring(backend, time_limit=0.05)
        assert keyring.get("x") == "text"
        for _ in range(2):
            with pytest.raises(KeyringUnusable, match="did not answer within"):
                keyring.set("x", "other") if call == "set" else keyring.delete("x")
        assert backend.asked == 1
        backend.release.set()

    def test_a_keyring_that_forgets_is_told(self) -> None:
        with pytest.raises(KeyringUnusable, match="did not keep"):
            OsKeyring(Forgetful()).set("x", "text")

    def test_a_backend_s_message_is_not_repeated(self) -> None:
        with pytest.raises(KeyringUnusable) as caught:
            OsKeyring(Broken()).get("x")
        assert "hunter2" not in str(caught.value)
        assert "RuntimeError" in str(caught.value)


class TestKeySource:
    def test_the_setting_comes_first(self, settings) -> None:
        backend = Memory()
        source = KeySource(settings(encryption_key=Secret(f" {KEY}\n")), OsKeyring(backend))
        assert source.get() == KEY.encode()
        assert source.origin == "environment"
        assert source.warning == ""
        assert backend.entries == {}

    @pytest.mark.parametrize("wrong", ["short", KEY[:-4], KEY + KEY, "!" * 44, "ü" * 44])
    def test_a_setting_that_is_no_key_is_refused_unseen(self, settings, wrong: str) -> None:
        with pytest.raises(ValidationFailed) as caught:
            KeySource(settings(encryption_key=Secret(wrong)), OsKeyring(Memory())).get()
        assert wrong not in str(caught.value)
        assert caught.value.details["value"] is None

    def test_the_keyring_comes_next_and_keeps_a_new_key(self, settings, tmp_path) -> None:
        backend = Memory()
        source = KeySource(settings(), OsKeyring(backend))
        key = source.get()
        assert source.origin == "keyring"
        assert source.warning == ""
        assert len(base64.urlsafe_b64decode(key)) == 32
        assert KeySource(settings(), OsKeyring(backend)).get() == key
        assert not (tmp_path / "data" / FILE_NAME).exists()

    def test_without_a_keyring_a_file_is_made_and_told(self, settings, tmp_path) -> None:
        source = KeySource(settings(), OsKeyring(posing_as("keyring.backends.fail")))
        key = source.get()
        path = tmp_path / "data" / FILE_NAME
        assert path.read_bytes().strip() == key
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.parent.stat().st_mode & 0o777 == 0o700
        assert source.origin == f"file {path}"
        assert "no OS keyring" in source.warning
        assert str(path) in source.warning
        again = KeySource(settings(), OsKeyring(posing_as("keyring.backends.fail")))
        assert again.get() == key
        assert again.warning == ""

    def test_an_exposed_key_file_is_closed_and_told(self, settings, tmp_path) -> None:
        (tmp_path / "data").mkdir()
        path = tmp_path / "data" / FILE_NAME
        path.write_text(KEY)
        path.chmod(0o644)
        source = KeySource(settings(), OsKeyring(posing_as("keyring.backends.fail")))
        assert source.get() == KEY.encode()
        assert path.stat().st_mode & 0o777 == 0o600
        assert "could be read by others" in source.warning

    def test_a_damaged_key_file_is_not_replaced(self, settings, tmp_path) -> None:
        (tmp_path / "data").mkdir()
        path = tmp_path / "data" / FILE_NAME
        path.write_text("damaged")
        path.chmod(0o600)
        with pytest.raises(ValidationFailed, match="holds no encryption key"):
            KeySource(settings(), OsKeyring(posing_as("keyring.backends.fail"))).get()
        assert path.read_text() == "damaged"

    def test_no_place_for_a_key_at_all(self, settings, tmp_path) -> None:
        (tmp_path / "data" / FILE_NAME).mkdir(parents=True)
        with pytest.raises(InternalError, match="FTSERVICE_ENCRYPTION_KEY"):
            KeySource(settings(), OsKeyring(posing_as("keyring.backends.fail"))).get()

    def test_many_makers_agree_on_one_key(self, settings) -> None:
        backend = Memory()
        keys: list[bytes] = []
        makers = [
            threading.Thread(target=lambda: keys.append(KeySource(settings(), OsKeyring(backend)).get()))
            for _ in range(8)
        ]
        for maker in makers:
            maker.start()
        for maker in makers:
            maker.join()
        assert len(keys) == 8
        assert len(set(keys)) == 1

    def test_a_key_is_found_by_its_id_wherever_it_is(self, settings, tmp_path) -> None:
        backend = Memory()
        backend.set_password("ftcli", ENTRY, OTHER)
        (tmp_path / "data").mkdir()
        path = tmp_path / "data" / FILE_NAME
        path.write_text(KEY)
        path.chmod(0o600)
        source = KeySource(settings(), OsKeyring(backend))
        assert source.find(key_id(KEY.encode())) == KEY.encode()
        assert source.find(key_id(OTHER.encode())) == OTHER.encode()
        assert source.find("0" * 12) is None
        assert source.get() == OTHER.encode()

    def test_an_id_does_not_give_the_key_away(self) -> None:
        assert len(key_id(KEY.encode())) == 12
        assert key_id(KEY.encode()) != key_id(OTHER.encode())
        assert key_id(KEY.encode()) not in KEY


class TestCredentials:
    def test_settings_come_first(self, settings) -> None:
        chosen = settings(username="kim", password=Secret("secret-1"), totp=Secret("123456"))
        found = CredentialStore(chosen, OsKeyring(Broken())).get()
        assert found is not None
        assert (found.username, found.password, found.totp) == ("kim", Secret("secret-1"), Secret("123456"))
        assert "secret-1" not in repr(found)

    def test_stored_credentials_come_back(self, settings) -> None:
        backend = Memory()
        store = CredentialStore(settings(), OsKeyring(backend))
        assert store.get() is None
        assert store.reason == "no credentials are stored"
        assert store.store("kim", Secret('pä"ss\\1'), Secret("SEED")) == "Memory Keyring"
        found = CredentialStore(settings(), OsKeyring(backend)).get()
        assert found is not None
        assert (found.username, found.password, found.totp) == ("kim", Secret('pä"ss\\1'), Secret("SEED"))
        assert found.origin == "keyring (Memory Keyring)"
        assert store.delete() is True
        assert store.delete() is False
        assert store.get() is None

    def test_environments_are_kept_apart(self, settings) -> None:
        backend = Memory()
        CredentialStore(settings(environment="paper"), OsKeyring(backend)).store("kim", Secret("secret-1"))
        assert CredentialStore(settings(environment="live"), OsKeyring(backend)).get() is None

    def test_a_user_name_picks_its_own_entry_only(self, settings) -> None:
        backend = Memory()
        CredentialStore(settings(), OsKeyring(backend)).store("Kim", Secret("secret-1"))
        store = CredentialStore(settings(username="sam"), OsKeyring(backend))
        assert store.get() is None
        assert "another user" in store.reason
        found = CredentialStore(settings(username="kim"), OsKeyring(backend)).get()
        assert found is not None
        assert found.username == "Kim"

    def test_a_given_factor_or_password_replaces_the_stored_one(self, settings) -> None:
        backend = Memory()
        CredentialStore(settings(), OsKeyring(backend)).store("kim", Secret("secret-1"), Secret("SEED"))
        found = CredentialStore(settings(totp=Secret("123456")), OsKeyring(backend)).get()
        assert found is not None
        assert (found.password, found.totp) == (Secret("secret-1"), Secret("123456"))
        found = CredentialStore(
            settings(username="kim", password=Secret("new-one")), OsKeyring(backend)
        ).get()
        assert found is not None
        assert found.password == Secret("new-one")

    def test_a_keyring_that_hangs_when_it_is_written_is_replaced_by_the_file(self, settings) -> None:
        backend = MuteAt("set")
        chosen = settings(encryption_key=Secret(KEY))
        store = CredentialStore(chosen, OsKeyring(backend, time_limit=0.05))
        assert store.store("kim", Secret("secret-1")) == "encrypted file credentials.bin"
        assert "cannot be opened" in store.warning
        backend.release.set()

    def test_what_a_hanging_keyring_may_still_keep_is_not_said_to_be_lost(self, settings) -> None:
        backend = MuteAt("set")
        store = CredentialStore(settings(), OsKeyring(backend, time_limit=0.05))
        with pytest.raises(ValidationFailed, match="may still keep it") as caught:
            store.store("kim", Secret("secret-1"))
        assert "Nothing was written" not in caught.value.message
        backend.release.set()

    def test_a_keyring_that_hangs_when_it_is_emptied_is_told(self, settings) -> None:
        backend = MuteAt("delete")
        keyring = OsKeyring(backend, time_limit=0.05)
        CredentialStore(settings(), keyring).store("kim", Secret("secret-1"))
        with pytest.raises(ValidationFailed, match="may still be in the Memory Keyring"):
            CredentialStore(settings(), keyring).delete()
        assert CredentialStore(settings(), OsKeyring(backend, time_limit=0.05)).get() is None
        backend.release.set()

    def test_nothing_is_stored_without_a_keyring(self, settings, tmp_path) -> None:
        store = CredentialStore(settings(), OsKeyring(posing_as("keyring.backends.fail")))
        with pytest.raises(ValidationFailed, match="Nothing was written") as caught:
            store.store("kim", Secret("secret-1"))
        assert "secret-1" not in str(caught.value)
        assert not [
            path for path in tmp_path.rglob("*") if path.is_file() and path.read_bytes()
        ]  # locks are empty
        assert store.get() is None
        assert "no OS keyring" in store.reason
        assert store.delete() is False

    @pytest.mark.parametrize(
        ("username", "password", "field"), [("", "x", "username"), ("kim", "", "password")]
    )
    def test_empty_credentials_are_refused(self, settings, username: str, password: str, field: str) -> None:
        with pytest.raises(ValidationFailed) as caught:
            CredentialStore(settings(), OsKeyring(Memory())).store(username, Secret(password))
        assert caught.value.details["field"] == field

    def test_a_damaged_entry_is_told(self, settings) -> None:
        backend = Memory()
        backend.set_password("ftcli", "live-credentials", '{"username": 1, "password": "hunter2"')
        store = CredentialStore(settings(), OsKeyring(backend))
        assert store.get() is None
        assert store.reason == "the stored credentials are damaged"


def test_the_environment_of_the_keyring_library_is_respected(settings, tmp_path) -> None:
    """In a process of its own: PYTHON_KEYRING_BACKEND names a refused backend, so a file is made."""
    import subprocess
    import sys

    script = (
        "import sys; from pathlib import Path; from ftcli.config import Settings\n"
        "from ftcli.credentials.keys import KeySource\n"
        "source = KeySource(Settings(data_dir=Path(sys.argv[1]))); source.get(); print(source.origin)"
    )
    environ = {**os.environ, "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
    result = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)], env=environ, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == f"file {tmp_path / FILE_NAME}"
