"""Mentions that are recognised by their shape: addresses, paths, identifiers, versions, error codes, links, tags and handles.

Most of a text is plain words. Those are skipped, and one expression, whose alternatives are in order of precedence, is tried only
on the pieces between blanks that have a mark, a digit or a capital inside.
"""

from __future__ import annotations

import errno
import re
from bisect import bisect_left
from collections.abc import Iterator
from http import HTTPStatus

from ai_memory.extraction.gazetteer import is_product
from ai_memory.extraction.values import Kind, Mention

_ERRNO = "|".join(sorted(set(errno.errorcode.values()), key=lambda name: (-len(name), name)))
_STATUSES = "|".join(str(status.value) for status in HTTPStatus if status >= 400)
_EXTENSIONS = (
    "py|pyi|ipynb|js|jsx|ts|tsx|mjs|cjs|css|scss|html?|vue|svelte|go|rs|java|kt|scala|rb|php|c|h|cc|cpp|hpp|cs|swift|m|lua|pl|sh|bash|zsh"
    "|ps1|bat|sql|md|rst|txt|pdf|docx?|xlsx?|pptx?|csv|tsv|json|jsonl|ya?ml|toml|ini|cfg|conf|env|lock|xml|log|proto|tf|gradle|cmake"
    "|svg|png|jpe?g|gif|webp|mp[34]|wav|zip|gz|tgz|tar|whl|jar|so|dll|exe|db|sqlite|parquet|onnx|safetensors|pem|key|crt|diff|patch"
)
_DOMAINS = "com|org|net|io|dev|ru|su|рф|de|fr|es|it|uk|eu|us|ai|app|gov|edu|info|example"
_CODE_SUFFIX = (
    "Factory|Service|Client|Server|Handler|Manager|Controller|Builder|Provider|Repository|Adapter|Listener|Interface|Impl|Config"
    "|Context|Request|Response|Parser|Writer|Reader|Loader|Store|Test|Mixin|Model|View|Serializer|Validator|Processor|Worker|Queue|Cache"
)
_UNITS = (
    "percent|per|seconds?|minutes?|hours?|days?|weeks?|months?|years?|ms|s|kg|g|km|m|cm|mm|gb|mb|kb|tb|gib|mib|degrees?|euros?|dollars?|million"
    "|billion|times|points?|litres?|miles?|секунд|минут|часов|часа|дней|дня|процент|рубл|тысяч|миллион|млн|млрд|тыс|кг|км|м|гб|мб|градус|раз"
)
"""After a number with one point these show that it is a measurement."""
_NO_MEASURE = rf"(?![\w%]|\.\d|[ ](?:{_UNITS}))"
_NUMBERED = (
    "Section|Chapter|Figure|Fig|Table|Step|Room|Page|Part|Level|Task|Question|Article|Rule|Point|Item|Appendix|About|Only|The|At|In|On|Of|From|To"
    "|Раздел|Глава|Рисунок|Таблица|Шаг|Пункт|Страница|Часть|Около|Всего|По|На|За|До|От|С|В|И|К"
)
"""Words before such a number that are not a program."""
_NAME_CHARS = r"[\w.@+~%-]"

_MARKED = re.compile(r"(?P<wiki>\[\[[^\[\]\n]{1,200}\]\])|`(?P<code>[^`\n]{1,120})`")
_SPACED = re.compile(
    rf"""
    (?:[Rr]eturn(?:ed|s)|[Ee]rrors?|[Ss]tatus|[Cc]ode|[Вв]ернул[аио]?|[Сс]татус|[Оо]шибк(?:[аиуе]|ой)|[Кк]од)
        [ ](?P<status>{_STATUSES})\b
  | (?P<before>{_STATUSES})(?=[ ](?:errors?|responses?|status|ошиб))
  | (?P<error>\bHTTP[ ](?:{_STATUSES})\b|\bSQLSTATE[ ][0-9A-Z]{{5}}\b|\b[Ee]rror[ ]\d{{3,5}}\b
      |\b[Ee]xit[ ](?:code|status)[ ]\d{{1,3}}\b|\b[Кк]од[ ]выхода[ ]\d{{1,3}}\b)
  | \b(?:[Vv]ersion|[Rr]elease|[Вв]ерси[яию]|[Рр]елиз)[ ](?P<version>v?\d+(?:\.\d+)*)\b
  | \b(?:older|newer|later|earlier|lower|higher)[ ]than[ ](?P<than>\d+\.\d+){_NO_MEASURE}
  | \b(?:[Uu]p(?:grad|dat)\w+|[Оо]бнов\w+|[Pp]inned)[ ](?:[\w.-]+[ ]){{0,2}}?(?:to|from|до|с)[ ](?P<to>\d+\.\d+){_NO_MEASURE}
  | from[ ](?P<old>\d+\.\d+)[ ]to[ ](?P<new>\d+\.\d+){_NO_MEASURE}
  | \b(?!(?:{_NUMBERED})\b)(?:[^\W\d_a-zа-яё]\w*|[a-z]+[A-Z]\w*)[ ](?P<named>(?:20\d\d|\d{{1,3}})\.\d{{1,3}}){_NO_MEASURE}
    """,
    re.VERBOSE,
)
"""Codes and versions that only a neighbouring word makes recognisable; each has a number."""
_SPACED_KINDS = {"status": Kind.ERROR, "before": Kind.ERROR} | dict.fromkeys(
    ("than", "to", "new", "old", "named"), Kind.VERSION
)
_NUMBER = re.compile(r"(?<![\w.])v?\d[\w.]*")
_REACH = 4
"""How many words before a number may explain it: *upgrade Django from 4.2*."""

