// conv_test.cpp: conv2d, conv2d_input_grad and conv2d_weight_grad against loops in double precision.
#include <algorithm>

#include "../src/float_mode.h"
#include "check.h"

using crema_test::Array;

namespace {

struct Case {
  int64_t n, h, w, cin, kh, kw, cout;
  int64_t sh = 1, sw = 1, dh = 1, dw = 1, top = 0, bottom = 0, left = 0, right = 0, groups = 1;
  int64_t activation = 0;
  bool bias = true;

  int64_t oh() const { return (h + top + bottom - (kh - 1) * dh - 1) / sh + 1; }
  int64_t ow() const { return (w + left + right - (kw - 1) * dw - 1) / sw + 1; }
  std::vector<int64_t> ints() const { return {sh, sw, dh, dw, top, left, groups, activation}; }
};

// Calls f(index in x, index in w, index in y) for every product of the convolution.
template <typename F>
void each_product(const Case& c, const F& f) {
  const int64_t in = c.cin / c.groups, out = c.cout / c.groups;
  for (int64_t n = 0; n < c.n; ++n)
    for (int64_t oy = 0; oy < c.oh(); ++oy)
      for (int64_t ox = 0; ox < c.ow(); ++ox)
        for (int64_t i = 0; i < c.kh; ++i)
          for (int64_t j = 0; j < c.kw; ++j) {
            const int64_t y = oy * c.sh + i * c.dh - c.top, x = ox * c.sw + j * c.dw - c.left;
            if (y < 0 || y >= c.h || x < 0 || x >= c.w) continue;
            for (int64_t o = 0; o < c.cout; ++o)
              for (int64_t k = 0; k < in; ++k)
                f(((n * c.h + y) * c.w + x) * c.cin + o / out * in + k, ((i * c.kw + j) * in + k) * c.cout + o,
                  ((n * c.oh() + oy) * c.ow() + ox) * c.cout + o);
          }
}

double activated(double x, int64_t activation) {
  switch (activation) {
    case 1:
      return x > 0 ? x : 0;
    case 2:
      return 1 / (1 + std::exp(-x));
    case 3:
      return std::tanh(x);
    case 4:
      return 0.5 * x * (1 + std::erf(x / std::sqrt(2.0)));
    case 5:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979323846) * (x + 0.044715 * x * x * x)));
    case 6:
      return x / (1 + std::exp(-x));
    default:
      return x;
  }
}

// Runs on 1, 2 and 5 threads and demands the same bits of all.
void run(int level, const char* name, std::vector<Array*> in, std::vector<Array*> out, std::vector<int64_t> ints) {
  crema_test::call(level, name, 1, in, out, ints);
  for (int32_t threads : {2, 5}) {
    std::vector<Array> again;
    for (Array* o : out) again.emplace_back(o->dims());
    std::vector<Array*> pointers;
    for (Array& a : again) pointers.push_back(&a);
    crema_test::call(level, name, threads, in, pointers, ints);
    for (size_t i = 0; i < out.size(); ++i) {
      CHECK(crema_test::same_bits(*out[i], again[i]), "%s at level %d: %d threads give other bits", name, level,
            threads);
    }
  }
}

// Room for a packed filter: dev.crema.op.PackFilter's.
int64_t packed_floats(const Case& c) {
  const int64_t in = c.cin / c.groups, out = (c.cout / c.groups + 15) / 16 * 16;
  const bool square = c.kh == c.kw && (c.kh == 3 || c.kh == 5);
  const bool winograd = square && c.sh == 1 && c.sw == 1 && c.dh == 1 && c.dw == 1 && c.groups == 1;
  return c.groups * in * out * (winograd ? (c.kh + 1) * (c.kw + 1) : c.kh * c.kw);
}

