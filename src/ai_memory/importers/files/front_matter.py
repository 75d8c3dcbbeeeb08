"""Front matter: the fields above a note's text, in YAML between `---` or TOML between `+++`, with every scalar as written."""

from __future__ import annotations

import datetime as dt
import re
import tomllib
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import yaml

from ai_memory.operations.imported import Plain

MAX_FRONT_MATTER = 65_536

_BLOCK = re.compile(
    r"\A(?:---[ \t]*\n(?P<yaml>.*?)^(?:---|\.\.\.)|\+\+\+[ \t]*\n(?P<toml>.*?)^\+\+\+)[ \t]*(?:\n|\Z)",
    re.DOTALL | re.MULTILINE,
)
_PLACEHOLDER = re.compile(r"\{\{.*\}\}|\[\[[^\[\]]*\]\]")
"""A template's placeholder or a wiki link, which YAML would read as nested values."""
_HASHTAG = re.compile(r"[ \t]+(#[^\s#].*)")
"""A word with # before it, which YAML would drop as a comment; a comment has a blank after its #."""
_YAML_KEY = re.compile(r"(?P<key>[^\s#:\-\[{\"'][^:\n]*?|\"[^\"\n]+\"|'[^'\n]+')[ \t]*:(?:[ \t]+(?P<value>.*)|)$")
_TOML_KEY = re.compile(r"(?P<key>[\w.-]+|\"[^\"\n]+\")[ \t]*=[ \t]*(?P<value>.*)$")


class FrontMatter(NamedTuple):
    """What a text says above its first paragraph."""

    fields: dict[str, Any]
    """Scalars as strings, those without quotes as `Plain`; lists and mappings of them."""
    text: str
    """The text below; the whole text where what is above it is not understood in full."""
    warnings: tuple[str, ...]


def read(text: str) -> FrontMatter | None:
    """The front matter of a text with line feeds as line ends; None where it begins otherwise."""
    match = _BLOCK.match(text)
    if match is None:
        return None
    form = "yaml" if match["yaml"] is not None else "toml"
    source = match[form]
    if len(source) > MAX_FRONT_MATTER:
        return FrontMatter({}, text, (f"the front matter has {len(source):,} characters and was kept as text",))
    load, key = (_load_yaml, _YAML_KEY) if form == "yaml" else (_load_toml, _TOML_KEY)
    below = text[match.end() :]
    try:
        return FrontMatter(load(source), below, ())
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = f"the front matter is not valid {form.upper()} ({_short(error)})"
    fields, complete = _by_lines(source, key, load)
    if not fields:
        return FrontMatter({}, text, (f"{reason}; it was kept as text",))
    if not complete:
        return FrontMatter(fields, text, (f"{reason}; its readable lines were taken and all of it was kept as text",))
    return FrontMatter(fields, below, (f"{reason}; it was read line by line",))


def _short(error: Exception) -> str:
    problem = getattr(error, "problem", None) or str(error)
    mark = getattr(error, "problem_mark", None)
    return " ".join(str(problem).split())[:120] + (f", line {mark.line + 2}" if mark else "")


class _Loader(yaml.SafeLoader):
    """YAML without aliases: nested aliases can expand a small file without bound."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("it has an alias")
        return super().compose_node(parent, index)


def _load_yaml(source: str) -> dict[str, Any]:
    """The fields of a YAML mapping. Raises YAMLError, RecursionError or ValueError for anything else."""
    node = yaml.compose(source, Loader=_Loader)
    if node is None:
        return {}
    if not isinstance(node, yaml.MappingNode):
        raise yaml.YAMLError("not lines of key: value")
    return _mapping(node, source)


def _mapping(node: yaml.MappingNode, source: str) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else _written(key_node, source)
        while key in values:  # YAML allows a key once; no value is lost where people write it twice
            key += "_again"
        values[key] = _value(value_node, source, tagged=key.lower() in ("tags", "tag"))
    return values


def _value(node: yaml.Node, source: str, *, tagged: bool = False) -> Any:
    written = _written(node, source)
    if isinstance(node, yaml.ScalarNode):
        rest = source[node.end_mark.index :].split("\n", 1)[0]
        tag = _HASHTAG.match(rest) if not written or tagged else None
        text = f"{node.value} {tag[1]}".strip() if tag else node.value
        return Plain(text) if node.style is None else text
    if _PLACEHOLDER.fullmatch(written):
        return written
    if isinstance(node, yaml.MappingNode):
        return _mapping(node, source)
    return [_value(part, source, tagged=tagged) for part in node.value]


def _written(node: yaml.Node, source: str) -> str:
    return source[node.start_mark.index : node.end_mark.index].strip()


def _load_toml(source: str) -> dict[str, Any]:
    """The fields of a TOML document. Raises ValueError for anything else."""
    return {key: _from_toml(value) for key, value in tomllib.loads(source, parse_float=Plain).items()}


def _from_toml(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _from_toml(part) for key, part in value.items()}
    if isinstance(value, list):
        return [_from_toml(part) for part in value]
    if isinstance(value, bool):
        return Plain(str(value).lower())
    if isinstance(value, dt.date | dt.time):
        return value.isoformat()
    return Plain(value) if isinstance(value, int) else value


def _by_lines(source: str, key: re.Pattern[str], load: Callable[[str], dict[str, Any]]) -> tuple[dict[str, Any], bool]:
    """The fields of front matter that is not valid as a whole, each read by itself, and whether every line belongs to one."""
    fields: dict[str, Any] = {}
    complete = True
    for match, lines in _chunks(source, key):
        if match is None:
            complete = False
            continue
        name = match["key"].strip("\"'")
        while name in fields:
            name += "_again"
        try:
            fields[name] = next(iter(load("\n".join(lines)).values()))
        except (yaml.YAMLError, RecursionError, ValueError, StopIteration):
            fields[name] = "\n".join([_unquoted(match["value"] or ""), *map(str.strip, lines[1:])]).strip()
    return fields, complete


def _chunks(source: str, key: re.Pattern[str]) -> Iterator[tuple[re.Match[str] | None, list[str]]]:
    """Each line that begins a field, with the indented lines and list items below it; None with any other line."""
    found: tuple[re.Match[str], list[str]] | None = None
    for line in source.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        match = key.match(line)
        if match is None and found is not None and line.startswith((" ", "\t", "- ")):
            found[1].append(line)
            continue
        if found is not None:
            yield found
        found = (match, [line]) if match is not None else None
        if match is None:
            yield None, [line]
    if found is not None:
        yield found


def _unquoted(text: str) -> str:
    text = text.strip()
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'" else text
