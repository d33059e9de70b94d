// check.h: how the C++ tests call kernels: on every instruction set of this processor, on one thread and on
// several, with poisoned outputs and scratch memory and guards behind both.
#pragma once

#include <cmath>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "../src/isa.h"
#include "../src/registry.h"

namespace crema_test {

inline int failures = 0;

#define CHECK(condition, ...)                                        \
  do {                                                               \
    if (!(condition) && ++crema_test::failures < 20) {               \
      std::printf("%s:%d: %s: ", __FILE__, __LINE__, #condition);    \
      std::printf(__VA_ARGS__);                                      \
      std::printf("\n");                                             \
    }                                                                \
  } while (0)

// For main to return.
inline int result() {
  if (failures != 0) std::printf("%d checks failed\n", failures);
  return failures == 0 ? 0 : 1;
}

// Uniform in [-1, 1), the same on every machine.
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2654435769u + 1) {}
  uint64_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  float value() { return static_cast<float>(static_cast<double>(bits() >> 40) / (1 << 23) - 1.0); }
  int64_t below(int64_t n) { return static_cast<int64_t>(bits() >> 20) % n; }

 private:
  uint64_t state_;
};

// A float tensor with a guard behind its elements.
class Array {
 public:
  Array() = default;
  explicit Array(std::vector<int64_t> dims) : dims_(dims) {
    int64_t n = 1;
    for (int64_t d : dims) n *= d;
    size_ = n;
    data_.assign(static_cast<size_t>(n) + kGuard, NAN);
    for (int i = 0; i < kGuard; ++i) data_[static_cast<size_t>(n + i)] = kGuardValue;
  }
  static Array random(std::vector<int64_t> dims, uint64_t seed) {
    Array a(dims);
    Random random(seed);
    for (int64_t i = 0; i < a.size(); ++i) a[i] = random.value();
    return a;
  }
  int64_t size() const { return size_; }
  int64_t dim(int i) const { return dims_[static_cast<size_t>(i)]; }
  const std::vector<int64_t>& dims() const { return dims_; }
  float& operator[](int64_t i) { return data_[static_cast<size_t>(i)]; }
  float operator[](int64_t i) const { return data_[static_cast<size_t>(i)]; }
  float* data() { return data_.data(); }
  crema::Tensor tensor() {
    crema::Tensor t;
    if (dims_.empty()) return t;
    t.data = data_.data();
    t.type = CREMA_FLOAT32;
    t.rank = static_cast<int32_t>(dims_.size());
    for (size_t i = 0; i < dims_.size(); ++i) t.dim[i] = dims_[i];
    return t;
  }
  bool guarded() const {
    for (int i = 0; i < kGuard; ++i) {
      if (data_[static_cast<size_t>(size_ + i)] != kGuardValue) return false;
    }
    return true;
  }

 private:
  static constexpr int kGuard = 64;
  static constexpr float kGuardValue = 12345.0f;
  std::vector<int64_t> dims_;
  std::vector<float> data_;
  int64_t size_ = 0;
};

// Calls a kernel once. An Array without dims is an absent input.
inline void call(int level, const char* name, int32_t threads, std::vector<Array*> in, std::vector<Array*> out,
                 std::vector<int64_t> ints, std::vector<double> floats = {}) {
  const crema::KernelEntry entry = crema::kernel_entry(level, crema_kernel(name));
  CHECK(entry.kernel != nullptr, "no kernel %s", name);
  if (entry.kernel == nullptr) return;
  std::vector<crema::Tensor> ins, outs;
  for (Array* a : in) ins.push_back(a->tensor());
  for (Array* a : out) outs.push_back(a->tensor());
  char error[256] = {};
  crema::Call c;
  c.in = ins.data();
  c.out = outs.data();
  c.ins = static_cast<int32_t>(ins.size());
  c.outs = static_cast<int32_t>(outs.size());
  c.ints = ints.data();
  c.floats = floats.data();
  c.int_count = static_cast<int32_t>(ints.size());
  c.float_count = static_cast<int32_t>(floats.size());
  c.threads = threads;
  c.error = error;
  const int64_t bytes = entry.scratch == nullptr ? 0 : entry.scratch(c);
  const size_t reserved = static_cast<size_t>((bytes + 63) / 64 * 64 + 64);
  c.scratch = static_cast<char*>(std::aligned_alloc(64, reserved));
  std::memset(c.scratch, 0xff, reserved);
  std::memset(c.scratch + bytes, 0x5a, reserved - static_cast<size_t>(bytes));
  entry.kernel(c);
  bool guarded = true;
  for (size_t i = static_cast<size_t>(bytes); i < reserved; ++i) guarded = guarded && c.scratch[i] == 0x5a;
  CHECK(guarded, "%s at level %d, %d threads wrote behind its scratch memory", name, level, threads);
  std::free(c.scratch);
  for (size_t i = 0; i < out.size(); ++i) {
    CHECK(out[i]->guarded(), "%s at level %d, %d threads wrote behind output %d", name, level, threads,
          static_cast<int>(i));
  }
  CHECK(error[0] == 0, "%s: %s", name, error);
}

// Errors relative to the largest expected magnitude.
inline void compare(const char* what, const Array& actual, const std::vector<double>& expected, double tolerance) {
  double scale = 1e-30;
  for (double e : expected) {
    if (std::isfinite(e) && std::fabs(e) > scale) scale = std::fabs(e);
  }
  for (size_t i = 0; i < expected.size(); ++i) {
    const double a = actual[static_cast<int64_t>(i)], e = expected[i];
    const bool same = std::isnan(e) ? std::isnan(a) : a == e || std::fabs(a - e) <= tolerance * scale;
    CHECK(same, "%s: element %d is %.9g, expected %.9g", what, static_cast<int>(i), a, e);
    if (!same) return;
  }
}

inline bool same_bits(Array& a, Array& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * 4) == 0;
}

// The levels that this processor can run, lowest first.
inline std::vector<int> levels() {
  std::vector<int> result;
  for (int level = 0; level < crema::kLevels; ++level) {
    if (crema_isa_name(level) != nullptr && crema::isa_supported(level)) result.push_back(level);
  }
  return result;
}

}  // namespace crema_test
