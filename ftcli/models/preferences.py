"""Settings that the broker keeps for its apps (protocol 04 §5, 6)."""

from typing import Annotated

from ftcli.models.field import Document, Model, Request, at


class Preference(Model):
    """A setting."""

    path: Annotated[str, at(None, "Where it is kept.", column="Path")] = ""
    key: Annotated[str, at(None, "Its name.", column="Key")] = ""
    value: Annotated[str | None, at(None, "Its value; structured ones are JSON as text.", column="Value")] = (
        None
    )
    updated_by: Annotated[
        str | None, at(None, "Id of the app that wrote to the path last, where the broker tells.")
    ] = None


class Preferences(Document):
    """Settings, path by path."""

    preferences: Annotated[list[Preference], at(None, "The settings.")] = []


class SavedPreferences(Document):
    """Settings that were saved."""

    preference_path: Annotated[str, at(None, "Where they are kept.", column="Path")] = ""
    keys: Annotated[list[str], at(None, "Their names.", column="Keys")] = []


class DeletedPreferences(Document):
    """Settings that are gone."""

    preference_path: Annotated[str, at(None, "Where they were kept.", column="Path")] = ""
    keys: Annotated[
        list[str] | None, at(None, "Their names; null means everything at and below the path.", column="Keys")
    ] = None
    deleted: Annotated[bool, at(None, "Whether they are gone.", column="Deleted")] = True


class PreferenceValues(Request, kw_only=True, frozen=True):
    """Settings to be saved under one path."""

    preference_path: Annotated[
        str, at(None, "Where to keep them; made if it is new.", example="user/atn/global/v1")
    ]
    values: Annotated[
        dict[str, str],
        at(
            None,
            "Values by name, all of them texts; other names stay as they are.",
            example={"Theme": "Dark"},
        ),
    ]
