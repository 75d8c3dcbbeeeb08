"""Documents: PDF, Word, EPUB and HTML. A page or section becomes a memory, with its place in the document.

HTML and EPUB need nothing more; PDF and Word are read by `pypdf` and `python-docx`, of the extra `documents`.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote
from xml.etree import ElementTree

from ai_memory.errors import InvalidInputError, TooLargeError
from ai_memory.importers.base import MAX_TITLE
from ai_memory.importers.decoding import text_of, unreadable
from ai_memory.importers.html import sections_of_html, title_of_html
from ai_memory.installation import require
from ai_memory.operations.imported import Imported

MAX_BYTES = 512_000_000
MAX_UNPACKED = 256_000_000
"""Bytes of the texts of one EPUB."""


class _Part(NamedTuple):
    """A page or section: its text, the headings that it is under, and the number of its page."""

    text: str
    headings: tuple[str, ...] = ()
    page: int | None = None


def drafts(path: Path, source: str) -> Iterator[Imported]:
    """One draft per page or section that has a text, in order.

    Raises InvalidInputError for a file that cannot be read, is encrypted or has no text; NotInstalledError without the extra.
    """
    title, parts = _read(path)
    found = False
    for number, part in enumerate(parts, start=1):
        if not part.text.strip():
            continue
        found = True
        place = f"p{part.page}" if part.page is not None else str(number)
        headings = [heading for heading in part.headings if heading != title]
        attributes: dict[str, Any] = {
            "document": title or path.name,
            "section": " / ".join(headings),
            "page": part.page,
        }
        yield Imported(
            {
                "type": "documentation",
                "title": " / ".join(filter(None, (title or path.name, *headings)))[:MAX_TITLE],
                "source": f"{source}#{place}",
                "text": part.text.strip(),
                "attributes": {name: value for name, value in attributes.items() if value},
            },
            (),
        )
    if not found:
        raise InvalidInputError(f"{path} has no text", hint="scanned pages need recognition of characters first")


def _read(path: Path) -> tuple[str, Iterator[_Part]]:
    """The title of a document, and its parts."""
    readers: dict[str, Callable[[Path], tuple[str, Iterator[_Part]]]] = {
        ".pdf": _pdf,
        ".docx": _docx,
        ".epub": _epub,
        ".html": _html,
        ".htm": _html,
        ".xhtml": _html,
    }
    try:
        size = path.stat().st_size
    except OSError as error:
        raise unreadable(path, error) from None
    if size > MAX_BYTES:
        raise TooLargeError(f"{path} has {size:,} bytes", hint="split it", limit=MAX_BYTES, actual=size)
    return readers[path.suffix.lower()](path)


def _html(path: Path) -> tuple[str, Iterator[_Part]]:
    markup = text_of(path)
    return title_of_html(markup), (_Part(part.text, part.headings) for part in sections_of_html(markup))


def _damaged(path: Path, what: str, error: object) -> InvalidInputError:
    return InvalidInputError(f"{path} is not {what} that can be read: {error}", hint="open it, and save it again")


def _pdf(path: Path) -> tuple[str, Iterator[_Part]]:
    require("documents", f"reading the PDF {path.name}")
    import pypdf

    try:
        document = pypdf.PdfReader(path)
        locked = document.is_encrypted and not document.decrypt("")
        title = "" if locked else str((document.metadata or {}).get("/Title") or "").strip()
        pages = [] if locked else [_Part(page.extract_text(), page=n) for n, page in enumerate(document.pages, start=1)]
    except Exception as error:  # noqa: BLE001 - for damaged files the library raises whatever it stumbles over
        raise _damaged(path, "a PDF document", error) from None
    if locked:
        raise InvalidInputError(f"{path} is encrypted", hint="save it without a password")
    return title, iter(pages)


def _docx(path: Path) -> tuple[str, Iterator[_Part]]:
    require("documents", f"reading the Word document {path.name}")
    import docx

    try:
        document = docx.Document(str(path))
        title = (document.core_properties.title or "").strip()
        parts = list(_docx_parts(document))
    except Exception as error:  # noqa: BLE001 - for damaged files the library raises whatever it stumbles over
        raise _damaged(path, "a Word document", error) from None
    return title, iter(parts)


def _docx_parts(document: Any) -> Iterator[_Part]:
    """The parts between headings, with tables in their place, a row to a line."""
    headings: list[tuple[int, str]] = []
    lines: list[str] = []
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            lines += [" | ".join(cell.text.strip() for cell in row.cells) for row in block.rows]
            continue
        style, text = (block.style.name or "") if block.style is not None else "", block.text.strip()
        digits = style.removeprefix("Heading ")
        level = int(digits) if style.startswith("Heading ") and digits.isdigit() else (0 if style == "Title" else None)
        if level is not None and text:
            yield _Part("\n".join(lines), tuple(each for _, each in headings))
            lines = []
            headings = [each for each in headings if each[0] < level] + [(level, text)]
        elif text:
            lines.append(text)
    yield _Part("\n".join(lines), tuple(each for _, each in headings))


def _epub(path: Path) -> tuple[str, Iterator[_Part]]:
    try:
        with zipfile.ZipFile(path) as book:
            title, chapters = _spine(book)
            left = MAX_UNPACKED
            parts: list[_Part] = []
            for name in chapters:
                info = book.getinfo(name)
                left -= info.file_size
                if left < 0:
                    raise TooLargeError(f"{path} unpacks to more than {MAX_UNPACKED:,} bytes", limit=MAX_UNPACKED)
                markup = book.read(info).decode("utf-8", "replace")
                parts += [_Part(part.text, part.headings) for part in sections_of_html(markup)]
    except OSError as error:
        raise unreadable(path, error) from None
    except (
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        RuntimeError,
        NotImplementedError,
        ElementTree.ParseError,
    ) as error:
        raise _damaged(path, "an EPUB", error) from None
    return title, iter(parts)


def _spine(book: zipfile.ZipFile) -> tuple[str, list[str]]:
    """The title of a book, and the names of its chapters in the order in which they are read."""
    container = ElementTree.fromstring(book.read("META-INF/container.xml"))  # noqa: S314 - expat refuses entities that explode
    root = next(node.get("full-path", "") for node in container.iter() if node.tag.endswith("}rootfile"))
    package = ElementTree.fromstring(book.read(root))  # noqa: S314 - as above
    title = next((node.text or "" for node in package.iter() if node.tag.endswith("}title")), "")
    files = {node.get("id"): node.get("href", "") for node in package.iter() if node.tag.endswith("}item")}
    order = [node.get("idref") for node in package.iter() if node.tag.endswith("}itemref")]
    folder = posixpath.dirname(root)
    names = [posixpath.normpath(posixpath.join(folder, unquote(files[each]))) for each in order if files.get(each)]
    return " ".join(title.split()), names
