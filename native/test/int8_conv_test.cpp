// Convolution, pooling and sums of bytes give, at every instruction set and thread count, the bits of int8.h's arithmetic
// (ONNX's QLinearConv with a scale for each output), written out here once more: every edge of the padding, strides,
// distances between taps, one channel and many, one pixel and many, several images.
#include <memory>
#include <random>

#include "run.h"

using crema_test::absent;
using crema_test::on_all;
using crema_test::run;
using crema_test::tensor_of;

namespace {

struct Shape {
  int64_t n, h, w, c, kh, kw, units;
  int64_t stride_h, stride_w, dilation_h, dilation_w, top, bottom, left, right;

  int64_t oh() const { return (h + top + bottom - (kh - 1) * dilation_h - 1) / stride_h + 1; }
  int64_t ow() const { return (w + left + right - (kw - 1) * dilation_w - 1) / stride_w + 1; }
  int64_t outputs() const { return n * oh() * ow() * units; }
};

struct Layer {
  Shape s;
  bool relu, bytes, bias;
  int32_t x_zero, y_zero;
  float x_scale, y_scale;
  std::vector<uint8_t> x;
  std::vector<float> w, scales, b;
};

Layer layer(const Shape& s, uint32_t seed) {
  std::mt19937 random(seed);
  Layer l{s, seed % 2 == 0, seed % 3 != 0, seed % 5 != 0, static_cast<int32_t>(random() % 256),
          static_cast<int32_t>(random() % 256), 0.013f, 0.7f, {}, {}, {}, {}};
  for (int64_t i = 0; i < s.n * s.h * s.w * s.c; ++i) l.x.push_back(static_cast<uint8_t>(random()));
  for (int64_t j = 0; j < s.units; ++j) l.scales.push_back(0.001f + static_cast<float>(random() % 1000) * 1e-5f);
  for (int64_t i = 0; i < s.kh * s.kw * s.c * s.units; ++i) {
    const float q = static_cast<float>(random() % 2700) * 0.1f - 135;
    l.w.push_back(q * l.scales[static_cast<size_t>(i % s.units)]);
  }
  for (int64_t j = 0; j < s.units; ++j) l.b.push_back(static_cast<float>(random() % 2000) * 0.001f - 1);
  return l;
}

int32_t between(double v, int32_t low, int32_t high) {
  return v < low ? low : v > high ? high : static_cast<int32_t>(v);
}

std::vector<float> expected(const Layer& l) {
  const Shape& s = l.s;
  std::vector<int32_t> w;
  for (size_t i = 0; i < l.w.size(); ++i) {
    w.push_back(between(std::rint(l.w[i] / l.scales[i % static_cast<size_t>(s.units)]), -127, 127));
  }
  std::vector<float> y;
  for (int64_t i = 0; i < s.outputs(); ++i) {
    const int64_t j = i % s.units, q = i / s.units % s.ow(), r = i / s.units / s.ow() % s.oh();
    const int64_t image = i / s.units / s.ow() / s.oh();
    const float product = l.x_scale * l.scales[static_cast<size_t>(j)];
    int64_t total = l.bias ? std::llrint(static_cast<double>(l.b[static_cast<size_t>(j)]) / product) : 0;
    for (int64_t t = 0; t < s.kh * s.kw * s.c; ++t) {
      const int64_t row = r * s.stride_h - s.top + t / s.c / s.kw * s.dilation_h;
      const int64_t column = q * s.stride_w - s.left + t / s.c % s.kw * s.dilation_w;
      if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
      const int64_t at = ((image * s.h + row) * s.w + column) * s.c + t % s.c;
      total += (l.x[static_cast<size_t>(at)] - l.x_zero) * w[static_cast<size_t>(t * s.units + j)];
    }
    volatile float v = static_cast<float>(total);  // no excess precision
    v = v * (l.bytes ? product / l.y_scale : product);
    if (l.relu && v < 0) v = 0;
    y.push_back(l.bytes ? static_cast<float>(between(std::rint(v) + l.y_zero, 0, 255)) : v);
  }
  return y;
}

std::vector<float> actual(const Layer& l, int level, int32_t threads) {
  const Shape& s = l.s;
  const int64_t runs = s.dilation_w == 1 ? s.kh : s.kh * s.kw, run_bytes = s.kh * s.kw * s.c / runs;
  const int64_t columns = (s.units + 15) / 16 * 16, rows = runs * ((run_bytes + 3) / 4) + 2;
  std::unique_ptr<float, decltype(&std::free)> packed(
      static_cast<float*>(std::aligned_alloc(64, static_cast<size_t>(rows * columns * 4))), std::free);
  std::memset(packed.get(), 0xff, static_cast<size_t>(rows * columns * 4));
  Layer c = l;
  const crema::Tensor p = tensor_of(packed.get(), CREMA_FLOAT32, {rows, columns});
  const crema::Tensor bias = l.bias ? tensor_of(c.b.data(), CREMA_FLOAT32, {s.units}) : absent();
  CHECK(run(level, "pack_quantized", threads,
            {p, tensor_of(c.w.data(), CREMA_FLOAT32, {s.kh, s.kw, s.c, s.units}),
             tensor_of(c.scales.data(), CREMA_FLOAT32, {s.units}), bias},
            {}, {l.x_zero, run_bytes}, {l.x_scale, l.bytes ? l.y_scale : 0.0})
            .empty(),
        "packs");
  const size_t size = static_cast<size_t>(s.outputs());
  std::vector<float> y(size + 1, -1.5f);
  std::vector<uint8_t> q(size + 1, 0xa5);
  void* const to = l.bytes ? static_cast<void*>(q.data()) : y.data();
  const crema::Tensor out = tensor_of(to, l.bytes ? CREMA_UINT8 : CREMA_FLOAT32, {s.n, s.oh(), s.ow(), s.units});
  CHECK(run(level, "quantized_conv2d", threads, {tensor_of(c.x.data(), CREMA_UINT8, {s.n, s.h, s.w, s.c}), p}, {out},
            {s.stride_h, s.stride_w, s.dilation_h, s.dilation_w, s.top, s.left, 1, l.relu ? 1 : 0, s.kh, s.kw, l.x_zero,
             l.y_zero})
            .empty(),
        "runs");
  CHECK(y[size] == -1.5f && q[size] == 0xa5, "writes behind its output");
  if (l.bytes) y.assign(q.begin(), q.end());
  y.resize(size);
  return y;
}

void check(const Shape& s, uint32_t seed) {
  const Layer l = layer(s, seed);
  const std::vector<float> e = expected(l);
  on_all([&](int level, int32_t threads) {
    const std::vector<float> y = actual(l, level, threads);
    size_t wrong = 0;
    while (wrong < e.size() && y[wrong] == e[wrong]) ++wrong;
    CHECK(wrong == e.size(), "%s, %d threads: %d x %d x %d x %d, %d x %d to %d: output %d is %g, expected %g",
          crema_isa_name(level), threads, static_cast<int>(s.n), static_cast<int>(s.h), static_cast<int>(s.w),
          static_cast<int>(s.c), static_cast<int>(s.kh), static_cast<int>(s.kw), static_cast<int>(s.units),
          static_cast<int>(wrong), wrong < e.size() ? y[wrong] : 0, wrong < e.size() ? e[wrong] : 0);
  });
}

void convolutions() {
  const Shape some[] = {
      {3, 28, 28, 1, 5, 5, 32, 1, 1, 1, 1, 0, 0, 0, 0},    // LeNet's
      {2, 12, 12, 32, 5, 5, 64, 1, 1, 1, 1, 0, 0, 0, 0},
      {1, 17, 19, 3, 3, 3, 16, 1, 1, 1, 1, 1, 1, 1, 1},    // a residual network's
      {1, 8, 8, 16, 3, 3, 33, 2, 2, 1, 1, 0, 1, 0, 1},
      {3, 4, 4, 64, 1, 1, 40, 1, 1, 1, 1, 0, 0, 0, 0},     // a product
      {2, 7, 9, 20, 1, 1, 17, 2, 2, 1, 1, 0, 0, 0, 0},
      {2, 1, 1, 5, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0},       // one pixel
      {5, 1, 1, 12, 3, 3, 50, 1, 1, 1, 1, 1, 1, 1, 1},     // mostly padding
      {1, 9, 14, 6, 2, 3, 7, 2, 3, 3, 2, 1, 2, 3, 0},      // everything differs
      {1, 5, 5, 2, 1, 1, 3, 1, 1, 1, 1, 4, 4, 4, 4},       // windows of nothing but padding
      {1, 3, 40, 130, 1, 7, 18, 1, 2, 1, 4, 0, 0, 1, 1},
      {1, 60, 70, 48, 3, 3, 8, 1, 1, 1, 1, 1, 1, 1, 1},    // more than one block
      {40, 6, 6, 32, 3, 3, 16, 1, 1, 1, 1, 1, 1, 1, 1},    // images that share one
      {2, 9, 14, 21, 2, 3, 40, 1, 1, 1, 1, 0, 0, 0, 0},    // runs of 63 and 66 bytes
      {2, 9, 14, 22, 2, 3, 40, 1, 1, 1, 1, 0, 1, 0, 0},
      {1, 13, 14, 65, 2, 2, 16, 1, 1, 2, 3, 1, 1, 2, 0},   // taps apart, of more than 64 bytes
      {1, 300, 5, 64, 3, 1, 16, 2, 1, 1, 1, 0, 0, 0, 0},
  };
  uint32_t seed = 1;
  for (const Shape& s : some) {
    for (int i = 0; i < 3; ++i) check(s, ++seed);
  }
}

void max_pooling(const Shape& s) {
  std::mt19937 random(7);
  const int64_t c = s.c;
  std::vector<uint8_t> x;
  for (int64_t i = 0; i < s.n * s.h * s.w * c; ++i) x.push_back(static_cast<uint8_t>(random()));
  std::vector<uint8_t> e;
  for (int64_t i = 0; i < s.outputs(); ++i) {
    const int64_t k = i % c, q = i / c % s.ow(), r = i / c / s.ow() % s.oh(), image = i / c / s.ow() / s.oh();
    int32_t most = 0;
    for (int64_t t = 0; t < s.kh * s.kw; ++t) {
      const int64_t row = r * s.stride_h - s.top + t / s.kw, column = q * s.stride_w - s.left + t % s.kw;
      if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
      const int32_t v = x[static_cast<size_t>(((image * s.h + row) * s.w + column) * c + k)];
      if (v > most) most = v;
    }
    e.push_back(static_cast<uint8_t>(most));
  }
  on_all([&](int level, int32_t threads) {
    std::vector<uint8_t> y(e.size() + 1, 0xa5);
    run(level, "max_pool2d", threads, {tensor_of(x.data(), CREMA_UINT8, {s.n, s.h, s.w, c})},
        {tensor_of(y.data(), CREMA_UINT8, {s.n, s.oh(), s.ow(), c})},
        {s.kh, s.kw, s.stride_h, s.stride_w, s.top, s.left, 0});
    CHECK(y[e.size()] == 0xa5, "writes behind its output");
    y.pop_back();
    CHECK(y == e, "%s, %d threads: the maxima of %d channels differ", crema_isa_name(level), threads,
          static_cast<int>(c));
  });
}

// Compares what a kernel makes of x, as bytes or numbers, with what is expected of the numbers before they are rounded.
void compare(const char* name, const std::vector<crema::Tensor>& in, const std::vector<float>& expected, bool bytes,
             const std::vector<int64_t>& out, const std::vector<int64_t>& ints, const std::vector<double>& floats,
             int32_t low, int32_t zero) {
  on_all([&](int level, int32_t threads) {
    std::vector<uint8_t> q(expected.size() + 1, 0xa5);
    std::vector<float> y(expected.size() + 1, -1.5f);
    void* const to = bytes ? static_cast<void*>(q.data()) : y.data();
    CHECK(run(level, name, threads, in, {tensor_of(to, bytes ? CREMA_UINT8 : CREMA_FLOAT32, out)}, ints, floats).empty(),
          "runs");
    CHECK(q[expected.size()] == 0xa5 && y[expected.size()] == -1.5f, "writes behind its output");
    for (size_t i = 0; i < expected.size(); ++i) {
      const float v = expected[i];
      const float e = bytes ? static_cast<float>(between(std::rint(v < low ? low : v) + zero, 0, 255)) : v;
      const float a = bytes ? static_cast<float>(q[i]) : y[i];
      CHECK(a == e, "%s at %s, %d threads: %d is %g, expected %g", name, crema_isa_name(level), threads,
            static_cast<int>(i), a, e);
    }
  });
}

void sums() {
  std::mt19937 random(9);
  for (const int64_t n : {1, 7, 16, 100, 40000}) {
    for (const int kind : {0, 1, 2, 3}) {
      const bool bytes = kind % 2 == 0, relu = kind / 2 == 0;
      std::vector<uint8_t> a, b;
      std::vector<float> e;
      const int32_t a_zero = 3, b_zero = 200, y_zero = bytes ? 90 : 0;
      const float a_scale = 0.71f, b_scale = 1.13f;
      for (int64_t i = 0; i < n; ++i) {
        a.push_back(static_cast<uint8_t>(random()));
        b.push_back(static_cast<uint8_t>(random()));
        volatile float second = static_cast<float>(b.back() - b_zero) * b_scale;
        const float v = std::fma(static_cast<float>(a.back() - a_zero), a_scale, second);
        e.push_back(relu && v < 0 ? 0 : v);
      }
      compare("quantized_add", {tensor_of(a.data(), CREMA_UINT8, {n}), tensor_of(b.data(), CREMA_UINT8, {n})}, e, bytes,
              {n}, {relu ? 1 : 0, a_zero, b_zero, y_zero}, {a_scale, b_scale}, -y_zero, y_zero);
    }
  }
}

void means() {
  std::mt19937 random(11);
  for (const int64_t c : {1, 5, 16, 33, 64}) {
    for (const bool bytes : {true, false}) {
      const bool padding_counts = c % 2 == 0;
      const Shape s{2, 7, 9, c, 3, 2, c, 2, 1, 1, 1, 1, 1, 1, 0};
      const int32_t x_zero = 17, y_zero = bytes ? 40 : 0;
      const float scale = 0.83f;
      std::vector<uint8_t> x;
      for (int64_t i = 0; i < s.n * s.h * s.w * c; ++i) x.push_back(static_cast<uint8_t>(random()));
      std::vector<float> e, all;
      for (int64_t i = 0; i < s.outputs(); ++i) {
        const int64_t k = i % c, q = i / c % s.ow(), r = i / c / s.ow() % s.oh(), image = i / c / s.ow() / s.oh();
        int32_t sum = 0, pixels = 0;
        for (int64_t t = 0; t < s.kh * s.kw; ++t) {
          const int64_t row = r * s.stride_h - s.top + t / s.kw, column = q * s.stride_w - s.left + t % s.kw;
          if (row < 0 || row >= s.h || column < 0 || column >= s.w) continue;
          sum += x[static_cast<size_t>(((image * s.h + row) * s.w + column) * c + k)] - x_zero;
          ++pixels;
        }
        volatile float weight = scale / static_cast<float>(padding_counts ? s.kh * s.kw : pixels);
        e.push_back(static_cast<float>(sum) * weight);
      }
      for (int64_t i = 0; i < s.n * c; ++i) {
        int32_t sum = 0;
        for (int64_t t = 0; t < s.h * s.w; ++t) sum += x[static_cast<size_t>((i / c * s.h * s.w + t) * c + i % c)] - x_zero;
        volatile float weight = scale / static_cast<float>(s.h * s.w);
        all.push_back(static_cast<float>(sum) * weight);
      }
      const crema::Tensor in = tensor_of(x.data(), CREMA_UINT8, {s.n, s.h, s.w, c});
      compare("quantized_average_pool2d", {in}, e, bytes, {s.n, s.oh(), s.ow(), c},
              {s.kh, s.kw, s.stride_h, s.stride_w, s.top, s.left, padding_counts ? 1 : 0, x_zero, y_zero}, {scale},
              -y_zero, y_zero);
      compare("quantized_global_average_pool", {in}, all, bytes, {s.n, c}, {x_zero, y_zero}, {scale}, -y_zero, y_zero);
    }
  }
}

}  // namespace

int main() {
  convolutions();
  for (const int64_t c : {1, 3, 6, 7, 8, 9, 15, 16, 17, 33, 64, 100}) {
    max_pooling({2, 9, 10, c, 3, 2, c, 2, 1, 1, 1, 1, 1, 1, 0});
    max_pooling({2, 8, 9, c, 2, 2, c, 2, 2, 1, 1, 0, 0, 0, 0});
    max_pooling({1, 2, 2, c, 2, 2, c, 1, 1, 1, 1, 0, 0, 0, 0});
  }
  sums();
  means();
  return crema_test::result();
}
