"""Results for people: one function per response type, which yields lines. `--json` does not use it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby, zip_longest
from typing import Any

from ai_memory.cli.output import events as happenings
from ai_memory.cli.output import explain, inbox
from ai_memory.cli.output import jobs as job_list
from ai_memory.cli.output.arrival import Arrival, Rehearsed, arrival, rehearsed
from ai_memory.cli.output.changes import changes
from ai_memory.cli.output.consolidated import consolidated
from ai_memory.cli.output.file_receipts import FileReceipts
from ai_memory.cli.output.forgetting import forgotten, forgotten_about
from ai_memory.cli.output.layout import cut, day, isolated, moment, table, visible_line, wrap
from ai_memory.cli.output.screen import Screen
from ai_memory.clock import day_in
from ai_memory.operations.about import ForgottenAbout
from ai_memory.operations.changes import Changes
from ai_memory.operations.deciding import Decision, MadeDecisions
from ai_memory.operations.generations import Build, Generations
from ai_memory.operations.graph import Entities, Graph, Neighbours, Paths
from ai_memory.operations.inbox import Consolidated, Judged, Proposals, Proposed
from ai_memory.operations.moving import ImportReport, Namespaces
from ai_memory.operations.reading import Contexts, History, Timeline
from ai_memory.operations.upkeep.events import Event, Events
from ai_memory.operations.watching import Health, Jobs, Stats
from ai_memory.operations.writing import Forgotten, Receipts, RememberedMessages
from ai_memory.recall.answer import Answer, Hit
from ai_memory.recall.marks import marks
from ai_memory.types import Actor, Content, MemoryRecord, Outcome, Page, Problem, Receipt, Relation

INDENT = "    "
SHOWN_REASONS = 20
WORTH_SHOWING = 0.03
"""The share of the best hit's confidence below which the hits at the end are left out."""
EXPLAINED_LINES = 3
"""Lines of a passage that `explain` shows."""


def lines_of(value: Any, screen: Screen) -> Iterable[str]:
    """The lines that show a response."""
    return RENDERERS[type(value)](value, screen)


def happened(memory: MemoryRecord, zone: dt.tzinfo) -> str:
    """When a memory happened: its valid_from, else when it was recorded first."""
    return day(memory.valid_from or memory.created_at, zone)


def worth_showing(hits: Sequence[Hit]) -> Sequence[Hit]:
    """The hits without those at the end that are hardly likely to answer next to the best one."""
    least = WORTH_SHOWING * max((hit.confidence for hit in hits), default=0.0)
    count = max((place for place, hit in enumerate(hits, 1) if hit.confidence >= least), default=0)
    return hits[:count]


def answer(value: Answer, screen: Screen, *, every: bool = True) -> Iterable[str]:
    """Hits, best first, then reason and notices; or only the block for a prompt where that was requested.

    Unless `every`, only the hits that are worth showing, and how many more there are.
    """
    if value.context is not None:
        yield from value.context.splitlines()
        return
    if value.asked is not None:
        yield from explain.question(value, value.asked, screen)
    scale = explain.Scale.of(value.hits)
    hits = value.hits if every else worth_showing(value.hits)
    for hit, after in zip_longest(hits, value.hits[1 : len(hits) + 1]):
        if hit is not None:
            yield from _hit(hit, screen, explain.score(hit, after, scale, screen))
    if left := value.hits[len(hits) :]:
        many = f"{len(left)} more {'hit' if len(left) == 1 else 'hits'}, each"
        least = f"{many} at most {max(hit.confidence for hit in left):.1%} likely to answer: --all shows them"
        yield from map(screen.dim, wrap(least, screen.width))
    if value.reason and value.asked is None:
        yield from wrap(visible_line(value.reason), screen.width)
    for notice in value.notices:
        fix = f" ({notice.mend})" if notice.mend else ""
        yield from wrap(visible_line(f"notice: {notice.message}{fix}"), screen.width)
    searched = value.searched
    count = len(value.hits)
    extent = (
        f"{count} {'hit' if count == 1 else 'hits'} of {searched.memories} memories"
        f" (searched: {searched.by_words} lexically, {searched.by_meaning} semantically) in {value.took_ms:.1f} ms"
    )
    yield from map(screen.dim, wrap(extent, screen.width))


