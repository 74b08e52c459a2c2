"""Running the examples on efaar_benchmarking: a screen on disk, and a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import peers
from wellgram.simulate import rxrx3_core

EXAMPLES = Path(__file__).parents[2] / "examples"


def write_screen(folder, *, scale, negatives):
    """Write a small screen, its negatives, and what the peer imports but does not need."""
    rxrx3_core(scale=scale, seed=1, features=24).write(folder)
    for source in (folder / "relationships").glob("*.csv"):
        source.rename(source.with_suffix(".txt"))
    (folder / "negatives.txt").write_text("\n".join(f"GENE{k:04d}" for k in range(negatives)))
    peers.write_stand_ins(folder / "stand_ins")
    return folder


def left_to_originals(profile):
    """Return the functions whose calls the originals answered, as a printed profile has them."""
    lines = profile[profile.rindex("ran  ") :].splitlines()
    return {line.split()[3] for line in lines if line.startswith("original")}


def run_example(name, screen, *options, door, out, **environment):
    """Run an example on a screen, through a door of the accelerator or none."""
    paths = [str(screen / "stand_ins"), os.environ.get("PYTHONPATH", "")]
    command = [sys.executable, "-W", "ignore", *door, EXAMPLES / name, screen, *options]
    done = subprocess.run(
        [*map(str, command), "--negatives", screen / "negatives.txt", "--out", out],
        # Processes of joblib, which each import everything anew, would take most of the time.
        env=os.environ
        | {
            "PYTHONPATH": os.pathsep.join(paths),
            "JOBLIB_MULTIPROCESSING": "0",
            "WELLGRAM_ACCEL_SMALL": "1",
        }
        | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done
