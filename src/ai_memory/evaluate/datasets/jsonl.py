"""One group per line of JSON: the format for a user's own data."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import msgspec

from ai_memory.errors import InvalidInputError
from ai_memory.evaluate.datasets.base import DataSet, Group, head, read_json_lines, shaped

SHAPE = '{"group", "docs": {id: {"text"}}, "queries": {id: {"text"}}, "qrels": {query: {doc: grade}}}'


def load_jsonl(file: Path) -> list[Group]:
    """Groups from JSON lines: `{"group", "docs": {id: {"text", …}}, "queries": {id: {"text", …}}, "qrels": {query: {doc: grade}}}`.

    Everything but the texts is optional; unknown fields are ignored and blank lines skipped. Raises InvalidInputError naming
    the line that is wrong.
    """
    groups: list[Group] = []
    for number, value in read_json_lines(file):
        if isinstance(value, dict):
            value = {"group": f"line {number}"} | {key: item for key, item in value.items() if item is not None}
            value["group"] = str(value["group"])
        groups.append(shaped(value, Group, file, f"a group, {SHAPE}", number))
    if not groups:
        raise InvalidInputError(f"{file} has no group", hint=f"each line is {SHAPE}")
    names = [group.group for group in groups]
    if len(set(names)) == len(names):
        return groups
    return [msgspec.structs.replace(group, group=f"{group.group}#{n}") for n, group in enumerate(groups, 1)]


def find(place: Path) -> Iterator[DataSet]:
    """A file of groups; in a folder, none: its other files may be anything."""
    if place.is_file() and place.suffix == ".jsonl" and b'"docs"' in head(place):
        yield DataSet(place.stem, partial(load_jsonl, place))
