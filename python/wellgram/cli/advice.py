"""What the library advises, in the options of a command: ``control=`` becomes ``--control``."""

import ast
import inspect
import re
import shlex
from collections.abc import Callable, Mapping

_ARGUMENT = re.compile(r"\b([a-z_]+)=((?:'[^']*'|\[[^\]]*\]|True)?)(?=[),;: ]|$)")
_GIVEN_BY: Mapping[str, tuple[str, ...]] = {"columns": ("same", "covariate", "split", "kind")}
"""Parameters that a command has no option for, but others that fill them"""
_CALLED: Mapping[str, str] = {"separator": "same_separator"}
"""Parameters that options call otherwise"""


def in_options(message: str, command: Callable[..., None]) -> str:
    """Return a message whose advice names options of a command, where it has them."""
    names = inspect.signature(command).parameters
    options = {name: f"--{name.replace('_', '-')}" for name in names}

    def option_for(match: re.Match[str]) -> str:
        name, value = _CALLED.get(match[1], match[1]), match[2]
        if name in options:
            return " ".join(_spelt(options[name], each) for each in _values(value))
        by = [options[other] for other in _GIVEN_BY.get(name, ()) if other in options]
        return " or ".join(by) if by else match[0]

    return _ARGUMENT.sub(option_for, message)


def _values(value: str) -> list[str]:
    """Return the values of an argument, one for each time its option is given."""
    if value in ("", "True"):
        return [""]
    parsed = ast.literal_eval(value)
    return list(map(str, parsed)) if isinstance(parsed, list) else [str(parsed)]


def _spelt(option: str, value: str) -> str:
    return f"{option} {shlex.quote(value)}" if value else option
