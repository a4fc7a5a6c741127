"""Settings that the broker keeps for its apps, in two stores (protocol 04 §5, 6)."""

from typing import Annotated, Any

from ftcli.errors import ValidationFailed
from ftcli.models.field import as_list
from ftcli.models.json import dumps
from ftcli.models.order_confirmations import OrderMessage
from ftcli.models.preferences import (
    DeletedPreferences,
    Preference,
    Preferences,
    PreferenceValues,
    SavedPreferences,
)
from ftcli.models.values import read_text
from ftcli.operations.account_calls import wire_path
from ftcli.operations.confirmed import check_answered, check_changed
from ftcli.operations.dp import document_of
from ftcli.operations.operation import Core, Group, Param, operation, with_reply
from ftcli.wire import Retry, WireReply, WireRequest

ATN = "retail-customers/v1/personalization/atn-prefs"
INDEPENDENT = "retail-indepInvs-pref/v1"
WRITER = "lastUpdatedBy"
"""The broker's own note in each path: no setting."""
_LONGEST = 256

Path = Annotated[
    str,
    Param(
        "Path of the settings; those below it count too.",
        argument=True,
        example="user/atn/global/v1",
    ),
]
ExactPath = Annotated[str, Param("Path of the settings.", argument=True, example="user/atn/global/v1")]
Keys = Annotated[list[str] | None, Param("Only these; all where left out.", example=["Theme"])]
DeletedPath = Annotated[
    str,
    Param(
        "Path of the settings; those below it go too.",
        argument=True,
        where="body",
        example="user/atn/layout/3d1c9b42",
    ),
]
DeletedKeys = Annotated[
    list[str] | None,
    Param("Only these; everything at and below the path where left out.", where="body", example=["Theme"]),
]
Values = Annotated[PreferenceValues, Param("The settings.")]


class IndependentPreferences(Group):
    """Chart settings shared between the broker's products."""

    name = "preferences.independent"

    @operation(
        "GET",
        "/preferences/independent",
        inferred=True,
        examples=("preferences independent get", "preferences independent get user/chart/v1"),
    )
    async def get(self, preference_path: Path = "user/", pref_keys: Keys = None) -> Preferences:
        """Show chart settings that the broker's products share.

        Source: protocol 04 §6.
        """
        return await _get(self.core, "preferences.independent.get", preference_path, pref_keys)

    @operation(
        "PUT",
        "/preferences/independent",
        risk="write",
        inferred=True,
        examples=("preferences independent set --preference-path user/chart/v1 --values Width=DAILY",),
    )
    async def set(self, values: Values) -> SavedPreferences:
        """Save chart settings. Others of the same path stay as they are.

        Source: protocol 04 §6.
        """
        return await _set(self.core, "preferences.independent.set", values)

    @operation(
        "DELETE",
        "/preferences/independent",
        risk="write",
        inferred=True,
        examples=("preferences independent delete user/chart/v1 --pref-keys Width",),
    )
    async def delete(self, preference_path: DeletedPath, pref_keys: DeletedKeys = None) -> DeletedPreferences:
        """Delete chart settings.

        Raises:
            ValidationFailed: No names are given and the path holds everything there is.

        Source: protocol 04 §6.
        """
        return await _delete(self.core, "preferences.independent.delete", preference_path, pref_keys)


class PreferenceStore(Group):
    """Settings of the desktop app, kept by the broker."""

    name = "preferences"

    def __init__(self, core: Core) -> None:
        super().__init__(core)
        self.independent = IndependentPreferences(core)

    @operation(
        "GET",
        "/preferences",
        examples=(
            "preferences get",
            "preferences get user/atn/global/v1 --pref-keys Theme",
        ),
    )
    async def get(self, preference_path: Path = "user/", pref_keys: Keys = None) -> Preferences:
        """Show settings of the desktop app, one row per setting.

        Source: protocol 04 §5.1.
        """
        return await _get(self.core, "preferences.get", preference_path, pref_keys)

    @operation(
        "PUT",
        "/preferences",
        risk="write",
        examples=("preferences set --preference-path user/atn/global/v1 --values Theme=Dark",),
    )
    async def set(self, values: Values) -> SavedPreferences:
        """Save settings of the desktop app. Others of the same path stay as they are.

        Source: protocol 04 §5.2.
        """
        return await _set(self.core, "preferences.set", values)

    @operation(
        "DELETE",
        "/preferences",
        risk="write",
        examples=(
            "preferences delete user/atn/layout/3d1c9b42",
            "preferences delete user/atn/global/v1 --pref-keys Theme",
        ),
    )
    async def delete(self, preference_path: DeletedPath, pref_keys: DeletedKeys = None) -> DeletedPreferences:
        """Delete settings of the desktop app: some of a path, or everything at and below it.

        Raises:
            ValidationFailed: No names are given and the path holds everything there is.

        Source: protocol 04 §5.3.
        """
        return await _delete(self.core, "preferences.delete", preference_path, pref_keys)


