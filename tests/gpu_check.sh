#!/usr/bin/env bash
# Everything a card has to show, in one call of about ten minutes, on a machine with CUDA 13 and the
# packages that wellgram and its tests need, without network: build, conformance, the sanitizer on
# small shapes, the benchmark. Logs go to the folder given, or gpu_check.
set -uo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-gpu_check}")
mkdir -p "$out"
failed=()
step() {  # step NAME SECONDS COMMAND...
  local name=$1 seconds=$2 begun=$SECONDS
  shift 2
  timeout "$seconds" "$@" >"$out/$name.log" 2>&1 || failed+=("$name")
  printf '%-12s %4d s  %s\n' "$name" $((SECONDS - begun)) "$(tail -1 "$out/$name.log")"
}
site=$out/site
export PYTHONPATH=$site PYTHONUNBUFFERED=1
nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader

# One target, so that the build is short: the card that is here.
capability=$(nvidia-smi --query-gpu=compute_cap --format=csv,noheader | head -1 | tr -d .)
[ "$capability" = 90 ] && capability=90a
step build 240 python3 -m pip install --quiet --no-index --no-deps --no-build-isolation \
  --target "$site" --upgrade -Ccmake.define.CMAKE_CUDA_ARCHITECTURES="$capability-real" \
  -Ccmake.define.WELLGRAM_LINEINFO=ON .
step info 60 python3 -m wellgram info
WELLGRAM_PRODUCTS=float32 step own 200 python3 -m pytest -q -m gpu -n 8 --require cuda --require cupy
step library 200 python3 -m pytest -q -m gpu -n 8 tests/conformance tests/test_probe_solvers.py -k cuda --require cuda
WELLGRAM_BACKEND=cuda step peers 120 python3 -m pytest -q -n 8 tests/peers
small=(python3 -m pytest -q -x -p no:xdist -m gpu tests/gpu/test_cards.py tests/gpu/test_card_screens.py
  -k 'chunks or tile or split or decide')
for tool in memcheck racecheck initcheck; do
  step "$tool" 120 compute-sanitizer --tool "$tool" --error-exitcode 9 "${small[@]}"
done
step benchmark 220 python3 benchmarks/gpu.py --json "$out/gpu.json"
cat "$out/benchmark.log"
if [ ${#failed[@]} -gt 0 ]; then
  printf 'failed: %s\n' "${failed[*]}"
  for name in "${failed[@]}"; do printf '== %s\n' "$name"; tail -25 "$out/$name.log"; done
  exit 1
fi
