import math
from collections import Counter
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ai_memory.index import lexical
from ai_memory.index.lexical import PostingsIndex
from ai_memory.text.analysis import analyse, analyse_query
from ai_memory.text.terms import QueryTerm

K1, B = 1.2, 0.75
WORDS = ["a", "b", "c", "d", "=a", "=b", "~c", "e"]
DOCUMENTS = st.lists(st.lists(st.sampled_from(WORDS), max_size=12), min_size=1, max_size=40)
QUERIES = st.lists(
    st.builds(
        lambda names, weight: QueryTerm(
            surface=names[0],
            alternatives=tuple(names),
            weight=weight,
            factors=tuple(0.8 if n[0] != "=" else 1.0 for n in names),
        ),
        st.lists(st.sampled_from([*WORDS, "absent"]), min_size=1, max_size=3, unique=True),
        st.sampled_from([0.3, 1.0]),
    ),
    max_size=4,
)


def textbook(documents: dict[int, list[str]], query: Sequence[QueryTerm]) -> dict[int, float]:
    """BM25 written down once more, as the docstring of `lexical` has it."""
    lengths = {row: sum(t[0] not in "=~" for t in terms) for row, terms in documents.items()}
    mean = sum(lengths.values()) / len(lengths) if sum(lengths.values()) else 1.0
    scores: dict[int, float] = {}
    for word in query:
        frequencies = {a: {r: min(t.count(a), 255) for r, t in documents.items() if a in t} for a in word.alternatives}
        n = max(map(len, frequencies.values()))
        idf = math.log(1 + (len(documents) - n + 0.5) / (n + 0.5))
        best: dict[int, float] = {}
        for alternative, factor in zip(word.alternatives, word.factors or [1.0] * len(word.alternatives), strict=True):
            for row, f in frequencies[alternative].items():
                norm = f + K1 * (1 - B + B * lengths[row] / mean)
                best[row] = max(best.get(row, 0.0), factor * f * (K1 + 1) / norm)
        for row, score in best.items():
            scores[row] = scores.get(row, 0.0) + word.weight * idf * score
    return scores


def filled(documents: Sequence[Sequence[str]]) -> PostingsIndex:
    index = PostingsIndex()
    for row, terms in enumerate(documents):
        index.add(row, terms)
    return index


def word(*names: str) -> QueryTerm:
    return QueryTerm(surface=names[0], alternatives=names)


def as_dict(index: PostingsIndex, query: Sequence[QueryTerm]) -> dict[int, float]:
    rows, scores = index.scores(query)
    assert rows.dtype == np.int32
    assert scores.dtype == np.float32
    assert (np.diff(rows) > 0).all()
    return dict(zip(rows.tolist(), scores.tolist(), strict=True))


@settings(max_examples=80, deadline=None)
@given(DOCUMENTS, QUERIES, st.data())
def test_scores_are_the_textbooks_also_after_removals(
    documents: list[list[str]], query: list[QueryTerm], data: st.DataObject
) -> None:
    index = filled(documents)
    live = dict(enumerate(documents))
    for _ in range(2):
        assert as_dict(index, query) == pytest.approx(textbook(live, query), rel=1e-5)
        for row in live:
            expected = [t.surface for t in query if set(t.alternatives) & set(live[row])]
            assert index.matches(query, row) == expected
        for term in query:
            assert index.document_frequency(term) == sum(bool(set(term.alternatives) & set(t)) for t in live.values())
        gone = data.draw(st.lists(st.sampled_from(sorted(live)), unique=True, max_size=len(live) - 1))
        if data.draw(st.booleans()):
            index.seal()
        index.remove(gone)
        live = {row: terms for row, terms in live.items() if row not in gone}
        assert {name for terms in live.values() for name in terms} == {name for name in WORDS if name in index}