def _hit(hit: Hit, screen: Screen, trace: Iterable[str]) -> Iterable[str]:
    memory = hit.memory
    facts = [f"{hit.confidence:.0%}", f"score {hit.score:.2f}", happened(memory, screen.zone), memory.type.value]
    facts += [isolated(part) for part in (memory.author, memory.context) if part]
    if memory.actor not in (Actor.PERSON, Actor.UNKNOWN):
        facts.append(f"(by {memory.actor})")
    if hit.validity in ("ended", "expired", "future"):
        facts.append(hit.validity)
    facts += marks(hit, lambda instant: day_in(instant, screen.zone))
    first, *more = wrap("  ".join(facts), screen.width - len(INDENT), made_visible=True)
    yield screen.bold(f"{hit.rank:>2}.") + " " + first.rstrip()
    yield from (INDENT + line for line in more)
    if memory.title:
        yield INDENT + screen.bold(cut(memory.title, screen.width - len(INDENT)))
    text = wrap(hit.passage.text.strip(), screen.width - 2, INDENT)
    if hit.trace is not None and len(text) > EXPLAINED_LINES:
        text = [*text[: EXPLAINED_LINES - 1], text[EXPLAINED_LINES - 1] + " …"]
    for line in text:
        yield screen.highlight(line, hit.matched)
    for near in hit.surroundings:
        label = f"{INDENT}{visible_line(near.how)}: "
        yield screen.dim(label + cut(near.memory.text, screen.width - len(label)))
    if hit.reasons and hit.trace is None:
        yield from (
            screen.dim(line) for line in wrap(visible_line("why: " + "; ".join(hit.reasons)), screen.width, INDENT)
        )
    yield from trace
    if hit.detail is not None:
        yield from (INDENT + line for line in _revisions(hit.detail.history, screen, len(INDENT)))
        yield from (INDENT + line for line in _relations(hit.detail.relations, screen.width - len(INDENT)))
    yield screen.dim(f"{INDENT}{memory.id}")
    yield ""


def record(memory: MemoryRecord, screen: Screen) -> Iterable[str]:
    """One whole memory: one line per field with a value, then its text."""
    zone = screen.zone
    scope = "/".join(part for part in (memory.namespace, memory.user, memory.agent, memory.session) if part)
    fields: dict[str, str] = {
        "id": f"{memory.id}  revision {memory.revision}",
        "title": memory.title or "",
        "type": memory.type.value,
        "scope": scope,
        "context": memory.context,
        "author": memory.author or "",
        "written by": str(memory.actor),
        "tags": ", ".join(memory.tags),
        "importance": f"{memory.importance:g}, confidence {memory.confidence:g}",
        "valid": " to ".join(filter(None, (moment(memory.valid_from, zone) or "…", moment(memory.valid_to, zone))))
        if memory.valid_from or memory.valid_to
        else "",
        "recorded": moment(memory.recorded_at, zone),
        "retired": f"{moment(memory.retired_at, zone)} {memory.retired_reason or ''}".strip()
        if memory.retired_at
        else "",
        "source": memory.source or "",
        "expires at": moment(memory.expires_at, zone),
        "pinned": "pinned" if memory.pinned else "",
        **{name.replace("_", " "): _plain(getattr(memory, name), zone) for name in _OTHERS},
        **{name: str(value) for name, value in memory.attributes.items()},
    }
    longest = max(len(name) for name, value in fields.items() if value)
    for name, value in fields.items():
        if value:
            yield f"{visible_line(name).ljust(longest)}  {visible_line(value)}"
    yield ""
    yield from wrap(memory.text, screen.width)


