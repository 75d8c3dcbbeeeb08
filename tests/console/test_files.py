"""The console's files: small, complete, from nowhere else, and with headers that keep the page closed."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path

import pytest

import vendor_console
from ai_memory.console.files import START, console_files
from ai_memory.programs.editing import entry, parsed
from ai_memory.programs.known import PROGRAMS, Server, server_in
from tests.support.rest_server import ask, serving

STATIC = Path(vendor_console.STATIC)
OURS = sorted(
    path for path in STATIC.rglob("*") if path.suffix in (".js", ".css", ".html") and "vendor" not in path.parts
)
SMALL = 200_000


def test_all_of_it_is_small() -> None:
    packed = sum(len(gzip.compress(file.body)) for file in console_files())
    assert packed <= SMALL, f"{packed:,} bytes with gzip"


def test_no_file_is_long() -> None:
    assert {path.name: n for path in OURS if (n := len(path.read_text(encoding="utf-8").splitlines())) > 600} == {}


def test_the_libraries_are_those_of_the_manifest() -> None:
    assert vendor_console.differing() == []
    for library in vendor_console.libraries():
        assert library["licence"] in ("MIT", "Apache-2.0")
        assert library["integrity"].startswith("sha512-")
        assert any(file["file"].endswith(".LICENSE") for file in library["files"])


def test_nothing_is_loaded_from_elsewhere() -> None:
    for path in OURS:
        text = path.read_text(encoding="utf-8")
        found = [address for address in re.findall(r"https?://[^\s\"'`)]+", text) if "w3.org" not in address]
        assert found == [], path


def test_text_never_becomes_markup() -> None:
    for path in OURS:
        text = path.read_text(encoding="utf-8")
        for sink in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"):
            assert sink not in text, f"{path.name}: {sink}"
    page = (STATIC / START).read_text(encoding="utf-8")
    assert re.findall(r"<script(?![^>]*\ssrc=)", page) == []
    assert re.findall(r"<style|\sstyle=|\son\w+=", page) == []


def words(code: str) -> dict[str, object]:
    """A language's words, read as the JSON that they nearly are."""
    text = (STATIC / "locales" / f"{code}.js").read_text(encoding="utf-8")
    body = text[text.index("export default") + len("export default") :].rstrip().rstrip(";")
    tokens = re.compile(r"'((?:[^'\\]|\\.)*)'|\b(\w+)(?=:)")

    def as_json(found: re.Match[str]) -> str:
        return json.dumps(found[2] if found[1] is None else found[1].replace("\\'", "'"), ensure_ascii=False)

    body = tokens.sub(as_json, body)
    return dict(json.loads(re.sub(r",(\s*})", r"\1", body)))


def used() -> set[str]:
    """The keys of words that the modules name as they are."""
    found: set[str] = set()
    for path in STATIC.rglob("*.js"):
        if "vendor" not in path.parts:
            found.update(re.findall(r"\bt\('([^']+)'", path.read_text(encoding="utf-8")))
    return found


def test_every_language_has_every_word() -> None:
    english, russian = words("en"), words("ru")
    assert set(english) == set(russian)
    assert used() - set(english) == set()
    for key, value in russian.items():
        assert isinstance(value, dict) == isinstance(english[key], dict), key
        if isinstance(value, dict):
            assert set(value) == {"one", "few", "many", "other"}, key


def test_the_words_keep_their_places() -> None:
    places = re.compile(r"\{(\w+)\}")
    english, russian = words("en"), words("ru")
    for key, value in english.items():
        assert set(places.findall(json.dumps(value))) - {"n"} == set(places.findall(json.dumps(russian[key]))) - {
            "n"
        }, key


def test_the_headers_close_the_page(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        page = ask(served, "GET", "/")
        script = ask(served, "GET", "/console/app.js")
    for got in (page, script):
        assert got.status == 200
        policy = got.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert got.headers["x-content-type-options"] == "nosniff"
        assert got.headers["x-frame-options"] == "DENY"
        assert got.headers["referrer-policy"] == "no-referrer"
        assert got.headers["cross-origin-resource-policy"] == "same-origin"
    assert page.headers["content-type"].startswith("text/html")
    assert script.headers["content-type"].startswith("text/javascript")


def test_connect_shows_what_setup_writes(tmp_path: Path) -> None:
    with serving(tmp_path, api_keys={"*": ["secret-key"]}) as served:
        shown = {each["name"]: each for each in ask(served, "GET", "/console/programs.json").json}
    assert list(shown) == list(PROGRAMS)
    for name, program in PROGRAMS.items():
        for text, variables in (
            (shown[name]["plain"], {}),
            (shown[name]["scoped"].replace("{NAMESPACE}", "work/atlas"), {"AI_MEMORY_NAMESPACE": "work/atlas"}),
        ):
            server = server_in(entry(parsed(text, program.form), (*program.path, "memory")))
            assert server == Server("ai-memory", ["mcp"], variables), name
        assert str(Path.home()) not in shown[name]["file"]


def test_the_pages_need_no_key_and_hold_no_memory(tmp_path: Path) -> None:
    with serving(tmp_path, api_keys={"*": ["secret-key"]}) as served:
        assert ask(served, "GET", "/").status == 200
        assert ask(served, "GET", "/console/core/api.js").status == 200
        assert ask(served, "GET", "/v1/memories").status == 401


@pytest.mark.parametrize("path", ["/console/../settings.py", "/console/..%2Ffiles.py", "/console/none.js", "/console/"])
def test_no_other_file_is_served(tmp_path: Path, path: str) -> None:
    with serving(tmp_path) as served:
        assert ask(served, "GET", path).status == 404