_PLAIN = r"""["'(\[«„“—–]*[A-ZА-ЯЁ]?[a-zа-яё]*(?:['’-][a-zа-яё]+)*["'.,;:!?)\]»”…]*"""
_ODD = re.compile(rf"(?<!\S)(?!(?:{_PLAIN}|\d+[.,;:!?)]*)(?!\S))\S+|(?<!\S)\w+file\b")
"""A piece between blanks that may have a shape; plain words, most of a text, are skipped here."""

_SHAPE = re.compile(
    rf"""
    (?P<url>(?<![\w])(?:https?|ftp|wss?|ssh|git)://[^\s<>"'«»“”`]+|(?<![\w.@/])www\.[^\s<>"'«»“”`]+)
  | (?P<email>(?<![\w.+%-])[\w.+%-]{{1,64}}@(?:[\w-]{{1,63}}\.){{1,8}}[^\W\d_]{{2,24}}(?![\w]))
  | (?P<path>(?<![\w])[A-Za-z]:\\[^\s"<>|*?`]+
        |(?<![\w])[a-z][a-z0-9+]{{1,12}}://[^\s<>"'«»“”`]+
        |(?<![\w./~-])(?:~|\.{{1,2}})?/{_NAME_CHARS}+(?:/{_NAME_CHARS}+)*/?
        |(?<![\w./@~-])[\w.@+-]+(?:/[\w.@+-]+)*/(?=[\s.,;:!?)»"']|$)
        |(?<![\w./@~-])[\w.@+-]+(?:/[\w.@+-]+)*/[\w@+-]*(?:\.[\w@+-]+)*\.(?:{_EXTENSIONS})\b
        |(?<![\w./@~-])\.?[\w-]+(?:\.[\w-]+)*\.(?:{_EXTENSIONS})\b(?!\.?[\w(])
        |(?<![\w./])(?:Makefile|Dockerfile|Jenkinsfile|Vagrantfile|Procfile|Gemfile)\b)
  | (?P<tag>(?<![\w&\#/])\#(?![0-9a-fA-F]{{6}}\b)[^\W\d_][\w/-]*)
  | (?P<handle>(?<![\w@.])@[^\W\d_][\w-]*(?:\.[\w-]+)*)
  | (?P<error>(?<![\w.])(?:[A-Za-z_]\w*\.){{0,6}}[A-Z][A-Za-z0-9]*[a-z0-9](?:Error|Exception)\b
        |\bERR_[A-Z0-9_]+|\b(?:{_ERRNO})\b|\bSIG(?:HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|SEGV|PIPE|ALRM|TERM|CHLD|STOP|XCPU|SYS)\b
        |\bORA-\d{{4,5}}\b|\b(?:TS|CS|BC|MSB|LNK|SQL)\d{{4,5}}\b|\bE\d{{3,5}}\b|\bHTTP(?:{_STATUSES})\b|\b0x[0-9A-Fa-f]{{8}}\b)
  | (?P<version>(?<![\w.-])v\d+(?:\.\d+)*(?:-(?:rc|alpha|beta|dev|pre)\w*(?:\.\w+)*)?(?!\.?\w)
        |(?<![\w.,/-])\d+\.\d+\.(?!(?:19|20)\d\d(?!\d))(?:\d+|x)(?:-?(?:rc|alpha|beta|dev|pre|post)\w*(?:\.\w+)*|\+[\w.]+)?(?![\w/]|\.\d))
  | (?P<symbol>(?<![\w-])--[a-z][\w-]*[a-z0-9]
        |(?<![\w.])(?:[A-Za-z_]\w*(?:\.|::|->)){{0,8}}[A-Za-z_]\w*\((?:\.\.\.|\w*[_.]\w*)?\)
        |(?<![\w.])[A-Z]\w*<[A-Za-z]\w*(?:,[ ]?[A-Za-z]\w*)*>
        |(?<![\w./])[A-Za-z_]\w*(?:::[A-Za-z_]\w*)+
        |(?<![\w./])[A-Za-z][A-Za-z0-9]*_\w+(?:\.[A-Za-z_]\w*)*|(?<![\w./])[A-Za-z]\w*\.[a-z]+_\w+
        |(?<![\w./])[A-Z][a-z]+(?:[A-Z][a-z]+)*\.[a-z]\w*(?![\w.]*\.\w)
        |(?<![\w./-])[a-z]{{2,}}[0-9]*[A-Z]\w*
        |(?<![\w./-])(?:[A-Z][a-z0-9]+)+(?:{_CODE_SUFFIX})(?![\w])
        |(?<![\w./-])[A-Z][a-z0-9]+(?:[A-Z][a-z0-9]+){{2,}}(?![\w])
        |(?<![\w./-])[a-z]+/(?:\d+\.[\dx]+|[a-z]+-\d+)(?![\w./])
    )
  | (?P<domain>(?<![\w./@-])(?:[\w-]{{1,63}}\.){{1,5}}(?:{_DOMAINS})\b(?:/[^\s<>"'«»“”`]*)?(?![\w@]))
    """,
    re.VERBOSE,
)
_TRAILING = ".,;:!?…"
_BRACKETS = {")": "(", "]": "[", "}": "{"}
_CODE_LIKE = re.compile(r"[A-Za-z_]")