void check(const Case& c) {
  char what[256];
  std::snprintf(what, sizeof(what), "x %dx%dx%dx%d w %dx%dx%d stride %d,%d dilation %d,%d pad %d,%d groups %d act %d",
                static_cast<int>(c.n), static_cast<int>(c.h), static_cast<int>(c.w), static_cast<int>(c.cin),
                static_cast<int>(c.kh), static_cast<int>(c.kw), static_cast<int>(c.cout), static_cast<int>(c.sh),
                static_cast<int>(c.sw), static_cast<int>(c.dh), static_cast<int>(c.dw), static_cast<int>(c.top),
                static_cast<int>(c.left), static_cast<int>(c.groups), static_cast<int>(c.activation));
  const auto label = [&](const char* part, int level) {
    static char text[400];
    std::snprintf(text, sizeof(text), "%s (%s, level %d)", part, what, level);
    return text;
  };
  const std::vector<int64_t> x_dims{c.n, c.h, c.w, c.cin}, w_dims{c.kh, c.kw, c.cin / c.groups, c.cout},
      y_dims{c.n, c.oh(), c.ow(), c.cout};
  Array x = Array::random(x_dims, 1), w = Array::random(w_dims, 2), dy = Array::random(y_dims, 3), none;
  Array b = Array::random({c.cout}, 4), b_in = Array::random({c.cin}, 5);
  std::vector<double> y_ref(static_cast<size_t>(dy.size())), dx_ref(static_cast<size_t>(x.size())),
      dw_ref(static_cast<size_t>(w.size())), db_ref(static_cast<size_t>(c.cout));
  for (size_t i = 0; i < y_ref.size(); ++i) {
    y_ref[i] = c.bias ? b[static_cast<int64_t>(i) % c.cout] : 0;
    db_ref[i % static_cast<size_t>(c.cout)] += dy[static_cast<int64_t>(i)];
  }
  for (size_t i = 0; i < dx_ref.size(); ++i) dx_ref[i] = c.bias ? b_in[static_cast<int64_t>(i) % c.cin] : 0;
  each_product(c, [&](int64_t ix, int64_t iw, int64_t iy) {
    y_ref[static_cast<size_t>(iy)] += double{x[ix]} * w[iw];
    dx_ref[static_cast<size_t>(ix)] += double{dy[iy]} * w[iw];
    dw_ref[static_cast<size_t>(iw)] += double{dy[iy]} * x[ix];
  });
  double largest = 10;
  for (double v : y_ref) largest = std::max(largest, std::fabs(v));
  for (double v : dx_ref) largest = std::max(largest, std::fabs(v));
  for (double& v : y_ref) v = activated(v, c.activation);
  for (double& v : dx_ref) v = activated(v, c.activation);
  // Relative to the largest result; some activations squeeze large sums below 1, where the roundings of all terms show.
  const double tolerance = c.activation > 1 ? 2e-6 * largest : 3e-6;
  for (int level : crema_test::levels()) {
    Array y(y_dims), dx(x_dims), dw(w_dims), db({c.cout});
    run(level, "conv2d", {&x, &w, c.bias ? &b : &none}, {&y}, c.ints());
    crema_test::compare(label("y", level), y, y_ref, tolerance);
    Array packed({packed_floats(c)}), packed_y(y_dims);
    std::vector<int64_t> sizes = c.ints();
    sizes.insert(sizes.end(), {c.h, c.w, c.bottom, c.right});
    crema_test::call(level, "pack_filter", 2, {&packed, &w}, {}, sizes);
    run(level, "conv2d", {&x, &w, c.bias ? &b : &none, &packed}, {&packed_y}, c.ints());
    CHECK(crema_test::same_bits(y, packed_y), "a packed filter gives other bits: %s", label("y", level));
    run(level, "conv2d_input_grad", {&dy, &w, c.bias ? &b_in : &none}, {&dx}, c.ints());
    crema_test::compare(label("dx", level), dx, dx_ref, tolerance);
    run(level, "conv2d_weight_grad", {&x, &dy}, {&dw, &db}, c.ints());
    crema_test::compare(label("dw", level), dw, dw_ref, 1e-5);
    crema_test::compare(label("db", level), db, db_ref, 1e-5);
    Array dw_only(w_dims);
    crema_test::call(level, "conv2d_weight_grad", 1, {&x, &dy}, {&dw_only}, c.ints());
    CHECK(crema_test::same_bits(dw, dw_only), "dw without db differs: %s", what);
  }
}

