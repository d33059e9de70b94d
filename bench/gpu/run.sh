#!/usr/bin/env bash
# Checks and measures Crema on an NVIDIA card of this machine (Linux, x86-64). Needs the driver (580 or newer) and CUDA 13
# and cuDNN 9, from the system or from pip's wheels (nvidia-cublas, nvidia-cuda-runtime, nvidia-cuda-nvrtc,
# nvidia-cudnn-cu13), which are found where the loader, CREMA_CUDA_PATH, the virtual environment or python3 has them.
#   run.sh          test, then bench, then demo
#   run.sh test     every op and its gradient against float64 references, and trainings against the CPU's, on the card
#   run.sh bench    what Crema takes on the card, beside PyTorch on the same card where python3 has it: one table
#   run.sh demo     a training and predictions on the card
# What it says also goes to results/.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
java="$here/runtime/bin/java"
results="$here/results"
mkdir -p "$results"
failed=0

crema() { "$java" -cp "$here/lib/*" dev.crema.cli.Main "$@"; }

say() { printf '\n== %s\n' "$*"; }

run_test() {
  say "every op and gradient, and trainings"
  "$java" -ea -Xmx4g -cp "$here/lib/*" org.junit.platform.console.ConsoleLauncher execute \
    --select-package dev.crema.op --select-class dev.crema.train.CudaTrainingTest --select-class dev.crema.train.FeedingTest \
    --exclude-classname '.*HostileOpTest' --include-engine junit-jupiter --details=summary --reports-dir "$results/test" 2>&1 | tee "$results/test.txt" || failed=1
}

run_bench() {
  tiny=
  if [ "$CREMA_DEVICE" = cpu ]; then
    tiny=--tiny # full sizes are for cards: on a CPU this only shows that it works
  fi
  say "Crema on $CREMA_DEVICE"
  "$java" -Xmx8g -cp "$here/lib/*" dev.crema.bench.BenchCommand gpu $tiny \
    --data "$results/data" --out "$results/crema.json" || failed=1
  say "PyTorch on the same card"
  if command -v python3 >/dev/null; then
    python3 "$here/gpu/peers.py" --crema "$results/crema.json" --data "$results/data" --out "$results/peers.json" \
      | tee "$results/bench.md" || failed=1
  else
    echo "no python3: PyTorch is not measured; Crema's figures are in $results/crema.json"
  fi
}

run_demo() {
  say "a training on the card"
  crema demo 2>&1 | tee "$results/demo.txt" || failed=1
}

say "devices"
crema devices 2>&1 | tee "$results/devices.txt"
export CREMA_DEVICE="${CREMA_DEVICE:-cuda:0}"
if [ "$CREMA_DEVICE" != cpu ] && ! crema devices --json 2>/dev/null | tr -d ' \n' | grep -q "\"name\":\"$CREMA_DEVICE\",\"usable\":true"; then
  echo "$CREMA_DEVICE cannot be used, for the reason above. CREMA_DEVICE=cpu runs everything on the CPU." >&2
  exit 2
fi
case "${1:-all}" in
  test) run_test ;;
  bench) run_bench ;;
  demo) run_demo ;;
  all) run_test && run_bench && run_demo ;;
  *) sed -n '2,9p' "$0" >&2; exit 64 ;;
esac
exit $failed
