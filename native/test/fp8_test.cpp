// Numbers become the nearest of E4M3, and layers of them are the float64 products of the numbers that their bytes stand
// for, within the bound that Fp8Linear's documentation gives, at every instruction set; the same bits for every number
// of threads.
#include <limits>
#include <memory>

#include "run.h"

using crema_test::absent;
using crema_test::run;
using crema_test::tensor_of;

namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

// By the definition of the format.
double number_of(uint8_t code) {
  const int exponent = code >> 3 & 15, fraction = code & 7;
  if (exponent == 15 && fraction == 7) return kNaN;
  const double size = exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, exponent - 10);
  return (code & 128) != 0 ? -size : size;
}

// The nearest by looking at all of them; of two, the even one.
uint8_t nearest(double x) {
  if (x != x) return 0x7f;
  const double size = std::fabs(x);
  int best = 0;
  for (int code = 1; code < 0x7f; ++code) {
    const double now = std::fabs(number_of(static_cast<uint8_t>(code)) - size);
    const double before = std::fabs(number_of(static_cast<uint8_t>(best)) - size);
    if (now < before || (now == before && code % 2 == 0) || size == kInfinity) best = code;
  }
  return static_cast<uint8_t>(best | (std::signbit(x) ? 128 : 0));
}

std::vector<uint8_t> quantized(std::vector<float> x, float scale, int level, int32_t threads) {
  const int64_t n = static_cast<int64_t>(x.size());
  std::vector<uint8_t> y(x.size() + 1, 0xa5);
  CHECK(run(level, "quantize_fp8", threads, {tensor_of(x.data(), CREMA_FLOAT32, {n})},
            {tensor_of(y.data(), CREMA_UINT8, {n})}, {}, {scale})
            .empty(),
        "runs");
  CHECK(y.back() == 0xa5, "writes behind its output");
  y.pop_back();
  return y;
}

void numbers_become_the_nearest() {
  std::vector<float> x = {kNaN,   -kNaN,  kInfinity, -kInfinity, 0.0f,   -0.0f,  1e30f,
                          -1e30f, 464.0f, 465.0f,    480.0f,     1e-30f, -1e-30f};
  for (int code = 0; code < 0x7f; ++code) {
    const float here = static_cast<float>(number_of(static_cast<uint8_t>(code)));
    const float next = code == 0x7e ? 480.0f : static_cast<float>(number_of(static_cast<uint8_t>(code + 1)));
    const float half = (here + next) / 2;
    for (const float v :
         {here, half, std::nextafter(half, 0.0f), std::nextafter(half, 1e9f), std::nextafter(here, 0.0f)}) {
      x.push_back(v);
      x.push_back(-v);
    }
  }
  crema_test::Random random(5);
  for (int i = 0; i < 3000; ++i) x.push_back(std::ldexp(random.value(), i % 24 - 13));
  crema_test::on_all([&](int level, int32_t threads) {
    for (const float scale : {1.0f, 0.25f, 0.3f}) {
      const std::vector<uint8_t> y = quantized(x, scale, level, threads);
      for (size_t i = 0; i < x.size(); ++i) {
        const uint8_t expected = nearest(x[i] / scale);
        CHECK(y[i] == expected, "%s: %g / %g is %02x, expected %02x", crema_isa_name(level), static_cast<double>(x[i]),
              static_cast<double>(scale), y[i], expected);
      }
    }
  });
}

struct Layer {
  int64_t m, n, k;
  bool relu, bias;
  float scale;
  std::vector<uint8_t> x;
  std::vector<float> w, scales, b;
};

Layer layer(int64_t m, int64_t n, int64_t k, uint64_t seed) {
  crema_test::Random random(seed);
  Layer l{m, n, k, seed % 2 == 0, seed % 3 != 0, 0.01f + 0.1f * std::fabs(random.value()), {}, {}, {}, {}};
  for (int64_t i = 0; i < m * k; ++i) l.x.push_back(nearest(448.0 * random.value()));
  for (int64_t j = 0; j < n; ++j) l.scales.push_back(0.001f + 0.01f * std::fabs(random.value()));
  for (int64_t i = 0; i < k * n; ++i) l.w.push_back(l.scales[static_cast<size_t>(i % n)] * 470 * random.value());
  for (int64_t j = 0; j < n; ++j) l.b.push_back(random.value());
  return l;
}

