// compare_test.cpp: results that part, at any place, are found; those that differ by rounding are not.
#include <cmath>
#include <limits>
#include <string>

#include "check.h"

namespace {

using namespace crema_test;

constexpr u64 kNowhere = ~0ull;

void the_first_difference_is_found(i64 n, int shift) {
  for (const i64 place : {i64{-1}, i64{0}, n / 2, n - 1}) {
    Array<u8> a(n + shift), b(n + shift);
    for (i64 i = 0; i < a.size(); ++i) a[i] = b[i] = static_cast<u8>(i * 37);
    if (place >= 0) b[shift + place] = static_cast<u8>(b[shift + place] ^ 1);
    if (place >= 0) b[shift + n - 1] = static_cast<u8>(~a[shift + n - 1]);  // and later ones
    in_every_order([&] {
      Array<u64> first(1);
      first[0] = kNowhere;
      const u8 *const pa = a.data() + shift, *const pb = b.data() + shift;
      run("first_difference", order + 1, 256, pa, pb, n, first.data());
      CHECK(first[0] == static_cast<u64>(place), "%lld bytes, %lld: %llu", n, place, first[0]);
    });
  }
}

template <typename T>
struct Pair {
  Array<T> a, b;
  explicit Pair(i64 n) : a(n), b(n) {
    Random random(static_cast<std::uint64_t>(n));
    for (i64 i = 0; i < n; ++i) {
      const float x = random.value();
      set(a[i], x);
      set(b[i], x);
    }
  }
  // Where the first is that is too far: shares of a 64th of the neighbours' greatest, a 1024th of all's.
  u64 first_far(int blocks) {
    const std::string type = Stored<T>::name;
    Array<u64> words(2);
    words[0] = 0;
    words[1] = kNowhere;
    run(("greatest_magnitude" + type).c_str(), blocks, 256, static_cast<const T*>(b.data()), b.size(), words.data());
    run(("first_far" + type).c_str(), blocks, 256, static_cast<const T*>(a.data()), static_cast<const T*>(b.data()), a.size(),
        static_cast<const u64*>(words.data()), 0x1p-6f, 0x1p-10f, words.data() + 1);
    return words[1];
  }
};

template <typename T>
void the_first_far_one_is_found(i64 n) {
  for (const i64 place : {i64{0}, n / 2, n - 1}) {
    in_every_order([&] {
      Pair<T> p(n);
      CHECK(p.first_far(order + 1) == kNowhere, "%lld of %s", n, Stored<T>::name);
      set(p.b[0], 0.5f);
      set(p.a[0], 0.5f);
      set(p.a[place], static_cast<float>(value_of(p.b[place])) + 0x1p-8f);  // half of a 64th of a half
      CHECK(p.first_far(order + 1) == kNowhere, "by rounding, %lld of %lld of %s", place, n, Stored<T>::name);
      set(p.a[place], static_cast<float>(value_of(p.b[place])) + 0x1p-4f);
      CHECK(p.first_far(order + 1) == static_cast<u64>(place), "%lld of %lld of %s", place, n, Stored<T>::name);
      set(p.a[n - 1], -3.0f);
      CHECK(p.first_far(order + 1) == static_cast<u64>(place), "the first of two, %lld of %s", n, Stored<T>::name);
    });
  }
}

// 600 numbers: three groups of neighbours.
void small_ones_are_judged_by_their_neighbours() {
  in_every_order([&] {
    Pair<float> p(600);
    for (i64 i = 256; i < 512; ++i) p.a[i] = p.b[i] = 1e-2f * p.b[i];
    p.a[300] += 2e-3f;  // an eighth of a 64th of the greatest, far beyond what is around it
    CHECK(p.first_far(order + 1) == 300, "beside small ones");
    p.a[300] -= 2e-3f;
    p.a[300] += 5e-4f;
    CHECK(p.first_far(order + 1) == kNowhere, "the small difference of great ones");
  });
}

void what_is_no_number_must_be_the_same() {
  const float nan = std::numeric_limits<float>::quiet_NaN(), infinity = std::numeric_limits<float>::infinity();
  const float some[] = {nan, infinity, -infinity, 1.0f, std::numeric_limits<float>::max()};
  for (const float x : some) {
    for (const float y : some) {
      Pair<float> p(37);
      p.a[36] = x;
      p.b[36] = y;
      const bool same = x == y || (std::isnan(x) && std::isnan(y));
      CHECK(p.first_far(1) == (same ? kNowhere : 36), "%g and %g", x, y);
    }
  }
}

// Poison where nothing was written is far from zeros.
void zeros_are_no_excuse() {
  Pair<float> p(300);
  for (i64 i = 0; i < 300; ++i) p.a[i] = p.b[i] = 0;
  CHECK(p.first_far(2) == kNowhere, "zeros");
  p.a[299] = -2.87e-16f;
  CHECK(p.first_far(2) == 299, "beside zeros");
}

}  // namespace

int main() {
  for (const i64 n : {1, 16, 37, 9000}) {
    the_first_difference_is_found(n, 0);
    the_first_difference_is_found(n, 3);
  }
  for (const i64 n : {2, 37, 256, 1000}) {
    the_first_far_one_is_found<float>(n);
    the_first_far_one_is_found<bf16>(n);
    the_first_far_one_is_found<f16>(n);
  }
  small_ones_are_judged_by_their_neighbours();
  what_is_no_number_must_be_the_same();
  zeros_are_no_excuse();
  return result();
}
