"""What consumers are made of, so that passes are compared and saved: a kind and its fields."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wellgram.backends import consumers as shipped
from wellgram.backends.consumers import Consumer
from wellgram.errors import InputError


@dataclass(frozen=True, eq=False)
class Recipe:
    """The kind of a consumer and its fields.

    A kind is a name within `wellgram.pairs`, or ``module:qualname``.
    """

    kind: str
    fields: str
    """As JSON; an array is ``{"array": k}``, the k-th of the arrays"""
    arrays: tuple[NDArray[Any], ...]

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Recipe):
            return NotImplemented
        return (self.kind, self.fields) == (other.kind, other.fields) and all(
            (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
            for a, b in zip(self.arrays, other.arrays, strict=True)
        )


def recipe_of(consumer: Consumer) -> Recipe:
    """Return what a consumer is made of, without the array that it writes to, if any.

    Raises
    ------
    InputError
        If it is no dataclass, or a field is neither None, a number, a word, an array nor a tuple of
        those.
    """
    kind, arrays = type(consumer), list[NDArray[Any]]()
    if not is_dataclass(kind):
        raise InputError(
            f"{kind.__name__} is no dataclass; decorate it, so that its fields say what it does"
        )
    written = consumer.writes_to
    values = {f.name: getattr(consumer, f.name) for f in fields(kind) if f.init}
    plain = {
        name: _plain(value, arrays, f"the field {name!r} of {kind.__name__}")
        for name, value in values.items()
        if written is None or value is not written
    }
    return Recipe(_kind_of(kind), json.dumps(plain), tuple(arrays))


def _kind_of(kind: type) -> str:
    ours = getattr(shipped, kind.__name__, None) is kind
    return kind.__name__ if ours else f"{kind.__module__}:{kind.__qualname__}"


def _plain(value: Any, arrays: list[NDArray[Any]], name: str) -> Any:
    """Return a value as JSON has it, its arrays put beside."""
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, tuple | list):
        return [_plain(part, arrays, name) for part in value]
    if isinstance(value, np.ndarray) and not value.dtype.hasobject:
        arrays.append(value)
        return {"array": len(arrays) - 1}
    kind = f"an array of {value.dtype}" if isinstance(value, np.ndarray) else type(value).__name__
    raise InputError(
        f"{name} is {kind}; make it of None, numbers, words, arrays and tuples of those, by which "
        "passes are compared and saved"
    )


def recipe_for_file(consumer: Consumer) -> Recipe:
    """Return what a consumer is made of, for a file that is read elsewhere.

    Raises
    ------
    InputError
        If its cosines are in an array, nothing finds its kind by name, or as `recipe_of` has it.
    """
    kind = type(consumer).__name__
    if consumer.writes_to is not None:
        raise InputError(f"the cosines of a {kind} are in its array; save that instead")
    recipe = recipe_of(consumer)
    if consumer_kind(recipe.kind) is not type(consumer):
        raise InputError(
            f"{recipe.kind!r} names another class now than that of the pass; make the pass again"
        )
    return recipe


def consumer_of(recipe: Recipe) -> Consumer:
    """Return the consumer that is made of a recipe.

    Raises
    ------
    InputError
        If its kind is not found here, or is no consumer.
    """

    def value(given: Any) -> Any:
        if isinstance(given, Mapping):
            return recipe.arrays[given["array"]]
        return tuple(map(value, given)) if isinstance(given, list) else given

    given = json.loads(recipe.fields)
    return consumer_kind(recipe.kind)(**{name: value(part) for name, part in given.items()})


def consumer_kind(kind: str) -> type[Consumer]:
    """Return the class that a kind names, of a module that has been imported.

    Raises
    ------
    InputError
        If there is none, or it is no consumer.
    """
    module, colon, qualname = kind.rpartition(":")
    found: Any = _loaded(module, kind) if colon else shipped
    for name in qualname.split("."):
        found = getattr(found, name, None)
    if not (isinstance(found, type) and issubclass(found, Consumer) and is_dataclass(found)):
        raise InputError(
            f"there is no consumer {kind!r} here: a dataclass that derives from "
            "wellgram.pairs.Consumer must have this name in its module"
        )
    return found


def _loaded(module: str, kind: str) -> Any:
    """Return a module that has been imported: what a file names must not make code run."""
    if module not in sys.modules:
        raise InputError(
            f"the module of the consumer {kind!r} has not been imported; import it before the pass "
            "is read"
        )
    return sys.modules[module]
