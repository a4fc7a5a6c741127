"""``ft config``: what is set, to what, and by whom."""

from typing import Annotated

from ftcli.cli.call import Call
from ftcli.cli.forms import form
from ftcli.models.field import Document, Model, at


class Setting(Model):
    """One setting in force."""

    name: Annotated[str, at(None, "Its name in the user file.", column="Setting")]
    value: Annotated[str, at(None, "Its value; secrets are masked.", column="Value")]
    origin: Annotated[str, at(None, "Where the value comes from.", column="Origin")]


class SettingList(Document):
    """Every setting."""

    settings: Annotated[list[Setting], at(None, "The settings.")] = []


class ConfigFile(Document):
    """The user file."""

    path: Annotated[str, at(None, "Where it is looked for.", column="File")]
    exists: Annotated[bool, at(None, "Whether it is there.", column="Exists")]


@form(examples=("config show", "config show -o json"))
def show(call: Call) -> None:
    """Show every setting with its value and where it came from.

    Flags win over environment variables, these over the profile, the profile over the user file, the file
    over the defaults. Secrets are masked.
    """
    from ftcli.config import shown

    rows = [Setting(name=name, value=value, origin=origin) for name, value, origin in shown(call.settings)]
    call.show(SettingList(settings=rows))


@form(examples=("config path",))
def path(call: Call) -> None:
    """Print where the user file is looked for.

    FT_CONFIG names another one.
    """
    from ftcli.config import config_file

    file = config_file(call.terminal.environ)
    if call.output == "table":
        call.terminal.write(f"{file}\n")
        return
    call.show(ConfigFile(path=str(file), exists=file.exists()))
