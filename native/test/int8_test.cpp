// Products of bytes and quantization give, at every instruction set and thread count, the bits of int8.h's arithmetic,
// written out here once more: every number of rows of a tile, ragged columns, depths that are no multiple of a group,
// the largest factors, accumulators that wrap no sooner than 2^31; and NaN, infinities and ties.
#include <limits>
#include <memory>
#include <random>

#include "run.h"

using crema_test::absent;
using crema_test::run;
using crema_test::tensor_of;

namespace {

struct Layer {
  int64_t m, n, k;
  bool relu, bytes, bias;
  int32_t x_zero, y_zero;
  float x_scale, y_scale;
  std::vector<uint8_t> x;
  std::vector<float> w, scales, b;
};

Layer layer(int64_t m, int64_t n, int64_t k, uint32_t seed, bool extreme) {
  std::mt19937 random(seed);
  Layer l{m, n, k, seed % 2 == 0, seed % 3 != 0, seed % 5 != 0, static_cast<int32_t>(random() % 256),
          static_cast<int32_t>(random() % 256), 0.013f, 0.7f, {}, {}, {}, {}};
  for (int64_t i = 0; i < m * k; ++i) l.x.push_back(extreme ? 255 : static_cast<uint8_t>(random()));
  for (int64_t j = 0; j < n; ++j) l.scales.push_back(0.001f + static_cast<float>(random() % 1000) * 1e-5f);
  for (int64_t i = 0; i < k * n; ++i) {
    const float q = extreme ? (i % n % 2 == 0 ? 127.0f : -127.0f) : static_cast<float>(random() % 2700) * 0.1f - 135;
    l.w.push_back(q * l.scales[static_cast<size_t>(i % n)]);
  }
  for (int64_t j = 0; j < n; ++j) l.b.push_back(static_cast<float>(random() % 2000) * 0.001f - 1);
  if (extreme) l.x_zero = 0;
  return l;
}

int32_t between(double v, int32_t low, int32_t high) {
  return v < low ? low : v > high ? high : static_cast<int32_t>(v);
}

// What the layer gives: [m, n] as float32, or as numbers of uint8.
std::vector<float> expected(const Layer& l) {
  std::vector<float> y;
  for (int64_t i = 0; i < l.m; ++i) {
    for (int64_t j = 0; j < l.n; ++j) {
      const float scale = l.scales[static_cast<size_t>(j)];
      const float product = l.x_scale * scale;
      int64_t total = l.bias ? std::llrint(static_cast<double>(l.b[static_cast<size_t>(j)]) / product) : 0;
      for (int64_t p = 0; p < l.k; ++p) {
        const int32_t w = between(std::rint(l.w[static_cast<size_t>(p * l.n + j)] / scale), -127, 127);
        total += (l.x[static_cast<size_t>(i * l.k + p)] - l.x_zero) * w;
      }
      volatile float v = static_cast<float>(total);  // no excess precision
      v = v * (l.bytes ? product / l.y_scale : product);
      if (l.relu && v < 0) v = 0;
      y.push_back(l.bytes ? static_cast<float>(between(std::rint(v) + l.y_zero, 0, 255)) : v);
    }
  }
  return y;
}

std::vector<float> actual(const Layer& l, int level, int32_t threads) {
  const int64_t columns = (l.n + 15) / 16 * 16, rows = (l.k + 3) / 4 + 2;
  std::unique_ptr<float, decltype(&std::free)> packed(
      static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>(rows * columns * 4))), std::free);
  std::memset(packed.get(), 0xff, static_cast<size_t>(rows * columns * 4));
  Layer c = l;
  const crema::Tensor p = tensor_of(packed.get(), CREMA_FLOAT32, {rows, columns});
  const crema::Tensor bias = l.bias ? tensor_of(c.b.data(), CREMA_FLOAT32, {l.n}) : absent();
  CHECK(run(level, "pack_quantized", threads,
            {p, tensor_of(c.w.data(), CREMA_FLOAT32, {l.k, l.n}), tensor_of(c.scales.data(), CREMA_FLOAT32, {l.n}), bias},
            {}, {l.x_zero, l.k}, {l.x_scale, l.bytes ? l.y_scale : 0.0})
            .empty(),
        "packs");
  const size_t size = static_cast<size_t>(l.m * l.n);
  std::vector<float> y(size + 1, -1.5f);
  std::vector<uint8_t> q(size + 1, 0xa5);
  const crema::Tensor out =
      l.bytes ? tensor_of(q.data(), CREMA_UINT8, {l.m, l.n}) : tensor_of(y.data(), CREMA_FLOAT32, {l.m, l.n});
  CHECK(run(level, "quantized_linear", threads, {tensor_of(c.x.data(), CREMA_UINT8, {l.m, l.k}), p}, {out},
            {l.relu ? 1 : 0, l.y_zero})
            .empty(),
        "runs");
  CHECK(y[size] == -1.5f && q[size] == 0xa5, "writes behind its output");
  if (l.bytes) y.assign(q.begin(), q.end());
  y.resize(size);
  return y;
}

