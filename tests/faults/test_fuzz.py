"""A part of the fuzzer: no damaged file crashes, hangs, or is read with other values unnoticed."""

import os
import signal
import time
from functools import partial
from random import Random

import pytest

from faults.damage import DAMAGES, damaged
from faults.file_kinds import FILE_KINDS, FileKind, kinds_named
from faults.fuzz import column_of, inputs, is_failure, is_known, keep, main
from faults.reader_processes import (
    CHANGED,
    CRASH,
    HANG,
    REFUSED,
    SAME,
    TRACEBACK,
    Input,
    Outcome,
    files_at,
    outcomes,
)  # fmt: skip
from wellgram import InputError

KINDS = [name for name, kind in FILE_KINDS.items() if kind.usable]


def test_damaged_files_are_refused_or_read_as_they_were():
    """Ten thousand inputs are run by hand: see `faults.fuzz`."""
    chosen = inputs(KINDS, 20 * len(KINDS), seed=23)
    ended = [*outcomes(chosen, partial(kinds_named, *KINDS), processes=2)]
    assert len(ended) == 20 * len(KINDS)
    assert len({outcome.input for outcome in ended}) == len(ended)
    failures = [one for one in ended if is_failure(one) and not is_known(one)]
    assert not failures
    assert sum(outcome.what == REFUSED for outcome in ended) > len(ended) / 3


@pytest.mark.parametrize("name", KINDS)
def test_a_seed_gives_the_same_inputs(name, tmp_path):
    for run in ("a", "b"):
        (tmp_path / run).mkdir()
        FILE_KINDS[name].write(tmp_path / run)
    first, second = (files_at(tmp_path / run / FILE_KINDS[name].target) for run in ("a", "b"))
    assert first == second  # nothing of the hour or the place is in the files
    given = [Input(name, 1, number) for number in range(9)]
    assert [i.damaged(first) for i in given] == [i.damaged(second) for i in given]
    assert len({str(i.damaged(first)) for i in given}) == len(given)


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_changes_bytes(name):
    data = b'{"rows": 12, "name": "PLK1"}\nPLK1,MTOR\nTP53,MYC\n' + bytes(range(200))
    made = [DAMAGES[name](data, Random(seed)) for seed in range(30)]
    assert sum(one != data for one in made) > 20
    assert made == [DAMAGES[name](data, Random(seed)) for seed in range(30)]


def test_files_of_a_folder_are_removed_and_swapped():
    files = {"a": b"aaaa", "b": b"bbbb"}
    made = [damaged(files, Random(seed)) for seed in range(200)]
    assert all(changed != files for changed, _ in made)
    assert {what for _, what in made} >= {"a removed", "b removed", "a and b swapped"}


def _write(folder):
    (folder / "file").write_bytes(b"0123456789")


def _hangs(folder):
    if (folder / "file").read_bytes() != b"0123456789":
        time.sleep(60)
    return ()


def _crashes(folder):
    if (folder / "file").read_bytes() != b"0123456789":
        os.kill(os.getpid(), signal.SIGSEGV)
    return ()


def _raises(folder):
    if (folder / "file").read_bytes() != b"0123456789":
        raise KeyError("embeddings")
    return ()


def _refuses_in_lines(folder):
    if (folder / "file").read_bytes() != b"0123456789":
        raise InputError("one line\nand another")
    return ()


def failing_kinds():
    """Kinds whose reading goes wrong in each way: what the fuzzer must notice."""
    return {
        "changes": FileKind("file", _write, lambda folder: ((folder / "file").read_bytes(),)),
        "crashes": FileKind("file", _write, _crashes),
        "hangs": FileKind("file", _write, _hangs),
        "lines": FileKind("file", _write, _refuses_in_lines),
        "raises": FileKind("file", _write, _raises),
        "whole": FileKind("file", _write, lambda folder: (1,)),
    }


def test_every_failure_is_noticed_and_the_rest_goes_on():
    wanted = {
        "changes": CHANGED, "crashes": CRASH, "hangs": HANG, "lines": TRACEBACK,
        "raises": TRACEBACK, "whole": SAME,
    }  # fmt: skip
    chosen = inputs([*wanted], 2 * len(wanted), seed=0)
    ended = [*outcomes(chosen, failing_kinds, processes=2, seconds=2)]
    assert sorted((one.input.kind, one.what) for one in ended) == sorted([*wanted.items()] * 2)


def test_changed_values_fail_where_files_carry_checksums():
    protected, foreign = (
        Outcome(Input(kind, 0, 0), CHANGED) for kind in ("alignment.npz", "wells.csv")
    )
    assert is_failure(protected)
    assert not is_known(protected)
    assert not is_failure(foreign)
    assert column_of(foreign) == "changed, unprotected"


def test_a_failing_input_is_kept(tmp_path):
    given = Input("targets.csv", 3, 5)
    place = keep(Outcome(given, TRACEBACK, "KeyError"), tmp_path)
    (tmp_path / "whole").mkdir()
    FILE_KINDS["targets.csv"].write(tmp_path / "whole")
    changed, what = given.damaged(files_at(tmp_path / "whole" / "targets.csv"))
    assert files_at(place / "targets.csv") == changed
    assert (place / "outcome.txt").read_text() == f"{what}\ntraceback: KeyError\n"


def test_the_program_prints_a_table(capsys):
    assert main(["--inputs", "6", "--kind", "alignment.npz", "--processes", "1"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].split()[:2] == ["same", "values"]
    assert lines[1].startswith("alignment.npz")
    assert sum(int(count) for count in lines[1].split()[1:]) == 6
