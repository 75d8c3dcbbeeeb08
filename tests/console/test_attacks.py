"""What somebody else wrote: nothing in a memory runs, and nothing breaks the page; other sites' pages reach nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ai_memory import Client
from tests.console.conftest import Opener
from tests.support.rest_server import Served, ask, serving

HOSTILE = (
    "<script>window.ran = 1</script>",
    "<img src=x onerror='window.ran = 1'>",
    "<svg onload='window.ran = 1'><foreignObject><iframe src='javascript:parent.ran=1'></iframe></foreignObject></svg>",
    "javascript:window.ran=1",
    "</textarea></select><style>*{display:none}</style>",
    "{{constructor.constructor('window.ran=1')()}} ${window.ran=1}",
    "\u202ereversed by an override\u202c and \u2066isolated\u2069",
    "مرحبا بالعالم، هذا نص طويل من اليمين إلى اليسار شلوم עולם",
    "zero\u200bwidth\u200c\u200d\ufeff joined 👩‍👩‍👧‍👦🏳️‍🌈",
    "Z" + "\u0301" * 300 + "algo",
    "W" * 5_000,
    "line\n" * 400,
)
PLACES = (
    "ask?q=window ran script",
    "memories",
    "memories?as=cards",
    "time",
    "time?show=changes",
    "graph?all=1",
    "inbox",
    "upkeep",
    "transfer",
)


@pytest.mark.parametrize("width", [1440, 360])
def test_nothing_in_a_memory_runs(watched: Opener, empty: Callable[..., Served], width: int) -> None:
    served = empty()
    client = Client(served.url)
    stored = []
    for text in HOSTILE:
        short = text.replace("\n", " ").strip()[:100]
        receipt = client.remember(
            f"Remember: {text}", title=text[:900], author=short, tags=[short], context=short.replace("/", "-"), session=short,
            source=text[:1_900], attributes={short[:60]: text[:500]},
        )  # fmt: skip
        assert receipt.memory_id is not None
        stored.append(receipt.memory_id)
        client.relate(receipt.memory_id, f"entity:person/{short[:60]}")
    client.propose(stored[0], "update", other=stored[1], reason="<b onclick=alert(1)>bold</b>", confidence=0.5)
    opened = watched(width=width, served=served)
    for place in PLACES:
        page = opened.open(place)
        assert page.evaluate("window.ran") is None
        opened.check()
    for memory in stored[:3]:
        for tab in ("text", "history", "relations", "facts"):
            page = opened.open(f"memories?id={memory}&tab={tab}")
            page.wait_for_selector(".side .acts")
            assert page.evaluate("window.ran") is None
            opened.check()


def test_the_address_is_no_way_in(watched: Opener) -> None:
    opened = watched(width=360)
    for place in (
        "ask?q=%3Cscript%3Ewindow.ran%3D1%3C%2Fscript%3E",
        "%3Cimg src=x onerror=window.ran=1%3E",
        "memories?types=%3Csvg%20onload%3Dwindow.ran%3D1%3E",
        "constructor",
        "__proto__?id=x",
    ):
        opened.page.goto(f"{opened.url}/#/{place}")
        opened.page.wait_for_selector("main .view")
        assert opened.page.evaluate("window.ran") is None
    opened.wrong[:] = [each for each in opened.wrong if "400" not in each and "404" not in each]


def test_other_sites_can_neither_read_nor_write(tmp_path: Path) -> None:
    with serving(tmp_path) as served:
        elsewhere = {"Origin": "https://evil.example", "Content-Type": "text/plain"}
        for method, path in (("GET", "/v1/memories"), ("POST", "/v1/memories"), ("POST", "/mcp"), ("GET", "/")):
            got = ask(served, method, path, b'{"text": "x"}' if method == "POST" else None, headers=elsewhere)
            assert got.status == 403
            assert "access-control-allow-origin" not in got.headers
        assert ask(served, "GET", "/", headers={"Host": "evil.example"}).status == 403


def test_a_key_is_asked_for_once_and_opens_its_namespace_alone(watched: Opener, empty: Callable[..., Served]) -> None:
    served = empty(api_keys={"team": ["team-key"], "*": ["all-key"]})
    everything = Client(served.url, api_key="all-key")
    everything.remember("Known to the team.", namespace="team")
    everything.remember("Known to another.", namespace="other")
    opened = watched(served=served)
    page = opened.page
    page.goto(f"{served.url}/#/memories?ns=team")
    page.fill("input[name=key]", "team-key")
    page.keyboard.press("Enter")
    page.wait_for_selector(".mrow")
    assert "Known to the team." in page.inner_text("main")
    page.reload()
    page.wait_for_selector(".mrow")
    page.goto(f"{served.url}/#/memories?ns=other")
    page.wait_for_selector(".note.bad")
    assert "Known to another." not in page.inner_text("body")
    assert page.evaluate("JSON.stringify(localStorage)").find("team-key") < 0
    # Without the key, requests are refused, as they should be; the browser reports each.
    opened.wrong[:] = [each for each in opened.wrong if "401" not in each and "403" not in each]
