"""The report: one file, no other needed, and right."""

import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from wellgram import CenterScale, Wells, score
from wellgram.suite import ScoreResult
from wellgram.suite.words import interval_words

NASTY = "<b>x</b>&\"'"


class Page(HTMLParser):
    """What a page holds: the cells of its tables by row, its references, its open tags."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.references, self.open, self.tags, self.title = [], [], [], set(), ""
        self.ids = []
        self.feed(text)

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in ("meta", "br"):
            self.handle_endtag(tag)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.references += [value for name, value in attributes if name.endswith(("src", "href"))]
        self.ids += [value for name, value in attributes if name == "id"]
        if tag not in ("meta", "br"):
            self.open.append(tag)
        if tag == "tr":
            self.rows.append([])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] in ("td", "th"):
            self.rows[-1].append(data)
        if self.open and self.open[-1] == "h1":
            self.title += data


def wells():
    x = np.random.default_rng(0).normal(size=(44, 6))
    names = ["DMSO"] * 8 + [NASTY, *"bcdefghijkl"] * 3
    return Wells.from_arrays(x, names, control="DMSO", controls_in_map=True)


def known(*pairs):
    return pd.DataFrame(pairs, columns=["entity1", "entity2"])


@pytest.fixture
def result():
    sources = {"nothing": known(("p", "q")), NASTY: known((NASTY, "b"), ("c", "d"), ("e", "f"))}
    return score(wells(), CenterScale(), sources=sources)


@pytest.fixture
def text(result, tmp_path):
    record = replace(result.record, command=f"wellgram score {NASTY}")
    result = replace(result, record=record)
    result.save(tmp_path)
    return (tmp_path / "report.html").read_text(encoding="utf-8")


def test_it_needs_no_other_file(text):
    page = Page(text)
    assert page.open == []
    assert "svg" in page.tags
    assert page.references
    inside = {f"#{name}" for name in page.ids}
    assert all(
        reference in inside or re.match(r"data:image/png;base64,", reference)
        for reference in page.references
    )
    assert {f"#{name}" for name in re.findall(r"url\(#([^)]*)\)", text)} <= inside
    assert len(inside) == len(page.ids)
    assert not re.search(r"https?://|//cdn|@import|url\((?!#)", text)
    assert not page.tags & {"script", "link", "iframe", "object"}


def test_it_has_the_numbers_of_the_table(text, tmp_path):
    table = pd.read_csv(tmp_path / "recall.csv")
    rows = Page(text).rows
    for row in table.to_dict("records"):
        cells = next(
            r
            for r in rows
            if r[0] == row["source"] and r[2] == f"{row['tail_low']:g} / {row['tail_high']:g}"
        )
        assert cells[1] == str(row["n_known_pairs"])
        assert cells[3] == str(row["n_recalled"])
        assert cells[4] == f"{row['recall']:.4f}"
        assert cells[5] == interval_words(row)
        assert cells[6] == f"{row['chance']:.2f}"


def test_labels_are_shown_and_not_obeyed(text):
    assert "b" not in Page(text).tags
    assert "<b>" not in text
    assert any(NASTY in cell for row in Page(text).rows for cell in row)


def test_its_headline_is_of_a_source_that_has_known_pairs(text, result):
    first = result.recall.table[result.recall.table["n_known_pairs"] > 0].iloc[0]
    title = Page(text).title
    assert f"{len(result.map_)} perturbations" in title
    assert f"{first['recall']:.1%}" in title
    assert "nan" not in title
    assert f"({NASTY}, tails 0.05 / 0.95; chance 10%)" in title


def test_its_headline_is_the_mean_of_several_sources(tmp_path):
    sources = {"one": known(("b", "c"), ("d", "e")), "two": known(("f", "g"), ("h", "i"))}
    result = score(wells(), CenterScale(), sources=sources, metrics=["recall"])
    result.save(tmp_path)
    recall = result.recall.table.query("tail_low == 0.05")["recall"].mean()
    title = Page((tmp_path / "report.html").read_text(encoding="utf-8")).title
    assert title.endswith(
        f"recalls {recall:.1%} of known pairs (mean of 2 sources, tails 0.05 / 0.95; chance 10%)"
    )


def test_it_names_what_was_left_out_and_how_it_was_made(text):
    facts = {row[0]: row[1] for row in Page(text).rows if len(row) == 2}
    assert facts["left out, since they aggregate to zero"] == "DMSO"
    assert facts["alignment"] == "center-scale"
    assert facts["command"] == f"wellgram score {NASTY}"
    assert facts["wells"] == "44"
    assert facts["seed"] == "0"
    assert "<strong>Drug targets</strong>: no table of compounds and their targets given." in text


def test_it_reads_on_a_phone_and_in_the_dark(text):
    assert 'name="viewport" content="width=device-width' in text
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text
    assert re.search(r'style="[^"]*stroke: var\(--', text)  # figures follow the scheme


def test_it_says_where_there_was_nothing_to_recall(tmp_path):
    result: ScoreResult = score(wells(), metrics=["recall"])
    result.save(tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "no known pairs" in text
    assert "recalls" not in Page(text).title
    assert 'id="recall"' not in text
