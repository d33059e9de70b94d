// move_test.cpp: what moves elements: joined and cut rows, slices and their gradients, permuted axes, stores, filters and images for
// convolutions. To the bit, for every size of element.
#include "check.h"

namespace {

using namespace crema_test;

struct alignas(16) Sixteen {
  u64 low, high;
};
bool operator==(const Sixteen& a, const Sixteen& b) { return a.low == b.low && a.high == b.high; }
void fill(Sixteen& to, u64 bits) { to = {bits, ~bits}; }
template <typename T>
void fill(T& to, u64 bits) {
  to = static_cast<T>(bits);
}
template <typename T>
Array<T> bits(i64 n, u64 seed) {
  Array<T> x(n);
  Random random(seed);
  for (i64 i = 0; i < n; ++i) fill(x[i], random.bits());
  return x;
}
template <typename T>
const void* in(Array<T>& x, i64 at = 0) {
  return x.data() + at;
}
template <typename T>
void* out(Array<T>& x, i64 at = 0) {
  return x.data() + at;
}
template <typename T>
std::string sized(const char* kernel) {
  return std::string(kernel) + "_" + std::to_string(sizeof(T));
}
template <typename T>
bool untouched(const T& x) {
  T poison;
  std::memset(&poison, 0xff, sizeof(T));
  return x == poison;
}

// Three tensors of `rows` rows side by side, and apart again.
template <typename T>
void rows_are_joined_and_cut(i64 rows) {
  const i64 runs[] = {3, 1, 7}, row = 12;  // one column is nobody's
  std::vector<Array<T>> parts;
  for (int p = 0; p < 3; ++p) parts.push_back(bits<T>(rows * runs[p], static_cast<u64>(p + 1)));
  in_every_order([&] {
    Array<T> whole(rows * row);
    i64 at = 0;
    for (int p = 0; p < 3; at += runs[p++]) {
      run(sized<T>("concat").c_str(), order + 1, 256, in(parts[p]), out(whole, at), rows, runs[p], runs[p], row);
    }
    for (i64 r = 0; r < rows; ++r) {
      i64 j = 0;
      for (int p = 0; p < 3; ++p) {
        for (i64 k = 0; k < runs[p]; ++k, ++j) CHECK(whole[r * row + j] == parts[p][r * runs[p] + k], "row %lld, %lld", r, j);
      }
      CHECK(untouched(whole[r * row + j]), "row %lld, %lld is written", r, j);
    }
    at = 0;
    for (int p = 0; p < 3; at += runs[p++]) {
      Array<T> part(rows * runs[p]);
      run(sized<T>("split").c_str(), order + 1, 256, in(whole, at), out(part), rows, runs[p], row, runs[p]);
      for (i64 i = 0; i < part.size(); ++i) CHECK(part[i] == parts[p][i], "part %d, element %lld", p, i);
    }
  });
}

struct Axes {
  i64 rank, dim[8], stride[8];
};
struct Part {
  i64 rank, dim[8], begin[8], step[8], count[8];
};

// Every second row from 1 on and every third column from 2 on of x [rows, columns].
template <typename T>
void slices_match(i64 rows, i64 columns) {
  const i64 m = (rows - 1 + 1) / 2, n = (columns - 2 + 2) / 3;
  Array<T> x = bits<T>(rows * columns, 1);
  const Axes axes{2, {m, n}, {2 * columns, 3}};
  in_every_order([&] {
    Array<T> y(m * n);
    run(sized<T>("slice").c_str(), order + 1, 256, in(x, columns + 2), out(y), m * n, axes);
    for (i64 i = 0; i < m * n; ++i) CHECK(y[i] == x[(1 + 2 * (i / n)) * columns + 2 + 3 * (i % n)], "element %lld", i);
    if constexpr (sizeof(T) == 2 || sizeof(T) == 4) {
      Array<T> dx(rows * columns);
      const Part part{2, {rows, columns}, {1, 2}, {2, 3}, {m, n}};
      run(sized<T>("slice_grad").c_str(), order + 1, 256, static_cast<const T*>(y.data()), dx.data(), rows * columns, part);
      for (i64 i = 0; i < rows * columns; ++i) {
        const i64 r = i / columns - 1, c = i % columns - 2;
        const bool taken = r >= 0 && c >= 0 && r % 2 == 0 && c % 3 == 0;
        CHECK(dx[i] == (taken ? x[i] : T(0)), "gradient, element %lld", i);
      }
    }
  });
}

// x [a, b, c] to y [b, a, c].
template <typename T>
void axes_are_permuted(i64 a, i64 b, i64 c) {
  Array<T> x = bits<T>(a * b * c, 1);
  const Axes axes{3, {b, a, c}, {c, b * c, 1}};
  in_every_order([&] {
    Array<T> y(a * b * c);
    run(sized<T>("permute").c_str(), order + 1, 256, in(x), out(y), x.size(), axes);
    for (i64 i = 0; i < x.size(); ++i) CHECK(y[(i / c % b * a + i / c / b) * c + i % c] == x[i], "element %lld", i);
  });
}

template <typename T>
void values_are_stored_unless_something_failed(i64 n) {
  Array<T> x = bits<T>(n, 1), y(n);
  const u64 failed = 3, fine = ~0ull;
  run(sized<T>("assign").c_str(), 1, 256, in(x), out(y), &failed, n);
  for (i64 i = 0; i < n; ++i) CHECK(untouched(y[i]), "element %lld is stored after an error", i);
  run(sized<T>("assign").c_str(), 2, 256, in(x), out(y), &fine, n);
  for (i64 i = 0; i < n; ++i) CHECK(y[i] == x[i], "element %lld", i);
}

void values_are_added_unless_something_failed() {
  Floats x = Floats::random(300, 1), y = Floats::random(300, 2), before = y;
  const u64 failed = 3;
  run("assign_add", 1, 256, static_cast<const float*>(x.data()), y.data(), &failed, i64{300});
  for (i64 i = 0; i < 300; ++i) CHECK(y[i] == before[i], "element %lld changes after an error", i);
  run("assign_add", 1, 256, static_cast<const float*>(x.data()), y.data(), static_cast<const u64*>(nullptr), i64{300});
  for (i64 i = 0; i < 300; ++i) CHECK(y[i] == before[i] + x[i], "element %lld", i);
}

template <typename T>
void filters_are_transposed(i64 rows, i64 columns) {
  Array<T> x = bits<T>(rows * columns, 1), y(rows * columns);
  const i64 tiles = ((rows + 31) / 32) * ((columns + 31) / 32);
  in_every_order([&] {
    run(sized<T>("transpose_filter").c_str(), tiles, 256, static_cast<const T*>(x.data()), y.data(), rows, columns);
    for (i64 i = 0; i < x.size(); ++i) CHECK(y[i % columns * rows + i / columns] == x[i], "element %lld", i);
  });
}

// Into a greater image, and, by the opposite shift, out of it.
template <typename T>
void images_are_shifted(int down, int across) {
  const int h = 3, w = 4, c = 5, to_h = 6, to_w = 5;
  const i64 n = 2;
  Array<T> x = bits<T>(n * h * w * c, 1);
  in_every_order([&] {
    Array<T> y(n * to_h * to_w * c), back(x.size());
    run(sized<T>("shift_image").c_str(), order + 1, 256, static_cast<const T*>(x.data()), y.data(), n, h, w, to_h, to_w, c, down, across);
    for (i64 i = 0; i < y.size(); ++i) {
      const i64 row = i / c / to_w % to_h - down, column = i / c % to_w - across, image = i / c / to_w / to_h;
      const bool inside = row >= 0 && row < h && column >= 0 && column < w;
      CHECK(y[i] == (inside ? x[((image * h + row) * w + column) * c + i % c] : T(0)), "element %lld", i);
    }
    run(sized<T>("shift_image").c_str(), order + 1, 256, static_cast<const T*>(y.data()), back.data(), n, to_h, to_w, h, w, c, -down,
        -across);
    for (i64 i = 0; i < x.size(); ++i) CHECK(back[i] == x[i], "back, element %lld", i);
  });
}

template <typename T>
void everything_of_size() {
  rows_are_joined_and_cut<T>(1);
  rows_are_joined_and_cut<T>(37);
  slices_match<T>(7, 11);
  axes_are_permuted<T>(3, 5, 7);
  axes_are_permuted<T>(1, 1, 1);
  values_are_stored_unless_something_failed<T>(257);
}

}  // namespace

int main() {
  everything_of_size<u8>();
  everything_of_size<u16>();
  everything_of_size<u32>();
  everything_of_size<u64>();
  everything_of_size<Sixteen>();
  values_are_added_unless_something_failed();
  filters_are_transposed<u16>(33, 40);
  filters_are_transposed<u32>(1, 70);
  images_are_shifted<u16>(2, 1);
  images_are_shifted<u32>(1, 0);
  return result();
}
