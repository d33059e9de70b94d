// storage_test.cpp: numbers of 16 bits: what each stands for, and that the nearest is stored, half to even; packs at any address.
#include "check.h"

namespace {

using namespace crema_test;

// Of the bits of a number: `fraction` bits behind the point, exponents from `bias` below zero.
double meaning(u16 bits, int fraction, int bias) {
  const int exponent = (bits & 0x7fff) >> fraction, rest = bits & ((1 << fraction) - 1);
  const double sign = (bits & 0x8000) != 0 ? -1 : 1;
  if (exponent == (0x7fff >> fraction)) return rest != 0 ? static_cast<double>(NAN) : sign * INFINITY;
  if (exponent == 0) return sign * std::ldexp(rest, 1 - bias - fraction);
  return sign * std::ldexp((1 << fraction) + rest, exponent - bias - fraction);
}

u16 bits_of(float x, bf16) { return bf16_bits(x); }
u16 bits_of(float x, f16) { return f16_bits(x); }
u16 sign_of_zero(float x) { return std::signbit(x) ? static_cast<u16>(0x8000) : static_cast<u16>(0); }

template <typename T>
void every_number_and_what_lies_between(int fraction, int bias) {
  const u16 infinity = static_cast<u16>(0x7fff >> fraction << fraction);
  for (int i = 0; i < 0x10000; ++i) {
    const u16 bits = static_cast<u16>(i);
    const double expected = meaning(bits, fraction, bias);
    const float x = to_float(T{bits});
    if (std::isnan(expected)) {
      CHECK(std::isnan(x) && bits_of(x, T{}) == 0x7fff, "%04x is NaN", i);
      continue;
    }
    CHECK(x == expected && std::signbit(x) == std::signbit(expected), "%04x is %g, expected %g", i, x, expected);
    CHECK(bits_of(x, T{}) == bits, "%g is stored as %04x, expected %04x", x, bits_of(x, T{}), i);
    if ((bits & 0x7fff) == infinity) continue;
    // The next one away from zero; beyond the greatest, where infinity begins.
    const bool last = (bits & 0x7fff) == infinity - 1;
    const double step = std::fabs(expected) - std::fabs(meaning(static_cast<u16>(bits - 1), fraction, bias));
    const double next = last ? expected + std::copysign(step, expected) : meaning(static_cast<u16>(bits + 1), fraction, bias);
    const float middle = static_cast<float>((expected + next) / 2);
    const u16 even = static_cast<u16>(bits % 2 == 0 ? bits : bits + 1);
    CHECK(bits_of(middle, T{}) == even, "%.9g, half way from %04x, is stored as %04x", middle, i, bits_of(middle, T{}));
    const float beyond = std::nextafter(middle, std::copysign(INFINITY, middle)), before = std::nextafter(middle, 0.0f);
    CHECK(bits_of(beyond, T{}) == bits + 1, "%.9g is stored as %04x", beyond, bits_of(beyond, T{}));
    CHECK(bits_of(before, T{}) == bits, "%.9g is stored as %04x", before, bits_of(before, T{}));
  }
  for (const float tiny : {1e-45f, -1e-45f}) {
    CHECK(bits_of(tiny, T{}) == sign_of_zero(tiny), "%g is stored as %04x", tiny, bits_of(tiny, T{}));
  }
  for (const float huge : {3.4028235e38f, -3.4028235e38f}) {
    CHECK(bits_of(huge, T{}) == (infinity | sign_of_zero(huge)), "%g is stored as %04x", huge, bits_of(huge, T{}));
  }
  CHECK(bits_of(-NAN, T{}) == 0x7fff, "NaN is stored as %04x", bits_of(-NAN, T{}));
}

template <typename T, int N>
void packs_are_their_numbers() {
  for (int shift = 0; shift < 2; ++shift) {
    Array<T> x = Array<T>::random(N, 1, shift), y(N, shift);
    const bool whole = shift == 0;
    for (int n = 0; n <= N; ++n) {
      const Numbers<N> v = load<N>(static_cast<const T*>(x.data()), n, whole, -7.0f);
      for (int i = 0; i < N; ++i) CHECK(v.v[i] == (i < n ? value_of(x[i]) : -7.0), "number %d of %d", i, n);
      std::memset(y.data(), 0x11, N * sizeof(T));
      store(y.data(), v, n, whole);
      T untouched;
      std::memset(&untouched, 0x11, sizeof(T));
      for (int i = 0; i < N; ++i) CHECK(value_of(y[i]) == value_of(i < n ? x[i] : untouched), "number %d of %d", i, n);
    }
  }
}

}  // namespace

int main() {
  every_number_and_what_lies_between<bf16>(7, 127);
  every_number_and_what_lies_between<f16>(10, 15);
  packs_are_their_numbers<float, 4>();
  packs_are_their_numbers<float, 8>();
  packs_are_their_numbers<bf16, 4>();
  packs_are_their_numbers<bf16, 8>();
  packs_are_their_numbers<f16, 8>();
  packs_are_their_numbers<f16, 1>();
  return result();
}
