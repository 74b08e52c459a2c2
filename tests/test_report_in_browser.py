"""The report as a browser shows it: at a desk, on a phone, in the dark, on paper."""

from dataclasses import replace

import matplotlib.image
import numpy as np
import pytest

from helpers.browsers import chromium, overflowing, visit
from wellgram import PCACenterScale, score
from wellgram.checksums import Checksum
from wellgram.simulate import rxrx3_core
from wellgram.suite import BENCHMARKS


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """A folder of results, with every kind of figure but that of gene sets, which has none."""
    folder = tmp_path_factory.mktemp("scored")
    screen = rxrx3_core(scale=0.01, seed=2, features=24)
    result = score(
        screen.wells(),
        PCACenterScale(),
        sources={f"planted_{'x' * 70}": screen.relationships},
        targets=screen.compound_targets,
        metrics=[name for name in BENCHMARKS if name != "magnitude"],  # whose figures are no others
    )
    record = replace(
        result.record,
        command=f"wellgram score {'x' * 200}",
        inputs={f"/{'x' * 100}": Checksum(10**12, "0" * 64)},
    )
    result = replace(result, record=record)
    result.save(folder)
    return folder


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


def address(report):
    return (report / "report.html").as_uri()


def shot(page, path):
    page.screenshot(path=path, full_page=True)
    return matplotlib.image.imread(path)[..., :3]


def test_every_figure_is_seen(browser, report, tmp_path):
    names = {path.stem for path in report.glob("*.png")}
    assert {"recall", "null", "drug_targets", "consistency", "average_precision",
            "gene_set_similarity",
            "projection", "batch_effects"} <= names  # fmt: skip
    with visit(browser, address(report)) as page:
        assert {figure.get_attribute("id") for figure in page.query_selector_all("figure svg")} == (
            names
        )
        seen = shot(page, tmp_path / "desk.png")
        for name in names:
            box = page.locator(f"svg#{name}").bounding_box()
            x, y, width, height = (round(box[side]) for side in ("x", "y", "width", "height"))
            assert width > 300
            assert height > 120
            inside = seen[y : y + height, x : x + width]
            assert len(np.unique(inside.reshape(-1, 3), axis=0)) > 20, name  # it is not blank
            caption = page.locator(f"figure:has(svg#{name}) figcaption")
            assert len(caption.inner_text()) > 40


def test_letters_of_figures_are_letters(browser, report):
    with visit(browser, address(report)) as page:
        label = page.locator("svg#recall text", has_text="recall: share of known pairs")
        assert label.count() == 1
        fonts = page.evaluate(
            "[...document.querySelectorAll('figure svg text, .lead')].map("
            "e => getComputedStyle(e).fontFamily)"
        )
        assert len(set(fonts)) == 1


def test_nothing_is_wider_than_a_phone(browser, report, tmp_path):
    with visit(browser, address(report), width=360, height=740) as page:
        assert overflowing(page) <= 0
        assert shot(page, tmp_path / "phone.png").shape[1] == 360
        small = page.evaluate(
            "[...document.querySelectorAll('figure svg text')].map("
            "e => e.getBoundingClientRect().height).filter(h => h > 0 && h < 5).length"
        )
        assert small == 0
        for fold in page.query_selector_all("main p, main h2, figcaption"):
            box = fold.bounding_box()
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 360


def test_the_dark_has_light_letters(browser, report, tmp_path):
    shades = {}
    for scheme in ("light", "dark"):
        with visit(browser, address(report), scheme=scheme) as page:
            shades[scheme] = shot(page, tmp_path / f"{scheme}.png").mean()
            ink, ground = page.evaluate(
                "['#recall text', 'body'].map((s, k) => { const style = getComputedStyle("
                "document.querySelector(s)); return k ? style.backgroundColor : style.fill })"
            )
            assert contrast(ink, ground) > 7  # WCAG's AAA
            for color in ("blue", "orange", "grey"):
                value = page.evaluate(
                    f"(() => {{ const e = document.createElement('p'); e.style.color = "
                    f"'var(--{color})'; document.body.append(e); "
                    "return getComputedStyle(e).color })()"
                )
                assert contrast(value, ground) > 3  # WCAG's for graphics
    assert shades["light"] > 0.8
    assert shades["dark"] < 0.3


def test_paper_is_white_even_in_the_dark(browser, report, tmp_path):
    with visit(browser, address(report), scheme="dark") as page:
        page.emulate_media(media="print")
        assert shot(page, tmp_path / "paper.png").mean() > 0.8
        assert page.locator("nav").is_hidden()
        page.set_viewport_size({"width": 680, "height": 980})  # about A4 within its margins
        assert overflowing(page) <= 0
        boxes = [one.bounding_box() for one in page.locator("section table, figure").all()]
        for k, one in enumerate(boxes):
            assert not any(overlap(one, other) for other in boxes[k + 1 :])
        assert page.pdf().startswith(b"%PDF")


def overlap(one, other):
    apart = (
        one[place] + one[size] <= other[place] + 1 or other[place] + other[size] <= one[place] + 1
        for place, size in (("x", "width"), ("y", "height"))
    )
    return not any(apart)


def contrast(one, other):
    """The contrast of two colors of CSS, as WCAG defines it."""

    def luminance(color):
        parts = np.array([int(part) for part in color[4:-1].split(",")]) / 255
        linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
        return linear @ [0.2126, 0.7152, 0.0722] + 0.05

    both = sorted([luminance(one), luminance(other)])
    return both[1] / both[0]
