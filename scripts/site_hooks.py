"""What the site needs beyond docs/: the order of the pages, and the two pages that are kept at the top of the repository."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ai_memory.cli.documentation import MAP, sections

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.files import Files
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
TOP = {"ARCHITECTURE.md": "Architecture", "CHANGELOG.md": "Changes"}
"""Pages at the top of the repository, with their titles on the site."""


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Take the navigation from the map, so that a page is listed in one place."""
    nav: list[object] = [{"Documentation": MAP}]
    for section in sections((DOCS / MAP).read_text(encoding="utf-8")):
        entries: list[object] = []
        for page in section.pages:
            below = decisions(page.file) if page.file.endswith(f"/{MAP}") else None
            entries.append({page.title: below or page.file})
        nav.append({section.title: entries})
    nav.append({"Project": [{title: name} for name, title in TOP.items()]})
    config.nav = nav
    return config


def decisions(index: str) -> list[str]:
    """The pages of a folder, its index first."""
    folder = DOCS / Path(index).parent
    names = sorted(path.relative_to(DOCS).as_posix() for path in folder.glob("*.md"))
    return [index, *(name for name in names if name != index)]


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages from the top of the repository."""
    from mkdocs.structure.files import File

    for name in TOP:
        text = (ROOT / name).read_text(encoding="utf-8")
        files.append(File.generated(config, name, content=text.replace("](docs/", "](")))
    return files


def on_page_markdown(markdown: str, *, page: Page, **_: object) -> str:
    """Let links to the top of the repository lead to the pages added there."""
    names = "|".join(map(re.escape, TOP))
    return re.sub(rf"\]\((?:\.\./)+({names})", lambda link: f"]({_up(page)}{link[1]}", markdown)


def _up(page: Page) -> str:
    return "../" * page.file.src_uri.count("/")


def on_page_content(html: str, **_: object) -> str:
    r"""Show `\|` in a table's code as the bar that it means, as GitHub does."""
    return re.sub(r"<td[^>]*>.*?</td>", lambda cell: cell[0].replace("\\|", "|"), html, flags=re.DOTALL)
