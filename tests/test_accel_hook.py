"""The mechanism of the accelerator, on an invented library."""

import sys
import types

import pytest

from helpers.accelerated import quiet_profile
from wellgram.accel import (
    Declined,
    DifferenceError,
    Profile,
    accelerated,
    hook,
    install,
    libraries_asked_for,
    uninstall,
)
from wellgram.accel.registry import Entry
from wellgram.errors import InputError

LIBRARY = '''
def double(x, times=2):
    """Say it twice."""
    print("doubled")
    return x * times

def other(x, *, unknown=1):
    return x

class Counter:
    def __init__(self, times):
        self.times = times

    def double_of(self, x):
        print("doubled")
        return x * self.times
'''


def replacement(x, times=2):
    if x == "boom":
        raise RuntimeError("went wrong")
    print("doubled")
    return x * times if x != "wrong" else "differs"


def double_of(self, x):
    return replacement(x, self.times)


def domain(x, times):
    if not isinstance(x, str):
        raise Declined(f"{x!r} is no text")


@pytest.fixture
def library(tmp_path, monkeypatch):
    """A package that can be imported, two functions of which have entries."""
    package = tmp_path / "invented_library"
    package.mkdir()
    (package / "__init__.py").write_text("from .words import double\n")
    (package / "words.py").write_text(LIBRARY)
    ours = types.ModuleType("wellgram.accel.invented")
    ours.replacement, ours.domain, ours.double_of = replacement, domain, double_of
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "wellgram.accel.invented", ours)
    target = "invented_library.words:"
    entries = [
        Entry(target + "double", "invented:replacement", "domain", 0.0, ("unknown",)),
        Entry(target + "other", "invented:replacement", "", 0.0, ("unknown",)),
        Entry(target + "absent", "invented:replacement", "", 0.0, ("unknown",)),
        Entry(target + "Counter.double_of", "invented:double_of", "", 0.0, ("unknown",)),
    ]
    monkeypatch.setattr(hook, "_MODULES", {"invented_library.words": entries})
    yield
    uninstall()
    for name in [name for name in sys.modules if name.startswith("invented_library")]:
        del sys.modules[name]


def imported():
    import invented_library

    return invented_library


def test_functions_are_replaced_as_they_are_imported(library):
    install()
    words = imported()
    assert words.double is sys.modules["invented_library.words"].double
    assert words.double.__wrapped__.__module__ == "invented_library.words"
    assert words.double.__name__ == "double"
    assert words.double.__doc__ == "Say it twice."
    with quiet_profile() as found:
        assert words.double("ab") == "abab"
    (call,) = found.calls
    assert call.declined is None
    assert call.name == "invented_library.words.double"
    assert call.caller.partition(":")[0] == __file__


def test_names_bound_before_are_bound_anew_and_put_back(library, monkeypatch):
    original = imported().double
    monkeypatch.setattr(sys.modules[__name__], "bound_here", original, raising=False)
    install()
    here = sys.modules[__name__]
    assert here.bound_here is imported().double is not original
    uninstall()
    assert here.bound_here is imported().double is original


def test_functions_imported_while_installed_are_put_back(library):
    install()
    doors = imported().double
    uninstall()
    assert imported().double is doors.__wrapped__
    assert hook._finder not in sys.meta_path


def test_a_context_manager_leaves_things_as_they_were(library):
    original = imported().double
    with accelerated():
        assert imported().double is not original
        with accelerated():
            pass
        assert imported().double is not original
    assert imported().double is original


def test_what_is_outside_of_the_domain_goes_to_the_original(library, capsys):
    install()
    with quiet_profile() as found:
        assert imported().double(3) == 6
    assert found.calls[0].declined == "3 is no text"
    assert capsys.readouterr().out == "doubled\n"


def test_wrong_arguments_are_the_originals_error(library):
    install()
    with quiet_profile() as calls, pytest.raises(TypeError, match=r"double\(\)"):
        imported().double("a", 1, 2)
    assert [call.declined for call in calls.calls] == ["too many positional arguments"]


def test_a_function_with_other_parameters_stays_as_it_is(library):
    original = imported().__dict__  # imported before
    install()
    assert not hasattr(sys.modules["invented_library.words"].other, "__wrapped__")
    assert original is imported().__dict__


def test_an_error_in_a_replacement_says_who_called(library):
    install()
    with pytest.raises(RuntimeError, match="went wrong") as caught:
        imported().double("boom")
    (note,) = caught.value.__notes__
    assert "invented_library.words.double" in note
    assert __file__ in note
    assert any(str(entry.path) == __file__ for entry in caught.traceback)


def test_verifying_runs_both_and_tells_what_was_saved(library, monkeypatch, capsys):
    monkeypatch.setenv("WELLGRAM_ACCEL_VERIFY", "1")
    install()
    with quiet_profile() as found:
        assert imported().double("ab") == "abab"
    assert found.calls[0].saved is not None
    assert capsys.readouterr().out == "doubled\n"  # once
    with pytest.raises(DifferenceError, match=r"words\.double .* differ"):
        imported().double("wrong")


