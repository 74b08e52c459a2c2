"""Running a script as ``__main__``, with the copies of known functions in it replaced."""

import os
import runpy
import sys
from types import CodeType, ModuleType

from wellgram.accel.pasted.script_modules import code_with_copies


def run_script(path: str) -> None:
    """Run a script as Python would."""
    sys.path[0] = os.path.dirname(os.path.abspath(path))
    code = code_with_copies(path)
    if code is None:
        runpy.run_path(path, run_name="__main__")
    else:
        _run(code, path)


def _run(code: CodeType, path: str) -> None:
    """Run code in a module of its own, which is ``__main__`` meanwhile."""
    main = ModuleType("__main__")
    vars(main).update(__file__=path, __cached__=None, __package__="")
    before = sys.modules["__main__"]
    sys.modules["__main__"] = main
    try:
        exec(code, vars(main))
    finally:
        sys.modules["__main__"] = before
