"""The data export of Claude: `conversations.json`, `projects.json` and `memories.json`, alone or in their folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_memory.importers.base import (
    MAX_TITLE,
    Importer,
    Reading,
    Record,
    draft,
    instant,
    objects,
    path_of,
    text_in,
)
from ai_memory.importers.json_files import beginning, items

_AUTHORS = {"human": "user", "assistant": "assistant"}
_KINDS = {
    "conversations": '"chat_messages"',
    "projects": '"prompt_template"',
    "memories": '"conversations_memory"',
}
"""What each file has that those of other programs have not."""


def finds(path: Path) -> bool:
    """Whether a file is one of the export, or a folder has one."""
    files = [path] if path.is_file() else [path / f"{name}.json" for name in _KINDS]
    return any(file.suffix == ".json" and _kind(file) is not None for file in files)


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """Messages in their conversations, the instructions and documents of projects, and what Claude noted."""
    files = [path] if path.is_file() else [path / f"{name}.json" for name in ("memories", "projects", "conversations")]
    readers = {"conversations": _conversation, "projects": _project, "memories": _memories}
    for file in files:
        kind = _kind(file)
        if kind is None:
            continue
        for number, item in enumerate(items(file, reading), start=1):
            reading.place = f"{file.name}, item {number}"
            if isinstance(item, dict):
                yield from readers[kind](item, reading)
            else:
                reading.refuse("not a JSON object")


def _kind(file: Path) -> str | None:
    start = beginning(file)
    found = next((kind for kind, mark in _KINDS.items() if mark in start), None)
    return found or (file.stem if start and file.stem in _KINDS and '"mapping"' not in start else None)


def _conversation(item: dict[str, Any], reading: Reading) -> Iterator[Record]:
    session, title = str(item.get("uuid") or item.get("name") or ""), item.get("name")
    if not isinstance(item.get("chat_messages"), list):
        reading.refuse("not a conversation: it has no `chat_messages`")
        return
    said = _branch(objects(item["chat_messages"]), item.get("current_leaf_message_uuid"), reading)
    for message in said:
        where = f"claude:{session}/{message.get('uuid')}"
        common = {
            "session": session[:256],
            "title": title[:MAX_TITLE] if isinstance(title, str) else None,
            "valid_from": instant(message.get("created_at")) or instant(item.get("created_at")),
        }
        author = _AUTHORS.get(str(message.get("sender")), message.get("sender"))
        if text := _text_of(message, reading):
            yield draft(text, type="conversation", author=author, source=where, **common)
        for attached in objects(message.get("attachments")):
            name = str(attached.get("file_name") or "an attachment")
            if text := text_in(attached, "extracted_content"):
                about = {**common, "title": name[:MAX_TITLE]}
                yield draft(text, type="documentation", author=author, source=f"{where}#{name}", **about)
            else:
                reading.leave("files without a text")
        reading.leave("files without a text", len(objects(message.get("files"))))


def _branch(messages: list[dict[str, Any]], leaf: object, reading: Reading) -> list[dict[str, Any]]:
    """The messages that lead to the leaf (without one, to the last message); all of them where none names its parent."""
    by_id = {message.get("uuid"): message for message in messages}
    if not any(message.get("parent_message_uuid") in by_id for message in messages):
        return messages
    at = leaf if leaf in by_id else messages[-1].get("uuid")
    path: list[dict[str, Any]] = []
    seen: set[object] = set()
    while at in by_id and at not in seen:
        seen.add(at)
        path.append(by_id[at])
        at = by_id[at].get("parent_message_uuid")
    reading.leave("messages of other branches", len(messages) - len(path))
    return path[::-1]


def _text_of(message: dict[str, Any], reading: Reading) -> str:
    """What was said: the parts of the type text; what tools did and what the model thought are counted."""
    parts = objects(message.get("content"))
    said = [text for part in parts if part.get("type", "text") == "text" and (text := text_in(part, "text"))]
    reading.leave("uses of tools and thoughts", sum(part.get("type", "text") != "text" for part in parts))
    return ("\n".join(said) or text_in(message, "text")).strip()


def _project(item: dict[str, Any], reading: Reading) -> Iterator[Record]:
    name = str(item.get("name") or item.get("uuid") or "a project")
    common = {"context": path_of("projects", name.replace("/", " ")), "valid_from": instant(item.get("created_at"))}
    where = f"claude:project/{item.get('uuid')}"
    for field, title in (("description", name), ("prompt_template", f"Instructions of {name}")):
        if text := text_in(item, field):
            yield draft(text, type="documentation", title=title[:MAX_TITLE], source=f"{where}#{field}", **common)
    for document in objects(item.get("docs")):
        if text := text_in(document, "content"):
            made = instant(document.get("created_at")) or common["valid_from"]
            yield draft(
                text,
                type="documentation",
                title=str(document.get("filename") or name)[:MAX_TITLE],
                source=f"{where}/{document.get('uuid')}",
                **{**common, "valid_from": made},
            )
        else:
            reading.leave("files without a text")


def _memories(item: dict[str, Any], reading: Reading) -> Iterator[Record]:  # noqa: ARG001 - as the other two
    """Claude's notes about the user: one memory for each paragraph, in general and of each project."""
    notes = {"": item.get("conversations_memory")}
    projects = item.get("project_memories")
    if isinstance(projects, dict):
        notes |= {path_of("projects", key): value for key, value in projects.items()}
    for context, text in notes.items():
        for paragraph in str(text or "").split("\n\n"):
            if paragraph.strip():
                yield draft(
                    paragraph.strip(),
                    author="assistant",
                    tags=["noted-by-claude"],
                    context=context,
                    source="claude:memories",
                )


IMPORTER = Importer("claude", "Claude's data export (conversations.json, projects.json, memories.json)", 1, finds, read)
