// run.h: beside check.h, for kernels with inputs of several element types and with errors to look at.
#pragma once

#include <string>

#include "../src/float_mode.h"
#include "../src/pool.h"
#include "check.h"

namespace crema_test {

inline crema::Tensor tensor_of(void* data, int32_t type, const std::vector<int64_t>& dims) {
  crema::Tensor t;
  t.data = data;
  t.type = type;
  t.rank = static_cast<int32_t>(dims.size());
  for (size_t i = 0; i < dims.size(); ++i) t.dim[i] = dims[i];
  return t;
}

inline crema::Tensor tensor_of(std::vector<int32_t>& v, const std::vector<int64_t>& dims) {
  return tensor_of(v.data(), CREMA_INT32, dims);
}

inline crema::Tensor absent() { return crema::Tensor{}; }

// Runs a kernel as a plan would and gives its error, empty if there is none.
inline std::string run(int level, const char* name, int32_t threads, const std::vector<crema::Tensor>& in,
                       const std::vector<crema::Tensor>& out, const std::vector<int64_t>& ints = {},
                       const std::vector<double>& floats = {}) {
  const crema::KernelEntry entry = crema::kernel_entry(level, crema_kernel(name));
  if (entry.kernel == nullptr) return std::string("no kernel ") + name;
  char error[256] = {};
  crema::Call c;
  c.in = in.data();
  c.out = out.data();
  c.ins = static_cast<int32_t>(in.size());
  c.outs = static_cast<int32_t>(out.size());
  c.ints = ints.data();
  c.floats = floats.data();
  c.int_count = static_cast<int32_t>(ints.size());
  c.float_count = static_cast<int32_t>(floats.size());
  c.threads = threads;
  c.error = error;
  const int64_t bytes = entry.scratch == nullptr ? 0 : entry.scratch(c);
  const size_t reserved = static_cast<size_t>((bytes + 63) / 64 * 64 + 64);
  c.scratch = static_cast<char*>(std::aligned_alloc(64, reserved));
  std::memset(c.scratch, 0xff, static_cast<size_t>(bytes));
  std::memset(c.scratch + bytes, 0x5a, reserved - static_cast<size_t>(bytes));
  {
    const crema::FloatMode flush_denormals;
    entry.kernel(c);
  }
  bool guarded = true;
  for (size_t i = static_cast<size_t>(bytes); i < reserved; ++i) guarded = guarded && c.scratch[i] == 0x5a;
  CHECK(guarded, "%s at level %d, %d threads wrote behind its scratch memory", name, level, threads);
  std::free(c.scratch);
  return error;
}

// Calls f(level, threads) for every instruction set of this processor and for 1, 2 and 5 threads.
template <typename F>
void on_all(const F& f) {
  crema::pool_set_threads(5);
  for (int level : levels()) {
    for (int32_t threads : {1, 2, 5}) f(level, threads);
  }
}

}  // namespace crema_test