_OTHERS = tuple(
    name
    for name in Content.__struct_fields__
    if name not in {
        "text", "title", "type", "context", "author", "tags", "importance", "confidence", "valid_from", "valid_to", "source",
        "attributes", "expires_at", "pinned",
    }
)  # fmt: skip
"""Fields of the content that `record` shows as they are, because it has no better way to show them."""


def _plain(value: Any, zone: dt.tzinfo) -> str:
    if isinstance(value, dt.datetime):
        return moment(value, zone)
    return ", ".join(map(str, value)) if isinstance(value, tuple) else "" if value is None else str(value)


def page(value: Page, screen: Screen) -> Iterable[str]:
    """A table of memories, and how to get the next page."""
    if not value.memories:
        yield "no memories"
        return
    yield from _memories(value.memories, screen)
    if value.cursor:
        screen.note(f"more: add --cursor {value.cursor}")


def _memories(memories: Iterable[MemoryRecord], screen: Screen) -> list[str]:
    rows = [
        (
            memory.id,
            happened(memory, screen.zone),
            memory.type.value,
            memory.context,
            _marked(memory, memory.title or memory.text, screen),
        )
        for memory in memories
    ]
    return table(("id", "date", "type", "context", "text"), rows, screen.width)


def _marked(memory: MemoryRecord, text: str, screen: Screen) -> str:
    return text if memory.retired_at is None else f"[retired {day(memory.retired_at, screen.zone)}] {text}"


def _revisions(revisions: Iterable[MemoryRecord], screen: Screen, indent: int = 0) -> list[str]:
    rows = [
        (
            str(memory.revision),
            str(memory.actor),
            day(memory.recorded_at, screen.zone),
            day(memory.retired_at, screen.zone),
            memory.retired_reason or "",
            memory.text,
        )
        for memory in revisions
    ]
    headers = ("revision", "by", "recorded", "until", "reason", "text")
    return table(headers, rows, screen.width - indent, right=(0,))


def _relations(relations: Iterable[Relation], columns: int) -> list[str]:
    rows = [(edge.id, edge.source, edge.type, edge.target) for edge in relations]
    return table(("relation", "source", "type", "target"), rows, columns)


def history(value: History, screen: Screen) -> Iterable[str]:
    """One line per revision, oldest first."""
    return _revisions(value.revisions, screen)


def timeline(value: Timeline, screen: Screen) -> Iterable[str]:
    """For each bucket a heading with its count, and its first memories."""
    if not value.buckets:
        yield "no memories"
    shape = {"day": "%Y-%m-%d", "week": "%Y-%m-%d", "month": "%Y-%m", "year": "%Y"}[value.bucket]
    for bucket in value.buckets:
        yield screen.bold(bucket.start.strftime(shape)) + f"  {bucket.count}"
        for memory in bucket.memories:
            left = f"{INDENT}{happened(memory, screen.zone)}  "
            yield left + cut(memory.title or memory.text, screen.width - len(left))


def contexts(value: Contexts, screen: Screen) -> Iterable[str]:
    """A table of paths with their counts."""
    rows = [(str(row.total), str(row.memories), row.path) for row in value.contexts]
    return table(("with below", "directly", "context"), rows, screen.width, right=(0, 1)) or ["no contexts"]


def namespaces(value: Namespaces, screen: Screen) -> Iterable[str]:
    """A table of namespaces with their counts."""
    rows = [(str(row.memories), row.namespace) for row in value.namespaces]
    return table(("memories", "namespace"), rows, screen.width, right=(0,)) or ["no namespaces"]


def neighbours(value: Neighbours, screen: Screen) -> Iterable[str]:
    """A table of the nodes reached, nearest first."""
    rows = [(str(row.depth), _type_and_time(row.relation, screen), row.id, row.label) for row in value.neighbours]
    return table(("depth", "relation", "id", "label"), rows, screen.width, right=(0,)) or ["no neighbours"]