def _call(core: Core, name: str, entry: dict[str, Any], retry: Retry) -> WireRequest:
    """A call to the store an operation belongs to; the two spell their verbs differently."""
    verb = {"get": "get", "set": "save", "delete": "delete"}[name.rpartition(".")[2]]
    path = f"{INDEPENDENT}/{verb}Preference" if "independent" in name else f"{ATN}/{verb}preference"
    return WireRequest(
        host="dp",
        method="POST",
        path=wire_path(core, name, path),
        body={"preferences": [entry]},
        retry=retry,
    )


async def _get(core: Core, name: str, path: str, keys: list[str] | None) -> Preferences:
    wanted = _clean_keys(keys) or None
    entry = {"prefKeys": wanted, "preferencePath": _clean_path(path)}
    reply = await core.send(_call(core, name, entry, Retry.READ))
    check_answered(reply, _is_success, "preferenceData")
    answer = Preferences(preferences=_rows(reply))
    if wanted:
        answer.preferences = [row for row in answer.preferences if row.key in wanted]
    return with_reply(answer, reply)


async def _set(core: Core, name: str, values: PreferenceValues) -> SavedPreferences:
    path = _clean_path(values.preference_path)
    if not values.values:
        raise ValidationFailed.of("values", None, "name at least one setting")
    keys = _clean_keys(list(values.values), "values")
    if WRITER in keys:
        raise ValidationFailed.of("values", WRITER, "be settings: this one is the broker's own note")
    given = dict(zip(keys, values.values.values(), strict=True))
    reply = await core.send(_call(core, name, {"prefValues": given, "preferencePath": path}, Retry.WRITE))
    check_changed(reply, _is_success, "save the settings")
    return with_reply(SavedPreferences(preference_path=path, keys=keys), reply)


async def _delete(core: Core, name: str, path: str, keys: list[str] | None) -> DeletedPreferences:
    place = _clean_path(path)
    wanted = None if keys is None else _clean_keys(keys)
    if wanted == []:
        raise ValidationFailed.of("pref_keys", None, "name at least one setting, or be left out")
    if wanted is None and place.strip("/") in ("user", "user/atn"):
        raise ValidationFailed.of(
            "preference_path", path, "be deeper, or go with names: everything the app keeps would be gone"
        )
    entry = {"prefKeys": wanted, "preferencePath": place}
    reply = await core.send(_call(core, name, entry, Retry.WRITE))
    check_changed(reply, _is_success, "delete the settings")
    return with_reply(DeletedPreferences(preference_path=place, keys=wanted), reply)


def _is_success(message: OrderMessage) -> bool:
    """Some answers have no code, but all good ones have the word (protocol 04 §0.4)."""
    return "successful" in f"{message.label} {message.text}".lower()


def _clean_path(value: str) -> str:
    path = value.strip()
    if not path or len(path) > _LONGEST or any(sign.isspace() or not sign.isprintable() for sign in path):
        raise ValidationFailed.of(
            "preference_path", value[:_LONGEST], "be a path such as user/atn/global/v1, without blanks"
        )
    return path


def _clean_keys(keys: list[str] | None, field: str = "pref_keys") -> list[str]:
    names = [key.strip() for key in keys or []]
    for name in names:
        if not name or len(name) > _LONGEST or not name.isprintable():
            raise ValidationFailed.of(field, name[:_LONGEST], "be names of settings")
    if len(set(names)) < len(names):
        raise ValidationFailed.of(field, ", ".join(names), "name each setting once")
    return names


def _rows(reply: WireReply) -> list[Preference]:
    """One row per setting; several objects of one path are one (protocol 04 §5.1)."""
    found: dict[str, dict[str, Any]] = {}
    for entry in as_list(document_of(reply).get("preferenceData")):
        if isinstance(entry, dict):
            values = found.setdefault(read_text(entry.get("preferencePath")) or "", {})
            for part in as_list(entry.get("data")):
                values |= part if isinstance(part, dict) else {}
    return [
        Preference(path=path, key=key, value=_text(value), updated_by=read_text(values.get(WRITER)))
        for path, values in found.items()
        for key, value in values.items()
        if key != WRITER
    ]


def _text(value: Any) -> str | None:
    """A value exactly as it is kept: blanks and dashes may be meant."""
    if value is None or isinstance(value, str):
        return value
    return dumps(value).decode()
