"""Facts that change, in four languages: each is stored twice, then changed. Asked now, the newest comes first; as of then, the old.

Part of `make demo`. Nobody says which memory another one replaces: recall finds it, and shows the earlier value under the newer.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ai_memory import Client
from ai_memory.recall.answer import Hit

FILE = Path(__file__).resolve().parent / "changes.jsonl"
NAMESPACE = "changes"


def stories() -> list[dict[str, Any]]:
    """What is said and asked, one story for each language."""
    return [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


def remember_stories(client: Client) -> None:
    """Say every story, each sentence in another session."""
    for story in stories():
        for number, (since, text) in enumerate(story["said"]):
            client.remember(
                text,
                namespace=NAMESPACE,
                user=story["user"],
                author=story["user"],
                session=f"{story['user']} {number}",
                valid_from=since,
                type="semantic",
            )


def ask(client: Client, story: dict[str, Any]) -> bool:
    """Ask now and as of then, and show both answers; whether the newest came first now, and the old one as of then."""
    (_, old), *_, (_, new) = story["said"]
    print(f"\n{story['language']}: {story['asked']}")
    asked: dict[str, Any] = {"namespace": NAMESPACE, "user": story["user"], "limit": 3}
    now = client.recall(story["asked"], **asked).hits
    then = client.recall(story["asked"], **asked, as_of=story["as_of"]).hits
    for when, hits in (("now", now), (f"as of {story['as_of']}", then)):
        print(f"  {when}")
        for hit in hits:
            print(f"    {line_of(hit)}")
    return bool(now and then) and now[0].memory.text == new and then[0].memory.text == old


def line_of(hit: Hit) -> str:
    """A hit with what recall knows of its time: since when, until when, how often it was said, how many rivals it has."""
    marks = [] if hit.since is None else [f"since {hit.since.date()}"]
    marks += [] if hit.until is None else [f"until {hit.until.date()}"]
    marks += [] if hit.copies is None else [f"said {hit.copies.count} times, folded"]
    marks += [hit.validity] if hit.validity != "current" else []
    marks += [f"{len(hit.rivals)} rival{'s' if len(hit.rivals) > 1 else ''}"] if hit.rivals else []
    return f"{hit.memory.text}  ({', '.join(marks)})" if marks else hit.memory.text


def propose_and_undo(client: Client) -> None:
    """What the service proposed about it, one proposal accepted, and taken back: the answer is byte for byte as before."""
    found = client.proposals(namespace=NAMESPACE)
    print(f"\n{found.total} proposals wait for a person; nothing was ended by itself")
    if not found.proposals:
        return
    first = found.proposals[0]
    print(f"  {first.memory.text}\n  {first.other.text if first.other else ''}\n  why: {first.proposal.reason}")
    question = next(each for each in stories() if each["user"] == first.memory.user)
    asked: dict[str, Any] = {"namespace": NAMESPACE, "user": question["user"], "now": "2026-01-01"}
    before = client.recall(question["asked"], **asked).answer_hash
    client.decide(first.proposal.id, "accept", namespace=NAMESPACE)
    accepted = client.recall(question["asked"], **asked).answer_hash
    client.decide(first.proposal.id, "undo", namespace=NAMESPACE)
    undone = client.recall(question["asked"], **asked).answer_hash
    same = "as before" if undone == before else "NOT as before"
    print(f"  accepted: the answer {'changes' if accepted != before else 'stays'}; undone: the answer is {same}")