def find(text: str) -> list[Mention]:
    """Mentions of all kinds that have a recognisable shape, in order and not overlapping; empty for a text without any."""
    found = sorted(_spaced(text))
    taken = [mention.start for mention in found]
    spaced = found[:]
    for piece in _ODD.finditer(text):
        for match in _SHAPE.finditer(text, piece.start(), piece.end()):
            place = bisect_left(taken, match.end())  # the last one that begins before the match ends
            if place == 0 or spaced[place - 1].end <= match.start():
                found.extend(_shaped(match))
    found.sort()
    return found


def _spaced(text: str) -> Iterator[Mention]:
    """Links and code between marks, and the numbers that a neighbouring word makes a code or version."""
    if "[[" in text or "`" in text:
        for match in _MARKED.finditer(text):
            if match.lastgroup == "code":
                yield from _code(text, *match.span("code"))
            else:
                yield _mention(match, "wiki", Kind.WIKI)
    end = 0
    for number in _NUMBER.finditer(text):
        explained = _explained(text, number.start()) if number.start() >= end else None
        if explained:
            end = explained.end()
            group = explained.lastgroup or ""
            for name in ("old", group) if group == "new" else (group,):
                yield _mention(explained, name, _SPACED_KINDS.get(name) or Kind(name))


def _explained(text: str, number: int) -> re.Match[str] | None:
    """The match that explains the number at `number`, by a word up to four words before it or right after it; None for none."""
    begin = number
    for _ in range(_REACH + 1):
        match = _SPACED.match(text, begin)
        if match and match.end() > number:
            return match
        if begin == 0:
            return None
        begin = text.rfind(" ", 0, begin - 1) + 1
    return None


def _mention(match: re.Match[str], group: str, kind: Kind) -> Mention:
    return Mention(*match.span(group), kind, match[group], _canonical(kind, match[group]))


def _shaped(match: re.Match[str]) -> Iterator[Mention]:
    kind = _kind(match)
    start, end = match.span()
    name = match.group()
    if kind in (Kind.URL, Kind.PATH):
        name = _without_trailing(name)
        end = start + len(name)
    if kind is Kind.PATH and name.strip("/~.") == "":
        return
    if kind in (Kind.PATH, Kind.URL, Kind.SYMBOL) and is_product(name):
        kind = Kind.PRODUCT
    yield Mention(start, end, kind, name, _canonical(kind, name))


def _kind(match: re.Match[str]) -> Kind:
    return Kind.URL if match.lastgroup == "domain" else Kind(match.lastgroup or "")


def _code(text: str, start: int, end: int) -> Iterator[Mention]:
    """The text between backticks as a mention: of another shape if it has one as a whole, a symbol otherwise."""
    inner = text[start:end].strip()
    if not _CODE_LIKE.search(inner):
        return
    start = text.index(inner, start)
    whole = _SHAPE.fullmatch(inner)
    kind = _kind(whole) if whole else Kind.SYMBOL
    yield Mention(start, start + len(inner), kind, inner, _canonical(kind, inner))


def _without_trailing(name: str) -> str:
    """The address without the punctuation of the sentence around it; a bracket stays if it was opened inside."""
    while name:
        last = name[-1]
        if last in _TRAILING or (last in _BRACKETS and name.count(_BRACKETS[last]) < name.count(last)):
            name = name[:-1]
        else:
            break
    return name


def _canonical(kind: Kind, name: str) -> str:
    if kind is Kind.WIKI:
        return " ".join(name[2:-2].partition("|")[0].split())
    if kind in (Kind.TAG, Kind.HANDLE):
        return name[1:].casefold()
    if kind is Kind.EMAIL:
        return name.casefold()
    if kind is Kind.VERSION:
        return name.removeprefix("v")
    if kind is Kind.SYMBOL:
        return name.partition("(")[0] or name
    return name
