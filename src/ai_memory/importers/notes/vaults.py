"""What the note programs write into Markdown beyond its standard: Obsidian, Logseq, Notion and Basic Memory.

A folder is of one of them by what the program itself leaves in it. What is read here becomes a field or a tag; the text stays as it
was written, but for marks that only the program understands.
"""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote

from ai_memory.importers.files import markdown
from ai_memory.importers.files.finding import files_below
from ai_memory.operations.imported import Imported, Plain, read_fields


class Vault(StrEnum):
    """The program that a folder of notes is of."""

    PLAIN = "markdown"
    OBSIDIAN = "obsidian"
    LOGSEQ = "logseq"
    NOTION = "notion"
    BASIC_MEMORY = "basic-memory"


_NOTION_ID = re.compile(r" [0-9a-f]{32}(?=\.\w+$|$)")
_TAG = re.compile(r"(?:(?<=\s)|^)#([^\W\d_][\w/-]{0,100})", re.MULTILINE)
_CODE = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_PROPERTY = re.compile(r"^[ \t]*(?:- )?([A-Za-z][\w-]*):: ?(.*)$", re.MULTILINE)
_NOTION_LINE = re.compile(r"^([A-Z][\w ]{0,60}): (.+)$")
_LOGSEQ_OWN = re.compile(r"^[ \t]*(?:id|collapsed|heading|logseq\.[\w-]+):: .*\n?", re.MULTILINE)
_JOURNAL = re.compile(r"(\d{4})[_-](\d\d)[_-](\d\d)")
_NOTION_LINK = re.compile(r"\[([^\]\n]+)\]\(([^)\s]+?\.md)\)")


def vault_of(folder: Path | None) -> Vault:
    """The program that a folder of notes is of, by what it leaves there."""
    if folder is None:
        return Vault.PLAIN
    if (folder / ".obsidian").is_dir():
        return Vault.OBSIDIAN
    if (folder / "logseq").is_dir() or ((folder / "journals").is_dir() and (folder / "pages").is_dir()):
        return Vault.LOGSEQ
    for number, file in enumerate(files_below(folder)):
        if _NOTION_ID.search(file.name):
            return Vault.NOTION
        if number >= 50:
            break
    return Vault.PLAIN


def draft_values(text: str, place: PurePosixPath, vault: Vault, *, source: str) -> Imported:
    """As `markdown.draft_values`, with what the vault's program means by its own marks. `place` is the file below the folder."""
    text = text.replace("\r\n", "\n")
    own: dict[str, Any] = {}
    if vault is Vault.LOGSEQ:
        text, own = _logseq(text, place)
    elif vault is Vault.NOTION:
        text, own = _notion(text, place)
    read = markdown.draft_values(text, source=source)
    values = dict(read.values)
    if vault is Vault.PLAIN and "permalink" in (values.get("attributes") or {}):
        vault = Vault.BASIC_MEMORY
    if vault in (Vault.OBSIDIAN, Vault.LOGSEQ, Vault.BASIC_MEMORY):
        values["tags"] = list(dict.fromkeys([*values.get("tags", ()), *_TAG.findall(_CODE.sub("", values["text"]))]))[
            :64
        ]
    if not own:
        return Imported({name: value for name, value in values.items() if value != []}, read.warnings)
    more = read_fields(own, values["text"])
    attributes = {**(more.values.get("attributes") or {}), **(values.get("attributes") or {})}
    tags = list(dict.fromkeys([*values.get("tags", ()), *more.values.get("tags", ())]))[:64]
    merged = {**more.values, **values, "attributes": attributes, "tags": tags}
    return Imported(
        {name: value for name, value in merged.items() if value not in ([], {})}, read.warnings + more.warnings
    )


def linked(text: str, vault: Vault) -> str:
    """The text in which every link to another note is a wiki link."""
    if vault is not Vault.NOTION:
        return text
    return _NOTION_LINK.sub(lambda found: f"[[{unquote(PurePosixPath(found[2]).name)}]]", text)


def shown_place(place: PurePosixPath, vault: Vault) -> PurePosixPath:
    """The path of a note as its program shows it: Notion puts an id after each name."""
    if vault is not Vault.NOTION:
        return place
    return PurePosixPath(*(_NOTION_ID.sub("", part) for part in place.parts))


def _logseq(text: str, place: PurePosixPath) -> tuple[str, dict[str, Any]]:
    """Properties of the page (those before its first bullet) are fields; those of Logseq itself go; a journal has its day."""
    head, sign, rest = text.partition("\n- ") if not text.startswith("- ") else ("", "", text)
    own: dict[str, Any] = {name: Plain(value) for name, value in _PROPERTY.findall(head)}
    text = _LOGSEQ_OWN.sub("", _PROPERTY.sub("", head) + sign + rest)
    day = _JOURNAL.fullmatch(place.stem)
    if day and "journals" in place.parts:
        own.setdefault("valid_from", "-".join(day.groups()))
        own.setdefault("type", "episodic")
    own.setdefault("title", unquote(place.stem.replace("___", "/")))
    return (text if text.strip() else head + sign + rest), own


def _notion(text: str, place: PurePosixPath) -> tuple[str, dict[str, Any]]:
    """The lines of properties below the first heading are fields; the title has no id."""
    own: dict[str, Any] = {}
    lines = text.split("\n")
    at = next((number for number, line in enumerate(lines) if line.strip()), 0)
    if at < len(lines) and lines[at].startswith("# "):
        at += 1
        while at < len(lines) and not lines[at].strip():
            at += 1
        start = at
        while at < len(lines) and (found := _NOTION_LINE.match(lines[at])):
            own[found[1]] = Plain(found[2])
            at += 1
        if "\n".join(lines[at:]).strip():
            lines = lines[:start] + lines[at:]
    own.setdefault("title", _NOTION_ID.sub("", place.stem))
    return "\n".join(lines), own
