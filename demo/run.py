"""The whole service on real texts, from nothing: start it, remember, ask through REST as a client would, judge the answers.

Run by `make demo`. Exits with 1 when a memory that a question expects is not among its hits, apart from questions that the model is
known to miss.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ai_memory import Client
from ai_memory.recall.answer import Answer, Hit
from changing import ask, propose_and_undo, remember_stories, stories

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
MODEL = ROOT / ".cache" / "models" / "multilingual-e5-small"
TRUSTED = 0.5
"""Hits below this confidence are marked as not trusted; an unanswerable question is passed when none is above it."""
RECALL_ARGUMENTS = ("as_of", "context", "types", "tags", "session")


def read_lines(name: str) -> list[dict[str, Any]]:
    """The JSON objects of one of this folder's files."""
    return [json.loads(line) for line in (HERE / name).read_text(encoding="utf-8").splitlines()]


MADE_BY_PROGRAMS = ("docs/benchmarks.md", "docs/cli.md", "docs/reference.md", "docs/settings.md")
"""Left out: tables that change with every measurement, operation or setting, and with them how rare each word is."""


def documentation() -> Iterator[dict[str, Any]]:
    """The project's documentation for its users, as far as people wrote it, one memory per section.

    The decisions in `docs/decisions/` are left out: each change to the code adds to them.
    """
    for page in [ROOT / "README.md", ROOT / "ARCHITECTURE.md", *sorted((ROOT / "docs").glob("*.md"))]:
        name = page.relative_to(ROOT).as_posix()
        if name in MADE_BY_PROGRAMS:
            continue
        for section in re.split(r"(?m)^(?=#{1,3} )", page.read_text(encoding="utf-8")):
            heading, _, body = section.partition("\n")
            if body.strip():
                yield {
                    "text": section.strip(),
                    "title": heading.strip("# "),
                    "type": "documentation",
                    "context": "documentation",
                    "source": name,
                }


class Server:
    """The real service in a process and a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        environment = {
            **os.environ,
            "AI_MEMORY_MODEL": str(MODEL),
            "AI_MEMORY_DATA_DIR": str(folder),
            "AI_MEMORY_LOG_LEVEL": "warning",
        }
        command = [str(Path(sys.executable).with_name("ai-memory")), "serve", "--port", "0"]
        self.process = subprocess.Popen(command, env=environment)

    def url(self) -> str:
        """The address that the service wrote down for its clients once it listens."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            file = self.folder / "service.json"
            if file.exists():
                return str(json.loads(file.read_text())["url"])
            if self.process.poll() is not None:
                raise SystemExit(f"the service ended at once with code {self.process.returncode}")
            time.sleep(0.05)
        raise SystemExit("the service did not start within a minute")

    def stop(self) -> None:
        """Ask the service to end, and wait until it has."""
        self.process.terminate()
        self.process.wait(30)


def remember_all(client: Client) -> dict[str, str]:
    """Send the corpus and the documentation; returns the corpus' keys by memory id."""
    team = read_lines("team.jsonl")
    drafts = [{name: value for name, value in memory.items() if name != "key"} for memory in team]
    pages = list(documentation())
    began = time.perf_counter()
    receipts = client.remember_many([*drafts, *pages])
    durable = time.perf_counter() - began
    print(f"remembered {len(drafts) + len(pages)} texts durably in {durable:.2f} s: {receipts.counts}")
    wait_for_vectors(client)
    print(f"all of them can be found by meaning after {time.perf_counter() - began:.1f} s")
    if receipts.counts.get("rejected"):
        raise SystemExit(f"rejected: {[receipt.reason for receipt in receipts.receipts if receipt.reason]}")
    return {
        receipt.memory_id: memory["key"]
        for receipt, memory in zip(receipts.receipts, team, strict=False)
        if receipt.memory_id is not None
    }


def wait_for_vectors(client: Client) -> None:
    """Return when no vector is pending any more."""
    began = reported = time.monotonic()
    while pending := client.stats().pending:
        now = time.monotonic()
        if now - began > 900:
            raise SystemExit(f"{pending} vectors are still pending after a quarter of an hour: {client.health().parts}")
        if now - reported > 5:
            print(f"  {pending} vectors still to be made")
            reported = now
        time.sleep(0.2)


