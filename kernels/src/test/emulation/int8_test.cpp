// int8_test.cpp: layers of bytes and of weights of few bits against sums of whole numbers.
#include <cstring>
#include <string>

#include "check.h"
#include "byte_tiles.cuh"

// A product of one warp: every lane gives and takes what PTX says of mma.m16n8k32.
CREMA_KERNEL(one_mma, 32, const u32* a, const u32* b, int* d) {
  const int g = lane_of_warp() / 4, t = lane_of_warp() % 4;
  int sums[4] = {d[g * 8 + 2 * t], d[g * 8 + 2 * t + 1], d[(g + 8) * 8 + 2 * t], d[(g + 8) * 8 + 2 * t + 1]};
  mma_bytes(sums, a[g * 8 + t], a[(g + 8) * 8 + t], a[g * 8 + 4 + t], a[(g + 8) * 8 + 4 + t], b[g * 8 + t], b[g * 8 + 4 + t]);
  d[g * 8 + 2 * t] = sums[0];
  d[g * 8 + 2 * t + 1] = sums[1];
  d[(g + 8) * 8 + 2 * t] = sums[2];
  d[(g + 8) * 8 + 2 * t + 1] = sums[3];
}

namespace {

using namespace crema_test;

// The kinds of byte_tiles.cuh; those of whole rows need them in pieces of 16 bytes.
struct Kind {
  const char* name;
  int threads;
  bool whole;
};
const Kind kKinds[] = {{"strips_32", 256, false}, {"strips_8", 256, false}, {"tiles_any", 128, false}, {"tiles_64", 128, true},
                       {"tiles_128", 256, true}};

Target to_floats(Floats& y) { return {y.data(), nullptr, 0, 0}; }

int quantized(float w, float scale) {
  const float q = std::nearbyint(w / scale);
  return static_cast<int>(q < -127 ? -127 : q > 127 ? 127 : q);
}

void dense_layers_match(i64 m, i64 n, i64 k) {
  Floats w = Floats::random(k * n, 1), scales(n), bias = Floats::random(n, 2);
  Array<u8> x(m * k), zeros(m);
  Floats row_scales = Floats::random(m, 4);
  for (i64 i = 0; i < m * k; ++i) x[i] = static_cast<u8>(i * 73 + 11);
  for (i64 i = 0; i < m; ++i) zeros[i] = static_cast<u8>(i * 31 + 5);
  for (i64 j = 0; j < n; ++j) scales[j] = 1.0f / static_cast<float>(100 + j);
  const i64 words = (packed_steps(k) + 3) * packed_columns(n);
  const int zero = 19;
  const float x_scale = 0.03f, y_scale = 0.5f;
  Doubles expected, dynamic;
  std::vector<int> bytes;
  for (i64 i = 0; i < m * n; ++i) {
    const i64 r = i / n, j = i % n;
    i64 sum = 0, of_row = 0;
    for (i64 p = 0; p < k; ++p) {
      const int q = quantized(w[p * n + j], scales[j]);
      sum += (static_cast<i64>(x[r * k + p]) - zero) * q;
      of_row += (static_cast<i64>(x[r * k + p]) - zeros[r]) * q;
    }
    const float product = x_scale * scales[j];
    const double total = static_cast<double>(sum) + std::nearbyint(static_cast<double>(bias[j]) / product);
    expected.push_back(total * product);
    dynamic.push_back(static_cast<double>(of_row) * row_scales[r] * scales[j] + bias[j]);
    const double v = std::nearbyint(total * product / y_scale) + 100;
    bytes.push_back(static_cast<int>(v < 100 ? 100 : v > 255 ? 255 : v));  // ReLU
  }
  in_every_order([&] {
    Array<int> numbers(words), to_bytes(words), rows_own(words);
    const float *const pw = w.data(), *const ps = scales.data(), *const pb = bias.data();
    run("pack_quantized", 1, 256, pw, ps, pb, numbers.data(), k, n, k, zero, x_scale, 0.0f);
    run("pack_quantized", 1, 256, pw, ps, pb, to_bytes.data(), k, n, k, zero, x_scale, y_scale);
    run("pack_quantized", 1, 256, pw, ps, static_cast<const float*>(nullptr), rows_own.data(), k, n, k, 0, 0.0f, 0.0f);
    Floats first_y(m * n), first_z(m * n);
    Array<u8> first_q(m * n);
    for (const Kind& kind : kKinds) {
      if (kind.whole && k % 16 != 0) continue;
      const std::string layer = std::string("quantized_linear_") + kind.name, dynamic_layer = "dynamic_" + layer;
      const u8* const px = x.data();
      const int units = static_cast<int>(n), ins = static_cast<int>(k);
      Floats y(m * n), z(m * n);
      Array<u8> q(m * n);
      run(layer.c_str(), 2, kind.threads, px, static_cast<const int*>(numbers.data()), to_floats(y), m, units, ins);
      run(layer.c_str(), 1, kind.threads, px, static_cast<const int*>(to_bytes.data()), Target{nullptr, q.data(), 100, 1}, m, units, ins);
      run(dynamic_layer.c_str(), 3, kind.threads, px, static_cast<const float*>(row_scales.data()), static_cast<const u8*>(zeros.data()),
          static_cast<const int*>(rows_own.data()), pb, z.data(), m, units, ins, 0);
      compare(layer.c_str(), y, expected, 1e-6);
      compare(dynamic_layer.c_str(), z, dynamic, 1e-6);
      // The reference rounds once, the kernel three times: next to a half they may part by one.
      for (i64 i = 0; i < m * n; ++i) {
        CHECK(std::abs(static_cast<int>(q[i]) - bytes[static_cast<std::size_t>(i)]) <= 1, "%s: byte %lld is %d, expected %d",
              layer.c_str(), i, static_cast<int>(q[i]), bytes[static_cast<std::size_t>(i)]);
      }
      // The same whole numbers are summed whatever the kind: the same bits.
      const bool is_first = &kind == &kKinds[0];
      if (is_first) {
        first_y = y;
        first_z = z;
        first_q = q;
      }
      for (i64 i = 0; i < m * n; ++i) {
        CHECK(y[i] == first_y[i] && z[i] == first_z[i] && q[i] == first_q[i], "%s: element %lld", layer.c_str(), i);
      }
    }
    if (n % 8 != 0) return;
    // The same by a library's sums of signed bytes; numbers take the place of their sums.
    Array<u8> s(m * k);
    run("int8_signed", 2, 256, static_cast<const u8*>(x.data()), s.data(), m * k);
    Array<int> sums(m * n), own(m * n), own_dynamic(m * n);
    for (i64 i = 0; i < m * n; ++i) {
      int sum = 0;
      for (i64 p = 0; p < k; ++p) {
        const int q = quantized(w[p * n + i % n], scales[i % n]);
        CHECK(static_cast<s8>(s[i / n * k + p]) == x[i / n * k + p] - 128, "signed byte %lld", i / n * k + p);
        sum += static_cast<s8>(s[i / n * k + p]) * q;
      }
      sums[i] = own[i] = own_dynamic[i] = sum;
    }
    Array<u8> q(m * n);
    const int units = static_cast<int>(n), ins = static_cast<int>(k);
    float *const y = reinterpret_cast<float*>(own.data()), *const z = reinterpret_cast<float*>(own_dynamic.data());
    run("quantized_linear_of_sums", 2, 256, static_cast<const int*>(own.data()), static_cast<const int*>(numbers.data()),
        Target{y, nullptr, 0, 0}, m, units, ins);
    run("quantized_linear_of_sums", 1, 256, static_cast<const int*>(sums.data()), static_cast<const int*>(to_bytes.data()),
        Target{nullptr, q.data(), 100, 1}, m, units, ins);
    run("dynamic_quantized_linear_of_sums", 3, 256, static_cast<const int*>(own_dynamic.data()), static_cast<const float*>(row_scales.data()),
        static_cast<const u8*>(zeros.data()), static_cast<const int*>(rows_own.data()), pb, z, m, units, ins, 0);
    for (i64 i = 0; i < m * n; ++i) {
      float number, of_row;
      std::memcpy(&number, &own[i], 4);
      std::memcpy(&of_row, &own_dynamic[i], 4);
      CHECK(number == first_y[i] && of_row == first_z[i] && q[i] == first_q[i], "of sums: element %lld", i);
    }
  });
}

// a [16, 32] unsigned, b [8, 32] signed: columns one after the other.
void a_warp_multiplies_matrices() {
  Array<u8> a(16 * 32), b(8 * 32);
  Random random(3);
  for (i64 i = 0; i < a.size(); ++i) a[i] = static_cast<u8>(random.bits() >> 40);
  for (i64 i = 0; i < b.size(); ++i) b[i] = static_cast<u8>(random.bits() >> 40);
  in_every_order([&] {
    Array<int> d(16 * 8);
    for (i64 i = 0; i < d.size(); ++i) d[i] = static_cast<int>(1000 * i) - 50000;
    run("one_mma", 1, 32, reinterpret_cast<const u32*>(a.data()), reinterpret_cast<const u32*>(b.data()), d.data());
    for (i64 i = 0; i < d.size(); ++i) {
      int expected = static_cast<int>(1000 * i) - 50000;
      for (i64 k = 0; k < 32; ++k) expected += a[i / 8 * 32 + k] * static_cast<s8>(b[i % 8 * 32 + k]);
      CHECK(d[i] == expected, "row %lld, column %lld: %d, expected %d", i / 8, i % 8, d[i], expected);
    }
  });
}

void few_bits_match(i64 m, i64 n, i64 k, int bits, i64 group) {
  Floats x = Floats::random(m * k, 1), w = Floats::random(k * n, 2);
  const i64 groups = (k + group - 1) / group, steps = bits == 8 ? 4 : 8;
  Floats scales(groups * n);
  const float limit = bits == 8 ? 127.0f : 7.0f;
  for (i64 i = 0; i < scales.size(); ++i) scales[i] = 1.0f / (limit - 0.5f * static_cast<float>(i % 5));
  Doubles numbers, y(static_cast<std::size_t>(m * n));
  for (i64 i = 0; i < k * n; ++i) {
    const float scale = scales[i / n / group * n + i % n], q = std::nearbyint(w[i] / scale);
    numbers.push_back((q < -limit ? -limit : q > limit ? limit : q) * static_cast<double>(scale));
  }
  for (i64 i = 0; i < m * n; ++i) {
    for (i64 p = 0; p < k; ++p) y[i] += x[i / n * k + p] * numbers[static_cast<std::size_t>(p * n + i % n)];
  }
  Array<int> packed(((k + steps - 1) / steps + groups) * packed_columns(n));
  Floats actual(m * n), unpacked(k * n);
  run("pack_weight_only", 2, 256, static_cast<const float*>(w.data()), static_cast<const float*>(scales.data()), packed.data(), n, k, bits,
      group);
  run("weight_only_linear", 2, 256, static_cast<const float*>(x.data()), static_cast<const int*>(packed.data()), actual.data(), m, n, k,
      bits, group);
  run("unpack_weight_only", 2, 256, static_cast<const int*>(packed.data()), unpacked.data(), n, k, bits, group);
  compare("product", actual, y, 3e-6);
  compare("weights", unpacked, numbers, 1e-7);
}

}  // namespace

int main() {
  a_warp_multiplies_matrices();
  dense_layers_match(1, 1, 1);
  dense_layers_match(3, 17, 5);
  dense_layers_match(5, 40, 63);
  dense_layers_match(1, 33, 1040);  // one row, more runs of k than a strip has warps
  dense_layers_match(20, 70, 80);   // two tiles of 64, x read 16 bytes at a time
  dense_layers_match(33, 72, 400);  // outputs stored eight at a time, more runs than stages
  dense_layers_match(129, 20, 67);  // rows of x that begin anywhere
  dense_layers_match(130, 136, 32); // four tiles of 128, less than a run of k
  for (const int bits : {8, 4}) {
    few_bits_match(1, 1, 1, bits, 1);
    few_bits_match(3, 17, 37, bits, 37);
    few_bits_match(2, 33, 40, bits, 16);
  }
  return result();
}
