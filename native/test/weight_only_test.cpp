// Products with weights of 8 and 4 bits are the float64 products of the numbers that the weights stand for, within the
// bound that WeightOnlyLinear's documentation gives, at every instruction set; the same bits for every number of threads.
#include <limits>
#include <memory>

#include "run.h"

using crema_test::absent;
using crema_test::run;
using crema_test::tensor_of;

namespace {

enum { kNone = 0, kRelu = 1, kSigmoid = 2 };

struct Layer {
  int64_t m, n, k;
  int bits;
  int64_t group;  // 0: all
  int activation;
  bool bias;
  std::vector<float> x, w, scales, b;

  int64_t of_group() const { return group > 0 ? group : k < 1 ? 1 : k; }
  int64_t groups() const { return (k + of_group() - 1) / of_group(); }
  double most() const { return bits == 8 ? 127 : 7; }
};

Layer layer(int64_t m, int64_t n, int64_t k, int bits, int64_t group, int activation, uint64_t seed) {
  crema_test::Random random(seed);
  Layer l{m, n, k, bits, group, activation, seed % 3 != 0, {}, {}, {}, {}};
  for (int64_t i = 0; i < m * k; ++i) l.x.push_back(random.value());
  for (int64_t i = 0; i < l.groups() * n; ++i) l.scales.push_back(0.01f + 0.1f * std::fabs(random.value()));
  for (int64_t p = 0; p < k; ++p) {
    for (int64_t j = 0; j < n; ++j) {
      const float scale = l.scales[static_cast<size_t>(p / l.of_group() * n + j)];
      // Some are beyond the greatest multiple.
      l.w.push_back(scale * static_cast<float>(1.1 * l.most()) * random.value());
    }
  }
  for (int64_t j = 0; j < n; ++j) l.b.push_back(random.value());
  return l;
}

double number_of(const Layer& l, int64_t p, int64_t j) {
  const float scale = l.scales[static_cast<size_t>(p / l.of_group() * l.n + j)];
  const float q = std::rint(l.w[static_cast<size_t>(p * l.n + j)] / scale);
  if (q != q) return 0;
  return scale * std::fmax(-l.most(), std::fmin(l.most(), static_cast<double>(q)));
}

std::vector<float> actual(const Layer& l, int level, int32_t threads) {
  const int64_t columns = (l.n + 15) / 16 * 16, steps = 32 / l.bits;
  const int64_t rows = (l.k + steps - 1) / steps + l.groups();
  const size_t bytes = static_cast<size_t>(rows * columns * 4);
  std::unique_ptr<float, decltype(&std::free)> packed(
      static_cast<float*>(std::aligned_alloc(64, (bytes + 63) / 64 * 64 + 64)), std::free);
  std::memset(packed.get(), 0xff, bytes);
  Layer c = l;
  const crema::Tensor p = tensor_of(packed.get(), CREMA_FLOAT32, {rows, columns});
  CHECK(run(level, "pack_weight_only", threads,
            {p, tensor_of(c.w.data(), CREMA_FLOAT32, {l.k, l.n}),
             tensor_of(c.scales.data(), CREMA_FLOAT32, {l.groups(), l.n})},
            {}, {l.bits, l.group})
            .empty(),
        "packs");
  const size_t size = static_cast<size_t>(l.m * l.n);
  std::vector<float> y(size + 1, std::numeric_limits<float>::quiet_NaN());
  y[size] = -1.5f;
  const crema::Tensor bias = l.bias ? tensor_of(c.b.data(), CREMA_FLOAT32, {l.n}) : absent();
  CHECK(run(level, "weight_only_linear", threads, {tensor_of(c.x.data(), CREMA_FLOAT32, {l.m, l.k}), p, bias},
            {tensor_of(y.data(), CREMA_FLOAT32, {l.m, l.n})}, {l.activation, l.bits, l.group})
            .empty(),
        "runs");
  CHECK(y[size] == -1.5f, "writes behind its output");
  y.resize(size);
  return y;
}

void check(const Layer& l) {
  std::vector<double> expected, bound;
  for (int64_t i = 0; i < l.m; ++i) {
    for (int64_t j = 0; j < l.n; ++j) {
      double sum = l.bias ? l.b[static_cast<size_t>(j)] : 0, all = 0;
      const double bias = std::fabs(sum);
      for (int64_t p = 0; p < l.k; ++p) {
        const double product = number_of(l, p, j) * l.x[static_cast<size_t>(i * l.k + p)];
        sum += product;
        all += std::fabs(product);
      }
      double most = (static_cast<double>(l.k) + 4) * std::ldexp(all, -23) + std::ldexp(bias, -23);
      if (l.activation == kRelu && sum < 0) sum = 0;
      if (l.activation == kSigmoid) {
        sum = 1 / (1 + std::exp(-sum));
        most += 1e-6;  // of the sigmoid itself
      }
      expected.push_back(sum);
      bound.push_back(most);
    }
  }
  for (const int level : crema_test::levels()) {
    std::vector<float> one;
    for (const int32_t threads : {1, 3}) {
      const std::vector<float> y = actual(l, level, threads);
      size_t worst = 0;
      bool good = true;
      for (size_t i = 0; i < y.size(); ++i) {
        if (!(std::fabs(y[i] - expected[i]) <= bound[i])) {
          good = false;
          worst = i;
        }
      }
      CHECK(good, "%s, %d threads: %d x %d x %d of %d bits, groups of %d: [%d] is %g, expected %g +- %g",
            crema_isa_name(level), threads, static_cast<int>(l.m), static_cast<int>(l.n), static_cast<int>(l.k), l.bits,
            static_cast<int>(l.group), static_cast<int>(worst), static_cast<double>(y[worst]), expected[worst],
            bound[worst]);
      if (threads == 1) one = y;
      CHECK(one.size() == y.size() && (y.empty() || std::memcmp(one.data(), y.data(), y.size() * sizeof(float)) == 0),
            "%s: %d x %d x %d of %d bits differs by threads", crema_isa_name(level), static_cast<int>(l.m),
            static_cast<int>(l.n), static_cast<int>(l.k), l.bits);
    }
  }
}

void products(int bits) {
  uint64_t seed = static_cast<uint64_t>(bits);
  for (int64_t m = 1; m <= 20; ++m, ++seed) check(layer(m, 1 + m * 11 % 70, 1 + m * 7 % 90, bits, 0, kNone, seed));
  for (const int64_t k : {1, 3, 4, 7, 8, 9, 31, 32, 33, 64, 100, 129, 300}) {
    for (const int64_t n : {1, 2, 8, 15, 16, 17, 31, 32, 33, 100}) {
      for (const int64_t group : {0, 8, 32, 128}) {
        ++seed;
        check(layer(1 + (k + n + group) % 13, n, k, bits, group, static_cast<int>(seed % 3), seed));
      }
    }
  }
  check(layer(1, 1024, 784, bits, 64, kRelu, ++seed));
  check(layer(9, 700, 1030, bits, 32, kSigmoid, ++seed));  // more columns than fit one block
  check(layer(130, 40, 5000, bits, 128, kRelu, ++seed));
  check(layer(50, 1, 333, bits, 64, kNone, ++seed));
  check(layer(3, 40, 0, bits, 32, kNone, ++seed));
  check(layer(20, 40, 0, bits, 0, kNone, ++seed));
}

// NaN and infinity go where a product of float32 would have them; a weight of NaN is 0.
void hostile(int bits) {
  const float infinity = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  for (const int64_t m : {3, 12}) {
    Layer l = layer(m, 37, 70, bits, 32, kRelu, 4);
    for (int64_t p = 0; p < l.k; ++p) {
      if (number_of(l, p, 0) == 0) l.w[static_cast<size_t>(p * l.n)] = l.scales[static_cast<size_t>(p / 32 * l.n)];
    }
    l.x[5] = nan;
    l.x[static_cast<size_t>(l.k + 6)] = infinity;
    l.w[static_cast<size_t>(6 * l.n + 1)] = nan;
    for (const int level : crema_test::levels()) {
      const std::vector<float> y = actual(l, level, 1);
      for (int64_t j = 0; j < l.n; ++j) {
        CHECK(std::isnan(y[static_cast<size_t>(j)]), "%s: %g", crema_isa_name(level), static_cast<double>(y[static_cast<size_t>(j)]));
        CHECK(std::isfinite(y[static_cast<size_t>(2 * l.n + j)]), "%s: the third row has numbers", crema_isa_name(level));
      }
      const bool positive = l.w[static_cast<size_t>(6 * l.n)] > 0;
      CHECK(y[static_cast<size_t>(l.n)] == (positive ? infinity : 0), "%s", crema_isa_name(level));
      CHECK(std::isnan(y[static_cast<size_t>(l.n + 1)]), "%s: 0 times infinity", crema_isa_name(level));
    }
  }
}

}  // namespace

int main() {
  crema::pool_set_threads(3);
  for (const int bits : {8, 4}) {
    products(bits);
    hostile(bits);
  }
  return crema_test::result();
}