void check(const Layer& l) {
  const std::vector<float> e = expected(l);
  for (const int level : crema_test::levels()) {
    for (const int32_t threads : {1, 3}) {
      const std::vector<float> y = actual(l, level, threads);
      CHECK(y.size() == e.size() && std::memcmp(y.data(), e.data(), e.size() * sizeof(float)) == 0,
            "%s, %d threads: %d x %d x %d differs", crema_isa_name(level), threads, static_cast<int>(l.m),
            static_cast<int>(l.n), static_cast<int>(l.k));
    }
  }
}

void products() {
  uint32_t seed = 1;
  for (int64_t m = 1; m <= 30; ++m, ++seed) check(layer(m, 1 + m * 11 % 70, 1 + m * 7 % 90, seed, false));
  for (const int64_t k : {1, 2, 3, 4, 5, 63, 64, 65, 127, 260}) {
    for (const int64_t n : {1, 8, 15, 16, 17, 31, 32, 33, 100}) check(layer(3 + k % 14, n, k, ++seed, false));
  }
  check(layer(1, 1024, 784, ++seed, false));
  check(layer(131, 130, 1024, ++seed, false));
  check(layer(600, 40, 1030, ++seed, false));  // more rows than fit one block
  for (const int64_t m : {1, 9}) check(layer(m, 33, 65536, ++seed, true));
  // Around the sizes of tiles: rows, columns and depth.
  for (const int64_t m : {15, 16, 17, 31, 32, 33, 65}) {
    for (const int64_t n : {15, 16, 17, 31, 32, 33, 64}) {
      for (const int64_t k : {63, 64, 65, 68, 127, 128, 130, 192, 210}) check(layer(m, n, k, ++seed, false));
    }
  }
  check(layer(40, 2080, 600, ++seed, false));  // more weights than stay near while all rows pass
}

// Sums that do not fit an int32 once they are scaled, of both signs; and a scale that is NaN.
void great_scales() {
  for (const int64_t m : {3, 20, 40}) {
    for (const int64_t n : {16, 32}) {
      Layer l = layer(m, n, 4096, 30, true);
      l.relu = false;
      l.bytes = true;
      l.bias = false;
      l.x_scale = 1e6f;
      l.y_scale = 1e-6f;
      for (float& s : l.scales) s = 1;
      for (int64_t i = 0; i < l.k * n; ++i) l.w[static_cast<size_t>(i)] = i % n % 2 == 0 ? 127.0f : -127.0f;
      check(l);
    }
  }
}

// Of numbers made for a scale of 0.5: ties, bounds, beyond them, infinities, NaN.
void quantize() {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const bool is_signed : {false, true}) {
    const int32_t low = is_signed ? -128 : 0, high = low + 255;
    for (const int32_t zero : {low, low + 3, low + 128, high}) {
      std::vector<float> x = {0.0f, -0.0f, infinity, -infinity, nan, 3e38f, -3e38f, 1e-40f};
      for (int i = -530; i <= 530; ++i) x.push_back(static_cast<float>(i) * 0.25f);  // every second one a tie
      for (const int level : crema_test::levels()) {
        std::vector<uint8_t> q(x.size() + 1, 0x5a);
        const auto n = static_cast<int64_t>(x.size());
        const int32_t type = is_signed ? CREMA_INT8 : CREMA_UINT8;
        CHECK(run(level, "quantize_linear", 1, {tensor_of(x.data(), CREMA_FLOAT32, {n})},
                  {tensor_of(q.data(), type, {n})}, {zero}, {0.5})
                  .empty(),
              "runs");
        CHECK(q[x.size()] == 0x5a, "writes behind its output");
        std::vector<float> back(x.size());
        run(level, "dequantize_linear", 1, {tensor_of(q.data(), type, {n})},
            {tensor_of(back.data(), CREMA_FLOAT32, {n})}, {zero}, {0.5});
        for (size_t i = 0; i < x.size(); ++i) {
          const int32_t e = x[i] != x[i] ? low : between(std::rint(static_cast<double>(x[i]) * 2) + zero, low, high);
          const int32_t a = is_signed ? static_cast<int8_t>(q[i]) : q[i];
          CHECK(a == e, "%s: %g becomes %d, expected %d", crema_isa_name(level), x[i], a, e);
          CHECK(back[i] == static_cast<float>(a - zero) * 0.5f, "%s: back to %g", crema_isa_name(level), back[i]);
        }
      }
    }
  }
}

