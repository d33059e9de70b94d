// fp8_test.cpp: numbers of E4M3 by the definition of the format, and layers of them against float64.
#include <cmath>
#include <limits>
#include <string>

#include "check.h"
#include "byte_tiles.cuh"

// A product of one warp: every lane gives and takes what PTX says of mma.m16n8k32.
CREMA_KERNEL(one_fp8_mma, 32, const u32* a, const u32* b, float* d) {
  const int g = lane_of_warp() / 4, t = lane_of_warp() % 4;
  float sums[4] = {};
  mma_bytes(sums, a[g * 8 + t], a[(g + 8) * 8 + t], a[g * 8 + 4 + t], a[(g + 8) * 8 + 4 + t], b[g * 8 + t], b[g * 8 + 4 + t]);
  d[g * 8 + 2 * t] = sums[0] * kFp8Unit;
  d[g * 8 + 2 * t + 1] = sums[1] * kFp8Unit;
  d[(g + 8) * 8 + 2 * t] = sums[2] * kFp8Unit;
  d[(g + 8) * 8 + 2 * t + 1] = sums[3] * kFp8Unit;
}

namespace {

using namespace crema_test;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

double number_of(u8 code) {
  const int exponent = code >> 3 & 15, fraction = code & 7;
  if (exponent == 15 && fraction == 7) return kNaN;
  const double size = exponent == 0 ? std::ldexp(fraction, -9) : std::ldexp(8 + fraction, exponent - 10);
  return (code & 128) != 0 ? -size : size;
}

// The nearest by looking at all of them; of two, the even one.
u8 nearest(double x) {
  if (x != x) return 0x7f;
  const double size = std::fabs(x);
  int best = 0;
  for (int code = 1; code < 0x7f; ++code) {
    const double now = std::fabs(number_of(static_cast<u8>(code)) - size), before = std::fabs(number_of(static_cast<u8>(best)) - size);
    if (now < before || (now == before && code % 2 == 0) || size == kInfinity) best = code;
  }
  return static_cast<u8>(best | (std::signbit(x) ? 128 : 0));
}

void numbers_become_the_nearest() {
  std::vector<float> values = {kNaN, kInfinity, -kInfinity, 0.0f, -0.0f, 1e30f, -464.0f, 465.0f, 1e-30f};
  for (int code = 0; code < 0x7f; ++code) {
    const float here = static_cast<float>(number_of(static_cast<u8>(code)));
    const float next = code == 0x7e ? 480.0f : static_cast<float>(number_of(static_cast<u8>(code + 1)));
    const float half = (here + next) / 2;
    for (const float v : {here, half, std::nextafter(half, 0.0f), std::nextafter(half, 1e9f)}) {
      values.push_back(v);
      values.push_back(-v);
    }
  }
  for (const int shift : {0, 1}) {
    const i64 n = static_cast<i64>(values.size());
    Floats x(n, shift);
    for (i64 i = 0; i < n; ++i) x[i] = values[static_cast<std::size_t>(i)];
    for (const float scale : {1.0f, 0.3f}) {
      in_every_order([&] {
        Array<u8> y(n, shift);
        run("quantize_fp8", 2, 256, static_cast<const float*>(x.data()), y.data(), n, scale);
        for (i64 i = 0; i < n; ++i) {
          const u8 expected = nearest(x[i] / scale);
          CHECK(y[i] == expected, "%g / %g is %02x, expected %02x", static_cast<double>(x[i]), static_cast<double>(scale), y[i], expected);
        }
      });
    }
  }
}

// Every code times 1, and sums of them: a [16, 32], b [8, 32], columns one after the other.
void a_warp_multiplies_matrices() {
  for (int round = 0; round < 3; ++round) {
    Array<u8> a(16 * 32), b(8 * 32);
    Random random(3);
    for (i64 i = 0; i < a.size(); ++i) a[i] = static_cast<u8>(round == 2 ? random.bits() >> 40 : static_cast<u64>(i) & 255u);
    for (i64 i = 0; i < b.size(); ++i) b[i] = static_cast<u8>(random.bits() >> 40);
    for (i64 i = 0; round != 2 && i < b.size(); ++i) b[i] = static_cast<u8>(i % 32 == (i / 32 * 5 + round) % 32 ? 0x38 : 0);
    in_every_order([&] {
      Floats d(16 * 8);
      run("one_fp8_mma", 1, 32, reinterpret_cast<const u32*>(a.data()), reinterpret_cast<const u32*>(b.data()), d.data());
      for (i64 i = 0; i < d.size(); ++i) {
        double expected = 0, all = 0;
        for (i64 k = 0; k < 32; ++k) {
          const double product = number_of(a[i / 8 * 32 + k]) * number_of(b[i % 8 * 32 + k]);
          expected += product;
          all += std::fabs(product);
        }
        const bool same = expected != expected ? d[i] != d[i] : std::fabs(d[i] - expected) <= std::ldexp(all, -18);
        CHECK(same, "row %lld, column %lld: %g, expected %g", i / 8, i % 8, static_cast<double>(d[i]), expected);
      }
    });
  }
}

struct Kind {
  const char* name;
  int threads;
  bool whole;
};
const Kind kKinds[] = {{"strips_32", 256, false}, {"strips_8", 256, false}, {"tiles_any", 128, false}, {"tiles_64", 128, true},
                       {"tiles_128", 256, true}};

void dense_layers_match(i64 m, i64 n, i64 k, bool has_nan) {
  Array<u8> x(m * k);
  Random random(static_cast<std::uint64_t>(m + n + k));
  for (i64 i = 0; i < m * k; ++i) x[i] = nearest(448.0 * random.value());
  Floats w(k * n), scales(n), bias = Floats::random(n, 2);
  for (i64 j = 0; j < n; ++j) scales[j] = 1.0f / static_cast<float>(100 + j);
  for (i64 i = 0; i < k * n; ++i) w[i] = 470 * scales[i % n] * random.value();
  if (has_nan) {
    x[m * k - 1] = 0xff;
    w[0] = kNaN;
  }
  const float x_scale = 0.03f;
  Doubles expected, bounds, weights;
  std::vector<u8> codes;
  std::vector<float> sums;  // before scales
  for (i64 i = 0; i < k * n; ++i) {
    codes.push_back(nearest(w[i] / scales[i % n]));
    weights.push_back(number_of(codes.back()) * scales[i % n]);
  }
  for (i64 i = 0; i < m * n; ++i) {
    double sum = 0, all = 0, unscaled = 0;
    for (i64 p = 0; p < k; ++p) {
      unscaled += number_of(x[i / n * k + p]) * number_of(codes[static_cast<std::size_t>(p * n + i % n)]);
      const double product = number_of(x[i / n * k + p]) * x_scale * weights[static_cast<std::size_t>(p * n + i % n)];
      sum += product;
      all += std::fabs(product);
    }
    sums.push_back(static_cast<float>(unscaled));
    const double v = sum + bias[i % n];
    expected.push_back(v < 0 ? 0 : v);
    bounds.push_back(std::ldexp((static_cast<double>(k) + 6) * all + std::fabs(bias[i % n]), -23));
  }
  in_every_order([&] {
    Array<int> packed((packed_steps(k) + 1) * packed_columns(n));
    run("pack_fp8", 2, 256, static_cast<const float*>(w.data()), static_cast<const float*>(scales.data()), packed.data(), n, k);
    const u8* const rows = reinterpret_cast<const u8*>(packed.data());  // of k, as cuBLASLt takes them
    for (i64 i = 0; i < k * n; ++i) {
      const u8 byte = rows[i % n * packed_steps(k) * 4 + i / n];
      CHECK(byte == codes[static_cast<std::size_t>(i)], "weight %lld of column %lld is %02x", i / n, i % n, byte);
    }
    Floats scaled(m * n);
    for (i64 i = 0; i < m * n; ++i) scaled[i] = sums[static_cast<std::size_t>(i)];
    run("fp8_scale", 2, 256, scaled.data(), static_cast<const int*>(packed.data()), static_cast<const float*>(bias.data()), x_scale, m,
        static_cast<int>(n), static_cast<int>(k), 1);
    for (i64 i = 0; i < m * n; ++i) {
      const double e = expected[static_cast<std::size_t>(i)], bound = bounds[static_cast<std::size_t>(i)];
      CHECK(e != e ? scaled[i] != scaled[i] : std::fabs(scaled[i] - e) <= bound, "fp8_scale: element %lld is %g, expected %g +- %g", i,
            static_cast<double>(scaled[i]), e, bound);
    }
    for (const Kind& kind : kKinds) {
      if (kind.whole && k % 16 != 0) continue;
      const std::string layer = std::string("fp8_linear_") + kind.name;
      Floats y(m * n);
      run(layer.c_str(), 2, kind.threads, static_cast<const u8*>(x.data()), static_cast<const int*>(packed.data()),
          static_cast<const float*>(bias.data()), y.data(), x_scale, m, static_cast<int>(n), static_cast<int>(k), 1);
      for (i64 i = 0; i < m * n; ++i) {
        const double e = expected[static_cast<std::size_t>(i)], bound = bounds[static_cast<std::size_t>(i)];
        CHECK(e != e ? y[i] != y[i] : std::fabs(y[i] - e) <= bound, "%s: element %lld is %g, expected %g +- %g", layer.c_str(), i,
              static_cast<double>(y[i]), e, bound);
      }
    }
  });
}

}  // namespace

int main() {
  numbers_become_the_nearest();
  a_warp_multiplies_matrices();
  dense_layers_match(1, 1, 1, false);
  dense_layers_match(3, 17, 5, true);
  dense_layers_match(5, 40, 63, false);
  dense_layers_match(1, 33, 1040, false);  // one row, more runs of k than a strip has warps
  dense_layers_match(20, 70, 80, true);    // two tiles of 64, x read 16 bytes at a time
  dense_layers_match(33, 72, 400, false);  // outputs stored eight at a time, more runs than stages
  dense_layers_match(129, 20, 67, false);  // rows of x that begin anywhere
  dense_layers_match(67, 65, 48, false);   // rows of weights read 16 bytes at a time, beyond the last column
  dense_layers_match(130, 136, 32, true);  // four tiles of 128, less than a run of k
  return result();
}
