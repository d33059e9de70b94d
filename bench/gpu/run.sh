#!/usr/bin/env bash
# Checks and measures Crema on an NVIDIA card of this machine (Linux, x86-64). Needs the driver (580 or newer) and CUDA 13
# and cuDNN 9, from the system or from pip's wheels (nvidia-cublas, nvidia-cuda-runtime, nvidia-cuda-nvrtc,
# nvidia-cudnn-cu13), which are found where the loader, CREMA_CUDA_PATH, the virtual environment or python3 has them.
#   run.sh             test, then bench, then demo
#   run.sh test        every op and its gradient against float64 references, in 16 bits as in float32, and trainings (LeNet, the
#                      seed network) against the CPU's, on the card
#   run.sh test --sanitize   the ops under NVIDIA's compute-sanitizer, memcheck and racecheck (CUDA toolkit; much slower)
#   run.sh bench       what Crema takes on the card, beside PyTorch on the same card where python3 has it: one table
#   run.sh bench --tiny      the same with small sizes, to see that all of it works
#   run.sh demo        LeNet and the seed network are trained and made smaller on the card; options of "crema demo" may follow
# What it says also goes to a folder: CREMA_RESULTS, else results/ here, else, where that cannot be written, crema-results/ in
# the working directory. Exit codes: 0 all well, 1 something failed, 2 the card (or the sanitizer) cannot be used, 64 wrong
# use. summary.md and summary.json there say what passed, failed and was skipped, and why; crema-results.tar.gz beside them is
# the whole folder, to send back. CREMA_DEVICE names another card (cuda:1), or cpu.
set -uo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
java="$here/runtime/bin/java"
failed=0
tiny=
export LC_ALL="${LC_ALL:-C.UTF-8}" # tables are not all ASCII

crema() { "$java" -cp "$here/lib/*" dev.crema.cli.Main "$@"; }

say() { printf '\n== %s\n' "$*"; }

# Tests that run on cards: BundleTest keeps the list complete.
tests=(
  --select-package dev.crema.op
  --select-class dev.crema.device.cuda.CardAttentionTest
  --select-class dev.crema.device.cuda.CardNormTest
  --select-class dev.crema.device.cuda.CardRecurrentTest
  --select-class dev.crema.device.cuda.CardWaysTest
  --select-class dev.crema.train.CudaTrainingTest
  --select-class dev.crema.train.FeedingTest
  --select-class dev.crema.train.HalfLayersTest
  --select-class dev.crema.train.HalfTrainingTest
  --select-class dev.crema.nn.FoldedBatchNormTest
  --select-class dev.crema.nn.SparsePredictorTest
  --select-class dev.crema.compress.CompressionDigitsTest
  --select-class dev.crema.compress.Fp8QuantizationTest
  --select-class dev.crema.compress.QuantizedImagesTest
  --select-class dev.crema.compress.QuantizedResidualTest
)

# Calls JUnit's console with what selects tests; before it, the words of $under.
junit() {
  local reports="$1"
  shift
  # shellcheck disable=SC2086 # words
  $under "$java" -ea -Xmx4g -cp "$here/lib/*" org.junit.platform.console.ConsoleLauncher execute "$@" \
    --exclude-classname '.*HostileOpTest' --include-engine junit-jupiter --details=summary --disable-banner \
    --reports-dir "$reports" 2>&1
}