def receipt(value: Receipt, screen: Screen) -> Iterable[str]:
    """One line: the outcome of the write; then one for each memory that it touches."""
    words, meaning = value.searchable.words, value.searchable.meaning
    searchable = "not searchable yet"
    if words:
        searchable = "searchable " + ("lexically and semantically" if meaning else "lexically, semantically soon")
    parts: list[str] = [value.outcome.value, visible_line(value.memory_id or "")]
    if value.revision is not None and value.revision > 1:
        parts.append(f"revision {value.revision}")
    if value.supersedes:
        parts.append(f"supersedes {', '.join(value.supersedes)}")
    if value.outcome is not Outcome.REJECTED:
        parts.append(searchable)
    if value.expires_at is not None:
        parts.append(f"expires {moment(value.expires_at, screen.zone)}")
    if value.differs:
        parts.append(f"unchanged although {', '.join(value.differs)} differ; use revise")
    parts += [visible_line(part) for part in (value.code, value.reason, value.warning) if part]
    if value.was_retired is not None and value.was_retired.reason:
        parts.append(visible_line(f"retired because: {value.was_retired.reason}"))
    yield "  ".join(part for part in parts if part)
    for each in value.similar:
        proposed = f", proposed as {each.proposal}" if each.proposal else ""
        left = f"{INDENT}{each.kind} {each.id} ({each.confidence:.0%}: {each.reason}{proposed}): "
        yield cut(visible_line(left) + " " + (each.text or ""), screen.width)


def receipts(value: Receipts | RememberedMessages, screen: Screen) -> Iterable[str]:
    """One line per text that was rejected or has a warning, then the count of each outcome."""
    for item in value.receipts:
        if item.outcome is Outcome.REJECTED or item.warning:
            yield from receipt(item, screen)
    yield _counts(value.counts)


def conversation(value: RememberedMessages, screen: Screen) -> Iterable[str]:
    """As `receipts`, then the session."""
    yield from receipts(value, screen)
    yield f"session {visible_line(value.session)}"


def file_receipts(value: FileReceipts, screen: Screen) -> Iterable[str]:
    """As `receipts`, with the warnings before the counts."""
    *rejected, counts = receipts(value, screen)
    yield from rejected
    yield from _warnings(value.warnings)
    yield counts + (f", {value.links} link{'s' if value.links > 1 else ''}" if value.links else "")


def _warnings(warnings: Sequence[str]) -> Iterable[str]:
    for warning in warnings[:SHOWN_REASONS]:
        yield visible_line(f"warning: {warning}")
    if len(warnings) > SHOWN_REASONS:
        yield f"and {len(warnings) - SHOWN_REASONS} more warnings; --json has them"


def import_report(value: ImportReport, screen: Screen) -> Iterable[str]:
    """The rejected lines, consecutive ones with the same reason together, then the counts."""
    del screen
    rejected = _by_reason((row.line, f"{row.code}: {row.reason}") for row in value.rejected)
    yield from map(visible_line, rejected[:SHOWN_REASONS])
    if len(rejected) > SHOWN_REASONS:
        yield "and more; --json names each of the first 1,000"
    yield from _warnings(_by_reason((row.line, row.message) for row in value.warnings))
    skipped = f", {value.skipped} from an earlier run" if value.skipped else ""
    yield f"{value.lines} lines{skipped}: {_counts(value.counts)}"
    if value.state != "done":
        yield "interrupted; the same command resumes here"


def _by_reason(lines: Iterable[tuple[int, str]]) -> list[str]:
    """One sentence per run of consecutive lines with the same reason."""
    found = []
    for reason, run in groupby(lines, lambda pair: pair[1]):
        numbers = [number for number, _ in run]
        where = (
            f"line {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} lines from {numbers[0]} to {numbers[-1]}"
        )
        found.append(f"{where}: {reason}")
    return found


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items() if count) or "nothing to do"


def relation(value: Relation, screen: Screen) -> Iterable[str]:
    """One line: the edge."""
    ended = f"  ended {day(value.retired_at, screen.zone)}" if value.retired_at else ""
    yield visible_line(f"{value.id}  {value.source} {value.type} {value.target}{ended}")


