// probe.cpp: measures limits of this machine with the loops of kernels/probe.cpp: the best of many short tries, which
// is what the machine gives while nothing disturbs it.
#include <chrono>
#include <cstring>

#include "../include/crema.h"
#include "isa.h"
#include "registry.h"

namespace crema {
namespace {

constexpr double kSeconds = 0.03;
constexpr double kTrySeconds = 1e-4;
constexpr int kTries = 8;  // at least
constexpr int64_t kFmaRounds = 20000;

class Memory {
 public:
  explicit Memory(int64_t bytes) : bytes_(bytes), address_(crema_alloc(bytes)) {}
  ~Memory() { crema_free(address_, bytes_); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void* data() const { return reinterpret_cast<void*>(static_cast<intptr_t>(address_)); }

 private:
  int64_t bytes_, address_;
};

Tensor floats(void* data, int64_t count) {
  Tensor t;
  t.data = data;
  t.type = CREMA_FLOAT32;
  t.rank = 1;
  t.dim[0] = count;
  return t;
}

Kernel kernel(const char* name, int level = isa_active()) { return kernel_entry(level, crema_kernel(name)).kernel; }

// The level in use, or the one below it whose products are not of tiles.
int level_of_vectors() {
  const int level = isa_active();
  return std::strcmp(crema_isa_name(level), "avx512_amx") == 0 ? isa_below(level) : level;
}

// Seconds of `repeats` calls.
double seconds_of(Kernel run, const Call& call, int64_t repeats) {
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  for (int64_t i = 0; i < repeats; ++i) run(call);
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Least seconds of a call; short calls are timed many at once.
double best(Kernel run, const Call& call) {
  int64_t repeats = 1;
  while (seconds_of(run, call, repeats) < kTrySeconds) repeats *= 2;
  double least = 1e30, all = 0;
  for (int i = 0; i < kTries || all < kSeconds; ++i) {
    const double seconds = seconds_of(run, call, repeats);
    all += seconds;
    if (seconds < least) least = seconds;
  }
  return least / static_cast<double>(repeats);
}

int32_t operations_of(Kernel round) {
  int32_t operations = 0;
  const Tensor out = floats(&operations, 1);
  Call call;
  call.out = &out;
  call.outs = 1;
  round(call);
  return operations;
}

// Operations a second of a loop over registers; `round` says how many a round of it has. -1 where there is no such loop.
double operations_rate(const char* name, const char* round, int32_t threads, int level = isa_active()) {
  const Kernel loop = kernel(name, level);
  if (loop == nullptr) return -1;
  Memory seeds(14 * 16 * 4), sums(64 * int64_t{threads});
  if (seeds.data() == nullptr || sums.data() == nullptr) return -1;
  const Tensor in = floats(seeds.data(), 14 * 16);
  const Tensor out = floats(sums.data(), 16 * int64_t{threads});
  Call call;
  call.in = &in;
  call.ins = 1;
  call.out = &out;
  call.outs = 1;
  call.ints = &kFmaRounds;
  call.int_count = 1;
  call.threads = threads;
  return static_cast<double>(kFmaRounds) * operations_of(kernel(round, level)) * threads / best(loop, call);
}

// Bytes a second where `streams` arrays of n floats go by, one of them written unless `read`.
double memory_rate(const char* name, int streams, int64_t n, int32_t threads, bool read) {
  Memory a(4 * n), b(streams > 2 ? 4 * n : 4), y(read ? 64 * int64_t{threads} : 4 * n);
  if (a.data() == nullptr || b.data() == nullptr || y.data() == nullptr) return -1;
  const Tensor in[2] = {floats(a.data(), n), floats(b.data(), n)};
  const Tensor out = floats(y.data(), n);
  Call call;
  call.in = in;
  call.ins = streams > 2 ? 2 : 1;
  call.out = &out;
  call.outs = 1;
  call.threads = threads;
  call.int_count = 1;
  double least = 1e30;
  for (int64_t past = 0; past < (read ? 1 : 2); ++past) {  // stores into the caches and past them: the better one
    call.ints = &past;
    const double seconds = best(kernel(name), call);
    if (seconds < least) least = seconds;
  }
  return 4.0 * static_cast<double>(n) * streams / least;
}

}  // namespace
}  // namespace crema

extern "C" double crema_probe(const char* limit, int64_t bytes, int32_t threads) {
  if (threads < 1 || bytes < 256 || bytes > (int64_t{1} << 34)) return -1;
  const int64_t n = bytes / 256 * 64;
  if (std::strcmp(limit, "fma") == 0) return crema::operations_rate("probe_fma", "probe_fma_operations", threads);
  if (std::strcmp(limit, "bf16") == 0) return crema::operations_rate("probe_bf16", "probe_bf16_operations", threads);
  if (std::strcmp(limit, "int8") == 0) return crema::operations_rate("probe_int8", "probe_int8_operations", threads);
  if (std::strcmp(limit, "int8_vectors") == 0) {
    return crema::operations_rate("probe_int8", "probe_int8_operations", threads, crema::level_of_vectors());
  }
  if (std::strcmp(limit, "copy") == 0) return crema::memory_rate("probe_copy", 2, n, threads, false);
  if (std::strcmp(limit, "triad") == 0) return crema::memory_rate("probe_triad", 3, n, threads, false);
  if (std::strcmp(limit, "read") == 0) return crema::memory_rate("probe_read", 1, n, threads, true);
  return -1;
}