def test_sealing_and_merging_change_no_score(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    documents = [[f"w{n}" for n in rng.zipf(1.3, 30) if n < 5_000] for _ in range(600)]
    query = [word("w1", "w2"), word("w7"), word("w40"), word("=none", "w3")]
    whole = filled(documents).scores(query)
    monkeypatch.setattr(lexical, "TAIL_CAPACITY", 200)
    for largest, at_least in ((1 << 24, 1), (2_000, 3)):
        monkeypatch.setattr(lexical, "_LARGEST_SEGMENT", largest)
        pieces = filled(documents)
        assert len(pieces.segments()) >= at_least
        assert sum(len(segment.rows) for segment in pieces.segments()) == sum(len(set(d)) for d in documents)
        np.testing.assert_array_equal(pieces.scores(query).rows, whole.rows)
        np.testing.assert_array_equal(pieces.scores(query).scores, whole.scores)


def test_the_order_of_adding_does_not_matter() -> None:
    documents = [["a", "b"], ["a"], ["b", "c", "c"], ["d"] * 300]
    one, other = filled(documents), filled(documents[::-1])
    query = [word("a"), word("b"), word("c", "=c"), word("d")]
    forwards, backwards = as_dict(one, query), as_dict(other, query)
    assert forwards == {3 - row: score for row, score in backwards.items()}


def test_a_view_does_not_see_later_rows() -> None:
    index = filled([["a"], ["b"]])
    view = index.view()
    before = view.scores([word("a")])
    for row in range(2, 3_000):
        index.add(row, ["a"] * 8)
    after = view.scores([word("a")])
    assert after.rows.tolist() == [0]
    assert after.scores.tolist() == before.scores.tolist()
    assert len(index.scores([word("a")]).rows) == 2_999


def test_one_row_may_have_more_terms_than_the_tail_has_room() -> None:
    terms = [f"t{n}" for n in range(lexical.TAIL_CAPACITY * 2)]
    index = filled([["t5"], terms, ["t5"]])
    assert index.scores([word("t5")]).rows.tolist() == [0, 1, 2]
    assert index.scores([word("t20000")]).rows.tolist() == [1]


def test_rows_without_terms_count_as_rows() -> None:
    index = filled([["a"], [], ["=x"]])
    assert index.scores([word("a")]).scores[0] == pytest.approx(textbook({0: ["a"], 1: [], 2: ["=x"]}, [word("a")])[0])
    index.add(7, ["a"])
    assert index.scores([word("a")]).rows.tolist() == [0, 7]


def test_nothing_gives_nothing() -> None:
    index = PostingsIndex()
    assert index.scores([]).rows.tolist() == []
    assert index.scores([word("a")]).scores.tolist() == []
    assert index.document_frequency(word("a")) == 0
    index.add(0, ["a"])
    index.remove([0])
    assert "a" not in index
    assert index.scores([word("a")]).rows.tolist() == []
    assert index.matches([word("a")], 0) == []


def test_a_row_is_added_once() -> None:
    index = filled([["a"]])
    with pytest.raises(ValueError, match="row 0 is not new"):
        index.add(0, ["b"])


def test_erased_terms_leave_no_trace() -> None:
    index = filled([["secret", "=secret", "common"], ["common"]])
    index.seal()
    index.add(2, ["secret2", "common"])
    index.remove([0, 2])
    assert [name for name in index.vocabulary() if name is not None] == ["common"]
    assert Counter(segment.rows.tolist() == [1] for segment in index.segments()) == {True: 1}


def test_the_score_by_term_adds_up_to_the_score() -> None:
    index = PostingsIndex()
    index.add_many(
        0, [analyse(text) for text in ("a red boat", "the red harbour at night", "boats, boats and a boat", "")]
    )
    terms = analyse_query("red boats of the harbour, unheard").terms
    rows = np.array([0, 1, 2, 3], np.int32)
    found = index.view().by_term(terms, rows)
    whole = index.scores(terms)
    assert found.scores.shape == (len(terms), 4)
    assert found.scores.sum(axis=0)[whole.rows] == pytest.approx(whole.scores)
    assert found.scores[:, 3].tolist() == [0.0] * len(terms)
    by_surface = dict(zip([term.surface for term in terms], found.masses.tolist(), strict=True))
    assert by_surface["unheard"] > by_surface["harbour"] > by_surface["red"] > by_surface["the"] > 0.0
    assert index.view().by_term((), rows).scores.shape == (0, 4)


def test_the_mean_length_counts_primary_terms() -> None:
    index = PostingsIndex()
    assert index.view().mean_length == 1.0
    index.add_many(0, [analyse("Three red boats"), analyse("boat")])
    assert index.view().mean_length == 2.0
