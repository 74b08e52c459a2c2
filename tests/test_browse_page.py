"""What the page shows beside the tables: the map, two perturbations, features, types."""

import io

import numpy as np
import pandas as pd
import pytest

from helpers.browsers import chromium, overflowing, visit
from helpers.maps_and_wells import map_of
from helpers.served_pages import page_at
from wellgram import MapLookup, Wells, browse, build_map, pca_projection

client = pytest.importorskip("starlette.testclient", reason="starlette is not installed")


@pytest.fixture(scope="module")
def wells():
    rng = np.random.default_rng(1)
    labels = [*np.repeat([f"g{k}" for k in range(40)], 4), *["DMSO"] * 20]
    x = rng.normal(size=(len(labels), 6))
    x[:8] += [3, 0, 0, 0, 0, 0]  # g0 and g1 are alike
    return Wells.from_arrays(x, labels, control="DMSO", batch=np.arange(len(labels)) % 2)


@pytest.fixture(scope="module")
def lookup(wells):
    map_ = build_map(wells)
    types = np.where(np.arange(len(map_)) < 30, "CRISPR", "COMPOUND")
    return MapLookup(map_of(map_.embeddings, map_.labels["perturbation"], perturbation_type=types))


@pytest.fixture(scope="module")
def application(lookup, wells):
    pairs = pd.DataFrame({"entity1": ["g1", "g0"], "entity2": ["g0", "nowhere"]})
    return browse.application(lookup, "map", sources={"CORUM": pairs}, wells=wells)


@pytest.fixture(scope="module")
def answers(application):
    return client.TestClient(application, base_url="http://127.0.0.1")


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened


@pytest.fixture(scope="module")
def address(application):
    with page_at(application) as there:
        yield there


def rows_of(lookup, *names):
    return [lookup.row(name) for name in names]


def test_points_are_the_projection_of_the_map(answers, lookup):
    points = np.frombuffer(answers.get("/points").content, "<u2").reshape(-1, 3)
    expected = pca_projection(map_of(lookup.rows.span(0, len(lookup)))).table[["x", "y"]].to_numpy()
    expected = expected - expected.min(axis=0)
    scale = 65_535 / expected.max()
    np.testing.assert_allclose(points[:, :2], scale * expected, atol=0.5001)  # rounded
    assert np.unique(points[:, 2]).tolist() == [1, 2]


def test_partners_may_be_of_one_type(answers, lookup):
    own = lookup.neighbors_of("g0", 7, perturbation_type="COMPOUND")
    row = own.row
    found = answers.get(f"/neighbors/{row}?k=7&type=COMPOUND").json()
    assert found["partners"] == 10
    assert [line["row"] for line in found["neighbors"]] == own.table["row"].tolist()
    assert answers.get(f"/neighbors/{row}?type=x").status_code == 400


def test_known_pairs_are_marked(answers, lookup):
    row, partner = rows_of(lookup, "g0", "g1")
    found = answers.get(f"/neighbors/{row}?k=39").json()["neighbors"]
    assert {line["row"] for line in found if line["known"] == ["CORUM"]} == {partner}
    table = pd.read_csv(io.StringIO(answers.get(f"/neighbors/{row}.csv?k=39").text))
    assert set(table["perturbation"][table["known"] == "CORUM"]) == {"g1"}


def test_two_perturbations_are_compared(answers, lookup):
    row, other = rows_of(lookup, "g0", "g1")
    found = answers.get(f"/compare/{row}/{other}?k=10").json()
    near = [lookup.neighbors_of(name, 10, farthest=0) for name in ("g0", "g1")]
    assert found["cosine"] == pytest.approx(near[0].cosines[other])
    assert found["known"] == ["CORUM"]
    both = set(near[0].table["row"]) & set(near[1].table["row"])
    assert {line["row"] for line in found["shared"]} == both
    assert sum(found["counts"][0]) == sum(found["counts"][1]) == len(lookup) - 1
    assert found["expected"] == 10 * 10 / 39
    sums = [sum(line["ranks"]) for line in found["shared"]]
    assert sums == sorted(sums)
    sent = answers.get(f"/compare/{row}/{other}.csv?k=10")
    assert sent.headers["content-disposition"].endswith('"shared-g0-g1.csv"')
    assert len(pd.read_csv(io.StringIO(sent.text))) == len(both)


def test_features_are_sent_and_downloaded(answers, lookup):
    (row,) = rows_of(lookup, "g0")
    found = answers.get(f"/features/{row}").json()
    assert (found["wells"], found["controls"], found["plates"]) == (4, 20, 2)
    assert found["differences"][0]["feature"] == "feature 0"
    sent = answers.get(f"/features/{row}.csv")
    assert sent.headers["content-disposition"].endswith('"features-g0.csv"')
    assert len(pd.read_csv(io.StringIO(sent.text))) == found["features"] == 6


def test_a_person_compares_two_on_a_phone(browser, address):
    with visit(browser, address, width=360) as page:
        page.get_by_role("link", name="g0").click()  # an example, since its pair is known
        page.get_by_role("heading", name="g0, CRISPR").wait_for()
        page.get_by_label("Compare it with").press_sequentially("g1")
        page.keyboard.press("Enter")
        page.get_by_role("heading", name="g0, CRISPR and g1, CRISPR").wait_for()
        page.get_by_role("img", name="Cosines of g0, CRISPR and of g1, CRISPR").wait_for()
        assert "A known pair of CORUM." in page.locator("#likeness").inner_text()
        page.get_by_text("Features that differ from controls").wait_for()
        assert page.locator("#differences tbody tr").count() == 6
        assert page.url.endswith("#of=g0&with=g1&k=25")
        assert overflowing(page) <= 0
        page.get_by_label("Type").select_option("COMPOUND")
        page.get_by_text("Among 10 others").wait_for()
        assert "type=COMPOUND" in page.url


def test_the_map_is_clicked_and_gone_through_by_keys(browser, address, lookup, answers):
    points = np.frombuffer(answers.get("/points").content, "<u2").reshape(-1, 3)
    with visit(browser, address) as page:
        canvas = page.locator("canvas[data-points='40']")
        canvas.wait_for()
        box = canvas.bounding_box()
        side = min(box["width"], box["height"]) - 28
        row = int(points[:, 0].argmax())  # at the right edge, so that it is alone
        x = box["width"] / 2 + (points[row, 0] / 65_535 - 0.5) * side
        y = box["height"] / 2 + (0.5 - points[row, 1] / 65_535) * side
        canvas.hover(position={"x": x, "y": y})
        page.locator("#pointed", has_text=lookup.name(row)).wait_for()
        canvas.click(position={"x": x, "y": y})
        page.get_by_role("heading", name=lookup.name(row)).wait_for()
        canvas.focus()
        page.keyboard.press("ArrowLeft")
        named = page.locator("#pointed", has_text="g")
        named.filter(has_not_text=lookup.name(row)).wait_for()
        name = page.locator("#pointed").inner_text()
        page.keyboard.press("Enter")
        page.get_by_role("heading", name=name).wait_for()