# Says so if the tests of ops were not found: none of them fails then.
found_ops() {
  if ! grep -qs 'dev.crema.op.SoftmaxTest' "$1"/*.xml; then
    echo "The tests of dev.crema.op did not run: see $1.txt" >&2
    failed=1
  fi
}

run_test() {
  say "every op and gradient, and trainings, on $CREMA_DEVICE"
  under=
  rm -rf "$results/test"
  # cuDNN's recurrent layers repeat to the bit if cuBLAS has work spaces of one size.
  CUBLAS_WORKSPACE_CONFIG="${CUBLAS_WORKSPACE_CONFIG:-:4096:2}" junit "$results/test" "${tests[@]}" | tee "$results/test.txt" || failed=1
  found_ops "$results/test"
}

run_sanitizer() {
  local sanitizer tool
  sanitizer="$(command -v compute-sanitizer || true)"
  for folder in "${CUDA_HOME:-}" "${CUDA_PATH:-}" /usr/local/cuda; do
    [ -n "$sanitizer" ] || [ ! -x "$folder/bin/compute-sanitizer" ] || sanitizer="$folder/bin/compute-sanitizer"
  done
  if [ -z "$sanitizer" ]; then
    echo "compute-sanitizer is neither on the PATH nor in CUDA_HOME, CUDA_PATH or /usr/local/cuda. It comes with the CUDA" >&2
    echo "toolkit (package cuda-sanitizer-13-0, or conda's nvidia::cuda-sanitizer-api)." >&2
    exit 2
  fi
  for tool in memcheck racecheck; do
    say "ops under compute-sanitizer --tool $tool"
    # The launcher's own threads and its JIT make no calls of CUDA; a finding gives exit code 9.
    under="$sanitizer --tool $tool --error-exitcode 9 --target-processes all"
    rm -rf "${results:?}/$tool"
    junit "$results/$tool" --select-package dev.crema.op | tee "$results/$tool.txt" || failed=1
    found_ops "$results/$tool"
  done
  under=
}

run_bench() {
  if [ "$CREMA_DEVICE" = cpu ]; then
    tiny=--tiny # full sizes are for cards: on a CPU this only shows that it works
  fi
  say "Crema on $CREMA_DEVICE"
  rm -f "$results"/{crema,near,peers}.json
  # shellcheck disable=SC2086 # no word or one
  "$java" -Xmx8g -cp "$here/lib/*" dev.crema.bench.BenchCommand gpu $tiny \
    --data "$results/data" --out "$results/crema.json" || failed=1
  if [ "$CREMA_DEVICE" != cpu ] && [ -z "${CREMA_CUDA_MEASURE:-}" ]; then
    say "works that cuDNN has other ways for, which round otherwise"
    # shellcheck disable=SC2086
    CREMA_CUDA_MEASURE=all "$java" -Xmx8g -cp "$here/lib/*" dev.crema.bench.BenchCommand gpu $tiny \
      resnet18 transformer-block --out "$results/near.json" || failed=1
  fi
  if ! command -v python3 >/dev/null; then
    echo "no python3: PyTorch is not measured; Crema's figures are in $results/crema.json"
    return
  fi
  say "PyTorch on the same card, and the table"
  local own=() visible=() same=(env)
  [ ! -f "$results/crema.json" ] || own=(--crema "$results/crema.json")
  [ ! -f "$results/near.json" ] || own+=(--near "$results/near.json")
  case "$CREMA_DEVICE" in
    cuda:0 | cpu) ;;
    *) # PyTorch takes the first card that it sees
      IFS=, read -ra visible <<<"${CUDA_VISIBLE_DEVICES:-}"
      same+=("CUDA_VISIBLE_DEVICES=${visible[${CREMA_DEVICE#cuda:}]:-${CREMA_DEVICE#cuda:}}")
      ;;
  esac
  "${same[@]}" python3 "$here/gpu/peers.py" "${own[@]}" --data "$results/data" --out "$results/peers.json" \
    | tee "$results/bench.md" || failed=1
}

run_demo() {
  say "a training on the card"
  crema demo --out "$results/demo" "$@" 2>&1 | tee "$results/demo.txt" || failed=1
}

# Tests of JUnit's report that did not pass, a line each, with the first line of why.
not_passed() {
  awk -v RS='<' '
    function value(name) { return match($0, " " name "=\"[^\"]*\"") ? substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4) : "" }
    /^testcase / { test = value("classname") " " value("name") }
    /^(failure|error|skipped)[ >\/]/ {
      kind = $1; sub(/[>\/].*/, "", kind); why = value("message")
      if (kind == "skipped" && !/^skipped message/) { getline; why = $0; sub(/^!\[CDATA\[/, "", why) }
      sub(/^(&#10;|&#xa;|\n)+/, "", why); sub(/(\n|&#10;|&#xa;|\]\]>).*/, "", why); print "- " kind ": " test (why == "" ? "" : ": " substr(why, 1, 300)) }
  ' "$1"
}

# What this run of the script wrote, and how it went, in one file for people and one for machines.
summarize() {
  local folder report counts json='' each archive
  rm -f "$results"/{summary.md,summary.json,crema-results.tar.gz}
  {
    echo "# Crema on $CREMA_DEVICE: $([ "$failed" = 0 ] && echo "all well" || echo "something failed")"
    printf '\n%s, %s\n\n```\n' "$(date -u +%Y-%m-%dT%H:%MZ)" "$asked"
    cat "$results/devices.txt"
    echo '```'
    for folder in test memcheck racecheck; do
      for report in "$results/$folder"/TEST-junit-jupiter.xml; do
        [ "$report" -nt "$results/devices.txt" ] || continue
        counts="$(grep -m1 -o '<testsuite [^>]*' "$report" | grep -oE ' (tests|skipped|failures|errors)="[0-9]+"' | tr -d '\n' | tr '"' ' ')"
        printf '\n## %s\n\n%s\n\n' "$folder" "${counts//= /: }"
        not_passed "$report"
        json+=", \"$folder\": {$(sed -E 's/ *([a-z]+)= ([0-9]+) */"\1": \2, /g; s/, $//' <<<"$counts")}"
      done
    done
    for each in bench.md demo.txt; do
      [ ! "$results/$each" -nt "$results/devices.txt" ] || printf '\n## %s\n\n%s\n' "$each" "$(cat "$results/$each")"
    done
  } >"$results/summary.md"
  echo "{\"device\": \"$CREMA_DEVICE\", \"ran\": \"$wanted\", \"failed\": $failed$json}" >"$results/summary.json"
  archive="$(mktemp)" # elsewhere: it is not in itself
  tar -C "$results" --exclude=./data -cz . >"$archive" 2>/dev/null && cat "$archive" >"$results/crema-results.tar.gz" \
    || echo "no archive was made of $results" >&2
  rm -f "$archive"
  say "What passed, failed and was skipped: $results/summary.md; to send back: $results/crema-results.tar.gz"
}

usage() { sed -n '2,/^set /p' "$0" | sed '$d; s/^# \{0,1\}//'; }

wrong() {
  usage >&2
  exit 64
}

asked="run.sh $*"
wanted="${1:-all}"
[ $# -eq 0 ] || shift
case "$wanted $*" in
  "all " | "test " | "bench " | "demo "*) ;;
  "test --sanitize") wanted=sanitize ;;
  "bench --tiny") tiny=--tiny ;;
  "-h " | "--help ")
    usage
    exit 0
    ;;
  *) wrong ;;