Case random_case(crema_test::Random& r) {
  Case c{};
  c.n = 1 + r.below(3);
  c.kh = 1 + r.below(4);
  c.kw = 1 + r.below(5);
  c.sh = 1 + r.below(3);
  c.sw = 1 + r.below(4);
  c.dh = 1 + r.below(3);
  c.dw = 1 + r.below(2);
  c.top = r.below(4);
  c.bottom = r.below(4);
  c.left = r.below(4);
  c.right = r.below(3);
  c.h = (c.kh - 1) * c.dh + 1 + r.below(9);
  c.w = (c.kw - 1) * c.dw + 1 + r.below(12);
  c.groups = 1 + r.below(4);
  c.cin = c.groups * (1 + r.below(9));
  c.cout = c.groups * (1 + r.below(r.below(4) == 0 ? 80 : 20));
  c.activation = r.below(7);
  c.bias = r.below(2) == 0;
  return c;
}

void rank_three_is_one_row() {
  Array x = Array::random({2, 1, 19, 5}, 1), w = Array::random({1, 3, 5, 7}, 2);
  Array x3 = Array::random({2, 19, 5}, 1), w3 = Array::random({3, 5, 7}, 2), none;
  for (int level : crema_test::levels()) {
    Array y({2, 1, 10, 7}), y3({2, 10, 7});
    crema_test::call(level, "conv2d", 1, {&x, &w, &none}, {&y}, {1, 2, 1, 1, 0, 1, 1, 0});
    crema_test::call(level, "conv2d", 1, {&x3, &w3, &none}, {&y3}, {1, 2, 1, 1, 0, 1, 1, 0});
    CHECK(crema_test::same_bits(y, y3), "level %d", level);
    CHECK(!std::isnan(y3[0]), "level %d", level);
  }
}

void an_empty_batch_does_nothing() {
  Array x({0, 5, 5, 3}), w = Array::random({3, 3, 3, 8}, 1), y({0, 3, 3, 8}), dx({0, 5, 5, 3}), dw({3, 3, 3, 8}),
      db({8}), none;
  for (int level : crema_test::levels()) {
    const std::vector<int64_t> ints{1, 1, 1, 1, 0, 0, 1, 0};
    crema_test::call(level, "conv2d", 2, {&x, &w, &none}, {&y}, ints);
    crema_test::call(level, "conv2d_input_grad", 2, {&y, &w, &none}, {&dx}, ints);
    crema_test::call(level, "conv2d_weight_grad", 2, {&x, &y}, {&dw, &db}, ints);
    for (int64_t i = 0; i < dw.size(); ++i) CHECK(dw[i] == 0, "dw %d", static_cast<int>(i));
    for (int64_t i = 0; i < db.size(); ++i) CHECK(db[i] == 0, "db %d", static_cast<int>(i));
  }
}

// A NaN in one pixel reaches the outputs whose window holds it and no other.
void nan_stays_in_its_window() {
  Array x = Array::random({1, 9, 9, 3}, 1), w = Array::random({3, 3, 3, 5}, 2), none;
  x[(4 * 9 + 4) * 3 + 1] = NAN;
  for (int level : crema_test::levels()) {
    Array y({1, 9, 9, 5});
    crema_test::call(level, "conv2d", 1, {&x, &w, &none}, {&y}, {1, 1, 1, 1, 1, 1, 1, 1});
    for (int64_t i = 0; i < y.size(); ++i) {
      const int64_t row = i / 45, column = i / 5 % 9;
      const bool near = row >= 3 && row <= 5 && column >= 3 && column <= 5;
      CHECK(std::isnan(y[i]) == near, "level %d, element %d", level, static_cast<int>(i));
    }
  }
}

}  // namespace

