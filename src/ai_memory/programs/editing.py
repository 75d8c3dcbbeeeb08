"""Changes one entry in a settings file as its owner wrote it: JSON with comments, TOML and YAML keep their comments and order.

A change is made in the text and then checked: what the file says afterwards must be what it said before, with that entry and
nothing else changed. A file that cannot be parsed, or where the change cannot be made so, is refused.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Callable, Sequence
from typing import Any, Literal, NamedTuple

import yaml

from ai_memory.errors import InvalidInputError

Form = Literal["json", "toml", "yaml"]
ABSENT: Any = object()
"""In place of a value: the entry is taken out."""
_HINT = "change it by hand, or fix it first"


def parsed(text: str, form: Form) -> dict[str, Any]:
    """What a settings file says; an empty one says nothing. Raises InvalidInputError where it cannot be parsed."""
    try:
        if form == "json":
            found = json.loads(_without_comments(text)) if text.strip() else {}
        elif form == "toml":
            found = tomllib.loads(text)
        else:
            found = yaml.safe_load(text) or {}
    except (ValueError, yaml.YAMLError, RecursionError) as error:
        raise InvalidInputError(f"it is not valid {form.upper()}: {error}", hint=_HINT) from None
    if not isinstance(found, dict):
        raise InvalidInputError(f"it is a {form.upper()} {type(found).__name__}, not a table of names", hint=_HINT)
    return found


def entry(values: dict[str, Any], path: Sequence[str]) -> Any:
    """What is at a path of names; ABSENT where nothing is."""
    found: Any = values
    for name in path:
        if not isinstance(found, dict) or name not in found:
            return ABSENT
        found = found[name]
    return found


def changed(text: str, form: Form, path: Sequence[str], value: Any) -> str:
    """The text with this value at a path of names, or without the entry. Raises InvalidInputError where that cannot be made."""
    before = parsed(text, form)
    wanted = _with(before, path, value)
    if wanted == before:
        return text
    change: Callable[[str, Sequence[str], Any], str] = {"json": _json, "toml": _toml, "yaml": _yaml}[form]
    try:
        after = change(text, path, value)
        right = _pruned(parsed(after, form)) == _pruned(wanted)
    except (InvalidInputError, ValueError):
        right = False
    if not right:
        raise InvalidInputError(f"{'.'.join(path)} cannot be changed in it without changing more", hint=_HINT)
    return after


def _with(values: dict[str, Any], path: Sequence[str], value: Any) -> dict[str, Any]:
    name, *rest = path
    below = values.get(name)
    if rest:
        if below is not None and not isinstance(below, dict):
            raise InvalidInputError(f"{name} is no table of names in it", hint=_HINT)
        if value is ABSENT and below is None:
            return values
        return {**values, name: _with(below or {}, rest, value)}
    if value is ABSENT:
        return {key: each for key, each in values.items() if key != name}
    return {**values, name: value}


def _pruned(values: dict[str, Any]) -> dict[str, Any]:
    """The values without empty tables: a table that was made for the entry may stay or go."""
    kept = {name: _pruned(value) if isinstance(value, dict) else value for name, value in values.items()}
    return {name: value for name, value in kept.items() if value not in ({}, None)}


class _Span(NamedTuple):
    """A member of a JSON object in the text: from its name to the end of its value."""

    start: int
    value: int
    end: int


def _without_comments(text: str) -> str:
    """JSON without comments and commas before a closing bracket; as long as it was, so that places stay the same."""
    out = re.sub(
        r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/',
        lambda found: found[0] if found[0].startswith('"') else re.sub(r"[^\n]", " ", found[0]),
        text,
        flags=re.DOTALL,
    )
    return re.sub(
        r'("(?:\\.|[^"\\\n])*")|,(?=\s*[}\]])', lambda found: found[1] if found[1] is not None else " ", out
    ).replace("\ufeff", " ")


def _json(text: str, path: Sequence[str], value: Any) -> str:
    text = text if text.strip() else "{}\n"
    plain = _without_comments(text)
    at = plain.index("{")
    for depth, name in enumerate(path):
        members, end = _members(plain, at)
        found = members.get(name)
        if found is None:
            if value is ABSENT:
                return text
            for missing in reversed(path[depth + 1 :]):
                value = {missing: value}
            return _inserted(text, at, members, end, f"{json.dumps(name)}: ", value)
        if depth + 1 < len(path):
            at = plain.index("{", found.value)
            continue
        if value is ABSENT:
            return _cut(text, plain, found)
        shown = _shown(value, _indent(text, found.start), _unit(text))
        return text[: found.value] + shown + text[found.end :]
    return text


def _members(plain: str, at: int) -> tuple[dict[str, _Span], int]:
    """The members of the object that begins at a place, and where its closing bracket is."""
    decoder = json.JSONDecoder()
    members: dict[str, _Span] = {}
    position = at + 1
    while True:
        position += len(plain[position:]) - len(plain[position:].lstrip(" \t\r\n,"))
        if plain[position] == "}":
            return members, position
        start = position
        name, position = decoder.raw_decode(plain, position)
        position = plain.index(":", position) + 1
        position += len(plain[position:]) - len(plain[position:].lstrip())
        value = position
        _, position = decoder.raw_decode(plain, position)
        members[name] = _Span(start, value, position)


def _inserted(text: str, at: int, members: dict[str, _Span], end: int, name: str, value: Any) -> str:
    unit = _unit(text)
    if not members:
        outer = _indent(text, at)
        line = f"\n{outer}{unit}{name}{_shown(value, outer + unit, unit)}"
        inside = text[at + 1 : end].rstrip()
        return text[: at + 1] + inside + line + f"\n{outer}" + text[end:]
    last = max(members.values(), key=lambda span: span.end)
    on_one_line = "\n" not in text[at : last.start]
    indent = _indent(text, last.start)
    shown = f"{name}{_shown(value, indent, unit)}"
    rest = re.sub(r"//[^\n]*|/\*.*?\*/", _blanks, text[last.end : end], flags=re.DOTALL)
    comma = last.end + rest.find(",") if "," in rest else -1
    if comma >= 0:  # a comma after the last member stays one
        return text[: comma + 1] + (" " if on_one_line else f"\n{indent}") + shown + "," + text[comma + 1 :]
    return text[: last.end] + ("," + (" " if on_one_line else f"\n{indent}")) + shown + text[last.end :]


def _blanks(found: re.Match[str]) -> str:
    return " " * len(found[0])


def _cut(text: str, plain: str, found: _Span) -> str:
    """The text without a member, its comma and its line."""
    before = plain[: found.start].rstrip()
    after = len(plain[: found.end]) + len(plain[found.end :]) - len(plain[found.end :].lstrip(" \t\r\n"))
    follows = plain[after : after + 1] == "," or text[after : after + 1] == ","
    if follows:
        rest = text[after + 1 :]
        newline = re.match(r"[ \t]*\n", rest)
        start = text.rfind("\n", 0, found.start) + 1
        if newline and not text[start : found.start].strip():
            return text[:start] + rest[newline.end() :]
        return text[: found.start] + rest.lstrip(" ")
    start = len(before) - 1 if before.endswith(",") else len(before)
    return text[:start] + text[found.end :]


def _indent(text: str, at: int) -> str:
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _unit(text: str) -> str:
    found = re.search(r"\n([ \t]+)\S", text)
    return found[1] if found else "  "


def _shown(value: Any, indent: str, unit: str) -> str:
    return json.dumps(value, indent=unit, ensure_ascii=False).replace("\n", f"\n{indent}")


def _toml(text: str, path: Sequence[str], value: Any) -> str:
    """The table at the path replaced, put at the end, or taken out; only one that has a header of its own can be."""
    header = ".".join(name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else json.dumps(name) for name in path)
    lines = text.splitlines(keepends=True)
    own = re.compile(rf"\s*\[\s*{re.escape(header)}(?:\.[^\]]*)?\s*\]")
    kept: list[str] = []
    inside = False
    at: int | None = None
    for line in lines:
        if line.lstrip().startswith("["):
            inside = own.match(line) is not None
            if inside and at is None:
                at = len(kept)
        if not inside:
            kept.append(line)
    if value is ABSENT:
        return "".join(kept).rstrip("\n") + ("\n" if kept else "")
    table = f"[{header}]\n" + "".join(
        f"{name} = {_toml_value(each)}\n" for name, each in value.items() if not isinstance(each, dict)
    )
    for name, each in value.items():
        if isinstance(each, dict):
            pairs = ", ".join(f"{json.dumps(key)} = {_toml_value(part)}" for key, part in each.items())
            table += f"{name} = {{ {pairs} }}\n"
    if at is not None:
        return "".join([*kept[:at], table, "\n" if kept[at:] else "", *kept[at:]])
    whole = "".join(kept)
    return whole + ("" if not whole or whole.endswith("\n") else "\n") + ("\n" if whole.strip() else "") + table


def _toml_value(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_toml_value, value))}]"
    return json.dumps(value, ensure_ascii=False)


def _yaml(text: str, path: Sequence[str], value: Any) -> str:
    """The block at a path of two names replaced, added below the first, or taken out."""
    outer, name = path
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    top = next(
        (n for n, line in enumerate(lines) if re.match(rf"{re.escape(outer)}\s*:\s*(?:#.*)?$", line.rstrip())), None
    )
    if top is None:
        return "".join(lines) + f"{outer}:\n" + _yaml_block(name, value, "  ")
    end = next((n for n in range(top + 1, len(lines)) if re.match(r"[^\s#]", lines[n])), len(lines))
    child = next((line for line in lines[top + 1 : end] if line.strip() and not line.lstrip().startswith("#")), "  x")
    indent = child[: len(child) - len(child.lstrip())] or "  "
    start = next(
        (n for n in range(top + 1, end) if re.match(rf"{indent}['\"]?{re.escape(name)}['\"]?\s*:", lines[n])), None
    )
    block = "" if value is ABSENT else _yaml_block(name, value, indent)
    if start is None:
        return "".join([*lines[: top + 1], block, *lines[top + 1 :]])
    stop = next((n for n in range(start + 1, end) if re.match(rf"{indent}[^\s#]", lines[n])), end)
    return "".join([*lines[:start], block, *lines[stop:]])


def _yaml_block(name: str, value: Any, indent: str) -> str:
    block = yaml.safe_dump({name: value}, sort_keys=False, allow_unicode=True, default_flow_style=False)
    return "".join(f"{indent}{line}\n" for line in block.splitlines())
