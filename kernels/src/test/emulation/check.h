// check.h: how tests call kernels on the emulation: in several orders of threads and blocks, with grids that are too small and
// too large, outputs poisoned before. Arrays are as long as they say, so that AddressSanitizer sees what is written behind.
#pragma once

#include <cstdio>
#include <functional>
#include <vector>

#include "cuda_emulation.h"
#include "storage.cuh"

namespace crema_test {

inline int failures = 0;

#define CHECK(condition, ...)                                     \
  do {                                                            \
    if (!(condition) && ++crema_test::failures < 20) {            \
      std::printf("%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      std::printf(__VA_ARGS__);                                   \
      std::printf("\n");                                          \
    }                                                             \
  } while (0)

inline int result() {
  if (failures != 0) std::printf("%d checks failed\n", failures);
  return failures == 0 ? 0 : 1;
}

// Uniform in [-1, 1), the same on every machine.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed * 2654435769u + 1) {}
  std::uint64_t bits() {
    state_ ^= state_ << 13;
    state_ ^= state_ >> 7;
    state_ ^= state_ << 17;
    return state_;
  }
  float value() { return static_cast<float>(static_cast<double>(bits() >> 40) / (1 << 23) - 1.0); }
  long long below(long long n) { return static_cast<long long>(bits() >> 20) % n; }

 private:
  std::uint64_t state_;
};

using Doubles = std::vector<double>;

// What a stored number stands for.
template <typename T>
double value_of(T x) {
  return static_cast<double>(x);
}
inline double value_of(bf16 x) { return to_float(x); }
inline double value_of(f16 x) { return to_float(x); }
template <typename T>
void set(T& to, float x) {
  to = static_cast<T>(x);
}
inline void set(bf16& to, float x) { put(&to, x); }
inline void set(f16& to, float x) { put(&to, x); }

// The suffix of kernels' names, and how far the nearest number may be: of it, and at least.
template <typename T>
struct Stored {
  static constexpr const char* name = "_f32";
  static constexpr double rounding = 0, least = 0;
};
template <>
struct Stored<bf16> {
  static constexpr const char* name = "_bf16";
  static constexpr double rounding = 1.0 / 256, least = 0;
};
template <>
struct Stored<f16> {
  static constexpr const char* name = "_f16";
  static constexpr double rounding = 1.0 / 2048, least = 1.0 / (1 << 25);
};

// Elements, poisoned at first (all bits set: NaN as floats), `shift` elements behind a multiple of 16 bytes.
template <typename T>
class Array {
 public:
  explicit Array(long long n, int shift = 0) : data_(static_cast<std::size_t>(n + shift)), shift_(shift) {
    if (!data_.empty()) std::memset(data_.data(), 0xff, data_.size() * sizeof(T));
  }
  Array(std::vector<T> values) : data_(std::move(values)), shift_(0) {}
  static Array random(long long n, std::uint64_t seed, int shift = 0) {
    Array a(n, shift);
    Random random(seed);
    for (long long i = 0; i < n; ++i) set(a[i], random.value());
    return a;
  }
  T* data() { return data_.data() + shift_; }
  long long size() const { return static_cast<long long>(data_.size()) - shift_; }
  T& operator[](long long i) { return data_[static_cast<std::size_t>(i + shift_)]; }
  const T& operator[](long long i) const { return data_[static_cast<std::size_t>(i + shift_)]; }
  Doubles doubles() const {
    Doubles d;
    for (long long i = 0; i < size(); ++i) d.push_back(value_of((*this)[i]));
    return d;
  }

 private:
  std::vector<T> data_;
  int shift_;
};
using Floats = Array<float>;

// The order of threads that launches use now.
inline std::uint64_t order = 0;

template <typename... Args>
void run(const char* kernel, dim3 grid, int threads, int shared_bytes, Args... args) {
  void* pointers[] = {const_cast<void*>(static_cast<const void*>(&args))...};
  const crema_emulation::Kernel* const found = crema_emulation::find(kernel);
  CHECK(found != nullptr, "there is no kernel %s", kernel);
  if (found == nullptr) return;
  const int sizes[] = {static_cast<int>(sizeof(Args))...};
  const char letters[] = {crema_emulation::letter<Args>()...};
  CHECK(found->parameters == static_cast<int>(sizeof...(Args)), "%s takes %d arguments", kernel, found->parameters);
  if (found->parameters != static_cast<int>(sizeof...(Args))) return;
  for (int i = 0; i < found->parameters; ++i) {
    CHECK(found->sizes[i] == sizes[i] && found->signature[i] == letters[i], "%s: argument %d is of another type", kernel, i);
  }
  const std::string wrong = crema_emulation::launch(kernel, grid, threads, shared_bytes, pointers, order);
  CHECK(wrong.empty(), "%s", wrong.c_str());
}
template <typename... Args>
void run(const char* kernel, long long blocks, int threads, Args... args) {
  run(kernel, dim3{static_cast<unsigned>(blocks), 1, 1}, threads, 0, args...);
}

// Calls f in ascending, descending and two drawn orders of threads; under AddressSanitizer, which slows fibers down and looks for
// something that does not depend on it, in one drawn order.
template <typename F>
void in_every_order(F f) {
#if defined(__SANITIZE_ADDRESS__)
  order = 2;
  f();
#else
  for (order = 0; order < 4; ++order) f();
#endif
  order = 0;
}

// Errors relative to the largest expected magnitude, beside that of rounding to the type stored.
template <typename T>
void compare(const char* what, const Array<T>& actual, const Doubles& expected, double tolerance) {
  double scale = 1e-30;
  for (double e : expected) {
    if (std::isfinite(e) && std::fabs(e) > scale) scale = std::fabs(e);
  }
  CHECK(actual.size() == static_cast<long long>(expected.size()), "%s: %d expected", what, static_cast<int>(expected.size()));
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double a = value_of(actual[static_cast<long long>(i)]), e = expected[i];
    const double rounding = std::fmax(Stored<T>::least, Stored<T>::rounding * std::fabs(e));
    const bool same = std::isnan(e) ? std::isnan(a) : a == e || std::fabs(a - e) <= tolerance * scale + rounding;
    CHECK(same, "%s%s: element %d is %.9g, expected %.9g", what, Stored<T>::name, static_cast<int>(i), a, e);
    if (!same) return;
  }
}

// Gradient of the sum of f(x) * flow in every element of x, by central differences.
inline Doubles differences(const std::function<Doubles(const Doubles&)>& f, Doubles x, const Doubles& flow) {
  const auto loss = [&] {
    const Doubles y = f(x);
    double sum = 0;
    for (std::size_t i = 0; i < y.size(); ++i) sum += y[i] * flow[i];
    return sum;
  };
  Doubles gradient;
  const double h = 1e-5;
  for (double& e : x) {
    const double at = e;
    e = at + h;
    const double above = loss();
    e = at - h;
    const double below = loss();
    e = at;
    gradient.push_back((above - below) / (2 * h));
  }
  return gradient;
}

}  // namespace crema_test