def decision(value: Decision, screen: Screen) -> Iterable[str]:
    """One line: which entities were merged or split, and for how many memories."""
    entities = ", ".join(f"{entity.name} ({entity.kind})" for entity in value.things)
    did = "merged into" if value.kind == "merge" else f"means, in {len(value.memories)} of the memories,"
    undone = f"  undone {day(value.undone_at, screen.zone)}" if value.undone_at else ""
    line = f"{value.id}  {day(value.decided_at, screen.zone)}  {entities} {did} {value.into.name} ({value.into.kind}){undone}"
    yield from wrap(visible_line(line), screen.width)


def decisions(value: MadeDecisions, screen: Screen) -> Iterable[str]:
    """One line per decision, newest first."""
    for each in value.decisions:
        yield from decision(each, screen)
    if not value.decisions:
        yield "no decisions"
    if value.total > len(value.decisions):
        yield screen.dim(f"{len(value.decisions)} of {value.total}")


def stats(value: Stats, screen: Screen) -> Iterable[str]:
    """One line per figure."""
    figures: list[tuple[str, str]] = [
        (name.replace("_", " "), f"{getattr(value, name):,}")
        for name in (
            "memories",
            "revisions",
            "retired",
            "relations",
            "entities",
            "tombstones",
            "pending",
            "index_bytes",
        )
    ]
    figures += [(f"type {name}", f"{count:,}") for name, count in value.by_type.items()]
    if value.embedder is not None:
        model = value.embedder
        figures.append(("embedder", f"{model.model} {model.dimension} {model.dtype} {model.revision[:12]}"))
    if value.build is not None and value.build.state not in ("done", "cancelled"):
        figures.append(("reembed", _build(value.build)))
    figures.append(("store", value.store))
    longest = max(len(name) for name, _ in figures)
    yield from (f"{name.ljust(longest)}  {visible_line(text)}" for name, text in figures)
    if value.problems:
        yield ""
        yield from problems(value.problems, screen)


def health(value: Health, screen: Screen) -> Iterable[str]:
    """One line per part, with a hint."""
    rows = [(part.name, part.state, part.message + (f" ({part.mend})" if part.mend else "")) for part in value.parts]
    yield f"version {value.version}: {'ready' if value.ready else 'not ready'}"
    yield from table(("part", "state", ""), rows, screen.width)


def generations(value: Generations, screen: Screen) -> Iterable[str]:
    """One row per generation, then the state of the build."""
    if not value.generations:
        yield "no vectors yet"
        return
    rows = [
        (
            str(each.id),
            {"retired": "kept"}.get(each.state, each.state),
            each.embedder.model,
            str(each.embedder.dimension),
            each.embedder.dtype,
            "" if each.pending is None else f"{each.pending:,}",
            day(each.created_at, screen.zone),
        )
        for each in value.generations
    ]
    headers = ("id", "state", "model", "dimension", "dtype", "pending", "created")
    yield from table(headers, rows, screen.width, right=(0, 3, 5))
    if value.build is not None:
        yield ""
        yield from wrap(visible_line(_build(value.build)), screen.width)


def _build(build: Build) -> str:
    """One line: the generation, its progress, its speed, and what it waits for."""
    done = {"done": "complete and active", "cancelled": "cancelled", "waiting": "waiting: no process works on it"}
    parts = [f"generation {build.generation}: {done.get(build.state, build.state)}"]
    if build.state not in ("done", "cancelled"):
        parts.append(f"{build.done:,} of {build.total:,} revisions")
    if build.per_second is not None:
        parts.append(f"{build.per_second:,.1f}/s")
    if build.rate is not None and build.state in ("running", "waiting"):
        parts.append(f"at most {build.rate:g}/s")
    if build.seconds_left is not None:
        parts.append(f"{build.seconds_left:,.0f} s left")
    if build.state == "ready":
        parts.append("switch to it: ai-memory reembed --activate")
    if build.error:
        parts.append(build.error)
    return ", ".join(parts)


