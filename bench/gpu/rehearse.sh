#!/usr/bin/env bash
# Runs the bundle's run.sh on a machine without a card, unchanged: on a card that is not there. NVIDIA's libraries are stand-ins that
# compute on the host (java/engine/src/test/native/cuda_stub.cpp), Crema's kernels run by their emulation, and all that lies between
# is what runs on a real one: the script, the trimmed Java, the jars, JavaCPP's calls, the order of what is queued. It shows nothing of
# speed, nor what NVIDIA's own libraries do. For Linux with g++, as root or where users may have namespaces of their own.
#   mvn -Pbundle -DskipTests package && mvn -pl kernels verify     # the bundle, and the emulation
#   bench/gpu/rehearse.sh test                                     # what follows goes to run.sh
#   bench/gpu/rehearse.sh bench --tiny
#   bench/gpu/rehearse.sh demo --epochs 1 --no-compress
# Trials of layers of bytes (kernels/README.md) launch every kind several times, which takes long where kernels are emulated: with
# CREMA_CUDA_MEASURE=0 the rest is rehearsed sooner.
set -euo pipefail
top="$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)"
bundle="${CREMA_BUNDLE:-$top/bench/gpu/target/crema-gpu}"
emulation="$top/kernels/target/emulation"
card="$top/bench/gpu/target/rehearsal"
for file in "$bundle/run.sh" "$emulation/libcrema_emulated_kernels.so"; do
  [ -e "$file" ] || { echo "There is no $file; see the head of $0." >&2; exit 2; }
done

stub() { # NAME PART [more]
  local source="$top/java/engine/src/test/native/cuda_stub.cpp"
  [ "$2" != NOTHING ] || source=/dev/null
  g++ -std=c++17 -O2 -shared -fPIC -fvisibility=hidden "-DSTUB_$2" "-Wl,-soname,$1" -o "$card/$1" \
    -x c++ "$source" -x none "${@:3}"
}
mkdir -p "$card"
stub libcuda.so.1 CUDA -DSTUB_EMULATION -I "$top/kernels/src/test/emulation" \
  "$emulation/libcrema_emulated_kernels.so" "-Wl,-rpath,$emulation"
for pair in libcublasLt.so.13:CUBLASLT libcudnn_graph.so.9:CUDNN libnvrtc.so.13:NVRTC libnvidia-ml.so.1:NVML \
  libcudart.so.13:NOTHING libcublas.so.13:NOTHING libcudnn_ops.so.9:NOTHING libcudnn_cnn.so.9:NOTHING \
  libcudnn_adv.so.9:NOTHING libcudnn.so.9:NOTHING; do
  stub "${pair%:*}" "${pair#*:}" "$card/libcuda.so.1"
done

# Only this command and what it starts see a driver's sign.
own=(unshare --mount)
[ "$(id -u)" -eq 0 ] || own=(unshare --map-root-user --mount)
export CREMA_CUDA_PATH="$card"
exec "${own[@]}" bash -c '
  mount -t tmpfs crema-rehearsal /proc/driver && mkdir /proc/driver/nvidia && : >/proc/driver/nvidia/version || exit 2
  exec "$@"' rehearsal "$bundle/run.sh" "$@"