def show(question: dict[str, Any], answer: Answer, keys: dict[str, str], milliseconds: float, passed: bool) -> None:
    """Print a question and its first hits."""
    mark = "ok  " if passed else "miss" if is_known(question) else "MISS"
    asked = {name: question[name] for name in RECALL_ARGUMENTS if name in question}
    print(f"\n{mark} {question['question']}")
    details = ", ".join(f"{name}={value}" for name, value in asked.items())
    print(f"     {question['kind']}, {question['language']}{', ' + details if details else ''} · {milliseconds:.0f} ms")
    if not answer.hits:
        print(f"     nothing found: {answer.reason}")
    wanted = set(question["expect"])
    for hit in answer.hits:
        if hit.rank <= 3 or keys.get(hit.memory.id) in wanted:
            print(line_of(hit, expected=keys.get(hit.memory.id) in wanted))
    for missing in wanted - {keys.get(hit.memory.id) for hit in answer.hits}:
        print(f"     expected but not found: {missing}")


def line_of(hit: Hit, *, expected: bool) -> str:
    """One hit on one line: rank, score, confidence, date, text, reasons."""
    when = (hit.memory.valid_from or hit.memory.created_at).date().isoformat()
    text = " ".join(hit.passage.text.split())
    shown = text if len(text) <= 96 else text[:95] + "…"
    star = "*" if expected else " "
    reasons = "; ".join(hit.reasons[:2])
    return f"   {star} {hit.rank:2}. {hit.score:6.2f} {hit.confidence:4.0%}  {when}  {shown}\n              {reasons}"


def is_known(question: dict[str, Any]) -> bool:
    """Whether the question is one that this model is known not to answer."""
    return MODEL.name in question.get("missed_by", ())


def judge(question: dict[str, Any], answer: Answer, keys: dict[str, str]) -> bool:
    """Whether all that was expected is there, or, for an unanswerable question, nothing that is trusted."""
    if not question["expect"]:
        return answer.abstained or all(hit.confidence < TRUSTED for hit in answer.hits)
    found = [keys.get(hit.memory.id) for hit in answer.hits[: question["within"]]]
    return set(question["expect"]) <= set(found)


def main() -> int:
    """Run the demonstration; 0 when every expected memory was found."""
    questions = read_lines("questions.jsonl")
    tally: dict[str, list[bool]] = defaultdict(list)
    unexpected = 0
    times: list[float] = []
    with tempfile.TemporaryDirectory(prefix="ai-memory-demo-") as folder:
        server = Server(Path(folder))
        try:
            client = Client(server.url())
            keys = remember_all(client)
            for question in questions:
                arguments = {name: question[name] for name in RECALL_ARGUMENTS if name in question}
                began = time.perf_counter()
                answer = client.recall(question["question"], limit=max(question["within"], 1), **arguments)
                times.append((time.perf_counter() - began) * 1000)
                passed = judge(question, answer, keys)
                tally[question["kind"]].append(passed)
                unexpected += not passed and bool(question["expect"]) and not is_known(question)
                show(question, answer, keys, times[-1], passed)
            print("\nFacts that change")
            remember_stories(client)
            wait_for_vectors(client)
            for story in stories():
                passed = ask(client, story)
                tally["changed"].append(passed)
                unexpected += not passed
            propose_and_undo(client)
            client.close()
        finally:
            server.stop()
    print("\nkind            passed")
    for kind, results in sorted(tally.items()):
        print(f"{kind:15} {sum(results):3} of {len(results)}")
    times.sort()
    print(f"recall over REST, embedding included: median {times[len(times) // 2]:.1f} ms, slowest {times[-1]:.1f} ms")
    print("see, ask and correct the same memories in a browser: make console-demo")
    if unexpected:
        print(f"{unexpected} questions did not find what they expect, and are not known to be missed by this model")
    return 1 if unexpected else 0


if __name__ == "__main__":
    sys.exit(main())
