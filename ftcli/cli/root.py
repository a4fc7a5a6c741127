"""The tree of commands: groups from the operations' table of contents, forms and shortcuts from ours."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ftcli.cli.common import common_options, group_options
from ftcli.cli.contents import DEFAULTS, FORM_GROUPS, FORMS, HEADINGS, INNER_GROUPS, SHORTCUTS, FormEntry
from ftcli.cli.parameters import Option
from ftcli.cli.parsing import Command, Exit, Group, Source
from ftcli.operations.contents import top_groups
from ftcli.version import __version__

if TYPE_CHECKING:
    from ftcli.cli.call import Call
    from ftcli.operations.operation import Operation

ABOUT = """Works with your Fidelity accounts from the command line, or with the paper broker on this machine.

Unofficial, not affiliated with Fidelity, at your own risk. Try it without an account: `ft demo`, or any
command with --paper. The first step with an account: `ft auth login`."""


def root() -> Group:
    """The command ``ft``."""
    summary, _, rest = ABOUT.partition("\n\n")
    return Group("", summary, description=" ".join(rest.split()), source=_Root(), make_params=_root_options)


def _root_options() -> list[Any]:
    return [
        Option(
            ["--version"],
            "Show the version.",
            name="version",
            metavar=None,
            exposed=False,
            eager=True,
            on_value=_version,
        ),
        Option(
            ["--install-completion"],
            "Install completion for the current shell.",
            name="install_completion",
            metavar=None,
            exposed=False,
            on_value=_install_completion,
        ),
        Option(
            ["--show-completion"],
            "Print the completion script of the current shell.",
            name="show_completion",
            metavar=None,
            exposed=False,
            on_value=_show_completion,
        ),
        *common_options(set()),
    ]


def _version(call: "Call", _: Any) -> None:
    call.terminal.write(f"ftcli {__version__}\n")
    raise Exit(0)


def _install_completion(call: "Call", _: Any) -> None:
    from ftcli.cli.completion import install

    install(call)
    raise Exit(0)


def _show_completion(call: "Call", _: Any) -> None:
    from ftcli.cli.completion import show_script

    show_script(call)
    raise Exit(0)


class _Root(Source):
    """Groups, shortcuts and forms directly under ``ft``."""

    def summaries(self) -> list[tuple[str, str, str]]:
        rows = [(_word(entry.name), entry.summary, "Commands") for entry in top_groups() if entry.commands]
        rows += [(word, f"The same as `ft {target}`", HEADINGS[word]) for word, target in SHORTCUTS.items()]
        rows += [
            (form.words, form.summary.rstrip("."), HEADINGS[form.words]) for form in FORMS if form.is_top
        ]
        rows += [(word, text, HEADINGS[word]) for word, text in FORM_GROUPS.items()]
        return rows

    def command(self, word: str) -> Command | Group | None:
        found = self._load(word)
        if found is not None:
            found.rich_help_panel = HEADINGS.get(word)
        return found

    def _load(self, word: str) -> Command | Group | None:
        if word in SHORTCUTS:
            return _shortcut(word)
        for form in FORMS:
            if form.words == word:
                return _form(form)
        for entry in top_groups():
            if _word(entry.name) == word and entry.commands:
                return _operations_group(word, entry.summary, entry.name)
        if word in FORM_GROUPS:
            return Group(
                word,
                FORM_GROUPS[word],
                source=_Forms(word),
                make_params=group_options,
            )
        return None


def _word(dotted: str) -> str:
    """``market_data`` as ``market-data``."""
    return dotted.replace("_", "-")


def _shortcut(word: str) -> Command:
    """The command a shortcut stands for, under the shortcut's name."""
    found: Any = root()
    for part in SHORTCUTS[word].split():
        found = found.get_command(None, part)
    command: Command = found
    command.name = word
    target = SHORTCUTS[word]
    command.short_help = f"The same as `ft {target}`"
    command.examples = tuple(
        word + line.removeprefix(target) if line.startswith(target) else line for line in command.examples
    )
    return command


def _operations_group(word: str, summary: str, dotted: str) -> Group:
    default = DEFAULTS.get(word, "")
    description = f"Without a command: the same as `ft {word} {default}`." if default else ""
    return Group(
        word,
        summary,
        description=description,
        source=_Operations([word], dotted),
        default=default,
        make_params=group_options,
    )


def _form(entry: FormEntry) -> Command:
    from ftcli.cli.forms import command_of

    module = import_module(f"ftcli.cli.commands.{entry.module}")
    return command_of(entry.words.rpartition(" ")[2], getattr(module, entry.attribute))


class _Forms(Source):
    """The forms of one group."""

    def __init__(self, group: str) -> None:
        self._group = group
        self._entries = {
            entry.words.removeprefix(f"{group} "): entry
            for entry in FORMS
            if entry.words.startswith(f"{group} ")
        }

    def summaries(self) -> list[tuple[str, str, str]]:
        rows: dict[str, tuple[str, str, str]] = {}
        for words, entry in self._entries.items():
            word, _, rest = words.partition(" ")
            summary = INNER_GROUPS[self._inner(word)] if rest else entry.summary.rstrip(".")
            rows.setdefault(word, (word, summary, ""))
        return list(rows.values())

    def command(self, word: str) -> Command | Group | None:
        entry = self._entries.get(word)
        if entry is not None:
            return _form(entry)
        inner = self._inner(word)
        if inner not in INNER_GROUPS:
            return None
        return Group(word, INNER_GROUPS[inner], source=_Forms(inner), make_params=group_options)

    def _inner(self, word: str) -> str:
        """The whole words of a group inside this one."""
        return f"{self._group} {word}"


class _Operations(Source):
    """The operations below some words, such as ``orders`` or ``orders equity``, and the forms beside them.

    Args:
        path: The words.
        dotted: The top group's dotted name.
    """

    def __init__(self, path: list[str], dotted: str) -> None:
        self._path = path
        self._dotted = dotted
        self._forms = _Forms(" ".join(path))

    def summaries(self) -> list[tuple[str, str, str]]:
        rows: dict[str, tuple[str, str, str]] = {}
        for operation, rest in self._below():
            if len(rest) == 1:
                rows[rest[0]] = (rest[0], operation.summary.rstrip("."), "")
            else:
                rows.setdefault(rest[0], (rest[0], self._group_summary(rest[0]), ""))
        for row in self._forms.summaries():
            rows[row[0]] = row
        return list(rows.values())

    def command(self, word: str) -> Command | Group | None:
        form = self._forms.command(word)
        if form is not None:
            return form
        found = [(operation, rest) for operation, rest in self._below() if rest[0] == word]
        if not found:
            return None
        operation, rest = found[0]
        if len(rest) == 1:
            from ftcli.cli.mount import command_of

            return command_of(word, operation)
        return Group(
            word,
            self._group_summary(word),
            source=_Operations([*self._path, word], self._dotted),
            make_params=group_options,
        )

    def _below(self) -> "list[tuple[Operation[..., Any], list[str]]]":
        """The operations whose words start with ours, each with the words that follow."""
        from ftcli.operations.operation import operations_of
        from ftcli.operations.registry import groups_of

        depth = len(self._path)
        found = []
        for entry in groups_of(self._dotted):
            for operation in operations_of(entry.load()):
                words = (operation.cli or "").split()
                if words[:depth] == self._path and len(words) > depth:
                    found.append((operation, words[depth:]))
        return found

    def _group_summary(self, word: str) -> str:
        from ftcli.operations.contents import GROUPS

        name = ".".join([*self._path, word]).replace("-", "_")
        return next((entry.summary for entry in GROUPS if entry.name == name), "")
