// typed_call.h: calls of kernels on tensors of any element type: CHECK, tensors that own their memory, error messages.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../src/isa.h"
#include "../src/registry.h"

namespace check {

inline int failures = 0;

#define CHECK(condition)                                                             \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);           \
      if (++check::failures > 20) std::exit(1);                                      \
    }                                                                                \
  } while (false)

#define CHECK_MESSAGE(condition, ...)                                                \
  do {                                                                               \
    if (!(condition)) {                                                              \
      std::fprintf(stderr, "%s:%d: %s: ", __FILE__, __LINE__, #condition);           \
      std::fprintf(stderr, __VA_ARGS__);                                             \
      std::fprintf(stderr, "\n");                                                    \
      if (++check::failures > 20) std::exit(1);                                      \
    }                                                                                \
  } while (false)

// Memory of exactly the tensor's bytes, so that a sanitizer sees every step past its end; filled with 0xFF.
template <typename T>
struct Array {
  std::vector<T> values;
  crema::Tensor tensor;

  Array(int32_t type, const std::vector<int64_t>& dims) {
    tensor.type = type;
    tensor.rank = static_cast<int32_t>(dims.size());
    for (size_t a = 0; a < dims.size(); ++a) tensor.dim[a] = dims[a];
    values.resize(static_cast<size_t>(tensor.elements()));
    tensor.data = values.data();
    if (!values.empty()) std::memset(values.data(), 0xFF, values.size() * sizeof(T));
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  // Numbers in [low, high), the same for the same seed.
  Array& random(uint64_t seed, double low, double high) {
    uint64_t state = seed * 2654435769u + 88172645463325252u;
    for (T& v : values) {
      state ^= state << 13;
      state ^= state >> 7;
      state ^= state << 17;
      v = static_cast<T>(low + (high - low) * static_cast<double>(state >> 11) / 9007199254740992.0);
    }
    return *this;
  }
  T& operator[](int64_t i) { return values[static_cast<size_t>(i)]; }
  int64_t size() const { return static_cast<int64_t>(values.size()); }
};

using Floats = Array<float>;

// Every level that this processor has.
inline std::vector<int> levels() {
  std::vector<int> all;
  for (int level = 0; level < crema::kLevels; ++level) {
    if (crema::isa_supported(level)) all.push_back(level);
  }
  return all;
}

// Runs a kernel; the result is its error message, empty when there was none.
inline std::string run(int level, const char* kernel, const std::vector<crema::Tensor>& in,
                       const std::vector<crema::Tensor>& out, const std::vector<int64_t>& ints = {},
                       const std::vector<double>& reals = {}, int32_t threads = 1) {
  const int32_t number = crema_kernel(kernel);
  if (number < 0) return std::string("no kernel named ") + kernel;
  const crema::KernelEntry entry = crema::kernel_entry(level, number);
  if (entry.kernel == nullptr) return std::string("no level has ") + kernel;
  char error[256] = {};
  crema::Call call;
  call.in = in.data();
  call.out = out.data();
  call.ins = static_cast<int32_t>(in.size());
  call.outs = static_cast<int32_t>(out.size());
  call.ints = ints.data();
  call.floats = reals.data();
  call.int_count = static_cast<int32_t>(ints.size());
  call.float_count = static_cast<int32_t>(reals.size());
  call.threads = threads;
  call.error = error;
  int64_t scratch = 0, bytes = 0;
  if (entry.scratch != nullptr && (bytes = entry.scratch(call)) > 0) scratch = crema_alloc(bytes);
  call.scratch = reinterpret_cast<char*>(static_cast<intptr_t>(scratch));
  entry.kernel(call);
  crema_free(scratch, bytes);
  return error;
}

inline int result() {
  if (failures == 0) std::puts("ok");
  return failures == 0 ? 0 : 1;
}

}  // namespace check
