// int8_conv_test.cpp: convolutions of bytes by every kind of kernel, against sums of whole numbers: the same bits.
#include <string>

#include "check.h"
#include "int8.cuh"

namespace {

using namespace crema_test;

// As int8_conv.cu has it.
struct Conv8 {
  i64 outputs, image_bytes, h, row_bytes, oh, ow, units, stride_h, stride_x, dilation_h, dilation_x, top, left, run_words, runs, steps,
      x_zero, whole;
};

// A convolution as people describe it.
struct Shape {
  i64 images, h, w, c, units, kh, kw, stride, dilation, padding;
  i64 out(i64 extent, i64 window) const { return (extent + 2 * padding - (window - 1) * dilation - 1) / stride + 1; }
  i64 run() const { return dilation == 1 ? kw * c : c; }
  i64 runs() const { return dilation == 1 ? 1 : kw; }
};

Array<u8> some_bytes(i64 n, u64 seed) {
  Array<u8> x(n);
  Random random(seed);
  for (i64 i = 0; i < n; ++i) x[i] = static_cast<u8>(random.bits() >> 40);
  return x;
}

// Sums of whole numbers, without the zero point of x, in the order in which people would.
std::vector<int> sums_of(const Shape& s, const Array<u8>& x, int x_zero, const std::vector<int>& w) {
  const i64 oh = s.out(s.h, s.kh), ow = s.out(s.w, s.kw);
  std::vector<int> sums(static_cast<std::size_t>(s.images * oh * ow * s.units));
  for (i64 o = 0; o < s.images * oh * ow; ++o) {
    for (i64 tap = 0; tap < s.kh * s.kw; ++tap) {
      const i64 y = o / ow % oh * s.stride - s.padding + tap / s.kw * s.dilation;
      const i64 q = o % ow * s.stride - s.padding + tap % s.kw * s.dilation;
      if (y < 0 || y >= s.h || q < 0 || q >= s.w) continue;  // padding is 0
      for (i64 c = 0; c < s.c; ++c) {
        const int number = x[((o / ow / oh * s.h + y) * s.w + q) * s.c + c] - x_zero;
        for (i64 j = 0; j < s.units; ++j) {
          sums[static_cast<std::size_t>(o * s.units + j)] += number * w[static_cast<std::size_t>((tap * s.c + c) * s.units + j)];
        }
      }
    }
  }
  return sums;
}

// Images of x - 128 with a frame of zero points, in units of the most bytes that channels allow.
void signed_images_match(const Shape& s, Array<u8>& x, int x_zero) {
  const bool whole = s.c % 16 == 0;
  const i64 size = whole ? 16 : 4, down = s.padding, across = s.padding, h = s.h + 2 * down - 1, w = s.w + across;  // less at the end
  in_every_order([&] {
    Array<u8> y(s.images * h * w * s.c);
    const auto go = [&](auto unit, const char* name) {
      using Unit = decltype(unit);
      run(name, order + 1, 256, reinterpret_cast<const Unit*>(x.data()), reinterpret_cast<Unit*>(y.data()), s.images,
          static_cast<int>(s.h), static_cast<int>(s.w), static_cast<int>(h), static_cast<int>(w), static_cast<int>(s.c / size),
          static_cast<int>(down), static_cast<int>(across), x_zero);
    };
    whole ? go(uint4(), "int8_signed_image_16") : go(u32(), "int8_signed_image_4");
    for (i64 i = 0; i < y.size(); ++i) {
      const i64 pixel = i / s.c, row = pixel / w % h - down, column = pixel % w - across;
      const bool inside = row >= 0 && row < s.h && column >= 0 && column < s.w;
      const int expected = (inside ? x[((pixel / w / h * s.h + row) * s.w + column) * s.c + i % s.c] : x_zero) - 128;
      CHECK(static_cast<s8>(y[i]) == expected, "signed byte %lld is %d, expected %d", i, static_cast<s8>(y[i]), expected);
    }
  });
}

void convolutions_match(const Shape& s, int x_zero) {
  const i64 oh = s.out(s.h, s.kh), ow = s.out(s.w, s.kw), k = s.kh * s.kw * s.c, n = s.units, outputs = s.images * oh * ow;
  const bool whole = s.c % 16 == 0;
  Array<u8> x = some_bytes(s.images * s.h * s.w * s.c, 5);
  Random random(7);
  std::vector<int> w(static_cast<std::size_t>(k * n));
  Floats kernel(k * n), scales(n), bias = Floats::random(n, 2);
  for (i64 j = 0; j < n; ++j) scales[j] = 1.0f / static_cast<float>(64 << j % 3);  // so that weights are multiples of them
  for (i64 i = 0; i < k * n; ++i) {
    w[static_cast<std::size_t>(i)] = static_cast<int>(random.below(255)) - 127;
    kernel[i] = static_cast<float>(w[static_cast<std::size_t>(i)]) * scales[i % n];
  }
  const float x_scale = 0.03f, y_scale = 25.0f;
  const std::vector<int> sums = sums_of(s, x, x_zero, w);
  // The same operations on a sum as on the CPU.
  Floats numbers(outputs * n);
  Array<u8> bytes(outputs * n);
  for (i64 i = 0; i < outputs * n; ++i) {
    const float product = x_scale * scales[i % n];
    const int biased = sums[static_cast<std::size_t>(i)] + static_cast<int>(std::nearbyint(static_cast<double>(bias[i % n]) / product));
    numbers[i] = static_cast<float>(biased) * product;
    const float v = std::nearbyint(static_cast<float>(biased) * (product / y_scale)) + 128;
    bytes[i] = static_cast<u8>(v < 128 ? 128 : v > 255 ? 255 : v);  // ReLU
  }
  const i64 run_words = packed_steps(s.run()), steps = s.kh * s.runs() * run_words;
  const Conv8 v = {outputs, s.h * s.w * s.c, s.h, s.w * s.c, oh, ow, n, s.stride, s.stride * s.c, s.dilation, s.dilation * s.c, s.padding,
                   s.padding * s.c, run_words, s.runs(), steps, x_zero, whole ? 1 : 0};
  const float *const pw = kernel.data(), *const ps = scales.data(), *const pb = bias.data();
  const bool by_library = s.c % 4 == 0 && n % 8 == 0 && k <= 1032;
  if (by_library) signed_images_match(s, x, x_zero);
  in_every_order([&] {
    Array<int> to_numbers((steps + 3) * packed_columns(n)), to_bytes((steps + 3) * packed_columns(n));
    run("pack_quantized", order + 1, 256, pw, ps, pb, to_numbers.data(), k, n, s.run(), x_zero, x_scale, 0.0f);
    run("pack_quantized", 1, 256, pw, ps, pb, to_bytes.data(), k, n, s.run(), x_zero, x_scale, y_scale);
    if (by_library) {  // sums of x - 128, in which padding is the zero point
      Floats of(outputs * n);
      Array<u8> q(outputs * n);
      for (i64 i = 0; i < outputs * n; ++i) {
        int total = 0;
        for (i64 r = 0; r < k; ++r) total += w[static_cast<std::size_t>(r * n + i % n)];
        of[i] = static_cast<float>(sums[static_cast<std::size_t>(i)] + (x_zero - 128) * total);
      }
      run("quantized_conv2d_of_sums", order + 1, 256, static_cast<const float*>(of.data()), static_cast<const int*>(to_bytes.data()),
          Target{nullptr, q.data(), 128, 1}, outputs, static_cast<int>(n), static_cast<int>(k));
      run("quantized_conv2d_of_sums", 1, 256, static_cast<const float*>(of.data()), static_cast<const int*>(to_numbers.data()),
          Target{of.data(), nullptr, 0, 0}, outputs, static_cast<int>(n), static_cast<int>(k));
      for (i64 i = 0; i < outputs * n; ++i) {
        CHECK(of[i] == numbers[i], "number %lld of sums is %.9g, expected %.9g", i, of[i], numbers[i]);
        CHECK(q[i] == bytes[i], "byte %lld of sums is %d, expected %d", i, static_cast<int>(q[i]), static_cast<int>(bytes[i]));
      }
    }
    for (const char* const kind : {"strips_32", "strips_8", "tiles_any", "tiles_64", "tiles_128"}) {
      const std::string name = std::string("quantized_conv2d_") + kind;
      const bool great = name.find("_128") != std::string::npos, small = name.find("_64") != std::string::npos;
      if ((great || small) && !whole) continue;
      const int threads = name.find("tiles") == std::string::npos || great ? 256 : 128;
      Floats y(outputs * n);
      Array<u8> q(outputs * n);
      run(name.c_str(), order + 1, threads, static_cast<const u8*>(x.data()), static_cast<const int*>(to_numbers.data()),
          Target{y.data(), nullptr, 0, 0}, v);
      run(name.c_str(), 1, threads, static_cast<const u8*>(x.data()), static_cast<const int*>(to_bytes.data()),
          Target{nullptr, q.data(), 128, 1}, v);
      for (i64 i = 0; i < outputs * n; ++i) {
        CHECK(y[i] == numbers[i], "%s: number %lld is %.9g, expected %.9g", name.c_str(), i, y[i], numbers[i]);
        CHECK(q[i] == bytes[i], "%s: byte %lld is %d, expected %d", name.c_str(), i, static_cast<int>(q[i]), static_cast<int>(bytes[i]));
      }
    }
  });
}

}  // namespace