esac

# Whether files can be made there; makes the folder.
writable() { mkdir -p "$1" 2>/dev/null && [ -w "$1" ]; }

results="${CREMA_RESULTS:-$here/results}"
if ! writable "$results"; then
  [ -z "${CREMA_RESULTS:-}" ] || echo "$results cannot be written" >&2
  results="$PWD/crema-results"
  writable "$results" || results="$(mktemp -d)"
fi
results="$(cd "$results" && pwd)"
echo "Results go to $results"

say "devices"
crema devices 2>&1 | tee "$results/devices.txt"
export CREMA_DEVICE="${CREMA_DEVICE:-cuda:0}"
if [ "$CREMA_DEVICE" != cpu ]; then
  found="$(crema devices --json 2>/dev/null | tr -d ' \n')"
  lacking=
  grep -q "\"name\":\"$CREMA_DEVICE\",\"usable\":true" <<<"$found" || lacking="$CREMA_DEVICE"
  for library in cuBLASLt cuDNN; do # NVRTC is needed by cards that the jars have no code for
    ! grep -q "\"name\":\"$library\",\"reason\"" <<<"$found" || lacking="${lacking:-$library}"
  done
  if [ -n "$lacking" ]; then
    echo "$lacking cannot be used, for the reason above. CREMA_DEVICE=cpu runs everything on the CPU." >&2
    exit 2
  fi
fi
case "$wanted" in
  test) run_test ;;
  sanitize) run_sanitizer ;;
  bench) run_bench ;;
  demo) run_demo "$@" ;;
  all) run_test; run_bench; run_demo ;;
esac
summarize
exit $failed
