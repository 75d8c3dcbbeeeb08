"""The digest of what changed, and what lapses, as the command line prints them."""

from __future__ import annotations

import json

from tests.support.command_line import Run


def test_a_digest_is_grouped_and_dated(run: Run) -> None:
    first = json.loads(run("remember", "Lives in Ghent", "--json").out)["memory_id"]
    run("remember", "Lives in Namur", "--supersedes", first)
    revised = json.loads(run("remember", "Rides a bike", "--json").out)["memory_id"]
    run("revise", revised, "Rides a tandem", "--reason", "more exact")
    gone = json.loads(run("remember", "The code is 4711", "--json").out)["memory_id"]
    run("forget", gone)
    shown = run("changes", "--since", "1 week").out
    lines = [line.strip() for line in shown.splitlines()]
    assert [line for line in lines if line.endswith(")") and line[0].isupper()] == [
        "New (3)", "Revised (1)", "Replaced (1)"
    ]  # fmt: skip
    assert "Forgotten (1), of which nothing is kept" in lines
    assert "before: Rides a bike" in lines
    assert "why: more exact" in lines
    assert any(line.startswith("replaced by mem_") for line in lines)
    assert "4711" not in shown
    assert lines.index("New (3)") < lines.index("Revised (1)") < lines.index("Replaced (1)")
    as_data = json.loads(run("changes", "--since", "1 week", "--json").out)
    assert as_data["counts"] == {"forgotten": 1, "new": 3, "revised": 1, "superseded": 1}


def test_nothing_new_says_so_and_a_wrong_span_is_refused(run: Run) -> None:
    assert "nothing" in run("changes").out
    assert "neither a date or time nor a length of time" in run("changes", "--since", "yesterday").err
    assert "cursor" in run("changes", "--cursor", "x").err


def test_pages_say_how_to_go_on(run: Run) -> None:
    for number in range(3):
        run("remember", f"memory {number}")
    shown = run("changes", "--limit", "2").out
    assert "more: --cursor " in shown
    cursor = shown.rsplit("--cursor ", 1)[1].strip()
    assert "memory 2" in run("changes", "--limit", "2", "--cursor", cursor).out


def test_a_memory_that_lapses_says_when(run: Run) -> None:
    assert "expires " in run("remember", "to be done today", "--type", "working").out
    assert "expires " not in run("remember", "to be kept", "--type", "working", "--pinned").out
    assert "to be done today" in run("list", "--expiring", "2d").out
    assert "to be kept" not in run("list", "--expiring", "2d").out
    assert "to be kept" in run("list", "--pinned").out
    assert "both" in run("remember", "x", "--ttl", "1d", "--expires-at", "2999-01-01").err