std::vector<float> actual(Layer l, int level, int32_t threads) {
  const int64_t columns = (l.n + 15) / 16 * 16, rows = (l.k + 3) / 4 + 1;
  const size_t bytes = static_cast<size_t>(rows * columns * 4), size = static_cast<size_t>(l.m * l.n);
  std::unique_ptr<float, decltype(&std::free)> packed(
      static_cast<float*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64)), std::free);
  std::memset(packed.get(), 0xff, bytes);
  const crema::Tensor p = tensor_of(packed.get(), CREMA_FLOAT32, {rows, columns});
  CHECK(run(level, "pack_fp8", threads,
            {p, tensor_of(l.w.data(), CREMA_FLOAT32, {l.k, l.n}), tensor_of(l.scales.data(), CREMA_FLOAT32, {l.n})}, {})
            .empty(),
        "packs");
  std::vector<float> y(size + 1, kNaN);
  y[size] = -1.5f;
  const crema::Tensor bias = l.bias ? tensor_of(l.b.data(), CREMA_FLOAT32, {l.n}) : absent();
  CHECK(run(level, "fp8_linear", threads, {tensor_of(l.x.data(), CREMA_UINT8, {l.m, l.k}), p, bias},
            {tensor_of(y.data(), CREMA_FLOAT32, {l.m, l.n})}, {l.relu ? 1 : 0}, {l.scale})
            .empty(),
        "runs");
  CHECK(y[size] == -1.5f, "writes behind its output");
  y.resize(size);
  return y;
}

void check(const Layer& l) {
  std::vector<double> expected, bound, weights;
  for (int64_t i = 0; i < l.k * l.n; ++i) {
    const float scale = l.scales[static_cast<size_t>(i % l.n)];
    weights.push_back(number_of(nearest(l.w[static_cast<size_t>(i)] / scale)) * scale);
  }
  for (int64_t i = 0; i < l.m; ++i) {
    for (int64_t j = 0; j < l.n; ++j) {
      double sum = 0, all = 0;
      for (int64_t p = 0; p < l.k; ++p) {
        const double x = number_of(l.x[static_cast<size_t>(i * l.k + p)]) * l.scale;
        const double product = x * weights[static_cast<size_t>(p * l.n + j)];
        sum += product;
        all += std::fabs(product);
      }
      const double b = l.bias ? l.b[static_cast<size_t>(j)] : 0;
      sum += b;
      expected.push_back(l.relu && sum < 0 ? 0 : sum);
      bound.push_back(std::ldexp((static_cast<double>(l.k) + 6) * all + std::fabs(b), -23));
    }
  }
  for (const int level : crema_test::levels()) {
    std::vector<float> one;
    for (const int32_t threads : {1, 3}) {
      const std::vector<float> y = actual(l, level, threads);
      for (size_t i = 0; i < y.size(); ++i) {
        CHECK(std::fabs(y[i] - expected[i]) <= bound[i], "%s, %d threads, %d x %d x %d: [%d] is %g, expected %g +- %g",
              crema_isa_name(level), threads, static_cast<int>(l.m), static_cast<int>(l.n), static_cast<int>(l.k),
              static_cast<int>(i), static_cast<double>(y[i]), expected[i], bound[i]);
      }
      if (threads == 1) one = y;
      CHECK(std::memcmp(one.data(), y.data(), y.size() * sizeof(float)) == 0, "%s differs by threads",
            crema_isa_name(level));
    }
  }
}

// A row of x that holds NaN has NaN everywhere, and its neighbours have not; so has a column of w.
void nan_stays() {
  for (const int64_t m : {3, 20}) {
    Layer l = layer(m, 21, 70, 1);
    l.x[75] = 0x7f;
    l.w[5] = kNaN;
    for (const int level : crema_test::levels()) {
      const std::vector<float> y = actual(l, level, 1);
      for (size_t i = 0; i < y.size(); ++i) {
        CHECK(std::isnan(y[i]) == (i / 21 == 1 || i % 21 == 5), "%s: [%d] is %g", crema_isa_name(level),
              static_cast<int>(i), static_cast<double>(y[i]));
      }
    }
  }
}

}  // namespace

int main() {
  numbers_become_the_nearest();
  crema::pool_set_threads(3);
  uint64_t seed = 1;
  for (int64_t m = 1; m <= 20; ++m) check(layer(m, 1 + m * 11 % 70, 1 + m * 7 % 90, seed++));
  for (const int64_t k : {1, 3, 31, 32, 33, 129}) {
    for (const int64_t n : {1, 8, 17, 33, 100}) check(layer(1 + (k + n) % 13, n, k, seed++));
  }
  check(layer(256, 40, 784, seed++));
  check(layer(18, 700, 1030, seed++));  // more columns than fit one block of float32
  nan_stays();
  return crema_test::result();
}
