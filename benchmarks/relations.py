"""`graph.`: the neighbours of an entity within two relations, in a store with a million relations made by hand.

Entities are related at random; a tenth of the ends are a hundred well-known ones, so that most have about twenty neighbours
and some have a thousand. The store is created once and kept, as those of memories are.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import time
from collections.abc import Iterator

from ai_memory.clock import SystemClock
from ai_memory.extraction.gazetteer import key
from ai_memory.extraction.resolve import ANY_KIND
from ai_memory.operations.graph import NEIGHBOURS, NeighboursRequest
from ai_memory.settings import Settings
from ai_memory.store.base import Relate, Stored
from ai_memory.store.ids import RELATION, entity_id, new_id
from ai_memory.types import DEFAULT_NAMESPACE, Entity, Relation
from ai_memory.wiring import open_service, open_store
from benchmarks.figures import Figure, Target, load_average, median, percentile
from benchmarks.places import KEPT

VERSION = 1
TARGET = Target("<=", 5.0)
BATCH = 5_000
RELATIONS_PER_ENTITY = 10
WELL_KNOWN = 100
WELL_KNOWN_SHARE = 0.1
TYPES = ("KNOWS", "USES", "PART_OF", "WORKS_AT")
QUESTIONS = 500
WARM_UP = 50


def figures(*, quick: bool) -> Iterator[Figure]:
    """All figures of this area."""
    relations = 100_000 if quick else 1_000_000
    settings = _store_of(relations)
    chance = random.Random(11)
    entities = relations // RELATIONS_PER_ENTITY
    service = open_service(settings)
    try:
        well_known = {_id(number) for number in range(WELL_KNOWN)}
        times: list[float] = []
        apart: list[float] = []
        found: list[int] = []
        for number in range(QUESTIONS + WARM_UP):
            request = NeighboursRequest(id=_id(chance.randrange(entities)), depth=2)
            started = time.perf_counter()
            answer = service.carry_out(NEIGHBOURS, request)
            if number >= WARM_UP:
                times.append((time.perf_counter() - started) * 1e3)
                found.append(len(answer.neighbours))
                if well_known.isdisjoint(each.id for each in answer.neighbours if each.depth == 1):
                    apart.append(times[-1])
    finally:
        service.close()
    size = "1m" if relations == 1_000_000 else f"{relations // 1000}k"
    about = {"relations": relations, "entities": entities, "found": median(found), "load": load_average()}
    yield Figure(f"graph.neighbours_2hop.{size}", median(times), "ms", target=TARGET, settings=about)
    yield Figure(f"graph.neighbours_2hop_p95.{size}", percentile(times, 0.95), "ms", settings=about)
    about = {**about, "questions": len(apart)}
    yield Figure(f"graph.neighbours_2hop_apart.{size}", median(apart), "ms", settings=about)


def _store_of(relations: int) -> Settings:
    folder = KEPT / "stores" / f"relations-{relations}"
    facts = folder / "made.json"
    wanted = {"version": VERSION, "relations": relations}
    settings = Settings(data_dir=folder, model="none")
    if not facts.exists() or json.loads(facts.read_text()) != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        _make(settings, relations)
        facts.write_text(json.dumps(wanted))
    return settings


def _make(settings: Settings, relations: int) -> None:
    chance, clock = random.Random(7), SystemClock()
    entities = relations // RELATIONS_PER_ENTITY
    started, made = time.perf_counter(), 0
    store = open_store(settings, clock)
    while made < relations:
        commands = []
        for number in range(made, min(made + BATCH, relations)):
            source, target = number % entities, _other(chance, number % entities, entities)
            ends = [_thing(each, clock) for each in (source, target)]
            commands.append(
                Relate(
                    relation=Relation(
                        id=new_id(RELATION, clock.now()),
                        namespace=DEFAULT_NAMESPACE,
                        source=ends[0].id,
                        target=ends[1].id,
                        type=chance.choice(TYPES),
                        weight=round(chance.random(), 2),
                        recorded_at=clock.now(),
                    ),
                    new_entities=tuple(ends),
                )
            )
        results = store.write(commands)
        made += sum(isinstance(result, Stored) for result in results)
        print(f"  making relations: {made:,} of {relations:,}, {time.perf_counter() - started:.0f} s", file=sys.stderr)
    store.close()


def _other(chance: random.Random, source: int, entities: int) -> int:
    """Another entity, a well-known one more often than by chance alone."""
    while True:
        among = WELL_KNOWN if chance.random() < WELL_KNOWN_SHARE else entities
        if (other := chance.randrange(among)) != source:
            return other


def _thing(number: int, clock: SystemClock) -> Entity:
    return Entity(
        id=_id(number), namespace=DEFAULT_NAMESPACE, name=f"Thing {number}", kind=ANY_KIND, created_at=clock.now()
    )


def _id(number: int) -> str:
    return entity_id(DEFAULT_NAMESPACE, ANY_KIND, key(f"Thing {number}"))
