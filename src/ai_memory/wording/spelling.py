"""Which known name a person meant who wrote one that is not known."""

from __future__ import annotations

from collections.abc import Iterable

CLOSE = 0.7
"""How alike a name must be to be suggested, from 0 to 1; at this value one of four letters may be wrong."""
SAFE = 0.8
"""How alike it must be where what is not suggested may be meant as it is."""

_OTHER_WORDS = {
    "search": "recall", "find": "recall", "query": "recall", "ask": "recall", "add": "remember", "store": "remember",
    "save": "remember", "write": "remember", "put": "remember", "delete": "forget", "remove": "forget", "rm": "forget",
    "erase": "forget", "ls": "list", "show": "get", "read": "get", "view": "get", "update": "revise", "edit": "revise",
    "start": "serve", "server": "serve", "run": "serve", "status": "health", "check": "doctor", "repair": "doctor",
    "config": "settings", "load": "import", "dump": "export", "link": "relate", "log": "history",
    "-n": "--limit", "-k": "--limit", "-l": "--limit", "--top-k": "--limit", "--top": "--limit", "--max": "--limit",
    "--count": "--limit", "--num": "--limit", "top_k": "limit", "k": "limit", "n": "limit", "max_results": "limit",
    "--since": "--occurred-after", "--after": "--occurred-after", "--from": "--occurred-after",
    "--until": "--occurred-before", "--before": "--occurred-before", "--to": "--occurred-before",
    "since": "occurred_after", "until": "occurred_before", "--date": "--valid-from", "--when": "--valid-from",
    "--at": "--valid-from", "date": "valid_from", "when": "valid_from", "timestamp": "valid_from",
    "created_at": "valid_from", "--category": "--type", "--kind": "--type", "--label": "--tag", "--labels": "--tags",
    "--ns": "--namespace", "--folder": "--data-dir", "--dir": "--data-dir", "--path": "--data-dir", "--key": "--idempotency-key",
    "content": "text", "message": "text", "body": "text", "memory": "text", "question": "query", "q": "query",
    "category": "type", "kind": "type", "labels": "tags", "label": "tags", "user_id": "user", "agent_id": "agent",
    "session_id": "session", "run_id": "session", "memory_id": "id", "metadata": "attributes",
}  # fmt: skip
"""What other programs call the same: no letters in common would lead there."""


def nearest(word: str, known: Iterable[str], *, least: float = CLOSE) -> str | None:
    """The known name that was probably meant, None where none is near; letter case, `-` and `_` make no difference."""
    from difflib import SequenceMatcher  # milliseconds that only a mistake need spend

    names = list(known)
    if (other := _OTHER_WORDS.get(word.lower())) in names:
        return other
    wanted = _plain(word)
    rated = [(SequenceMatcher(None, wanted, _plain(name)).ratio(), name) for name in names]
    best, name = max(rated, key=lambda each: each[0], default=(0.0, ""))
    return name if best >= least else None


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A question to put behind a message, such as `; did you mean recall?`; empty where no known name is near."""
    near = nearest(word, known)
    return "" if near is None else f"; did you mean {near}?"


def _plain(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
