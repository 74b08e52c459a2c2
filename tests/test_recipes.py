"""What consumers are made of: told apart, written to files, and made again."""

from dataclasses import astuple, dataclass, fields

import numpy as np
import pytest

from helpers.own_consumers import LargestPerRow, SumAbove
from wellgram import InputError, scan_pairs
from wellgram.pairs import (
    Bracket,
    Consumer,
    CountBelow,
    Histogram,
    Nearest,
    Ranks,
    RowMoments,
    Scan,
    State,
    WithinGroups,
    recipes,
    scan_result,
)

CODES = np.array([0, 1, -1, 0])


@dataclass(frozen=True, eq=False)
class OfEveryField(SumAbove):
    """One with fields of every kind."""

    words: tuple
    nothing: None
    nested: tuple


@dataclass(frozen=True)
class Calling(SumAbove):
    """One with a field that no file has."""

    function: object


class Plain(Consumer):
    """One that is no dataclass."""

    def start(self, extent):
        return State(np.zeros(1, np.int64))

    def absorb(self, state, met):
        return state

    def merge(self, a, b):
        return a

    def finish(self, state):
        return None


def fields_of(consumer):
    return {f.name: getattr(consumer, f.name) for f in fields(consumer)}


@pytest.mark.parametrize(
    "consumer",
    [
        CountBelow((-0.2, 0.1)),
        CountBelow((np.float32(0.1), np.inf, np.nan)),
        CountBelow(()),
        Histogram(-0.5, 0.5, 9),
        Bracket(-np.inf, np.float64(0.3), 7),
        Ranks(np.array([0.3, -np.inf]), ((0.2, 0.3), (0.1, 0.5)), 10),
        Nearest(np.int64(3), 2),
        RowMoments(),
        WithinGroups(CODES),
        WithinGroups(CODES.astype(np.int8)),
        SumAbove(0.1),
        LargestPerRow(np.arange(3)),
        OfEveryField(0.1, ("a", "ü"), None, (True, (1, CODES, "b"))),
    ],
    ids=lambda consumer: type(consumer).__name__,
)
def test_a_consumer_comes_back_as_it_was(tmp_path, consumer):
    scan = scan_pairs(np.eye(4), [consumer])
    scan.save(tmp_path / "scan.npz")
    (loaded,) = Scan.load(tmp_path / "scan.npz").consumers
    assert type(loaded) is type(consumer)
    np.testing.assert_equal(fields_of(loaded), fields_of(consumer))
    assert recipes.recipe_of(loaded) == recipes.recipe_of(consumer)


def test_a_shipped_kind_goes_by_its_name_and_another_by_its_module_too():
    assert recipes.recipe_of(Histogram()).kind == "Histogram"
    assert recipes.recipe_of(SumAbove(0.1)).kind == "helpers.own_consumers:SumAbove"


def test_consumers_are_told_apart_by_kind_fields_and_arrays():
    rows = np.arange(3)
    different = [
        SumAbove(0.1),
        SumAbove(0.2),
        CountBelow((0.1,)),
        LargestPerRow(rows),
        LargestPerRow(rows + 1),
        LargestPerRow(rows[:, None]),
        LargestPerRow(rows.astype(np.int32)),
        OfEveryField(0.1, (), None, (rows,)),
        OfEveryField(0.1, (), None, (rows, rows)),
    ]
    made = [recipes.recipe_of(consumer) for consumer in different]
    for k, one in enumerate(made):
        assert [one == other for other in made] == [k == m for m in range(len(made))]
    assert recipes.recipe_of(LargestPerRow(rows.copy())) == made[3]


@pytest.mark.parametrize(
    ("consumer", "words"),
    [
        (Calling(0.0, len), "field 'function' of Calling is builtin_function_or_method; make it"),
        (Calling(0.0, np.array([len])), "'function' of Calling is an array of object; make it"),
        (Calling(0.0, 1j), "'function' of Calling is complex; make it of None, numbers, words"),
        (Plain(), "Plain is no dataclass; decorate it"),
    ],
)
def test_consumers_that_no_file_can_hold_are_refused(tmp_path, consumer, words):
    scan = scan_pairs(np.eye(3), [consumer])
    with pytest.raises(InputError, match=words):
        scan.save(tmp_path / "scan.npz")


def test_a_consumer_that_no_file_can_name_is_refused(tmp_path):
    @dataclass(frozen=True)
    class Local(SumAbove):
        pass

    with pytest.raises(InputError, match=r"no consumer 'test_recipes:.*Local' here: .* its module"):
        scan_pairs(np.eye(3), [Local(0.0)]).save(tmp_path / "scan.npz")
    another = dataclass(frozen=True)(
        type("SumAbove", (SumAbove,), {"__module__": "helpers.own_consumers"})
    )
    with pytest.raises(
        InputError, match=r"'helpers\.own_consumers:SumAbove' names another class now"
    ):
        scan_pairs(np.eye(3), [another(0.0)]).save(tmp_path / "scan.npz")


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (
            "no_such_module:Toy",
            r"scan.npz': the module of .*'no_such_module:Toy' has not been",
        ),
        (":Toy", "the module of the consumer ':Toy' has not been imported"),
        ("helpers.own_consumers:Gone", "there is no consumer 'helpers.own_consumers:Gone' here"),
        ("os:system", "there is no consumer 'os:system' here"),
        ("test_recipes:Plain", "there is no consumer 'test_recipes:Plain' here: a dataclass"),
        ("wellgram.pairs:Consumer", "there is no consumer 'wellgram.pairs:Consumer' here"),
        ("__main__:Toy", "there is no consumer '__main__:Toy' here"),
        ("NoSuch", "there is no consumer 'NoSuch' here"),
        ("np.ndarray", "there is no consumer 'np.ndarray' here"),
        (3, "is no saved pass"),
    ],
)
def test_a_saved_consumer_that_is_not_here_is_named(tmp_path, monkeypatch, kind, words):
    def renamed(consumer):
        return recipes.Recipe(kind, *astuple(recipes.recipe_of(consumer))[1:])

    monkeypatch.setattr(scan_result, "recipe_for_file", renamed)
    scan_pairs(np.eye(3), [SumAbove(0.0)]).save(tmp_path / "scan.npz")
    with pytest.raises(InputError, match=words):
        Scan.load(tmp_path / "scan.npz")


def test_what_a_file_names_is_not_imported(tmp_path, monkeypatch):
    (tmp_path / "module_of_a_file.py").write_text("raise SystemExit('this code was run')\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InputError, match=r"module_of_a_file:Toy' has not been imported; import it"):
        recipes.consumer_kind("module_of_a_file:Toy")
