"""Known pairs from files."""

import gzip
from importlib.util import find_spec

import pytest

from wellgram import InputError, read_relationships, relationship_sources

PAIRS = "entity1,entity2\nb,a\na,b\na,a\n,c\nb,c\n"


def pairs(frame):
    return frame.to_numpy().tolist()


def test_pairs_are_unordered_and_once_each(tmp_path):
    (tmp_path / "known.csv").write_text(PAIRS)
    assert pairs(read_relationships(tmp_path / "known.csv")) == [["a", "b"], ["b", "c"]]


@pytest.mark.parametrize("name", ["known.csv", "known.txt", "known.tsv", "known.csv.gz"])
def test_a_source_is_called_as_its_file(tmp_path, name):
    text = PAIRS.replace(",", "\t") if "tsv" in name else PAIRS
    data = text.encode()
    (tmp_path / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)
    for where in (tmp_path / name, tmp_path):
        sources = relationship_sources(where)
        assert list(sources) == ["known"]
        assert pairs(sources["known"]) == [["a", "b"], ["b", "c"]]


def test_a_folder_gives_a_source_per_table_and_skips_the_rest(tmp_path):
    (tmp_path / "CORUM.txt").write_text("score,entity2,entity1\n0.5,b,a\n")
    (tmp_path / "HuMAP.csv").write_text(PAIRS)
    (tmp_path / "LICENCE.md").write_text("terms")
    sources = relationship_sources(tmp_path)
    assert list(sources) == ["CORUM", "HuMAP"]
    assert pairs(sources["CORUM"]) == [["a", "b"]]


def test_several_places_add_up(tmp_path):
    for name in ("one.csv", "two.csv"):
        (tmp_path / name).write_text(PAIRS)
    assert list(relationship_sources(tmp_path / "two.csv", tmp_path / "one.csv")) == ["two", "one"]


def test_two_sources_of_one_name_are_not_one(tmp_path):
    (tmp_path / "more").mkdir()
    for path in (tmp_path / "known.csv", tmp_path / "more" / "known.txt"):
        path.write_text(PAIRS)
    with pytest.raises(InputError, match=r"named 'known'.*rename.*more"):
        relationship_sources(tmp_path, tmp_path / "more")


def test_entities_that_look_like_numbers_are_text(tmp_path):
    (tmp_path / "ids.csv").write_text("entity1,entity2\n007,1e3\n")
    assert pairs(read_relationships(tmp_path / "ids.csv")) == [["007", "1e3"]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("gene1,gene2\na,b\n", ["'entity1'", "'gene1', 'gene2'"]),
        ("entity1,gene2,score\na,b,1\n", ["'entity2'", "'entity1', 'gene2', 'score'"]),
        ("entity1|entity2\na|b\n", ["'entity1'", "'entity1|entity2'"]),
        ("", ["cannot read", "Empty"]),
    ],
)
def test_a_file_without_the_two_columns_says_what_it_has(tmp_path, text, words):
    (tmp_path / "known.csv").write_text(text)
    with pytest.raises(InputError) as error:
        relationship_sources(tmp_path)
    for word in ["known.csv", *words]:
        assert word in str(error.value)


def test_a_wide_table_given_by_mistake_is_not_listed_whole(tmp_path):
    (tmp_path / "plate.csv").write_text(",".join(f"Cells_{j}" for j in range(500)) + "\n")
    with pytest.raises(InputError, match=r"'Cells_11' and 488 more$"):
        read_relationships(tmp_path / "plate.csv")


def test_an_empty_folder_and_a_missing_file(tmp_path):
    with pytest.raises(InputError, match=r"holds no \.csv"):
        relationship_sources(tmp_path)
    with pytest.raises(InputError, match=r"there is no file .*absent\.csv"):
        relationship_sources(tmp_path / "absent.csv")


def test_efaar_that_is_not_installed_says_how_to_get_it(monkeypatch):
    monkeypatch.setattr("wellgram.io.relationships.find_spec", lambda _: None)
    with pytest.raises(InputError, match="pip install --no-deps efaar_benchmarking"):
        relationship_sources("efaar")


@pytest.mark.skipif(find_spec("efaar_benchmarking") is None, reason="efaar_benchmarking is absent")
def test_the_public_sources_of_efaar():
    sources = relationship_sources("efaar")
    assert list(sources) == ["CORUM", "HuMAP", "Reactome", "SIGNOR", "StringDB"]
    assert all(len(source) > 1000 for source in sources.values())
