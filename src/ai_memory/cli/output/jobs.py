"""Background jobs for people: what each does, how far it is, and the way out where it waits."""

from __future__ import annotations

from collections.abc import Iterable

from ai_memory.cli.output.layout import moment, visible_line, wrap
from ai_memory.cli.output.screen import Screen
from ai_memory.operations.watching import Jobs, JobView

INDENT = "    "
_TITLES = {
    "erase_expired": "erase what has expired",
    "lapse_proposals": "lay aside proposals that nobody decides",
    "reembed": "build a vector generation",
    "import": "import",
    "check": "check the store",
    "backup": "make a backup",
    "verify_backup": "check a backup",
    "fetch_model": "fetch a model",
}


def jobs(value: Jobs, screen: Screen) -> Iterable[str]:
    """Whether all are paused, then each job, the newest first."""
    if value.paused:
        by = f" by {value.paused_by}" if value.paused_by else ""
        yield screen.bold(f"all background decisions are paused{by}")
    for job in value.jobs:
        yield from _job(job, screen)
    if not value.jobs:
        yield "no jobs"
    elif value.total > len(value.jobs):
        yield screen.dim(f"{len(value.jobs)} of {value.total}")


def _job(job: JobView, screen: Screen) -> Iterable[str]:
    facts = [job.id, _TITLES.get(job.kind, job.kind), job.state]
    if job.about is not None:
        facts.append(job.about)
    if job.namespace is not None:
        facts.append(f"in {job.namespace}")
    if job.due:
        facts.append(f"{job.done or 0} of {job.due} done" if job.state == "running" else f"{job.due} due")
    if job.total:
        facts.append(f"{job.total} done so far")
    if job.ran_at is not None:
        facts.append(f"last run {moment(job.ran_at, screen.zone)}")
    if job.steered_by is not None:
        facts.append(f"steered by {job.steered_by}")
    yield from wrap(visible_line("  ".join(facts)), screen.width)
    for label, words in (("why", job.message), ("way out", job.mend)):
        if words:
            yield from map(screen.dim, wrap(visible_line(f"{label}: {words}"), screen.width, INDENT))