@pytest.fixture
def untested(library, monkeypatch):
    """The library in a version that its entries were not tested with."""
    entries = [e._replace(versions=("7.0",)) for e in hook._MODULES["invented_library.words"]]
    monkeypatch.setitem(hook._MODULES, "invented_library.words", entries)


def test_an_untested_version_is_tried(library, untested):
    install()
    with quiet_profile() as found:
        assert imported().double("ab") == "abab"  # both ran, and agreed
        assert imported().double("ab") == "abab"  # from now on such calls are trusted
        assert imported().double("ab", -1) == ""  # a number of another sign is another kind
    assert [call.saved is not None for call in found.calls] == [True, False, True]


def test_a_trial_holds_for_the_pattern_that_was_tried(library, untested):
    """A replacement that agreed on one kind of call may still differ on another."""
    install()
    with quiet_profile() as found:
        assert imported().double("ab") == "abab"
        assert imported().double("wrong") == "wrongwrong"
    assert "it differs" in found.calls[1].declined


def test_versions_are_exact(library, monkeypatch):
    """Version 1.7 says nothing of 1.7.1."""
    (entry, *_) = hook._MODULES["invented_library.words"]
    begins_alike = entry._replace(versions=("unkno",))
    monkeypatch.setitem(hook._MODULES, "invented_library.words", [begins_alike])
    install()
    with quiet_profile() as found:
        imported().double("ab")
    assert found.calls[0].saved is not None


def test_errors_are_compared_too(library, untested):
    """Where the replacement fails on a trial, the original answers."""
    install()
    with quiet_profile() as found:
        assert imported().double("boom") == "boomboom"
    assert "RuntimeError(went wrong) instead of a result" in found.calls[0].declined


def test_verifying_tells_an_error_from_a_result(library, monkeypatch):
    monkeypatch.setenv("WELLGRAM_ACCEL_VERIFY", "1")
    install()
    with pytest.raises(DifferenceError, match="RuntimeError"):
        imported().double("boom")


def test_an_untested_version_that_differs_is_left_alone(library, untested, capsys):
    install()
    with quiet_profile() as found:
        assert imported().double("wrong") == "wrongwrong"
        assert imported().double("ab") == "abab"
    assert all("with version unknown it differs" in call.declined for call in found.calls)
    assert capsys.readouterr().out == "doubled\n" * 2


def test_a_profile_lists_calls_by_function_and_reason(library):
    install()
    with quiet_profile() as found:
        imported().double("a")
        imported().double("b")
        imported().double(1)
    table = found.table.set_index("reason")
    table = table[table["function"] == "invented_library.words.double"]
    assert table["calls"].to_dict() == {"": 2, "1 is no text": 1}
    assert table["ran"].to_dict() == {"": "wellgram", "1 is no text": "original"}
    assert "invented_library.words.double (1 is no text)" in str(found)


def test_what_was_refused_at_import_stands_in_the_profile(library, capsys):
    install()
    imported()
    with quiet_profile() as found:
        pass
    (row,) = found.rows
    assert row[:2] == ("invented_library.words.other", "refused")
    assert "what its parameters unknown do is not known" in row[-1]
    assert "invented_library.words.other (in version unknown of" in str(found)
    uninstall()
    assert not found.rows


def test_one_warning_says_that_functions_stay_as_they_are(library, untested, caplog):
    """The second is listed in a profile alone."""
    install()
    imported()
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert ["words.other stays as it is" in record.getMessage() for record in warnings] == [True]
    assert [row[0].rpartition(".")[2] for row in Profile().rows] == ["other", "absent"]


def test_methods_are_replaced_and_put_back(library):
    install()
    counter = sys.modules[imported().double.__module__].Counter
    with quiet_profile() as found:
        assert counter(2).double_of("ab") == "abab"
    assert found.calls[0].declined is None
    assert counter.double_of.__wrapped__.__qualname__ == "Counter.double_of"
    uninstall()
    assert not hasattr(counter.double_of, "__wrapped__")


def test_libraries_for_every_kind_of_work_are_asked_for(library, monkeypatch):
    entries = [e._replace(also=True) for e in hook._MODULES["invented_library.words"]]
    monkeypatch.setitem(hook._MODULES, "invented_library.words", entries)
    monkeypatch.setattr(libraries_asked_for, "ENTRIES", entries)
    install()
    original = imported().double
    assert not hasattr(original, "__wrapped__")
    with accelerated(also=["invented-library"]):
        assert imported().double.__wrapped__ is original
    assert imported().double is original
    monkeypatch.setenv("WELLGRAM_ACCEL_ALSO", "invented_library")
    install()
    assert imported().double.__wrapped__ is original


def test_a_library_that_has_nothing_to_replace_is_an_error():
    with pytest.raises(InputError, match="'numpy' has no functions"):
        install(also=["numpy"])