def entities(value: Entities, screen: Screen) -> Iterable[str]:
    """A table of entities, those with most memories first."""
    rows = [
        (str(row.memories), row.entity.kind, " / ".join((row.entity.name, *row.entity.aliases)), row.entity.id)
        for row in value.entities
    ]
    yield from table(("memories", "kind", "name", "id"), rows, screen.width, right=(0,)) or ["no entities"]
    if value.total > len(rows):
        yield screen.dim(f"{len(rows)} of {value.total}")
    yield from _unread(value.unread, screen)


def paths(value: Paths, screen: Screen) -> Iterable[str]:
    """One block per path, one line per step."""
    for found in value.paths:
        yield _node(found.nodes[0].label, screen)
        for before, step, node in zip(found.nodes, found.relations, found.nodes[1:], strict=False):
            shown = visible_line(_type_and_time(step, screen))
            arrow = f"--{shown}->" if step.source == before.id else f"<-{shown}--"
            yield f"{INDENT}{arrow} {_node(node.label, screen)}"
    if not value.paths:
        yield "no path"
    yield from _unread(value.unread, screen)


def graph(value: Graph, screen: Screen) -> Iterable[str]:
    """A table of relations."""
    labels = {node.id: node.label for node in value.nodes}
    rows = [(labels[edge.source], _type_and_time(edge, screen), labels[edge.target]) for edge in value.edges]
    yield from table(("from", "relation", "to"), rows, screen.width) or ["nothing is related"]
    more = ", more were left out (--limit)" if value.truncated else ""
    yield screen.dim(f"{len(value.nodes)} nodes, {len(rows)} relations{more}")
    yield from _unread(value.unread, screen)


def _type_and_time(edge: Relation, screen: Screen) -> str:
    """A relation's type, and when it held where that is known."""
    times = (("from", edge.valid_from), ("until", edge.valid_to))
    known = [f"{name} {day(at, screen.zone)}" for name, at in times if at is not None]
    return f"{edge.type} ({' '.join(known)})" if known else edge.type


def _node(label: str, screen: Screen) -> str:
    return cut(label, screen.width - 2 * len(INDENT))


def _unread(count: int, screen: Screen) -> Iterable[str]:
    if count:
        yield screen.dim(f"notice: {count:,} changes have not been processed yet; ask again")


def problems(value: Sequence[Problem], screen: Screen) -> Iterable[str]:
    """One line per problem, with its fix."""
    if not value:
        yield "no problems found"
    for problem in value:
        fix = f" (fix: {problem.mend})" if problem.mend else ""
        yield from wrap(visible_line(f"{problem.check}: {problem.message}, {problem.count}{fix}"), screen.width)


RENDERERS: dict[type, Callable[[Any, Screen], Iterable[str]]] = {
    Answer: answer,
    MemoryRecord: record,
    Page: page,
    History: history,
    Timeline: timeline,
    Contexts: contexts,
    Changes: changes,
    Namespaces: namespaces,
    Neighbours: neighbours,
    Entities: entities,
    Paths: paths,
    Graph: graph,
    Decision: decision,
    MadeDecisions: decisions,
    Proposals: inbox.proposals,
    Proposed: inbox.proposed,
    Judged: inbox.judged,
    Jobs: job_list.jobs,
    Event: happenings.event,
    Events: happenings.events,
    Consolidated: consolidated,
    Receipt: receipt,
    Receipts: receipts,
    RememberedMessages: conversation,
    FileReceipts: file_receipts,
    Arrival: arrival,
    Rehearsed: rehearsed,
    ImportReport: import_report,
    Forgotten: forgotten,
    ForgottenAbout: forgotten_about,
    Relation: relation,
    Stats: stats,
    Health: health,
    Generations: generations,
}
"""One row per response type; the tests require one for every operation with a command."""
