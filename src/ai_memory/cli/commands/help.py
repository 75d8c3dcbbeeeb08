"""`help`: the pages of the documentation, in the terminal."""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import PurePath

from ai_memory.cli import exits
from ai_memory.cli.documentation import Page, Section, folder, installed
from ai_memory.cli.output.layout import wrap
from ai_memory.cli.output.page import rendered
from ai_memory.cli.output.screen import Screen
from ai_memory.cli.parser import UsageError, build_parser
from ai_memory.cli.table import COMMANDS
from ai_memory.environment import variable
from ai_memory.errors import NotFoundError
from ai_memory.wording.spelling import did_you_mean

USAGE = "usage: ai-memory help [TOPIC]; without a topic it lists all pages"
PAGER = "less -FRX"
"""Used where PAGER is not set; it ends at once where everything fits on the screen."""


def add(parser: argparse.ArgumentParser) -> None:
    """Which page."""
    parser.add_argument(
        "topic", nargs="?", metavar="TOPIC", help="a page or a command; all pages are listed without it"
    )


def run(arguments: argparse.Namespace, screen: Screen) -> int:
    """List the pages, or show one, or the options of a command that has no page of its name."""
    place = folder()
    if place is None:
        raise NotFoundError("this installation has no documentation pages", hint="ai-memory COMMAND --help")
    sections = installed(place)
    pages = {page.name: page for section in sections for page in section.pages}
    if arguments.topic is None:
        screen.value([_row(page) for page in pages.values()], _listed(sections, screen))
        return exits.OK
    topic = PurePath(arguments.topic.lower()).name.removesuffix(".md")
    if topic in pages:
        _show(pages[topic], pages, place, screen)
        return exits.OK
    if topic in COMMANDS:
        build_parser(topic).parse_args([topic, "--help"])  # prints them and leaves
    raise _unknown(topic, [*pages, *COMMANDS])


def _row(page: Page) -> dict[str, str]:
    return {"name": page.name, "title": page.title, "summary": page.summary}


def _listed(sections: list[Section], screen: Screen) -> Iterator[str]:
    longest = max(len(page.name) for section in sections for page in section.pages)
    for section in sections:
        yield screen.bold(section.title)
        for page in section.pages:
            first, *more = wrap(page.summary, screen.width - longest - 4)
            yield f"  {page.name.ljust(longest)}  {first}"
            yield from (" " * (longest + 4) + line for line in more)
        yield ""
    yield "ai-memory help TOPIC shows a page, ai-memory COMMAND --help the options of a command."


def _show(page: Page, pages: dict[str, Page], place: Traversable, screen: Screen) -> None:
    text = (place / page.file).read_text(encoding="utf-8")
    lines = list(rendered(text, screen, pages))
    if page.name in COMMANDS:
        lines += ["", f"Options of the command: ai-memory {page.name} --help"]
    if screen.json or not _paged(lines):
        screen.value({**_row(page), "text": text}, lines)


def _paged(lines: list[str]) -> bool:
    """Show the lines in the user's pager; False where the output is no terminal or there is no pager."""
    words = shlex.split(variable("PAGER") or PAGER)
    if not (sys.stdout.isatty() and words and shutil.which(words[0])):
        return False
    subprocess.run(words, input="\n".join(lines) + "\n", text=True, check=False)  # noqa: S603 - the pager is the user's choice
    return True


def _unknown(topic: str, known: list[str]) -> UsageError:
    inside = [name for name in known if topic in name]
    meant = f"; did you mean {' or '.join(dict.fromkeys(inside[:3]))}?" if inside else did_you_mean(topic, known)
    return UsageError(f"there is no page {topic!r}{meant}", USAGE)
