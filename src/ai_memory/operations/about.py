"""The operation that erases everything about one person, project or identifier."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta, Struct, field

from ai_memory.operations.base import Command, Operation, Route
from ai_memory.operations.writing import Namespace, Reason
from ai_memory.types import DEFAULT_NAMESPACE, Share, WipePending

MAX_NAME = 200
MAX_IDS = 1_000

_Ids = Annotated[tuple[Annotated[str, Meta(min_length=1, max_length=256)], ...], Meta(max_length=MAX_IDS)]


class ForgetAboutRequest(Struct, kw_only=True, forbid_unknown_fields=True):
    """Whom or what to forget: every memory that names it, in any spelling, form or script. `dry_run` is on by default."""

    EMPTY_REFUSED: ClassVar[tuple[str, ...]] = ("user",)
    """An empty user must not widen what is erased to that of everybody."""

    about: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=MAX_NAME,
            description="The person, project or identifier, as fully as it is known: `Anna Schmidt`, `AB-1234`, `a@example.org`.",
        ),
    ]
    namespace: Namespace = DEFAULT_NAMESPACE
    user: Annotated[str | None, Meta(description="Only this user's memories.")] = None
    also: Annotated[
        _Ids, Meta(description="Ids of memories to erase as well, such as some of those that are `left`.")
    ] = ()
    keep: Annotated[_Ids, Meta(description="Ids of memories to keep, although they are about it.")] = ()
    reason: Annotated[
        Reason | None,
        Meta(
            description="Why it is erased. The log keeps the reason forever, so one that has the name, or repeats one of these "
            "memories, is refused."
        ),
    ] = None
    dry_run: Annotated[
        bool, Meta(description="Erase nothing; only show what would be erased and what would be left.")
    ] = True
    allow_share: Annotated[
        Share | None,
        Meta(
            description="The largest share of the namespace that may be erased, from 0 to 1; 20 memories or fewer may always be. "
            "Default: the setting forget_share."
        ),
    ] = None


class AboutMemory(Struct, frozen=True, kw_only=True):
    """A memory that is about it."""

    id: str
    text: str | None = None
    """The beginning of its text; None once it is erased."""
    written: str = ""
    """How the memory names it; empty for one that only goes on about it."""
    how: str
    """`name`, another `spelling`, a `part` of the name, `follows` from the memory before it by a pronoun, or `also` by request."""
    where: str = "text"
    """The field that names it."""
    earlier: bool = False
    """Only an earlier revision names it."""


class LeftMemory(Struct, frozen=True, kw_only=True):
    """A memory that is left, although it looks like one of them or has something in common with one."""

    id: str
    text: str
    """The beginning of its text."""
    written: str
    """What it has: a longer name, another name, a part of the name, or what an erased memory mentions too."""
    why: str
    """`longer_name` and `other_name` mean something else, `unclear` may mean either, `shares` an attribute, `kept` by request."""


class ForgottenAbout(Struct, frozen=True, kw_only=True):
    """What was erased, or with `dry_run` would be, and what is left; the first 1,000 memories of each."""

    about: str
    forgotten: int
    dry_run: bool
    names: tuple[str, ...] = ()
    """All spellings that were found."""
    erased: tuple[AboutMemory, ...] = ()
    left: tuple[LeftMemory, ...] = ()
    states: dict[str, int] = field(default_factory=dict)
    """How many of the erased ones were `current`, had `ended` or were `retired`; never 0."""
    wipe_pending: WipePending | None = None
    """What keeps their bytes in the service's files for now; they are wiped as soon as it ends. None where they are gone."""


FORGET_ABOUT = Operation(
    name="forget_about",
    summary="Erase everything about a person, project or identifier",
    request=ForgetAboutRequest,
    response=ForgottenAbout,
    effect="erase",
    idempotent=True,
    route=Route("POST", "/memories/forget-about"),
    command=Command(name="forget-about", positional=("about",), also=("forget", "--about")),
)
