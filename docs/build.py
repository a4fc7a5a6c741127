"""Builds the reference pages from the declarations, or checks that they are current (``--check``).

python docs/build.py            # writes docs/reference/*.md
python docs/build.py --check    # exits 1 and names the pages that are stale
"""

import sys
from pathlib import Path
from typing import Any, get_args, get_origin

import msgspec

from ftcli import config
from ftcli.errors import FtError, all_error_classes
from ftcli.models.field import fields, walk, without_none
from ftcli.models.values import Code
from ftcli.operations.operation import Operation, is_model, operations_of
from ftcli.operations.registry import GroupEntry, groups_of, top_groups

HERE = Path(__file__).parent / "reference"
NOTE = "<!-- Built by docs/build.py from the declarations. Do not edit. -->\n"


def cell(text: str) -> str:
    """Text fit for a table cell."""
    return " ".join(text.split()).replace("|", "\\|")


def type_name(kind: Any) -> str:
    """A type as users know it."""
    kind = without_none(kind)
    if get_origin(kind) is list:
        return f"list of {type_name(get_args(kind)[0])}"
    if is_model(kind):
        return " or ".join(option.__name__ for option in get_args(kind) or (kind,))
    if isinstance(kind, type) and issubclass(kind, Code):
        return ", ".join(f"`{member.value}`" for member in kind)
    names = {
        "Decimal": "number",
        "int": "whole number",
        "str": "text",
        "bool": "true/false",
        "datetime": "time",
    }
    name = getattr(kind, "__name__", str(kind))
    return names.get(name, name)


def field_table(model: type[msgspec.Struct]) -> list[str]:
    """The fields of a model as a table."""
    lines = ["| field | type | unit | meaning |", "|---|---|---|---|"]
    lines += [
        f"| `{info.name}` | {cell(type_name(info.type))} | {info.unit} | {cell(info.text)} |"
        for info in fields(model)
    ]
    return lines


def operation_section(operation: Operation[..., Any]) -> list[str]:
    """One operation on its three faces."""
    arguments = ", ".join(param.name for param in operation.params)
    awaited = "async for … in" if operation.streaming else "await"
    lines = [f"## {operation.name}", "", operation.summary, ""]
    if operation.cli:
        lines.append(f"- Command: `ft {operation.cli}`")
    lines += [
        f"- HTTP: `{operation.method} /api/v1{operation.path}`" + (" (SSE)" if operation.streaming else ""),
        f"- SDK: `{awaited} ft.{operation.name}({arguments})`",
        "",
    ]
    if operation.description:
        lines += [operation.description, ""]
    if operation.params:
        lines += ["| parameter | in | type | required | meaning |", "|---|---|---|---|---|"]
        for param in operation.params:
            needed = "yes" if param.required else "no"
            lines.append(
                f"| `{param.name}` | {param.where} | {cell(type_name(param.type))} | {needed} | "
                f"{cell(param.param.help)} |"
            )
        lines.append("")
    for example in operation.examples:
        lines += ["```sh", f"ft {example}", "```", ""]
    return lines


def models_of(operations: list[Operation[..., Any]]) -> list[type[msgspec.Struct]]:
    """Every model the operations take or give, each once, in the order met."""
    found: list[type[msgspec.Struct]] = []
    for operation in operations:
        for kind in [*(param.type for param in operation.params), operation.result]:
            for option in get_args(without_none(kind)) or (kind,):
                if isinstance(option, type) and issubclass(option, msgspec.Struct):
                    found += [model for model in walk(option) if model not in found]
    return found


def group_page(entry: GroupEntry) -> str:
    """The page of a top group and the groups inside it."""
    operations = [item for group in groups_of(entry.name) for item in operations_of(group.load())]
    lines = [NOTE, f"# {entry.name.replace('_', '-')}", "", f"{entry.summary}.", ""]
    for operation in operations:
        lines += operation_section(operation)
    lines += ["# Documents", ""]
    for model in models_of(operations):
        text = (model.__doc__ or "").strip()
        lines += [f"## {model.__name__}", "", text.replace("    ", ""), "", *field_table(model), ""]
    return "\n".join(lines).rstrip() + "\n"


def index_page() -> str:
    """All operations in one table."""
    lines = [
        NOTE,
        "# Reference",
        "",
        "Every operation on its three faces. HTTP paths are under `/api/v1`.",
        "",
    ]
    for entry in top_groups():
        page = entry.name.replace("_", "-")
        lines += [f"## [{page}]({page}.md)", "", "| HTTP | command | SDK | |", "|---|---|---|---|"]
        for group in groups_of(entry.name):
            for item in operations_of(group.load()):
                command = f"`ft {item.cli}`" if item.cli else ""
                lines.append(
                    f"| `{item.method} {item.path}` | {command} | `{item.name}` | {cell(item.summary)} |"
                )
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def errors_page() -> str:
    """All error codes."""
    lines = [
        NOTE,
        "# Error codes",
        "",
        "The same on every face.",
        "",
        "| code | HTTP | exit | when |",
        "|---|---|---|---|",
    ]
    seen: set[str] = set()
    for cls in [*all_error_classes(), FtError]:
        if cls.code not in seen:
            seen.add(cls.code)
            when = (cls.__doc__ or "").strip().partition("\n")[0]
            lines.append(f"| `{cls.code}` | {cls.status} | {cls.exit_status} | {cell(when)} |")
    return "\n".join(lines) + "\n"


def settings_page() -> str:
    """All settings."""
    lines = [
        NOTE,
        "# Settings",
        "",
        "Flag > environment > profile > user file > default. Every variable has a `…_FILE` form that names a file.",
        "",
        "| setting | environment | default | meaning |",
        "|---|---|---|---|",
    ]
    defaults = config.Settings()
    for name, (_, source) in config.declared().items():
        default = getattr(defaults, name)
        shown = (
            ""
            if default in (None, "", {})
            else str(default).lower()
            if isinstance(default, bool)
            else str(default)
        )
        variables = ", ".join(f"`{variable}`" for variable in source.names)
        lines.append(f"| `{name}` | {variables} | {cell(shown)} | {cell(source.help)} |")
    return "\n".join(lines) + "\n"


def pages() -> dict[str, str]:
    """Every built page by file name."""
    built = {"index.md": index_page(), "errors.md": errors_page(), "settings.md": settings_page()}
    for entry in top_groups():
        built[f"{entry.name.replace('_', '-')}.md"] = group_page(entry)
    return built


def main() -> int:
    """Writes the pages, or compares them."""
    built = pages()
    stale = [
        name
        for name, text in built.items()
        if not (HERE / name).exists() or (HERE / name).read_text("utf-8") != text
    ]
    strangers = [path.name for path in HERE.glob("*.md") if path.name not in built]
    if "--check" in sys.argv[1:]:
        for name in stale + strangers:
            sys.stderr.write(
                f"docs/reference/{name} is not what the declarations say; run: python docs/build.py\n"
            )
        return 1 if stale or strangers else 0
    HERE.mkdir(exist_ok=True)
    for name, text in built.items():
        (HERE / name).write_text(text, "utf-8")
    for name in strangers:
        (HERE / name).unlink()
    return 0


if __name__ == "__main__":
    sys.exit(main())
