"""Other names of commands, and the examples at the end of each command's help. The tests read every example with the parser."""

from __future__ import annotations

ALIASES = {"search": "recall", "add": "remember", "delete": "forget"}
"""Commands by the names that other programs give them."""

EXAMPLES: dict[str, tuple[str, ...]] = {
    "remember": (
        'remember "Mira is allergic to hazelnuts" --tags health --author Lena',
        'remember "Mira lives in Lisbon" --key mira.home --valid-from 2026-03-01',
        "remember - < notes.md",
        "remember --folder notes",
    ),
    "remember-messages": ("remember-messages chat.json --session standup-12 --user ada",),
    "recall": (
        "recall what can Mira not eat?",
        "recall -n 3 --tags health hazelnuts",
        'recall "where did we host the map tiles?" --as-of 2025-03-01',
    ),
    "get": ("get key:mira.home", "get mem_01m8ry6ha83rkwdw3ssn44kh05"),
    "list": ("list -n 20 --tags health", "list --context work/atlas --where attributes.city=Riga"),
    "revise": (
        'revise key:mira.home "Mira lives in Porto"',
        "revise mem_01m8ry6ha83rkwdw3ssn44kh05 --tags health,food",
    ),
    "retire": ('retire "Mira lives in Porto" --reason "she moved"',),
    "forget": ("forget key:mira.home", "forget --about Mira --no-dry-run"),
    "forget-many": ("forget-many --user ada", "forget-many --tags draft --no-dry-run"),
    "forget-about": ("forget-about Mira", "forget-about Mira --no-dry-run"),
    "relate": ("relate entity:Mira works_on entity:project/Atlas",),
    "unrelate": ("unrelate rel_01m8ry6ha83rkwdw3ssn44kh05",),
    "neighbours": ("neighbours entity:Mira --depth 2",),
    "entities": ("entities mira", "entities --kinds person,place"),
    "path": ("path entity:Mira entity:Lena",),
    "graph": ("graph --svg graph.svg", "graph entity:Mira --depth 2"),
    "merge": ('merge "entity:Ada Lovelace" entity:Ada',),
    "split": ("split entity:Java entity:place/Java mem_01m8ry6ha83rkwdw3ssn44kh05",),
    "decisions": ("decisions",),
    "undo": ("undo dec_01m8ry6ha83rkwdw3ssn44kh05",),
    "review": ("review", "review accept pro_01m8ry6ha83rkwdw3ssn44kh05"),
    "propose": ("propose key:mira.home retirement",),
    "decide": ("decide pro_01m8ry6ha83rkwdw3ssn44kh05 accept",),
    "feedback": ("feedback key:mira.home outdated",),
    "consolidate": ("consolidate --session standup-12", "consolidate --context work/atlas --no-dry-run"),
    "jobs": ("jobs",),
    "steer-job": ("steer-job job_01m8ry6ha83rkwdw3ssn44kh05 pause",),
    "history": ("history key:mira.home",),
    "timeline": ("timeline --bucket week --tags health",),
    "contexts": ("contexts", "contexts --under work"),
    "changes": ('changes --since "1 week"',),
    "namespaces": ("namespaces",),
    "stats": ("stats", "stats --namespace work"),
    "health": ("health --json",),
    "events": ("events --follow",),
    "export": ("export -o memories.jsonl.gz", "export --namespace work --to markdown -o notes"),
    "import": ("import notes", "import conversations.json --dry-run"),
    "explain": ("explain what can Mira not eat?",),
    "serve": ("serve", "serve --port 7700 --model none"),
    "open": ("open",),
    "mcp": ("mcp", "mcp --profile reference"),
    "setup": ("setup", "setup cursor codex --yes", "setup --check", "setup --undo"),
    "hook": ("hook status", "hook off", "hook folder --agent codex"),
    "service": ("service install", "service status"),
    "model": ("model list", "model fetch e5", "model recommend"),
    "embed": ("embed texts.jsonl -o vectors.npy",),
    "reembed": ("reembed --model embeddinggemma-2 --dim 256", "reembed --status"),
    "evaluate": ("evaluate --jsonl questions.jsonl",),
    "tune": ("tune --jsonl questions.jsonl",),
    "doctor": ("doctor", "doctor --rebuild"),
    "backup": ("backup memory-backup.db",),
    "help": ("help", "help recall"),
    "migrate": ("migrate --from memory.db --to neo4j://neo4j@127.0.0.1:7687/neo4j",),
    "settings": ("settings",),
    "completion": ("completion bash > ~/.local/share/bash-completion/completions/ai-memory",),
}
"""By command, command lines behind the program's name."""


def shown(command: str, program: str) -> str:
    """The end of a command's help."""
    names = [alias for alias, name in ALIASES.items() if name == command]
    lines = ["examples:", *(f"  {program} {example}" for example in EXAMPLES[command])]
    return "\n".join([*lines, *([f"other names: {', '.join(names)}"] if names else [])])
