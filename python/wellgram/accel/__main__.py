"""``python -m wellgram.accel [options] script.py ...``, or ``-m module ...``."""

import argparse
import runpy
import sys
from contextlib import nullcontext

from wellgram.accel import install, profile
from wellgram.accel.pasted.script_runs import run_script
from wellgram.errors import InputError


def main() -> None:
    """Run a script or a module as Python would, accelerated."""
    parser = argparse.ArgumentParser(
        prog="python -m wellgram.accel",
        description="Run a script on efaar_benchmarking, copairs, pycytominer or scikit-learn, "
        "unchanged and faster.",
        usage="%(prog)s [-v] [--profile] [--also LIBRARIES] (script.py | -m module) [args ...]",
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="tell where each call ran")
    parser.add_argument("--profile", action="store_true", help="list calls and times at the end")
    parser.add_argument(
        "--also",
        default="",
        metavar="LIBRARIES",
        help="replace functions of these too, with commas between: pandas, scipy, scikit-learn, "
        "scib-metrics",
    )
    parser.add_argument("-m", dest="module", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    parser.add_argument("script", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args()
    command = options.module or options.script
    if not command:
        parser.error("name a script, or a module with -m")
    try:
        install("INFO" if options.verbose else None, also=options.also.split(","))
    except InputError as error:
        parser.error(str(error))
    sys.argv[:] = command
    with profile() if options.profile else nullcontext():
        if options.module:
            runpy.run_module(command[0], run_name="__main__", alter_sys=True)
        else:
            run_script(command[0])


main()
