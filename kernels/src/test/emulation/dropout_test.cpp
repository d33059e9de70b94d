// dropout_test.cpp: the generator against its published numbers, and what it keeps: the same elements whatever the grid, the order of
// threads and the type stored.
#include "check.h"

namespace {

using namespace crema_test;

template <typename T>
Array<T> dropped(Array<T>& x, const u32* counter, u32 threshold, float scale, u32 stream, long long blocks) {
  Array<T> y(x.size(), 1);
  run((std::string("dropout") + Stored<T>::name).c_str(), blocks, 256, static_cast<const T*>(x.data()), counter, y.data(), x.size(),
      threshold, scale, stream);
  return y;
}

// Philox4x32-10 of counter 0 and key 0 is 6627e8d5 e169c58d bc57ac4c 9b00dbd8 (Salmon et al. 2011, known answers of Random123).
void bits_are_philoxs() {
  const u32 counter[4] = {0, 0, 0, 0}, words[4] = {0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u};
  Floats x(std::vector<float>(64, 1.0f));
  for (int k = 0; k < 4; ++k) {
    CHECK(dropped(x, counter, words[k], 2.0f, 0, 1)[16 * k] == 2.0f, "word %d is smaller", k);
    CHECK(dropped(x, counter, words[k] + 1, 2.0f, 0, 1)[16 * k] == 0.0f, "word %d is greater", k);
  }
}

template <typename T>
void the_same_elements_are_kept(i64 n) {
  const u32 counter[4] = {123, 456, 7, 0}, other_step[4] = {123, 456, 8, 0};
  const u32 threshold = 0x40000000u;  // a quarter is dropped
  Array<T> x = Array<T>::random(n, 1);
  Floats ones(std::vector<float>(static_cast<std::size_t>(n), 1.0f));
  const Floats kept = dropped(ones, counter, threshold, 1.0f, 5, 2);
  in_every_order([&] {
    const Array<T> y = dropped(x, counter, threshold, 1.5f, 5, static_cast<long long>(3 * order + 1));
    i64 same_step = 0, same_stream = 0, count = 0;
    const Floats step = dropped(ones, other_step, threshold, 1.0f, 5, 1), stream = dropped(ones, counter, threshold, 1.0f, 6, 1);
    for (i64 i = 0; i < n; ++i) {
      T expected;
      set(expected, kept[i] != 0 ? static_cast<float>(value_of(x[i])) * 1.5f : 0.0f);
      CHECK(value_of(y[i]) == value_of(expected), "element %lld is %g", i, value_of(y[i]));
      same_step += step[i] == kept[i] ? 1 : 0;
      same_stream += stream[i] == kept[i] ? 1 : 0;
      count += kept[i] != 0 ? 1 : 0;
    }
    if (n < 1000) return;
    const double all = static_cast<double>(n);
    CHECK(std::fabs(static_cast<double>(count) / all - 0.75) < 0.05, "%lld of %lld are kept", count, n);
    // Independent ones agree in 9 / 16 + 1 / 16 of the elements.
    CHECK(std::fabs(static_cast<double>(same_step) / all - 0.625) < 0.06, "another step keeps the same elements");
    CHECK(std::fabs(static_cast<double>(same_stream) / all - 0.625) < 0.06, "another stream keeps the same elements");
  });
}

void in_place_and_nan() {
  const u32 counter[4] = {1, 2, 3, 4};
  Floats x = Floats::random(100, 2);
  x[3] = NAN;
  const Floats y = dropped(x, counter, 0u, 1.0f, 0, 1);
  for (i64 i = 0; i < 100; ++i) CHECK(y[i] == x[i] || (i == 3 && std::isnan(y[i])), "element %lld changes where nothing is dropped", i);
  Floats expected = dropped(x, counter, 0x80000000u, 2.0f, 0, 1), z = x;
  run("dropout_f32", 1, 256, static_cast<const float*>(z.data()), static_cast<const u32*>(counter), z.data(), i64{100}, 0x80000000u, 2.0f,
      0u);
  CHECK(std::memcmp(expected.data(), z.data(), 400) == 0, "in place");
}

}  // namespace

int main() {
  bits_are_philoxs();
  for (const i64 n : {1, 65, 1003}) {
    the_same_elements_are_kept<float>(n);
    the_same_elements_are_kept<bf16>(n);
    the_same_elements_are_kept<f16>(n);
  }
  in_place_and_nan();
  return result();
}