int main() {
  const crema::FloatMode flush_denormals;  // as in a run of a plan; the pool's threads do too
  crema_set_threads(3);
  check({2, 28, 28, 1, 5, 5, 6, 1, 1, 1, 1, 2, 2, 2, 2});        // LeNet's first layer
  check({3, 14, 14, 6, 5, 5, 16});                                // and second
  check({2, 14, 14, 64, 3, 3, 64, 1, 1, 1, 1, 1, 1, 1, 1});      // a residual block's layer
  check({2, 15, 15, 32, 3, 3, 48, 2, 2, 1, 1, 1, 1, 1, 1});
  check({1, 30, 30, 3, 7, 7, 64, 2, 2, 1, 1, 3, 2, 3, 2});       // the first layer of a residual net
  check({2, 7, 7, 130, 1, 1, 70});                                // plain products
  check({2, 8, 8, 16, 1, 1, 33, 2, 2});
  check({1, 1, 1, 5, 1, 1, 3});
  check({1, 1, 1, 40, 3, 3, 24, 1, 1, 1, 1, 1, 1, 1, 1});        // a window around a single pixel
  check({2, 9, 9, 4, 2, 2, 8, 3, 3});                             // stride past the kernel
  check({1, 12, 12, 300, 3, 3, 65, 1, 1, 2, 2, 2, 2, 2, 2});     // many channels, dilation
  check({40, 3, 3, 8, 3, 3, 20, 1, 1, 1, 1, 1, 1, 1, 1});        // many small images in a block
  check({2, 9, 11, 24, 3, 3, 24, 1, 1, 1, 1, 1, 1, 1, 1, 24});   // depthwise
  check({2, 13, 12, 37, 3, 5, 37, 2, 2, 1, 1, 1, 1, 2, 1, 37, 1});
  check({2, 13, 12, 3, 3, 5, 3, 2, 3, 2, 1, 1, 1, 2, 1, 3, 6});
  check({1, 9, 9, 10, 3, 3, 20, 1, 1, 1, 1, 1, 1, 1, 1, 10});    // two filters a channel
  check({1, 3, 300, 8, 3, 3, 16, 1, 1, 1, 1, 1, 1, 1, 1, 2});    // groups
  check({1, 1, 3000, 16, 1, 9, 32, 1, 1, 1, 2, 0, 0, 8, 8});     // one long row
  // Few outputs a group: on planes, also over several blocks, with phases of a stride and with whole vectors of groups.
  check({2, 12, 13, 32, 3, 3, 32, 1, 1, 1, 1, 1, 1, 1, 1, 8, 1});
  check({1, 90, 61, 24, 3, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 3});
  check({2, 21, 22, 12, 5, 4, 10, 2, 3, 1, 2, 2, 1, 3, 0, 2, 1});
  // Most of the gradient's window is padding: tap by tap.
  check({3, 4, 5, 70, 3, 3, 90, 2, 1, 1, 1, 1, 1, 1, 1, 1, 3});
  check({2, 6, 6, 40, 5, 5, 40, 1, 1, 1, 1, 2, 2, 2, 2, 2});
  // Winograd: odd sizes, uneven padding, several panels and blocks, partial vectors of both kinds of channels.
  check({3, 13, 11, 48, 3, 3, 40, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1});
  check({2, 9, 8, 33, 3, 3, 70, 1, 1, 1, 1, 0, 2, 1, 0, 1, 3});
  check({4, 20, 21, 32, 3, 3, 32, 1, 1, 1, 1, 2, 2, 2, 2});
  check({2, 5, 4, 130, 3, 3, 129, 1, 1, 1, 1, 1, 1, 1, 1});
  check({1, 4, 4, 128, 3, 3, 128, 1, 1, 1, 1, 1, 1, 1, 1});      // fewer tiles than threads: these share columns
  // The same under windows of 5 x 5.
  check({3, 12, 12, 32, 5, 5, 64, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1});
  check({2, 13, 11, 33, 5, 5, 40, 1, 1, 1, 1, 2, 2, 2, 2, 1, 1});
  check({2, 9, 8, 48, 5, 5, 70, 1, 1, 1, 1, 0, 3, 1, 4, 1, 3});
  check({1, 6, 7, 90, 5, 5, 100});
  check({2, 20, 21, 32, 5, 5, 32, 1, 1, 1, 1, 4, 4, 4, 4});
  // Where few inputs have a whole window, their gradient goes by the tiles of the outputs.
  check({5, 8, 8, 24, 5, 5, 32, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1});
  check({2, 9, 8, 40, 5, 5, 72, 1, 1, 1, 1, 1, 0, 0, 1, 1, 3});
  check({2, 8, 7, 72, 3, 3, 50, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1});
  check({3, 6, 5, 40, 3, 3, 64, 1, 1, 1, 1, 0, 1, 0, 0, 1, 5});
  crema_test::Random random(7);
  for (int i = 0; i < 150; ++i) check(random_case(random));
  rank_three_is_one_row();
  an_empty_batch_does_nothing();
  nan_stays_in_its_window();
  return crema_test::result();
}
