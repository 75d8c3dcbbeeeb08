"""Folders of notes as each program keeps them, and documents: what the program means becomes fields, places are kept."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from ai_memory.importers.html import sections_of_html, text_of_html
from ai_memory.importers.notes.vaults import Vault, vault_of
from tests.support.command_line import Run

NOTION = "0123456789abcdef0123456789abcdef"


def folder(place: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        file = place / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return place


def stored(run: Run) -> dict[str, dict[str, Any]]:
    memories = json.loads(run("list", "--json", "--limit", "100").out)["memories"]
    return {memory["title"] or memory["text"]: memory for memory in memories}


VAULTS = {
    Vault.OBSIDIAN: {
        ".obsidian/app.json": "{}",
        "People/Ada.md": "---\ntags: [people]\n---\n# Ada\nLikes #tea/green, see [[Graz]].\n```\n#define X\n```\n",
        "Graz.md": "# Graz\nA city. Not a tag: a#b, #1\n",
    },
    Vault.LOGSEQ: {
        "logseq/config.edn": "{}",
        "journals/2026_02_14.md": "- Met [[Ada]] about the bridge #work\n  id:: 65d0\n",
        "pages/Ada.md": "type:: person\nalias:: Ada L\n\n- Leads search\n  collapsed:: true\n",
        "pages/a___b.md": "- nested\n",
    },
    Vault.NOTION: {
        f"Home {NOTION}.md": f"# Home\n\nStatus: Done\nOwner: Ada\n\nSee [Plan](Home%20{NOTION}/Plan%20{NOTION}.md).\n",
        f"Home {NOTION}/Plan {NOTION}.md": "# Plan\n\nBuild the bridge.\n",
    },
    Vault.PLAIN: {
        "notes/search.md": "---\ntitle: Search\npermalink: notes/search\ntags: [a]\n---\n# Search\n- [decision] Use it #db\n"
    },
}


@pytest.mark.parametrize("vault", VAULTS)
def test_a_vault_is_recognised(vault: Vault, tmp_path: Path) -> None:
    assert vault_of(folder(tmp_path / "vault", VAULTS[vault])) is vault


def test_obsidian_s_tags_and_links(tmp_path: Path, run: Run) -> None:
    done = run("import", str(folder(tmp_path / "vault", VAULTS[Vault.OBSIDIAN])), "--json")
    assert (done.code, done.json["links"]) == (0, 1), done.out
    found = stored(run)
    assert found["Ada"]["tags"] == ["people", "tea/green"]
    assert found["Ada"]["context"] == "People"
    assert found["Graz"]["tags"] == []


def test_logseq_s_journals_and_properties(tmp_path: Path, run: Run) -> None:
    done = run("import", str(folder(tmp_path / "graph", VAULTS[Vault.LOGSEQ])), "--json")
    assert (done.code, done.json["links"]) == (0, 1), done.out
    found = stored(run)
    journal = found["2026_02_14"]
    assert (journal["type"], journal["valid_from"], journal["tags"]) == ("episodic", "2026-02-14T00:00:00Z", ["work"])
    assert "id::" not in journal["text"]
    assert found["Ada"]["attributes"]["alias"] == "Ada L"
    assert "a/b" in found


def test_notion_s_ids_and_properties(tmp_path: Path, run: Run) -> None:
    done = run("import", str(folder(tmp_path / "export", VAULTS[Vault.NOTION])), "--json")
    assert (done.code, done.json["links"]) == (0, 1), done.out
    found = stored(run)
    assert set(found) == {"Home", "Plan"}
    assert found["Home"]["attributes"] == {"Status": "Done", "Owner": "Ada"}
    assert found["Plan"]["context"] == "Home"


def test_basic_memory_s_observations(tmp_path: Path, run: Run) -> None:
    run("import", str(folder(tmp_path / "notes", VAULTS[Vault.PLAIN])))
    assert stored(run)["Search"]["tags"] == ["a", "db"]


HTML = (
    "<html><head><title>Guide</title><style>p{}</style></head><body><h1>Guide</h1><p>Before <b>all</b>.</p>"
    "<h2>Gates</h2><ul><li>North<li>South</ul><script>alert(1)</script><h2>Bridges</h2><p>One &amp; two</p></body></html>"
)


def test_html_is_read_by_its_sections() -> None:
    assert [(part.headings, part.text) for part in sections_of_html(HTML)] == [
        (("Guide",), "Before all."),
        (("Guide", "Gates"), "North\nSouth"),
        (("Guide", "Bridges"), "One & two"),
    ]
    assert text_of_html("<p>a<br>b</p></div></p>") == "a\nb"


def test_a_page_of_html_becomes_memories_with_their_place(tmp_path: Path, run: Run) -> None:
    (tmp_path / "guide.html").write_text(HTML)
    assert run("import", str(tmp_path / "guide.html"), "--json").json["counts"]["stored"] == 3
    gates = stored(run)["Guide / Gates"]
    assert (gates["source"], gates["attributes"], gates["type"]) == (
        "guide.html#2",
        {"document": "Guide", "section": "Gates"},
        "documentation",
    )
    assert run("import", str(tmp_path / "guide.html"), "--json").json["counts"]["stored"] == 0


def epub(place: Path, **more: str) -> Path:
    with zipfile.ZipFile(place, "w") as book:
        book.writestr("mimetype", "application/epub+zip")
        book.writestr(
            "META-INF/container.xml",
            '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
            '<rootfile full-path="OEBPS/content.opf"/></rootfiles></container>',
        )
        book.writestr(
            "OEBPS/content.opf",
            '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/"><metadata>'
            '<dc:title>The Bridge</dc:title></metadata><manifest><item id="b" href="two%20.xhtml"/><item id="a" href="one.xhtml"/>'
            '</manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>',
        )
        for name, text in {
            "one.xhtml": "<h1>One</h1><p>It rained.</p>",
            "two .xhtml": "<h1>Two</h1><p>It stopped.</p>",
            **more,
        }.items():
            book.writestr(f"OEBPS/{name}", text)
    return place


def test_a_book_is_read_in_its_order(tmp_path: Path, run: Run) -> None:
    done = run("import", str(epub(tmp_path / "book.epub")), "--json")
    assert done.json["counts"]["stored"] == 2, done.out
    assert stored(run)["The Bridge / One"]["source"] == "book.epub#1"
    whole = (tmp_path / "book.epub").read_bytes()
    for damage in (
        b"",
        whole[: len(whole) // 2],
        b"PK\x03\x04" + b"\0" * 50,
        whole.replace(b"OEBPS/content.opf", b"OEBPS/content.xyz", 1),
    ):
        (tmp_path / "bad.epub").write_bytes(damage)
        bad = run("import", str(tmp_path / "bad.epub"), "--json")
        assert bad.json["counts"]["rejected"] == 1 or bad.json["counts"]["stored"] == 2
        assert "unexpected" not in bad.out


def test_word_and_pdf(tmp_path: Path, run: Run) -> None:
    docx = pytest.importorskip("docx", reason="the extra `documents` is not installed")
    pypdf = pytest.importorskip("pypdf", reason="the extra `documents` is not installed")
    document = docx.Document()
    document.core_properties.title = "Manual"
    document.add_heading("Gates", 1)
    document.add_paragraph("The north gate opens at six.")
    table = document.add_table(rows=1, cols=2)
    table.rows[0].cells[0].text, table.rows[0].cells[1].text = "South", "seven"
    document.save(str(tmp_path / "manual.docx"))
    assert run("import", str(tmp_path / "manual.docx"), "--json").json["counts"]["stored"] == 1
    assert stored(run)["Manual / Gates"]["text"] == "The north gate opens at six.\nSouth | seven"
    (tmp_path / "two.pdf").write_bytes(_pdf("The bridge is closed", "It opens in May"))
    assert len(pypdf.PdfReader(tmp_path / "two.pdf").pages) == 2
    assert run("import", str(tmp_path / "two.pdf"), "--json").json["counts"]["stored"] == 2
    pages = {memory["source"]: memory["text"] for memory in json.loads(run("list", "--json").out)["memories"]}
    assert pages["two.pdf#p2"] == "It opens in May"
    for name in ("manual.docx", "two.pdf"):
        whole = (tmp_path / name).read_bytes()
        for number, damage in enumerate((b"", whole[: len(whole) // 3], b"\0" * 500, whole[::-1])):
            bad = tmp_path / f"bad{number}{Path(name).suffix}"
            bad.write_bytes(damage)
            report = run("import", str(bad), "--json").json
            assert report["counts"]["rejected"] == 1, report


def test_without_the_extra_the_error_says_how_to_install_it(
    tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ai_memory.installation.is_installed", lambda extra: False)
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.4")
    report = run("import", str(tmp_path / "a.pdf"), "--json").json
    assert "needs the extra `documents`" in report["receipts"][0]["reason"]


def _pdf(*pages: str) -> bytes:
    """A document with one line of text on each page, written by hand."""
    count = len(pages)
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Count {count} /Kids [{' '.join(f'{4 + 2 * n} 0 R' for n in range(count))}] >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    for number, text in enumerate(pages):
        content = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
        fonts = "/Resources << /Font << /F1 3 0 R >> >>"
        page = f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents {5 + 2 * number} 0 R {fonts} >>"
        objects += [page.encode(), b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content)]
    out, places = b"%PDF-1.4\n", []
    for number, each in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    head = b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    return (
        out
        + head
        + table
        + b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    )
