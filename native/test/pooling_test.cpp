// pooling_test.cpp: pooling and its gradients against loops in double precision.
#include <algorithm>

#include "check.h"

using crema_test::Array;

namespace {

struct Case {
  int64_t n, h, w, c, kh, kw, sh, sw, top = 0, bottom = 0, left = 0, right = 0;
  bool count_padding = false;

  int64_t oh() const { return (h + top + bottom - kh) / sh + 1; }
  int64_t ow() const { return (w + left + right - kw) / sw + 1; }
  std::vector<int64_t> ints() const { return {kh, kw, sh, sw, top, left, count_padding ? 1 : 0}; }
};

struct Window {
  int64_t n, top, bottom, left, right, y;  // clipped rows and columns; first channel of the output
};

template <typename F>
void each_window(const Case& c, const F& f) {
  for (int64_t n = 0; n < c.n; ++n)
    for (int64_t oy = 0; oy < c.oh(); ++oy)
      for (int64_t ox = 0; ox < c.ow(); ++ox) {
        const int64_t top = oy * c.sh - c.top, left = ox * c.sw - c.left;
        f(Window{n, std::max<int64_t>(0, top), std::min(c.h, top + c.kh), std::max<int64_t>(0, left),
                 std::min(c.w, left + c.kw), ((n * c.oh() + oy) * c.ow() + ox) * c.c});
      }
}

struct Expected {
  std::vector<double> max, average, max_grad, average_grad;
};

Expected expect(const Case& c, const Array& x, const Array& dy) {
  Expected e;
  e.max.resize(static_cast<size_t>(dy.size()));
  e.average.resize(static_cast<size_t>(dy.size()));
  e.max_grad.resize(static_cast<size_t>(x.size()));
  e.average_grad.resize(static_cast<size_t>(x.size()));
  each_window(c, [&](const Window& v) {
    const double count = c.count_padding ? static_cast<double>(c.kh * c.kw)
                                         : static_cast<double>((v.bottom - v.top) * (v.right - v.left));
    for (int64_t k = 0; k < c.c; ++k) {
      int64_t best = -1;
      double sum = 0;
      for (int64_t r = v.top; r < v.bottom; ++r)
        for (int64_t q = v.left; q < v.right; ++q) {
          const int64_t i = ((v.n * c.h + r) * c.w + q) * c.c + k;
          sum += x[i];
          e.average_grad[static_cast<size_t>(i)] += dy[v.y + k] / count;
          if (best < 0 || (!std::isnan(x[best]) && !(x[i] <= x[best]))) best = i;
        }
      e.max[static_cast<size_t>(v.y + k)] = x[best];
      e.max_grad[static_cast<size_t>(best)] += dy[v.y + k];
      e.average[static_cast<size_t>(v.y + k)] = sum / count;
    }
  });
  return e;
}

void run(int level, const char* name, std::vector<Array*> in, Array* out, std::vector<int64_t> ints) {
  crema_test::call(level, name, 1, in, {out}, ints);
  for (int32_t threads : {2, 5}) {
    Array again(out->dims());
    crema_test::call(level, name, threads, in, {&again}, ints);
    CHECK(crema_test::same_bits(*out, again), "%s at level %d: %d threads give other bits", name, level, threads);
  }
}

void check(const Case& c, bool ties, bool nan) {
  Array x = Array::random({c.n, c.h, c.w, c.c}, 1), dy = Array::random({c.n, c.oh(), c.ow(), c.c}, 2);
  for (int64_t i = 0; ties && i < x.size(); ++i) x[i] = std::floor(x[i] * 2);
  for (int64_t i = 5; nan && i < x.size(); i += 31) x[i] = NAN;
  const Expected e = expect(c, x, dy);
  for (int level : crema_test::levels()) {
    char what[200];
    std::snprintf(what, sizeof(what), "%dx%dx%dx%d window %dx%d stride %d,%d pad %d,%d level %d",
                  static_cast<int>(c.n), static_cast<int>(c.h), static_cast<int>(c.w), static_cast<int>(c.c),
                  static_cast<int>(c.kh), static_cast<int>(c.kw), static_cast<int>(c.sh), static_cast<int>(c.sw),
                  static_cast<int>(c.top), static_cast<int>(c.left), level);
    Array y(dy.dims()), dx(x.dims());
    run(level, "max_pool2d", {&x}, &y, c.ints());
    crema_test::compare(what, y, e.max, 0);
    run(level, "max_pool2d_grad", {&x, &y, &dy}, &dx, c.ints());
    crema_test::compare(what, dx, e.max_grad, 1e-6);
    Array mean(dy.dims()), dmean(x.dims());
    run(level, "average_pool2d", {&x}, &mean, c.ints());
    crema_test::compare(what, mean, e.average, 2e-6);
    run(level, "average_pool2d_grad", {&dy}, &dmean, c.ints());
    crema_test::compare(what, dmean, e.average_grad, 2e-6);
  }
}

void check_global(int64_t n, int64_t h, int64_t w, int64_t channels, bool ties) {
  const Case c{n, h, w, channels, h, w, 1, 1};
  Array x = Array::random({n, h, w, channels}, 3), dy = Array::random({n, channels}, 4);
  for (int64_t i = 0; ties && i < x.size(); ++i) x[i] = std::floor(x[i] * 2);
  const Expected e = expect(c, x, dy);
  for (int level : crema_test::levels()) {
    Array y({n, channels}), mean({n, channels}), dx(x.dims()), dmean(x.dims());
    run(level, "global_max_pool", {&x}, &y, {});
    crema_test::compare("global max", y, e.max, 0);
    run(level, "global_max_pool_grad", {&x, &y, &dy}, &dx, {});
    crema_test::compare("global max gradient", dx, e.max_grad, 1e-6);
    run(level, "global_average_pool", {&x}, &mean, {});
    crema_test::compare("global average", mean, e.average, 2e-6);
    run(level, "global_average_pool_grad", {&dy}, &dmean, {});
    crema_test::compare("global average gradient", dmean, e.average_grad, 2e-6);
  }
}

void an_empty_batch_does_nothing() {
  Array x({0, 4, 4, 3}), y({0, 2, 2, 3}), dx({0, 4, 4, 3});
  for (int level : crema_test::levels()) {
    crema_test::call(level, "max_pool2d", 2, {&x}, {&y}, {2, 2, 2, 2, 0, 0, 0});
    crema_test::call(level, "max_pool2d_grad", 2, {&x, &y, &y}, {&dx}, {2, 2, 2, 2, 0, 0, 0});
    crema_test::call(level, "average_pool2d_grad", 2, {&y}, {&dx}, {2, 2, 2, 2, 0, 0, 0});
  }
}

}  // namespace

