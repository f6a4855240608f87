"""A tree of classes with their arguments, as an object and as Python source that makes an equal one.

It knows no model and no space; :mod:`moopt.models.pipelines` describes pipelines with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

_WIDTH = 100
_INDENT = 4


@dataclass(frozen=True)
class Part:
    """A class and its arguments, which may hold parts again, in lists and tuples too."""

    path: str
    """Import path of the class."""
    arguments: Mapping[str, Any]

    @property
    def module(self) -> str:
        """Where it is imported from."""
        return self.path.rpartition(".")[0]

    @property
    def name(self) -> str:
        """The class's own name."""
        return self.path.rpartition(".")[2]


@dataclass(frozen=True)
class _Variable:
    """A name in source that holds what was assigned to it."""

    name: str


def make(value: Any) -> Any:
    """A part as an object; lists and tuples item by item, anything else as it is."""
    if isinstance(value, Part):
        cls = getattr(import_module(value.module), value.name)
        return cls(**{name: make(argument) for name, argument in value.arguments.items()})
    if isinstance(value, list | tuple):
        return type(value)(make(one) for one in value)
    return value


def code(pipeline: Part, about: str) -> str:
    """A module with this docstring whose ``build()`` gives what ``make(pipeline)`` gives.

    The steps of the pipeline, and the branches of a step that has branches, become variables of their names.
    """
    names: dict[str, set[str]] = {}
    for part in _parts(pipeline):
        names.setdefault(part.module, set()).add(part.name)
    statements: list[str] = []
    result = _assigned(pipeline, statements)
    return "\n".join(
        [
            _docstring(about),
            "",
            *(f"from {module} import {', '.join(sorted(names[module]))}" for module in sorted(names)),
            "",
            "",
            f"def build() -> {pipeline.name}:",
            '    """Make the pipeline, not fitted yet."""',
            *statements,
            f"    return {_text(result, _INDENT, _INDENT + len('return '))}",
            "",
        ]
    )


def _parts(value: Any) -> list[Part]:
    """All parts in a value, itself included."""
    if isinstance(value, Part):
        return [value, *_parts(list(value.arguments.values()))]
    if isinstance(value, list | tuple):
        return [part for one in value for part in _parts(one)]
    return []


def _assigned(part: Part, statements: list[str]) -> Part:
    """The part with variables for its named parts, whose assignments are appended to the statements."""
    ((argument, named),) = part.arguments.items()
    replaced = []
    for name, inner, *rest in named:
        if isinstance(inner, Part):
            whole = _assigned(inner, statements) if "transformers" in inner.arguments else inner
            statements.append(f"    {name} = {_text(whole, _INDENT, _INDENT + len(name) + 3)}")
            inner = _Variable(name)
        replaced.append((name, inner, *rest))
    return Part(part.path, {argument: replaced})


def _text(value: Any, indent: int, column: int) -> str:
    """A value as source that starts at ``column`` of a line indented by ``indent``; broken where it is too long."""
    flat = _flat(value)
    if column + len(flat) <= _WIDTH or not isinstance(value, Part | list | tuple):
        return flat
    opening, closing = _brackets(value)
    inner = indent + _INDENT
    items = [f"{name}{_text(one, inner, inner + len(name))}," for name, one in _members(value)]
    return "\n".join([opening, *_filled(items, inner, isinstance(value, list)), " " * indent + closing])


def _filled(items: list[str], indent: int, several: bool) -> list[str]:
    """Lines of items, one a line, or as many as fit where there are ``several`` short ones."""
    lines: list[str] = []
    for item in items:
        joined = f"{lines[-1]} {item}" if lines else ""
        if several and lines and not item.startswith(("(", "[")) and len(joined) <= _WIDTH:
            lines[-1] = joined
        else:
            lines.append(" " * indent + item)
    return lines


def _flat(value: Any) -> str:
    if isinstance(value, _Variable):
        return value.name
    if isinstance(value, str):
        return _quoted(value)
    if not isinstance(value, Part | list | tuple):
        return repr(value)
    opening, closing = _brackets(value)
    inner = ", ".join(f"{name}{_flat(one)}" for name, one in _members(value))
    return f"{opening}{inner}{',' if isinstance(value, tuple) and len(value) == 1 else ''}{closing}"


def _quoted(text: str) -> str:
    shown = repr(text)
    return f'"{shown[1:-1]}"' if shown[0] == "'" and '"' not in text else shown


def _members(value: Part | list[Any] | tuple[Any, ...]) -> list[tuple[str, Any]]:
    """What a value holds, each with what stands before it."""
    if isinstance(value, Part):
        return [(f"{name}=", argument) for name, argument in value.arguments.items()]
    return [("", one) for one in value]


def _brackets(value: Part | list[Any] | tuple[Any, ...]) -> tuple[str, str]:
    if isinstance(value, Part):
        return f"{value.name}(", ")"
    return ("[", "]") if isinstance(value, list) else ("(", ")")


def _docstring(text: str) -> str:
    safe = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{safe}\n"""' if "\n" in safe or safe.endswith('"') else f'"""{safe}"""'
