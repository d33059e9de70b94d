// int8_layers_test.cpp: layers of bytes beside dense ones: pooling, embedding, addition, and numbers to bytes and back, against
// plain loops in double.
#include "check.h"
#include "int8.cuh"
#include "pooling.cuh"

namespace {

using namespace crema_test;

double clipped(double v, double low, double high) { return v < low ? low : v > high ? high : v; }

// The reference rounds once, the kernel two or three times: next to a half they may part by one.
void bytes_match(const char* what, const Array<u8>& actual, const Doubles& expected) {
  for (i64 i = 0; i < actual.size(); ++i) {
    CHECK(std::fabs(actual[i] - expected[static_cast<std::size_t>(i)]) <= 1, "%s: byte %lld is %d, expected %g", what, i,
          static_cast<int>(actual[i]), expected[static_cast<std::size_t>(i)]);
  }
}
Array<u8> some_bytes(i64 n, int step, int shift = 0) {
  Array<u8> x(n, shift);
  for (i64 i = 0; i < n; ++i) x[i] = static_cast<u8>(i * step + 11);
  return x;
}

// `shift`: elements behind a multiple of 16 bytes.
void numbers_become_bytes(int shift) {
  const float scale = 0.5f;
  // Halves go to the even one; what is too great is cut; NaN becomes the lowest.
  const float numbers[] = {0, 0.25f, 0.75f, -0.25f, 10, -10, 1000, -1000, INFINITY, -INFINITY, NAN, 1.2f, -3.4f};
  const i64 n = 13;
  Floats x(n, shift);
  for (i64 i = 0; i < n; ++i) x[i] = numbers[i];
  const int zero = 10;
  const int unsigned_bytes[] = {10, 10, 12, 10, 30, 0, 255, 0, 255, 0, 0, 12, 3};
  const int signed_bytes[] = {10, 10, 12, 10, 30, -10, 127, -128, 127, -128, -128, 12, 3};
  in_every_order([&] {
    for (const bool is_signed : {false, true}) {
      Array<u8> q(n, shift);
      Floats back(n, shift);
      run("quantize_linear", order + 1, 256, static_cast<const float*>(x.data()), q.data(), n, scale, zero, is_signed ? 1 : 0);
      run("dequantize_linear", 1, 256, static_cast<const u8*>(q.data()), back.data(), n, scale, zero, is_signed ? 1 : 0);
      for (i64 i = 0; i < n; ++i) {
        const int expected = is_signed ? signed_bytes[i] : unsigned_bytes[i];
        CHECK(q[i] == static_cast<u8>(expected), "%g becomes %d, expected %d", x[i], static_cast<int>(q[i]), expected);
        CHECK(back[i] == scale * static_cast<float>(expected - zero), "%g comes back as %g", x[i], back[i]);
      }
    }
  });
}

void bytes_are_added(i64 n, int shift) {
  Array<u8> a = some_bytes(n, 73, shift), b = some_bytes(n, 29);
  const int a_zero = 100, b_zero = 7;
  const float a_scale = 0.03f, b_scale = 0.5f;
  Doubles sums, bytes;
  for (i64 i = 0; i < n; ++i) {
    sums.push_back((a[i] - a_zero) * static_cast<double>(a_scale) + (b[i] - b_zero) * static_cast<double>(b_scale));
    bytes.push_back(clipped(std::nearbyint(sums.back()) + 20, 20, 255));  // ReLU
  }
  in_every_order([&] {
    Floats y(n, shift);
    Array<u8> q(n, shift);
    const u8 *const pa = a.data(), *const pb = b.data();
    run("quantized_add", order + 1, 256, pa, pb, Target{y.data(), nullptr, 0, 0}, n, a_zero, b_zero, a_scale, b_scale);
    compare("sum", y, sums, 1e-6);
    run("quantized_add", order + 1, 256, pa, pb, Target{nullptr, q.data(), 20, 1}, n, a_zero, b_zero, a_scale, b_scale);
    bytes_match("sum", q, bytes);
  });
}

void rows_find_their_range(i64 n) {
  const i64 rows = 6;
  Floats x = Floats::random(rows * n, 1);
  for (i64 j = 0; j < n; ++j) {
    x[n + j] = 0;                            // nothing but zeros
    x[2 * n + j] = 3 + std::fabs(x[j]);      // none is negative: the range begins at 0
    x[3 * n + j] = -x[2 * n + j];            // none is positive
  }
  x[4 * n + n / 2] = NAN;
  x[5 * n + n / 2] = INFINITY;
  in_every_order([&] {
    Array<u8> q(rows * n), zeros(rows);
    Floats scales(rows);
    run("dynamic_quantize_linear", order + 1, 256, static_cast<const float*>(x.data()), q.data(), scales.data(), zeros.data(), rows, n);
    for (const i64 r : {0, 2, 3}) {
      double low = 0, high = 0;
      for (i64 j = 0; j < n; ++j) {
        low = std::fmin(low, x[r * n + j]);
        high = std::fmax(high, x[r * n + j]);
      }
      const double scale = (high - low) / 255;
      CHECK(std::fabs(scales[r] - scale) <= 1e-6 * scale, "scale of row %lld is %g, expected %g", r, scales[r], scale);
      CHECK(std::fabs(zeros[r] + low / scale) <= 0.51, "zero of row %lld is %d", r, static_cast<int>(zeros[r]));
      for (i64 j = 0; j < n; ++j) {
        const double back = (q[r * n + j] - zeros[r]) * static_cast<double>(scales[r]);
        CHECK(std::fabs(back - x[r * n + j]) <= 1.01 * scale, "row %lld: %g comes back as %g", r, x[r * n + j], back);
      }
    }
    CHECK(scales[1] == 1 && zeros[1] == 0 && q[n] == 0, "zeros have the scale %g", scales[1]);
    CHECK(std::isnan(scales[4]), "a row with NaN has the scale %g", scales[4]);
    CHECK(std::isinf(scales[5]), "a row with infinity has the scale %g", scales[5]);
    for (i64 j = 4 * n; j < 6 * n; ++j) CHECK(q[j] == 0, "byte %lld is not written", j);
  });
}

void means_match(const Pool& p) {
  Array<u8> x = some_bytes(pool_inputs(p), 37);
  const int zero = 30;
  const float scale = 0.125f;
  Doubles numbers, bytes;
  for (i64 i = 0; i < pool_outputs(p); ++i) {
    const Pixel o = pixel_of(i, p.rows.outputs, p.columns.outputs, p.channels);
    double sum = 0, pixels = 0;
    for (i64 r = o.y * p.rows.stride - p.rows.pad, rows = 0; rows < p.rows.size; ++r, ++rows) {
      for (i64 c = o.x * p.columns.stride - p.columns.pad, columns = 0; columns < p.columns.size; ++c, ++columns) {
        const bool inside = r >= 0 && r < p.rows.inputs && c >= 0 && c < p.columns.inputs;
        if (inside) sum += x[((o.image * p.rows.inputs + r) * p.columns.inputs + c) * p.channels + o.channel] - zero;
        pixels += inside || p.count_padding != 0 ? 1 : 0;
      }
    }
    numbers.push_back(sum * scale / pixels);
    bytes.push_back(clipped(std::nearbyint(numbers.back()) + 5, 0, 255));
  }
  in_every_order([&] {
    Floats y(pool_outputs(p));
    Array<u8> q(pool_outputs(p));
    const u8* const px = x.data();
    run("quantized_average_pool2d", order + 1, 256, px, Target{y.data(), nullptr, 0, 0}, p, zero, scale);
    compare("mean", y, numbers, 1e-6);
    run("quantized_average_pool2d", order + 1, 256, px, Target{nullptr, q.data(), 5, 0}, p, zero, scale);
    bytes_match("mean", q, bytes);
  });
}

void whole_images_match(i64 n, i64 pixels, i64 c) {
  Array<u8> x = some_bytes(n * pixels * c, 91);
  Doubles numbers;
  for (i64 i = 0; i < n * c; ++i) {
    double sum = 0;
    for (i64 p = 0; p < pixels; ++p) sum += x[(i / c * pixels + p) * c + i % c] - 100;
    numbers.push_back(sum * 0.5 / static_cast<double>(pixels));
  }
  in_every_order([&] {
    Floats y(n * c);
    run("quantized_global_average_pool", order + 1, 256, static_cast<const u8*>(x.data()), Target{y.data(), nullptr, 0, 0}, n, pixels, c,
        100, 0.5f);
    compare("mean of all", y, numbers, 1e-6);
  });
}

void rows_of_a_table_match(i64 rows, i64 units, bool wide) {
  Floats table = Floats::random(rows * units, 1), scales(rows);
  for (i64 r = 0; r < rows; ++r) scales[r] = 1.0f / static_cast<float>(120 + r);
  if (rows > 1) table[units] = NAN;
  const i64 padding = rows > 2 ? 2 : -1, words = (units + 3) / 4 + 1;
  const std::vector<int> small = {0, static_cast<int>(rows - 1), static_cast<int>(rows), rows > 2 ? 2 : 0, -1, rows > 1 ? 1 : 0};
  const std::vector<i64> large(small.begin(), small.end());
  const void* const indices = wide ? static_cast<const void*>(large.data()) : small.data();
  const i64 count = static_cast<i64>(small.size());
  const float y_scale = 0.01f;
  Doubles numbers, bytes;
  for (i64 i = 0; i < count * units; ++i) {
    const i64 r = small[static_cast<std::size_t>(i / units)];
    const bool known = r >= 0 && r < rows;
    const double v = known && r != padding ? table[r * units + i % units] : 0;
    const double q = std::isnan(v) || !known ? 0 : clipped(std::nearbyint(v / scales[r]), -127, 127);
    numbers.push_back(known ? q * scales[r] : 0);
    bytes.push_back(known ? clipped(std::nearbyint(q * scales[r] / static_cast<double>(y_scale)) + 128, 0, 255) : 0);
  }
  in_every_order([&] {
    for (const bool to_bytes : {false, true}) {
      Array<int> packed(rows * words);
      Floats y(count * units);
      Array<u8> q(count * units);
      u64 errors[3] = {~0ull, ~0ull, ~0ull};
      run("pack_quantized_table", order + 1, 256, static_cast<const float*>(table.data()), static_cast<const float*>(scales.data()),
          packed.data(), rows, units, words, padding, 128, to_bytes ? y_scale : 0.0f);
      const Target t = to_bytes ? Target{nullptr, q.data(), 128, 0} : Target{y.data(), nullptr, 0, 0};
      run("quantized_embedding", order + 1, 256, indices, wide ? 1 : 0, static_cast<const int*>(packed.data()), t, rows, count, units,
          words, &errors[0], 1);
      if (to_bytes) {
        bytes_match("embedding", q, bytes);
      } else {
        compare("embedding", y, numbers, 1e-6);
      }
      CHECK(errors[0] == 1 && errors[1] >> 32 == 2, "what is said of the index at position 2 is %llx", errors[1]);
    }
  });
}

void weights_become_multiples(i64 rows, i64 n) {
  Floats w = Floats::random(rows * n, 1);
  if (n > 1) {
    for (i64 r = 0; r < rows; ++r) w[r * n + 1] = 0;
  }
  if (rows > 2) w[(rows / 2) * n] = w[rows * n - 1] = NAN;
  Doubles expected;
  for (i64 i = 0; i < rows * n; ++i) {
    double most = 0;
    for (i64 r = 0; r < rows; ++r) most = std::fmax(most, std::fabs(w[r * n + i % n]));  // NaN loses
    const double scale = most > 0 ? static_cast<float>(most) / 127.0f : 1.0f;
    expected.push_back(static_cast<double>(std::nearbyint(w[i] / static_cast<float>(scale))) * scale);
  }
  in_every_order([&] {
    Floats y(rows * n);
    run("fake_quantize_weights", order + 1, 256, static_cast<const float*>(w.data()), y.data(), rows, n);
    compare("weights", y, expected, 1e-6);
  });
}

void rows_become_multiples(i64 rows, i64 n) {
  Floats x = Floats::random(rows * n, 1);
  if (rows > 1) {
    for (i64 i = 0; i < n; ++i) x[n + i] = 0;
  }
  if (rows > 2) x[2 * n] = x[rows * n - 1] = NAN;
  Doubles expected;
  for (i64 i = 0; i < rows * n; ++i) {
    double most = 0;
    for (i64 k = i / n * n; k < i / n * n + n; ++k) most = std::fmax(most, std::fabs(x[k]));  // NaN loses
    const double scale = most > 0 ? static_cast<float>(most) / 127.0f : 1.0f;
    expected.push_back(static_cast<double>(std::nearbyint(x[i] / static_cast<float>(scale))) * scale);
  }
  in_every_order([&] {
    Floats y(rows * n);
    run("fake_quantize_rows", order + 1, 256, static_cast<const float*>(x.data()), y.data(), rows, n);
    compare("rows", y, expected, 1e-6);
  });
}

}  // namespace

int main() {
  numbers_become_bytes(0);
  numbers_become_bytes(3);
  bytes_are_added(1, 0);
  bytes_are_added(259, 0);
  bytes_are_added(2100, 0);  // more than a block's
  bytes_are_added(70, 5);
  rows_find_their_range(1);
  rows_find_their_range(301);
  rows_find_their_range(1100);
  means_match({1, 1, {1, 1, 1, 1, 0}, {1, 1, 1, 1, 0}, 0});
  means_match({2, 5, {9, 5, 3, 2, 1}, {7, 4, 3, 2, 1}, 0});
  means_match({1, 3, {9, 5, 3, 2, 1}, {7, 4, 3, 2, 1}, 1});
  whole_images_match(1, 1, 1);
  whole_images_match(3, 35, 7);
  rows_of_a_table_match(1, 1, false);
  rows_of_a_table_match(5, 13, true);
  weights_become_multiples(1, 1);
  weights_become_multiples(19, 37);
  rows_become_multiples(1, 1);
  rows_become_multiples(37, 19);
  rows_become_multiples(3, 133);
  return result();
}