int main() {
  // images, h, w, channels, units, window, stride, dilation, padding; the zero point of x
  convolutions_match({1, 1, 1, 1, 1, 1, 1, 1, 1, 0}, 0);
  convolutions_match({2, 12, 12, 1, 6, 5, 5, 1, 1, 0}, 3);       // as the first of LeNet
  convolutions_match({1, 8, 8, 6, 16, 5, 5, 1, 1, 0}, 128);      // and its second
  convolutions_match({1, 15, 14, 3, 40, 7, 7, 2, 1, 3}, 77);     // as a stem of ResNet
  convolutions_match({2, 5, 7, 3, 17, 3, 3, 1, 1, 1}, 50);
  convolutions_match({1, 6, 5, 5, 3, 2, 3, 2, 1, 0}, 255);
  convolutions_match({1, 9, 7, 2, 4, 3, 3, 1, 2, 1}, 9);         // dilated: pixels are runs
  convolutions_match({1, 7, 7, 16, 24, 3, 3, 1, 2, 2}, 200);     // so are these, copied whole
  convolutions_match({3, 3, 3, 32, 9, 1, 1, 1, 1, 0}, 128);
  convolutions_match({1, 5, 5, 48, 70, 3, 3, 2, 1, 1}, 131);     // more units than a tile of 64
  convolutions_match({2, 9, 8, 16, 136, 3, 3, 1, 1, 1}, 5);      // more outputs and units than a tile of 128
  convolutions_match({1, 1, 20, 16, 8, 1, 5, 3, 1, 2}, 250);     // a sequence; half of some windows is padding, and the rows above
  convolutions_match({1, 2, 2, 16, 8, 5, 5, 1, 1, 4}, 1);        // most is padding
  convolutions_match({2, 5, 4, 12, 16, 3, 2, 1, 1, 1}, 61);      // channels in fours: by a library, too
  return result();
}
