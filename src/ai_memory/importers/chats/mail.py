"""Mail in the mbox format: a message becomes a memory, its thread the session."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage
from email.utils import getaddresses, parseaddr, parsedate_to_datetime
from pathlib import Path

from ai_memory.errors import InvalidInputError
from ai_memory.importers.base import MAX_TITLE, Importer, Reading, Record, draft, present
from ai_memory.importers.decoding import unreadable
from ai_memory.importers.html import text_of_html

MAX_MESSAGE = 64_000_000
"""Bytes of one message; a larger one is noted as unread."""


def finds(path: Path) -> bool:
    """Whether a file begins with the line of an mbox, or a folder is one of Apple Mail with the file in it."""
    try:
        with _file(path).open("rb") as file:
            start = file.read(2048)
    except OSError:
        return False
    return start.startswith(b"From ") and b"\n" in start and b":" in start.split(b"\n", 2)[1]


def read(path: Path, reading: Reading) -> Iterator[Record]:
    """The messages in their order."""
    for number, raw in enumerate(_messages(_file(path), reading), start=1):
        reading.place = f"{path.name}, message {number}"
        try:
            message = email.message_from_bytes(raw, policy=email.policy.default)
            assert isinstance(message, EmailMessage)
            found = _draft(message, reading)
        except (ValueError, LookupError, TypeError, AttributeError, KeyError, InvalidInputError) as error:
            # The parser of the standard library raises any of these for headers that no standard allows.
            reading.refuse(f"not a message that can be read: {error}")
            continue
        if found is None:
            reading.leave("messages without a text")
        else:
            yield found


def _file(path: Path) -> Path:
    return path / "mbox" if path.is_dir() else path


def _messages(path: Path, reading: Reading) -> Iterator[bytes]:
    """The bytes of each message, without its first line; lines that were quoted with > are as they were sent."""
    held: list[bytes] = []
    size, started, blank = 0, False, True
    try:
        with path.open("rb") as file:
            for line in file:
                if blank and line.startswith(b"From "):
                    if started:
                        yield b"".join(held)
                    held, size, started = [], 0, True
                elif size <= MAX_MESSAGE:
                    held.append(line[1:] if line.lstrip(b">").startswith(b"From ") and line[:1] == b">" else line)
                    size += len(line)
                    if size > MAX_MESSAGE:
                        reading.refuse(f"a message of more than {MAX_MESSAGE:,} bytes", path.name)
                        held = []
                blank = line in (b"\n", b"\r\n")
    except OSError as error:
        raise unreadable(path, error) from None
    if started and held:
        yield b"".join(held)


def _draft(message: EmailMessage, reading: Reading) -> Record | None:
    text = _body(message)
    reading.leave("attachments", sum(1 for _ in message.iter_attachments()))
    if not text:
        return None
    name, address = parseaddr(str(message.get("From", "")))
    people = getaddresses([str(value) for field in ("To", "Cc") for value in message.get_all(field, ())])
    own = str(message.get("Message-ID", "")).strip("<> ")
    thread = (str(message.get("References", "")).split() or str(message.get("In-Reply-To", "")).split() or [own])[0]
    attributes = present(
        {
            "from": address,
            "to": [shown or mail for shown, mail in people if shown or mail],
            "labels": [each.strip() for each in str(message.get("X-Gmail-Labels", "")).split(",") if each.strip()],
        }
    )
    return draft(
        text,
        type="conversation",
        title=str(message.get("Subject", ""))[:MAX_TITLE],
        author=(name or address)[:256],
        session=thread.strip("<> ")[:256],
        valid_from=_sent(message),
        source=f"mail:{own}"[:2000] if own else "mail",
        attributes=attributes,
    )


def _body(message: EmailMessage) -> str:
    """The text of a message; of one in HTML, what a reader would see."""
    part = message.get_body(preferencelist=("plain", "html"))
    if part is None:
        return ""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    try:
        text = payload.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:  # a character set that does not exist
        text = payload.decode("utf-8", "replace")
    return (text_of_html(text) if part.get_content_subtype() == "html" else text).replace("\r\n", "\n").strip()


def _sent(message: EmailMessage) -> str | None:
    try:
        moment = parsedate_to_datetime(str(message.get("Date", "")))
    except (ValueError, TypeError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).isoformat()


IMPORTER = Importer("mbox", "mail in the mbox format", 1, finds, read)
