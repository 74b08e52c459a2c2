"""Whether a folder's source distribution and wheel hold what they must, and nothing else."""

import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

folder = Path(sys.argv[1])
version = tomllib.loads(Path("pyproject.toml").read_text())["project"]["version"]
(source,) = folder.glob(f"wellgram-{version}.tar.gz")
(wheel,) = folder.glob(f"wellgram-{version}-*.whl")

with tarfile.open(source) as archive:
    inside = {name.partition("/")[2] for name in archive.getnames()}
with zipfile.ZipFile(wheel) as archive:
    built = set(archive.namelist())

needed = {"pyproject.toml", "CMakeLists.txt", "LICENSE", "README.md", "CITATION.cff"}
tracked = {str(p) for p in Path().glob("csrc/**/*") if p.is_file()}
package = {
    str(p)
    for p in Path("python").glob("wellgram/**/*")
    if p.is_file() and p.suffix in (".py", ".pyi", ".hpp", ".html", ".css", ".js", ".typed")
}
missing = (needed | tracked | package) - inside
assert not missing, f"not in {source.name}: {sorted(missing)}"
junk = {n for n in inside if n.startswith((".ci-venv", "build/")) or n.endswith((".so", ".pyc"))}
assert not junk, f"junk in {source.name}: {sorted(junk)[:5]}"

expected = {name.removeprefix("python/") for name in package} | {"wellgram_accel.pth"}
missing = expected - built
assert not missing, f"not in {wheel.name}: {sorted(missing)}"
assert any(name.startswith("wellgram/_cpu.") and name.endswith(".so") for name in built)
other = {n for n in built if not n.startswith(("wellgram/", "wellgram-", "wellgram_accel.pth"))}
assert not other, f"other files in {wheel.name}: {sorted(other)}"
print(f"{source.name}: {len(inside)} files; {wheel.name}: {len(built)} files")
