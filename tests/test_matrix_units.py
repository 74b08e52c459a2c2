"""Products by matrix units that this machine may lack: compiled for them, and run by an emulator.

Needs a compiler; for ARM also aarch64-linux-gnu-g++ and qemu-aarch64, which are Debian's packages
g++-aarch64-linux-gnu and qemu-user.
"""

import platform
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
UNITS = {
    "amx-emulated": ("amx.cpp", "g++", [], []),
    "i8mm": (
        "i8mm.cpp",
        "aarch64-linux-gnu-g++",
        ["-static", "-march=armv8.2-a+i8mm"],
        ["qemu-aarch64", "-cpu", "max"],
    ),
}


@pytest.mark.parametrize("unit", UNITS)
def test_sums_are_exact(unit, tmp_path):
    source, compiler, flags, emulator = UNITS[unit]
    for program in (compiler, *emulator[:1]):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    check = tmp_path / "check"
    sources = [ROOT / "csrc/cpu/simd" / source, ROOT / "tests/matrix_units/check.cpp"]
    settings = ["-std=c++20", "-O3", "-I", ROOT / "csrc", "-DWELLGRAM_PRODUCTS_TABLE=parts"]
    subprocess.run([compiler, *settings, *flags, *sources, "-o", check], check=True)
    run = subprocess.run([*emulator, check], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stdout) == (0, f"{unit}: equal\n")


# Instructions of a step: loads, of which four more are of sums, and products.
AMX = {
    "amx.cpp": ("-mamx-int8", "tdpbssd", 6, 6),
    "amx_bf16.cpp": ("-mamx-bf16", "tdpbf16ps", 4, 4),
}


@pytest.mark.skipif(platform.machine() != "x86_64", reason="AMX is of x86")
@pytest.mark.parametrize("source", AMX)
def test_the_tiles_of_amx_compile_to_its_instructions(source, tmp_path):
    """No test runs them on a processor without AMX; this one sees that they are there."""
    for program in ("g++", "objdump"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    feature, product, loads, products = AMX[source]
    compiled = tmp_path / "amx.o"
    flags = ["-std=c++20", "-O3", "-mamx-tile", feature, "-DWELLGRAM_PRODUCTS_TABLE=products"]
    place = ROOT / "csrc/cpu/simd" / source
    subprocess.run(["g++", *flags, "-I", ROOT / "csrc", "-c", place, "-o", compiled], check=True)
    listing = subprocess.run(
        ["objdump", "--disassemble", compiled], capture_output=True, text=True, check=True
    ).stdout
    assert listing.count(product) == products
    assert listing.count("tileloadd ") + listing.count("tileloaddt1") == 4 + loads
    for instruction in ("ldtilecfg", "tilerelease", "tilezero", "tilestored"):
        assert instruction in listing
