"""Makes the development sets of recall: judged questions of kinds that published data lack, in the format of `evaluate --jsonl`.

    python -m tests.recall.development.make FOLDER [NAME …]

All texts come from the phrases in this folder, which were written for it; what goes together is chosen by a seeded generator, so
that every run gives the same files. A question of the category `near_miss` names somebody or something that the memories know and
asks for what none of them says: it has no answer. Weights and confidence are fitted to these sets and others, and checked on
kinds that were left out.
"""

from __future__ import annotations

import json
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from ai_memory.evaluate.datasets import Document, Group, Query

HERE = Path(__file__).parent
LANGUAGES = ("en", "de", "ru", "zh")
NEAR_MISS = "near_miss"
_FORMS = {
    "en": [
        (name, name, name)
        for name in ("Anna", "Boris", "Clara", "David", "Emil", "Frida", "Gleb", "Hanna", "Igor", "Julia")
    ],
    "de": [
        (name, f"{name}s" if name[-1] not in "sz" else f"{name}'", name)
        for name in ("Anna", "Boris", "Clara", "David", "Emil", "Frida", "Gleb", "Hanna", "Igor", "Julia")
    ],
    "ru": [
        ("Анна", "Анны", "Анне"),
        ("Борис", "Бориса", "Борису"),
        ("Клара", "Клары", "Кларе"),
        ("Давид", "Давида", "Давиду"),
        ("Эмиль", "Эмиля", "Эмилю"),
        ("Фрида", "Фриды", "Фриде"),
        ("Глеб", "Глеба", "Глебу"),
        ("Ханна", "Ханны", "Ханне"),
        ("Игорь", "Игоря", "Игорю"),
        ("Юлия", "Юлии", "Юлии"),
    ],
    "zh": [
        (name, name, name)
        for name in ("安娜", "鲍里斯", "克拉拉", "大卫", "埃米尔", "弗丽达", "格列布", "汉娜", "伊戈尔", "尤利娅")
    ],
}
"""The same ten people in each language: nominative, genitive, dative."""


def _read(name: str) -> Any:
    return json.loads((HERE / name).read_text(encoding="utf-8"))


class _Fact(NamedTuple):
    """What is true of a person: numbers of the person, of the attribute and of its value."""

    person: int
    attribute: int
    value: int


def _fill(template: str, language: str, person: int, value: str = "") -> str:
    who, genitive, dative = _FORMS[language][person]
    return str(template).format(who=who, gen=genitive, dat=dative, v=value)


def _value(attribute: dict[str, Any], number: int, language: str) -> str:
    forms = attribute["values"][number].split("|")
    return str(forms[LANGUAGES.index(language)] if len(forms) > 1 else forms[0])


def _facts(chance: random.Random, attributes: Sequence[dict[str, Any]], people: Sequence[int]) -> list[_Fact]:
    """Six facts about each of some people; two attributes are nobody's."""
    known = chance.sample(range(len(attributes)), len(attributes) - 2)
    return [
        _Fact(person, attribute, chance.randrange(len(attributes[attribute]["values"])))
        for person in people
        for attribute in chance.sample(known, 6)
    ]


