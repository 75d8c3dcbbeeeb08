"""The data export of ChatGPT: `conversations.json` (or its parts `conversations-000.json`, …), alone or in its folder.

A conversation is a tree of messages: what counts is the branch that leads to `current_node`. What the user and the assistant said
becomes a memory each; what the assistant noted about the user (messages to `bio`) and the user's own instructions do too. Hidden
messages, those of tools and those of other branches are left out and counted.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_memory.importers.base import MAX_TITLE, Importer, Reading, Record, draft, instant, present, seconds, texts
from ai_memory.importers.json_files import beginning, items

_SPOKEN = ("user", "assistant")
_ABOUT_THE_USER = "user_editable_context"
_NOTED = "bio"


def finds(path: Path) -> bool:
    """Whether a file holds conversations of ChatGPT, or a folder has such a file."""
    return any('"mapping"' in beginning(file) and '"author"' in beginning(file) for file in _files(path))


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The messages of all conversations, each conversation in its order."""
    for file in _files(path):
        for number, conversation in enumerate(items(file, reading), start=1):
            reading.place = f"{file.name}, conversation {number}"
            if not isinstance(conversation, dict) or not isinstance(conversation.get("mapping"), dict):
                reading.refuse("not a conversation: it has no `mapping`")
                continue
            yield from messages(conversation, reading)


def messages(conversation: dict[str, Any], reading: Reading) -> Iterator[Record]:
    """The memories in one conversation."""
    session = conversation.get("conversation_id") or conversation.get("id") or conversation.get("title")
    title = conversation.get("title")
    about = {
        "title": title[:MAX_TITLE] if isinstance(title, str) else None,
        "session": None if session is None else str(session)[:256],
    }
    common = {"project": conversation.get("conversation_template_id") or conversation.get("gizmo_id")}
    path, others = branch(conversation)
    reading.leave("messages of other branches", others)
    for message in path:
        content = message.get("content") if isinstance(message.get("content"), dict) else {}
        assert isinstance(content, dict)
        said_at = instant(message.get("create_time")) or instant(conversation.get("create_time"))
        place = {"source": f"chatgpt:{session}/{message.get('id')}"} if message.get("id") else {}
        if content.get("content_type") == _ABOUT_THE_USER:
            for name in ("user_profile", "user_instructions"):
                if isinstance(text := content.get(name), str) and text.strip():
                    title = "Instructions to the assistant" if name == "user_instructions" else "About the user"
                    yield draft(
                        text.strip(), type="preference", title=title, author="user", valid_from=said_at, **place
                    )
            continue
        author = message.get("author")
        role = author.get("role") if isinstance(author, dict) else None
        text = _text_of(content, reading)
        if not text:
            continue
        if message.get("recipient") == _NOTED:
            yield draft(text, author="assistant", tags=["noted-by-chatgpt"], valid_from=said_at, **place)
        elif _is_hidden(message) or role not in (*_SPOKEN, None) or message.get("recipient") not in (None, "all"):
            reading.leave("messages of tools and hidden messages")
        else:
            metadata = message.get("metadata")
            model = metadata.get("model_slug") if isinstance(metadata, dict) else None
            attributes = present({**common, "model": model})
            yield draft(
                text, type="conversation", author=role, valid_from=said_at, attributes=attributes, **about, **place
            )


def branch(conversation: dict[str, Any]) -> tuple[list[dict[str, Any]], int]:
    """The messages from the first one to `current_node`, in order, and how many are on other branches.

    Without a current node that exists, the newest message ends the branch; without parents all messages are taken by their time.
    """
    nodes = {key: node for key, node in conversation["mapping"].items() if isinstance(node, dict)}
    found = [node["message"] for node in nodes.values() if isinstance(node.get("message"), dict)]
    at = conversation.get("current_node")
    if at not in nodes:
        if not any(node.get("parent") in nodes for node in nodes.values()):
            return sorted(found, key=_time), 0
        at = max(nodes, key=lambda key: seconds((nodes[key].get("message") or {}).get("create_time")) or 0.0)
    path: list[dict[str, Any]] = []
    seen: set[object] = set()
    while at in nodes and at not in seen:
        seen.add(at)
        message = nodes[at].get("message")
        if isinstance(message, dict):
            path.append(message)
        at = nodes[at].get("parent")
    return path[::-1], len(found) - len(path)


def _files(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(path.glob("conversations*.json"))
    return [path] if path.suffix.lower() == ".json" else []


def _time(message: dict[str, Any]) -> float:
    return seconds(message.get("create_time")) or float("inf")


def _is_hidden(message: dict[str, Any]) -> bool:
    metadata = message.get("metadata")
    return isinstance(metadata, dict) and bool(metadata.get("is_visually_hidden_from_conversation"))


def _text_of(content: dict[str, Any], reading: Reading) -> str:
    """The text of a message: its parts, with what was heard of a recording; pictures and files are counted."""
    parts = content.get("parts")
    if not isinstance(parts, list):
        return str(content.get("text") or "").strip() if content.get("content_type") in ("text", "code", None) else ""
    found = list(texts(parts))
    for part in parts:
        if isinstance(part, dict):
            if isinstance(heard := part.get("text"), str) and heard.strip():
                found.append(heard)
            else:
                reading.leave("pictures, recordings and files")
    return "\n".join(part for part in found if part.strip()).strip()


IMPORTER = Importer("chatgpt", "ChatGPT's data export (conversations.json)", 1, finds, read)