int main() {
  crema_set_threads(3);
  for (int64_t c : {1, 2, 3, 6, 7, 16, 17, 20, 37, 64}) {
    check({3, 28, 28, c, 2, 2, 2, 2}, false, false);
    check({2, 14, 15, c, 2, 2, 2, 2}, true, true);                          // odd width: a column nobody covers
    check({2, 13, 11, c, 3, 3, 2, 2, 1, 1, 1, 1}, true, false);            // overlapping, padded
    check({1, 9, 10, c, 3, 2, 1, 1, 1, 1, 0, 1, true}, false, true);
    check({1, 11, 12, c, 2, 3, 3, 4}, true, false);                         // gaps
    check({2, 7, 7, c, 3, 3, 3, 3, 1, 1, 1, 1, true}, true, true);         // apart, padded
    check({1, 1, 9, c, 1, 3, 1, 3, 0, 0, 1, 2}, false, false);
    check({2, 1, 1, c, 1, 1, 1, 1}, false, false);
    check({1, 5, 4, c, 5, 4, 1, 1}, true, true);
    check({1, 40, 33, c, 2, 2, 2, 2}, false, false);
    check_global(2, 7, 5, c, true);
    check_global(9, 1, 1, c, false);
  }
  crema_test::Random r(11);
  for (int i = 0; i < 100; ++i) {
    Case c{};
    c.n = 1 + r.below(3);
    c.kh = 1 + r.below(4);
    c.kw = 1 + r.below(4);
    c.sh = 1 + r.below(4);
    c.sw = 1 + r.below(4);
    c.top = r.below(c.kh);
    c.bottom = r.below(c.kh);
    c.left = r.below(c.kw);
    c.right = r.below(c.kw);
    c.h = c.kh + r.below(9);
    c.w = c.kw + r.below(9);
    c.c = 1 + r.below(40);
    c.count_padding = r.below(2) == 0;
    check(c, r.below(2) == 0, r.below(3) == 0);
  }
  an_empty_batch_does_nothing();
  return crema_test::result();
}
