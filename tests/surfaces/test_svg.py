"""The writer of SVG: whatever a value holds, the document is well formed and says just that."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ai_memory import svg

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))
"""All characters, control characters and lone surrogates included."""
RIGHT_TO_LEFT = "שלום (a) مرحبا 12"


def parsed(markup: str) -> ElementTree.Element:
    return ElementTree.fromstring(markup.encode("utf-8"))


def in_xml(text: str) -> str:
    """What a reader of XML gets for a text."""
    return "".join(
        character
        if character in "\t\n\r"
        or (character >= " " and not "\ud800" <= character <= "\udfff" and character < "\ufffe")
        else character
        if character >= "\U00010000"
        else "\ufffd"
        for character in text
    )


@given(ANY_TEXT)
def test_any_text_survives_in_content(text: str) -> None:
    read = parsed(svg.text(1, 2, text)).text or ""
    # A reader of XML makes a line feed of a carriage return in content.
    assert read == in_xml(text).replace("\r\n", "\n").replace("\r", "\n")


@given(ANY_TEXT)
def test_any_text_survives_in_an_attribute(text: str) -> None:
    assert parsed(svg.element("g", id=text)).get("id") == in_xml(text)


def test_markup_in_a_value_stays_text() -> None:
    evil = '"/><script>alert(1)</script>]]>&amp;'
    drawn = parsed(svg.element("g", svg.title(evil), svg.text(0, 0, evil), aria_label=evil))
    assert [child.tag for child in drawn] == ["title", "text"]
    assert [child.text for child in drawn] == [evil, evil]
    assert drawn.get("aria-label") == evil


def test_control_characters_are_replaced() -> None:
    assert svg.escape("a\x00b\x1bc\x7fd\ud800e\ufffff") == "a\ufffdb\ufffdc\x7fd\ufffde\ufffdf"
    assert svg.escape("tab\tand\nline") == "tab\tand\nline"


def test_right_to_left_text_is_kept_in_logical_order() -> None:
    drawn = svg.text(0, 0, RIGHT_TO_LEFT, text_anchor="start")
    assert RIGHT_TO_LEFT in drawn
    assert parsed(drawn).text == RIGHT_TO_LEFT
    assert parsed(svg.element("g", aria_label=RIGHT_TO_LEFT)).get("aria-label") == RIGHT_TO_LEFT


def test_names_of_attributes() -> None:
    drawn = svg.element("path", class_="a", stroke_width=1.5, viewBox="0 0 1 1", fill=None, d="M0 0")
    assert drawn == '<path class="a" stroke-width="1.5" viewBox="0 0 1 1" d="M0 0"/>'


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (-7, "-7"),
        (12.0, "12"),
        (0.5, "0.5"),
        (0.45, "0.45"),
        (1.005e5, "100500"),
        (0.004, "0"),
        (-0.001, "0"),
        (-0.25, "-0.25"),
        (100.0, "100"),
        (1e12, "1000000000000"),
    ],
)
def test_numbers_are_short_and_plain(value: float, shown: str) -> None:
    assert svg.number(value) == shown


def test_a_document_is_whole_and_the_same_each_time() -> None:
    def draw() -> str:
        return svg.document(
            (-10, -5, 20.5, 10),
            svg.arrow_head("tip", fill="#555"),
            svg.rect(-10, -5, 20.5, 10, svg.title("all"), rx=2),
            svg.line(0, 0, 3.25, 4, marker_end="url(#tip)"),
            svg.path("M0 0h1"),
            width=20.5,
        )

    root = parsed(draw())
    assert draw() == draw()
    assert root.tag == f"{{{svg.NAMESPACE}}}svg"
    assert (root.get("viewBox"), root.get("width")) == ("-10 -5 20.5 10", "20.5")
    assert [child.tag.partition("}")[2] for child in root] == ["defs", "rect", "line", "path"]
    assert root[2].attrib == {"x1": "0", "y1": "0", "x2": "3.25", "y2": "4", "marker-end": "url(#tip)"}