// Rows as DynamicQuantizeLinear of ONNX has them: what numpy gives, written out.
struct Rows {
  std::vector<uint8_t> q, zeros;
  std::vector<float> scales;
};

Rows expected_rows(const std::vector<float>& x, int64_t m, int64_t k) {
  Rows rows;
  for (int64_t i = 0; i < m; ++i) {
    volatile float low = 0, high = 0;  // no excess precision
    bool nan = false;
    for (int64_t p = 0; p < k; ++p) {
      const float v = x[static_cast<size_t>(i * k + p)];
      nan = nan || v != v;
      if (v < low) low = v;
      if (v > high) high = v;
    }
    volatile float range = high - low;
    volatile float scale = range / 255.0f;
    const bool known = !nan && scale >= std::numeric_limits<float>::min() && std::isfinite(scale);
    if (nan) scale = std::numeric_limits<float>::quiet_NaN();
    if (!nan && scale < std::numeric_limits<float>::min()) scale = 1;
    volatile float whole = -low / scale;
    const int32_t zero = known ? between(std::rint(whole), 0, 255) : 0;
    rows.scales.push_back(static_cast<float>(scale));
    rows.zeros.push_back(static_cast<uint8_t>(zero));
    for (int64_t p = 0; p < k; ++p) {
      volatile float steps = x[static_cast<size_t>(i * k + p)] / scale;
      rows.q.push_back(static_cast<uint8_t>(known ? between(std::rint(steps) + zero, 0, 255) : 0));
    }
  }
  return rows;
}

Rows actual_rows(std::vector<float> x, int64_t m, int64_t k, int level, int32_t threads) {
  Rows rows{std::vector<uint8_t>(x.size() + 1, 0x5a), std::vector<uint8_t>(static_cast<size_t>(m) + 1, 0x5a),
            std::vector<float>(static_cast<size_t>(m) + 1, -7.0f)};
  CHECK(run(level, "dynamic_quantize_linear", threads, {tensor_of(x.data(), CREMA_FLOAT32, {m, k})},
            {tensor_of(rows.q.data(), CREMA_UINT8, {m, k}), tensor_of(rows.scales.data(), CREMA_FLOAT32, {m, 1}),
             tensor_of(rows.zeros.data(), CREMA_UINT8, {m, 1})})
            .empty(),
        "runs");
  CHECK(rows.q.back() == 0x5a && rows.zeros.back() == 0x5a && rows.scales.back() == -7.0f, "writes behind its output");
  rows.q.pop_back();
  rows.zeros.pop_back();
  rows.scales.pop_back();
  return rows;
}

bool same_scales(const std::vector<float>& a, const std::vector<float>& b) {
  bool same = a.size() == b.size();
  for (size_t i = 0; same && i < a.size(); ++i) same = a[i] == b[i] || (a[i] != a[i] && b[i] != b[i]);
  return same;
}

void check_rows(const std::vector<float>& x, int64_t m, int64_t k) {
  const Rows e = expected_rows(x, m, k);
  for (const int level : crema_test::levels()) {
    for (const int32_t threads : {1, 3}) {
      const Rows a = actual_rows(x, m, k, level, threads);
      CHECK(a.q == e.q && a.zeros == e.zeros && same_scales(a.scales, e.scales), "%s: %d rows of %d differ",
            crema_isa_name(level), static_cast<int>(m), static_cast<int>(k));
    }
  }
}

void dynamic_rows() {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  std::mt19937 random(7);
  const auto number = [&] { return static_cast<float>(static_cast<int32_t>(random() % 20001) - 10000) * 1e-3f; };
  for (const int64_t k : {1, 2, 7, 8, 9, 15, 16, 17, 33, 64, 100, 1023}) {
    for (int kind = 0; kind < 5; ++kind) {
      std::vector<float> x;
      for (int64_t i = 0; i < 5 * k; ++i) {
        const float v = number();
        // Of both signs, all positive, all negative, a constant, ties of a scale of 1.
        x.push_back(kind == 0   ? v
                    : kind == 1 ? std::fabs(v) + 3
                    : kind == 2 ? -std::fabs(v)
                    : kind == 3 ? -2.5f
                                : static_cast<float>(i % k % 511) * 0.5f);
      }
      if (kind == 4) x[0] = 255.0f;
      check_rows(x, 5, k);
    }
  }
  // Each of these in a row of its own, between others.
  for (const float bad : {nan, infinity, -infinity, 3e38f, -3e38f, 1e-38f, 1e-44f, 0.0f, -0.0f}) {
    for (const int64_t k : {1, 5, 40}) {
      std::vector<float> x(static_cast<size_t>(3 * k), 0.0f);
      for (int64_t p = 0; p < k; ++p) x[static_cast<size_t>(p)] = number();
      for (int64_t p = 0; p < k; ++p) x[static_cast<size_t>(2 * k + p)] = number();
      x[static_cast<size_t>(k + k / 2)] = bad;
      if (k > 1) x[static_cast<size_t>(k)] = bad == 3e38f ? -3e38f : 0.0f;
      check_rows(x, 3, k);
    }
  }
}

