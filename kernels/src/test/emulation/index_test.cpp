// index_test.cpp: rows by index and their gradients, whose sums are in the order of the indices to the bit; positions of the
// greatest; transposes.
#include <algorithm>

#include "check.h"

namespace {

using namespace crema_test;
typedef long long i64;
typedef unsigned long long u64;

void rows_are_gathered(i64 outer, i64 bound, i64 count, i64 row, bool wide) {
  Floats x = Floats::random(outer * bound * row, 1);
  std::vector<int> small;
  std::vector<i64> large;
  Random random(5);
  for (i64 i = 0; i < count; ++i) {
    small.push_back(static_cast<int>(random.below(bound)));
    large.push_back(small.back());
  }
  in_every_order([&] {
    for (const i64 bad : {i64{-1}, bound}) {
      Floats y(outer * count * row);
      u64 errors[3] = {~0ull, ~0ull, ~0ull};
      if (count > 1 && bad != bound) small[1] = static_cast<int>(large[1] = -7);
      const void* const indices = wide ? static_cast<const void*>(large.data()) : small.data();
      run("gather_4", 2, 256, indices, wide ? 1 : 0, static_cast<const void*>(x.data()), static_cast<void*>(y.data()), outer, bound, count,
          row, i64{0}, &errors[0], 2);
      for (i64 i = 0; i < y.size(); ++i) {
        const i64 index = small[static_cast<std::size_t>(i / row % count)];
        const float expected = index <= 0 ? 0.0f : x[(i / row / count * bound + index) * row + i % row];
        CHECK(y[i] == expected, "element %lld", i);
      }
      const bool failed = count > 1 && bad != bound;
      CHECK(errors[0] == (failed ? 2 : ~0ull), "the slot that failed is %llx", errors[0]);
      CHECK(errors[2] == (failed ? 1ull << 32 | 0xfffffff9ull : ~0ull), "what is said is %llx", errors[2]);
      if (failed) small[1] = static_cast<int>(large[1] = 1 % bound);
    }
  });
}

template <typename T>
void rows_are_added_in_order(i64 outer, i64 bound, i64 count, i64 row) {
  Array<T> dy = Array<T>::random(outer * count * row, 1);
  std::vector<int> indices;
  Random random(9);
  for (i64 i = 0; i < count; ++i) indices.push_back(static_cast<int>(std::min(random.below(bound), random.below(bound))));
  Floats expected(outer * bound * row);
  std::memset(expected.data(), 0, static_cast<std::size_t>(expected.size()) * 4);
  for (i64 i = 0; i < dy.size(); ++i) {
    const i64 index = indices[static_cast<std::size_t>(i / row % count)];
    if (index != 2) expected[(i / row / count * bound + index) * row + i % row] += static_cast<float>(value_of(dy[i]));
  }
  i64 padded = 2048;
  while (padded < count) padded *= 2;
  in_every_order([&] {
    Array<u64> keys(padded);
    Floats dx(outer * bound * row);
    std::memset(dx.data(), 0, static_cast<std::size_t>(dx.size()) * 4);
    u64 errors[2] = {~0ull, ~0ull};
    run("scatter_keys", 3, 256, static_cast<const void*>(indices.data()), 0, keys.data(), count, padded, bound, i64{2}, &errors[0], 1);
    run("scatter_sort_pieces", 2, 256, keys.data(), padded, i64{2048}, 1);
    for (i64 size = 4096; size <= padded; size *= 2) {
      for (i64 step = size / 2; step >= 2048; step /= 2) run("scatter_sort_step", 3, 256, keys.data(), padded, size, step);
      run("scatter_sort_pieces", 2, 256, keys.data(), padded, size, 0);
    }
    CHECK(std::is_sorted(keys.data(), keys.data() + padded), "keys are not in order");
    run((std::string("scatter_add") + Stored<T>::name).c_str(), order + 1, 256, static_cast<const u64*>(keys.data()),
        static_cast<const T*>(dy.data()), dx.data(), outer, bound, count, row);
    CHECK(std::memcmp(dx.data(), expected.data(), static_cast<std::size_t>(dx.size()) * 4) == 0, "sums are in another order");
    CHECK(errors[0] == ~0ull, "an error is reported");
  });
}

bool before(const Floats& x, i64 row, i64 i, i64 j) {  // NaN first, then the greatest, then the first
  const float a = x[row + i], b = x[row + j];
  if (std::isnan(a) != std::isnan(b)) return std::isnan(a);
  return a > b || (a == b && i < j) || (std::isnan(a) && i < j);
}

void the_greatest_come_first(i64 rows, i64 n, i64 k) {
  Floats x = Floats::random(rows * n, 3);
  for (i64 i = 0; i < x.size(); ++i) x[i] = std::round(8 * x[i]) / 8;  // many are equal
  if (n > 3) x[3] = NAN;
  in_every_order([&] {
    for (const char* kernel : {"top_k", "top_k_large"}) {
      Floats values(rows * k);
      Array<int> positions(rows * k);
      run(kernel, rows, 256, static_cast<const float*>(x.data()), values.data(), positions.data(), rows, n, k);
      for (i64 r = 0; r < rows; ++r) {
        std::vector<i64> sorted;
        for (i64 i = 0; i < n; ++i) sorted.push_back(i);
        std::sort(sorted.begin(), sorted.end(), [&](i64 i, i64 j) { return before(x, r * n, i, j); });
        for (i64 i = 0; i < k; ++i) CHECK(positions[r * k + i] == sorted[static_cast<std::size_t>(i)], "%s: row %lld, %lld", kernel, r, i);
      }
    }
    Array<int> greatest(rows), down(n);
    run("arg_max", 1, 256, static_cast<const float*>(x.data()), greatest.data(), rows, n, i64{1});
    run("arg_max", 1, 256, static_cast<const float*>(x.data()), down.data(), i64{1}, rows, n);
    for (i64 r = 0; r < rows; ++r) {
      for (i64 i = 0; i < n; ++i) CHECK(!before(x, r * n, i, greatest[r]), "row %lld", r);
    }
    for (i64 j = 0; j < n; ++j) {
      for (i64 r = 0; r < rows; ++r) {
        const float a = x[r * n + j], b = x[down[j] * n + j];
        CHECK(!(a > b) && (!std::isnan(a) || std::isnan(b)), "column %lld", j);
      }
    }
  });
}

struct Axes {
  i64 rank;
  i64 dim[8], stride[8];
};
struct Matrices {
  i64 rows, columns, ldx, ldy, count;
  Axes around, around_y;
};

template <typename T>
void matrices_are_transposed(const char* kernel, i64 count, i64 rows, i64 columns) {
  Array<T> x(count * rows * columns);
  Random random(1);
  for (i64 i = 0; i < x.size(); ++i) x[i] = static_cast<T>(random.bits());
  const Matrices m{rows, columns, columns, rows, count, {1, {count}, {rows * columns}}, {1, {count}, {rows * columns}}};
  in_every_order([&] {
    Array<T> y(x.size());
    run(kernel, order + 1, 256, static_cast<const void*>(x.data()), static_cast<void*>(y.data()), m);
    for (i64 i = 0; i < x.size(); ++i) {
      const i64 b = i / (rows * columns), r = i / columns % rows, c = i % columns;
      CHECK(y[(b * columns + c) * rows + r] == x[i], "%s: element %lld", kernel, i);
    }
  });
}

}  // namespace

int main() {
  rows_are_gathered(1, 10, 7, 1, false);
  rows_are_gathered(3, 5, 9, 17, true);
  rows_are_gathered(2, 3, 1, 40, false);
  rows_are_added_in_order<float>(1, 10, 1, 1);
  rows_are_added_in_order<float>(2, 7, 100, 33);
  rows_are_added_in_order<float>(1, 50, 2100, 3);  // more than one piece of keys
  rows_are_added_in_order<bf16>(2, 7, 60, 33);
  rows_are_added_in_order<f16>(1, 5, 9, 8);
  the_greatest_come_first(1, 1, 1);
  the_greatest_come_first(3, 17, 17);
  the_greatest_come_first(2, 1500, 40);
  matrices_are_transposed<std::uint8_t>("transpose_1", 1, 3, 70);
  matrices_are_transposed<std::uint16_t>("transpose_2", 2, 33, 32);
  matrices_are_transposed<std::uint32_t>("transpose_4", 3, 40, 65);
  matrices_are_transposed<std::uint64_t>("transpose_8", 1, 100, 1);
  return result();
}
