"""Enter takes what is typed, however fast it is typed: in a browser."""

import numpy as np
import pytest

from helpers.browsers import chromium, visit
from helpers.maps_and_wells import make_map
from helpers.served_pages import page_at
from wellgram import MapLookup, browse

client = pytest.importorskip("starlette.testclient", reason="starlette is not installed")

GENES = ["TP53", "TP53BP1", "TP53I3", "PLK1", "PLK10", "PLK1S1", "MTOR", "MTORC1"]
"""Names that others begin with: a suggestion of an earlier letter is another gene"""
TYPED = ["TP53", "PLK1", "mtor"]


@pytest.fixture(scope="module")
def page():
    """One page for all tests: what was typed before is overwritten."""
    rng = np.random.default_rng(0)
    names = [*GENES, *(f"T{k}" for k in range(60)), *["CORE-0004"] * 2]
    doses = [*[np.nan] * (len(names) - 2), 1.0, 10.0]
    lookup = MapLookup(make_map(rng, len(names), names=names, dose=doses))
    with (
        page_at(browse.application(lookup, "map")) as address,
        chromium() as browser,
        visit(browser, address) as shown,
    ):
        shown.get_by_text("For example").wait_for()
        yield shown


def field_of(page):
    field = page.get_by_label("Gene or compound")
    field.fill("")
    return field


def heading(page, name):
    return page.locator("#found h2", has_text=name).and_(page.get_by_text(name, exact=True))


@pytest.mark.parametrize("delay", [0, 15, 60])
def test_enter_takes_what_is_typed(page, delay):
    for name in TYPED:
        field = field_of(page)
        field.press_sequentially(name, delay=delay)
        field.press("Enter", delay=0)
        heading(page, name.upper()).wait_for(timeout=5000)


def test_enter_takes_what_is_pasted(page):
    for name in TYPED:
        field = field_of(page)
        field.focus()
        page.keyboard.insert_text(name)
        page.keyboard.press("Enter")
        heading(page, name.upper()).wait_for(timeout=5000)


def test_a_mark_does_not_outlive_its_text(page):
    field = field_of(page)
    field.press_sequentially("TP")
    page.locator("#options [role=option]").nth(2).wait_for()
    field.press("ArrowDown")
    field.press("ArrowDown")
    field.press_sequentially("53")
    field.press("Enter")
    heading(page, "TP53").wait_for(timeout=5000)


def test_what_is_typed_next_stays_while_an_answer_comes(page):
    field = field_of(page)
    page.route("**/neighbors/**", lambda route: (page.wait_for_timeout(200), route.continue_()))
    field.press_sequentially("PLK1")
    field.press("Enter")
    field.fill("MT")
    heading(page, "PLK1").wait_for(timeout=5000)
    assert field.input_value() == "MT"
    page.unroute("**/neighbors/**")


def test_several_rows_are_chosen_from(page):
    field = field_of(page)
    field.press_sequentially("CORE-0004")
    field.press("Enter")
    page.get_by_role("heading", name="2 rows of CORE-0004").wait_for()
    page.get_by_role("link", name="CORE-0004, 10").click()
    heading(page, "CORE-0004, 10").wait_for()
    field = field_of(page)
    field.press_sequentially("0004 1")
    field.press("Enter")
    heading(page, "CORE-0004, 1").wait_for()
    assert page.url.endswith("#of=CORE-0004%2C+1&k=25")
    assert page.get_by_text("Also of this name: CORE-0004, 10").is_visible()


def test_misspelt_names_are_asked_about(page):
    field = field_of(page)
    field.press_sequentially("PLKK1")
    field.press("Enter")
    page.get_by_role("heading", name="Nothing is called PLKK1. Did you mean:").wait_for()
    page.locator("#answers").get_by_role("link", name="PLK1", exact=True).click()
    heading(page, "PLK1").wait_for()


def test_the_search_says_when_it_shows_some_of_many(page):
    field = field_of(page)
    field.press_sequentially("T")
    page.get_by_text("12 of 65 matches").wait_for()
    field.press("Enter")  # no perturbation is called T
    page.get_by_role("heading", name="Nothing is called T; 65 perturbations hold it").wait_for()
    assert page.locator("#answers a").count() == 65