class _Making:
    """A group in the making: documents and questions get numbers in turn."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.docs: dict[str, Document] = {}
        self.queries: dict[str, Query] = {}
        self.qrels: dict[str, dict[str, float]] = {}

    def tell(self, text: str, **about: str) -> str:
        key = f"d{len(self.docs)}"
        self.docs[key] = Document(text=text, **about)
        return key

    def ask(self, text: str, answers: Sequence[str], category: str, asked_at: str | None = None) -> None:
        key = f"q{len(self.queries)}"
        self.queries[key] = Query(text, category, asked_at)
        self.qrels[key] = dict.fromkeys(answers, 1.0)

    def group(self) -> Group:
        return Group(self.name, self.docs, self.queries, self.qrels)


def _ask_about(
    chance: random.Random,
    made: _Making,
    attributes: Sequence[dict[str, Any]],
    where: dict[tuple[int, int], str],
    people: Sequence[int],
    languages: Sequence[str],
) -> None:
    """Questions for every fact, and two for each person after what nobody said of them."""
    for (person, attribute), key in where.items():
        language = chance.choice(languages)
        template = chance.choice(attributes[attribute][language]["asks"])
        made.ask(_fill(template, language, person), [key], "answerable")
    for person in people:
        unknown = [number for number in range(len(attributes)) if (person, number) not in where]
        for attribute in chance.sample(unknown, 4):
            language = chance.choice(languages)
            template = chance.choice(attributes[attribute][language]["asks"])
            made.ask(_fill(template, language, person), [], NEAR_MISS)


def notes(language: str, groups: int = 4) -> Iterator[Group]:
    """Standalone notes without author and session, sixty or so to a store."""
    attributes, objects = _read("attributes.json"), _read("objects.json")[language]
    for number in range(groups):
        chance = random.Random(f"notes {language} {number}")
        made, where = _Making(f"notes-{language}-{number}"), {}
        people = chance.sample(range(10), 6 + number)
        for fact in _facts(chance, attributes, people):
            attribute = attributes[fact.attribute]
            text = _fill(
                chance.choice(attribute[language]["states"]),
                language,
                fact.person,
                _value(attribute, fact.value, language),
            )
            where[fact.person, fact.attribute] = made.tell(text)
        for text, asked in objects:
            made.tell(text)
            made.ask(asked, [], NEAR_MISS)
        _ask_about(chance, made, attributes, where, people, [language])
        yield made.group()


def chat(language: str, groups: int = 6) -> Iterator[Group]:
    """Two people write to each other over some sessions: facts in the first person, and small talk that ends in questions."""
    attributes, objects = _read("attributes.json"), _read("objects.json")[language]
    small = _read("small_talk.json")[language]
    for number in range(groups):
        chance = random.Random(f"chat {language} {number}")
        made, where = _Making(f"chat-{language}-{number}"), {}
        people = chance.sample(range(10), 2)
        turns: list[tuple[int, str, tuple[int, int] | None]] = []
        known = chance.sample(range(len(attributes)), len(attributes) - 4)
        for person in people:
            for attribute in chance.sample(known, 8):
                value = _value(attributes[attribute], chance.randrange(len(attributes[attribute]["values"])), language)
                said = _fill(chance.choice(attributes[attribute][language]["says"]), language, person, value)
                turns.append((person, said, (person, attribute)))
        turns += [(chance.choice(people), text, None) for text, _ in objects]
        turns += [(chance.choice(people), chance.choice(small), None) for _ in range(60)]
        chance.shuffle(turns)
        for at, (person, text, fact) in enumerate(turns):
            session = at // 20
            key = made.tell(
                text,
                session=f"s{session}",
                author=_FORMS[language][person][0],
                timestamp=f"2025-0{1 + session}-11T10:{at % 20 * 2:02}:00",
            )
            if fact is not None:
                where[fact] = key
        _ask_about(chance, made, attributes, where, people, [language])
        yield made.group()


def mixed(groups: int = 4) -> Iterator[Group]:
    """One store with notes in four languages; a question may be in another language than its answer."""
    attributes = _read("attributes.json")
    for number in range(groups):
        chance = random.Random(f"mixed {number}")
        made, where = _Making(f"mixed-{number}"), {}
        people = chance.sample(range(10), 8)
        for fact in _facts(chance, attributes, people):
            language, attribute = chance.choice(LANGUAGES), attributes[fact.attribute]
            text = _fill(
                chance.choice(attribute[language]["states"]),
                language,
                fact.person,
                _value(attribute, fact.value, language),
            )
            where[fact.person, fact.attribute] = made.tell(text)
        _ask_about(chance, made, attributes, where, people, LANGUAGES)
        yield made.group()


def long_documents(documents: int = 90) -> Iterator[Group]:
    """Reports of a page or two with a person in the header and one section for each of six subjects; a question names both."""
    texts, chance = _read("topics.json"), random.Random("long documents")
    made, topics = _Making("long"), list(texts["topics"])
    written: dict[tuple[str, str], list[str]] = {}
    for number in range(documents):
        who, place = chance.choice(texts["people"]), chance.choice(texts["places"])
        head = f"{chance.choice(texts['header'])} no. {number + 1}\n{who}, {place}, {chance.randint(2, 28)} May 2025"
        sections, chosen = [], chance.sample(topics, 6)
        for topic in chosen:
            lines = [
                line.format(a=chance.randint(20, 90), b=chance.randint(3, 19), c=chance.randint(2, 30))
                for line in texts["topics"][topic]
            ]
            around = chance.sample(texts["filler"], 6)
            sections.append(" ".join([*around[:3], *lines, *around[3:]]))
        key = made.tell("\n\n".join([head, *sections]))
        for topic in chosen:
            written.setdefault((who, topic), []).append(key)
    for who, topic in sorted(chance.sample(sorted(written), 180)):
        made.ask(chance.choice(texts["asks"]).format(who=who, topic=topic), written[who, topic], "long")
    yield made.group()


def dated(language: str) -> Iterator[Group]:
    """The same kinds of events at several times; the question names the time, in words."""
    texts = _read("events.json")[language]
    chance, made = random.Random(f"dated {language}"), _Making(f"dated-{language}")
    asked: list[tuple[str, str, str]] = []
    for who in texts["people"]:
        events = chance.sample(texts["events"], len(texts["times"]))
        for (when, days), event in zip(texts["times"].items(), events, strict=True):
            space = "" if language == "zh" else " "
            end = "。" if language == "zh" else "."
            key = made.tell(f"{who}{space}{event}{end}", timestamp=chance.choice(days))
            asked.append((chance.choice(texts["asks"]).format(who=who, when=when), key, when))
    for question, key, _ in asked:
        made.ask(question, [key], "dated", "2026-03-18")
    yield made.group()


SETS: dict[str, Callable[[], Iterator[Group]]] = {
    **{f"notes_{language}": partial(notes, language) for language in LANGUAGES},
    **{f"chat_{language}": partial(chat, language) for language in LANGUAGES},
    **{f"dated_{language}": partial(dated, language) for language in LANGUAGES},
    "mixed": mixed,
    "long_documents": long_documents,
}


def main() -> None:
    """Write the sets that are named on the command line, or all, to a folder."""
    folder, *names = sys.argv[1:]
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names or SETS:
        lines = [json.dumps(_plain(group), ensure_ascii=False) for group in SETS[name]()]
        (Path(folder) / f"{name}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _plain(group: Group) -> dict[str, Any]:
    docs = {
        key: {name: value for name in ("text", "timestamp", "session", "author") if (value := getattr(doc, name))}
        for key, doc in group.docs.items()
    }
    queries = {
        key: {name: value for name in ("text", "category", "asked_at") if (value := getattr(query, name))}
        for key, query in group.queries.items()
    }
    return {"group": group.group, "docs": docs, "queries": queries, "qrels": group.qrels}


if __name__ == "__main__":
    main()