void check_dynamic(int64_t m, int64_t n, int64_t k, uint32_t seed) {
  std::mt19937 random(seed);
  const auto number = [&] { return static_cast<float>(static_cast<int32_t>(random() % 2001) - 1000) * 1e-3f; };
  std::vector<float> x, w, scales, b;
  for (int64_t i = 0; i < m * k; ++i) x.push_back(number() * static_cast<float>(i / k % 3 + 1));
  for (int64_t j = 0; j < n; ++j) scales.push_back(0.003f + static_cast<float>(random() % 100) * 1e-5f);
  for (int64_t i = 0; i < k * n; ++i) w.push_back(number() * 0.5f);
  for (int64_t j = 0; j < n; ++j) b.push_back(number());
  if (m > 2) x[static_cast<size_t>(k)] = std::numeric_limits<float>::quiet_NaN();  // the second row
  const bool relu = seed % 2 == 0, bias = seed % 3 != 0;
  const Rows rows = expected_rows(x, m, k);
  std::vector<float> e;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      int32_t total = 0;
      for (int64_t p = 0; p < k; ++p) {
        const float steps = w[static_cast<size_t>(p * n + j)] / scales[static_cast<size_t>(j)];
        total += (rows.q[static_cast<size_t>(i * k + p)] - rows.zeros[static_cast<size_t>(i)]) *
                 between(std::rint(steps), -127, 127);
      }
      volatile float scale = rows.scales[static_cast<size_t>(i)] * scales[static_cast<size_t>(j)];
      const float v = std::fma(static_cast<float>(total), scale, bias ? b[static_cast<size_t>(j)] : 0.0f);
      e.push_back(relu && v < 0 ? 0.0f : v);
    }
  }
  const int64_t columns = (n + 15) / 16 * 16, packed_rows = (k + 3) / 4 + 2;
  std::unique_ptr<float, decltype(&std::free)> packed(
      static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>(packed_rows * columns * 4))), std::free);
  for (const int level : crema_test::levels()) {
    for (const int32_t threads : {1, 3}) {
      std::memset(packed.get(), 0xff, static_cast<size_t>(packed_rows * columns * 4));
      const crema::Tensor p = tensor_of(packed.get(), CREMA_FLOAT32, {packed_rows, columns});
      run(level, "pack_quantized", threads,
          {p, tensor_of(w.data(), CREMA_FLOAT32, {k, n}), tensor_of(scales.data(), CREMA_FLOAT32, {n}), absent()}, {},
          {0, k}, {0.0, 0.0});
      Rows a = actual_rows(x, m, k, level, threads);
      std::vector<float> y(e.size() + 1, -1.5f);
      CHECK(run(level, "dynamic_quantized_linear", threads,
                {tensor_of(a.q.data(), CREMA_UINT8, {m, k}), tensor_of(a.scales.data(), CREMA_FLOAT32, {m, 1}),
                 tensor_of(a.zeros.data(), CREMA_UINT8, {m, 1}), p,
                 bias ? tensor_of(b.data(), CREMA_FLOAT32, {n}) : absent()},
                {tensor_of(y.data(), CREMA_FLOAT32, {m, n})}, {relu ? 1 : 0})
                .empty(),
            "runs");
      CHECK(y.back() == -1.5f, "writes behind its output");
      y.pop_back();
      CHECK(same_scales(y, e), "%s, %d threads: %d x %d x %d differs", crema_isa_name(level), threads,
            static_cast<int>(m), static_cast<int>(n), static_cast<int>(k));
    }
  }
}

void dynamic_products() {
  uint32_t seed = 1;
  for (int64_t m = 1; m <= 20; ++m) check_dynamic(m, 1 + m * 11 % 70, 1 + m * 7 % 90, ++seed);
  check_dynamic(1, 1000, 784, ++seed);
  check_dynamic(131, 130, 260, ++seed);
  check_dynamic(600, 40, 1030, ++seed);  // more rows than fit one block
}

}  // namespace

int main() {
  products();
  great_scales();
  quantize();
  dynamic_rows();
  dynamic_products();
  return crema_test::result();
}
