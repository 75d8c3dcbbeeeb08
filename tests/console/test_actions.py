"""What a person does in the console is really done: each act is checked in the store, over the service itself."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from ai_memory import Client
from tests.console.conftest import Opener
from tests.support.rest_server import Served

expect = pytest.importorskip("playwright.sync_api", reason="playwright drives the browser").expect


def test_the_first_steps_are_really_done(watched: Opener, empty: Callable[..., Served]) -> None:
    served = empty()
    opened = watched(served=served, width=768)
    page = opened.open("ask")
    expect(page.locator(".steps li.done")).to_have_count(1)  # the model
    page.get_by_role("button", name="Remember").click()
    expect(page.locator(".steps li.done")).to_have_count(2)
    page.locator(".steps").get_by_role("button", name="Ask").click()
    page.wait_for_selector(".hit")
    assert "spare key" in page.inner_text(".hit")
    assert Client(served.url).stats().memories == 1


def test_a_memory_from_its_first_word_to_its_last(watched: Opener, empty: Callable[..., Served]) -> None:
    served = empty()
    client = Client(served.url)
    opened = watched(served=served)
    page = opened.open("memories")
    page.get_by_role("button", name="Remember").first.click()
    page.fill("dialog textarea[name=text]", "The office closes at six.")
    page.fill("dialog input[name=tags]", "office, hours")
    page.locator("dialog").get_by_role("button", name="Remember").click()
    page.wait_for_selector(".mrow")
    (memory,) = client.list().memories
    assert memory.tags == ("office", "hours")

    page.locator(".mrow .what").click()
    page.get_by_role("button", name="Edit").click()
    page.fill("dialog textarea[name=text]", "The office closes at seven.")
    page.fill("dialog input[name=reason]", "longer hours")
    page.locator("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert client.get(memory.id).text == "The office closes at seven."

    page.get_by_role("tab", name="History").click()
    expect(page.locator(".side del", has_text="six")).to_have_count(1)
    page.get_by_role("button", name="Restore this one").click()
    expect(page.locator(".toast", has_text="Restored")).to_have_count(1)
    assert client.get(memory.id).text == "The office closes at six."

    page.get_by_role("button", name="Pin", exact=True).click()
    expect(page.get_by_role("button", name="Unpin")).to_have_count(1)
    assert client.get(memory.id).pinned

    page.get_by_role("button", name="Relate", exact=True).click()
    page.fill("dialog input[name=target]", "entity:place/Office")
    page.locator("dialog").get_by_role("button", name="Relate").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert [each.label for each in client.neighbours(memory.id).neighbours] == ["Office"]

    page.get_by_role("tab", name="Text").click()
    page.get_by_role("button", name="Outdated").click()
    expect(page.locator(".toast", has_text="inbox")).to_have_count(1)
    assert client.proposals().total == 1

    page.get_by_role("button", name="Forget").click()
    assert "5 revisions" in page.inner_text("dialog") or "revision" in page.inner_text("dialog")
    page.locator("dialog").get_by_role("button", name="Erase").click()
    expect(page.locator(".side")).to_have_count(0)
    assert client.stats().memories == 0
    assert client.stats().tombstones > 0


def test_several_at_once(watched: Opener, empty: Callable[..., Served]) -> None:
    served = empty()
    client = Client(served.url)
    for number in range(4):
        client.remember(f"Note number {number}.")
    page = watched(served=served).open("memories")
    for box in page.locator(".mrow input").all()[:3]:
        box.check()
    page.locator(".chosen-bar").get_by_role("button", name="Tag").click()
    page.fill("dialog input[name=add]", "seen")
    page.locator("dialog").get_by_role("button", name="Save").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert len(client.list(tags=["seen"]).memories) == 3
    for box in page.locator(".mrow input").all()[:2]:
        box.check()
    page.locator(".chosen-bar").get_by_role("button", name="Forget").click()
    assert "2 memories" in page.inner_text("dialog h2")
    page.locator("dialog").get_by_role("button", name="Erase 2 memories").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert client.stats().memories == 2


def test_the_inbox_by_keyboard(watched: Opener, empty: Callable[..., Served]) -> None:
    served = empty()
    client = Client(served.url)
    ids = []
    for number in (1, 2):
        old = client.remember(f"Gate {number} opens at eight.").memory_id
        new = client.remember(f"Gate {number} opens at nine, since spring.").memory_id
        assert old is not None and new is not None
        ids.append(client.propose(old, "update", other=new, reason="Said later.").proposal.id)
    page = watched(served=served).open("inbox")
    expect(page.locator(".proposal")).to_have_count(2)
    page.keyboard.press("a")
    expect(page.locator(".proposal")).to_have_count(1)
    assert len(client.proposals(states=["accepted"]).proposals) == 1
    page.keyboard.press("u")
    expect(page.locator(".proposal")).to_have_count(2)
    page.keyboard.press("j")
    page.keyboard.press("r")
    expect(page.locator(".proposal")).to_have_count(1)
    assert len(client.proposals(states=["rejected"]).proposals) == 1


def test_the_graph_is_walked_merged_and_undone(watched: Opener) -> None:
    opened = watched()
    page = opened.open("graph")
    page.fill("#find-entity", "Yuki")
    page.locator(".graph-found button").first.click()
    expect(page.locator(".graph-side h2", has_text="Yuki Tanaka")).to_have_count(1)
    page.get_by_role("button", name="Merge").click()
    page.fill("dialog input[name=into]", "Yuki T.")
    page.locator("dialog").get_by_role("button", name="Merge").click()
    expect(page.locator(".toast", has_text="Merged")).to_have_count(1)
    page.locator(".toast").get_by_role("button", name="Undo").click()
    expect(page.locator(".toast", has_text="Undone")).to_have_count(1)
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as a picture").click()
    assert saved.value.suggested_filename == "graph.png"
    assert Path(saved.value.path()).read_bytes().startswith(b"\x89PNG")


def test_looking_back_in_time(watched: Opener) -> None:
    opened = watched()
    page = opened.open("time?as_of=2024-06-01T00:00:00Z")
    expect(page.locator(".card-grid .memory").first).to_be_visible()
    assert "2024" in page.inner_text(".scrub")
    page.locator(".scrub input").first.press("Home")
    page.get_by_role("button", name="Author").click()
    assert "by=author" in page.url
    page.go_back()
    page.get_by_role("tab", name="What changed").click()
    page.get_by_role("button", name="What was true").click()
    page.get_by_role("button", name="a year").click()
    expect(page.locator(".changes li").first).to_be_visible()


def test_a_file_goes_in_and_comes_out(watched: Opener, empty: Callable[..., Served], tmp_path: Path) -> None:
    served = empty()
    client = Client(served.url)
    file = tmp_path / "notes.csv"
    file.write_text('text,author\n"First, with a comma",Ada\nSecond,Bo\n,nobody\n', encoding="utf-8")
    page = watched(served=served).open("transfer")
    page.set_input_files("input[type=file]", file)
    expect(page.locator("text=2 memories found")).to_have_count(1)
    assert client.stats().memories == 0  # looked at, and nothing stored
    page.get_by_role("button", name="Import 2 memories").click()
    expect(page.locator(".figure", has_text="stored")).to_have_count(1)
    assert {(each.text, each.author) for each in client.list().memories} == {
        ("First, with a comma", "Ada"),
        ("Second", "Bo"),
    }
    with page.expect_download() as saved:
        page.get_by_role("button", name="Everything").click()
    lines = [json.loads(line) for line in Path(saved.value.path()).read_text(encoding="utf-8").splitlines()]
    assert any("Second" in json.dumps(line) for line in lines)


def test_a_service_that_goes_away_is_said(watched: Opener, empty: Callable[..., Served]) -> None:
    served = empty()
    Client(served.url).remember("Here.")
    opened = watched(served=served)
    page = opened.open("memories")
    page.route("**/v1/**", lambda route: route.abort())
    page.get_by_role("button", name="Cards").click()
    page.fill("#find", "here")
    expect(page.locator(".note.bad", has_text="does not answer")).to_have_count(1)
    page.unroute("**/v1/**")
    page.fill("#find", "")
    page.wait_for_selector(".memory")
    opened.wrong[:] = [each for each in opened.wrong if "ERR_FAILED" not in each]


def test_the_store_is_checked_and_backed_up(watched: Opener, empty: Callable[..., Served], tmp_path: Path) -> None:
    served = empty()
    client = Client(served.url)
    client.remember("The first of all memories.")
    opened = watched(served=served)
    page = opened.open("upkeep")
    page.get_by_role("button", name="Check now").click()
    expect(page.locator(".note.good", has_text="Everything agrees")).to_have_count(1, timeout=60_000)
    page.get_by_role("button", name="Make one").click()
    expect(page.get_by_role("button", name="Verify")).to_have_count(1, timeout=60_000)
    page.get_by_role("button", name="Verify").click()
    expect(page.locator(".chip", has_text="verified")).to_have_count(1, timeout=60_000)
    with page.expect_download() as downloaded:
        page.get_by_role("button", name="Download").click()
    downloaded.value.save_as(tmp_path / "backup.zip")
    (made,) = client.backups().backups
    with zipfile.ZipFile(tmp_path / "backup.zip") as archive:
        assert archive.namelist()[0] == made.name
    page.get_by_role("button", name="Delete", exact=True).click()
    page.locator("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator("dialog")).to_have_count(0)
    assert client.backups().backups == ()
    page = opened.open("watch")
    expect(page.locator(".note.good", has_text="audit chain")).to_have_count(1)


def test_what_an_agent_writes_is_shown_at_once(watched: Opener, empty: Callable[..., Served]) -> None:
    served = empty()
    client = Client(served.url)
    client.remember("The first of all memories.")
    opened = watched(served=served)
    page = opened.open("memories")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect(page.locator(".mrow")).to_have_count(1)
    client.remember("Written by an agent meanwhile.")
    expect(page.locator(".mrow")).to_have_count(2)
    client.propose(client.list().memories[0].id, kind="retirement", reason="a test")
    expect(page.locator(".count")).to_have_text("1")
    assert not [url for url in asked if "/v1/stats" in url], "it follows in place of asking again and again"


def test_the_background_is_paused_and_let_run(watched: Opener, empty: Callable[..., Served]) -> None:
    served = empty()
    page = watched(served=served).open("upkeep")
    page.get_by_role("button", name="Pause all").click()
    expect(page.get_by_role("button", name="Let them run")).to_have_count(1)
    assert Client(served.url).jobs().paused
    page.get_by_role("button", name="Let them run").click()
    expect(page.get_by_role("button", name="Pause all")).to_have_count(1)
    assert not Client(served.url).jobs().paused
