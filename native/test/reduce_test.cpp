// reduce_test.cpp: reductions over any axes against double sums, and the same bits for any thread count.
#include "run.h"

namespace {

using namespace crema_test;

struct Case {
  std::vector<int64_t> dims;
  std::vector<int64_t> axes;
};

std::vector<double> reference(const Array& x, const Case& k, const char* op, std::vector<int64_t>& kept) {
  kept.clear();
  std::vector<bool> reduced(k.dims.size(), false);
  for (int64_t a : k.axes) reduced[static_cast<size_t>(a)] = true;
  int64_t size = 1, count = 1;
  for (size_t i = 0; i < k.dims.size(); ++i) {
    if (reduced[i]) {
      count *= k.dims[i];
    } else {
      kept.push_back(k.dims[i]);
      size *= k.dims[i];
    }
  }
  const std::string name = op;
  const double start = name == "reduce_max" ? -INFINITY : name == "reduce_min" ? INFINITY : 0.0;
  std::vector<double> y(static_cast<size_t>(size), start);
  for (int64_t i = 0; i < x.size(); ++i) {
    int64_t rest = i, at = 0, stride = 1;
    for (size_t a = k.dims.size(); a-- > 0;) {
      if (!reduced[a]) {
        at += rest % k.dims[a] * stride;
        stride *= k.dims[a];
      }
      rest /= k.dims[a];
    }
    double& v = y[static_cast<size_t>(at)];
    const double e = x[i];
    if (name == "reduce_max") {
      v = std::isnan(e) || e > v ? e : v;
    } else if (name == "reduce_min") {
      v = std::isnan(e) || e < v ? e : v;
    } else {
      v += name == "reduce_sum_squares" ? e * e : e;
    }
  }
  if (name == "reduce_mean") {
    for (double& v : y) v /= static_cast<double>(count);
  }
  if (kept.empty()) kept.push_back(1);
  return y;
}

void every_reduction_matches_double_sums(const Case& k) {
  Array x = Array::random(k.dims, 7);
  for (int64_t i = 0; i < x.size(); ++i) x[i] += 0.25f;
  for (const char* op : {"reduce_sum", "reduce_mean", "reduce_max", "reduce_min", "reduce_sum_squares"}) {
    std::vector<int64_t> kept;
    const std::vector<double> expected = reference(x, k, op, kept);
    for (int level : levels()) {
      Array one;
      for (int32_t threads : {1, 2, 5}) {
        Array y(kept);
        const std::string error = run(level, op, threads, {x.tensor()}, {y.tensor()}, k.axes);
        CHECK(error.empty(), "%s", error.c_str());
        CHECK(y.guarded(), "%s wrote behind its output", op);
        compare(op, y, expected, 4e-7);
        if (threads == 1) {
          one = y;
        } else {
          CHECK(same_bits(one, y), "%s at level %d gives other bits on %d threads", op, level, threads);
        }
      }
    }
  }
}

void long_sums_keep_their_digits() {
  // 0.1 a million times: a naive float sum is off by about 1 %.
  Array x({1 << 20});
  for (int64_t i = 0; i < x.size(); ++i) x[i] = 0.1f;
  Array column({1 << 19, 2});
  for (int64_t i = 0; i < column.size(); ++i) column[i] = 0.1f;
  on_all([&](int level, int32_t threads) {
    Array y({1}), z({2});
    run(level, "reduce_sum", threads, {x.tensor()}, {y.tensor()}, {0});
    run(level, "reduce_sum", threads, {column.tensor()}, {z.tensor()}, {0});
    const double each = static_cast<double>(0.1f);
    compare("row", y, {each * (1 << 20)}, 3e-7);
    compare("columns", z, {each * (1 << 19), each * (1 << 19)}, 2e-6);
  });
}

void nan_and_infinity_pass_through() {
  for (int64_t bad = 0; bad < 40; bad += 13) {
    Array x = Array::random({40, 40}, 3);
    x[bad * 40 + 7] = NAN;
    x[3] = INFINITY;
    for (const char* op : {"reduce_sum", "reduce_max", "reduce_min"}) {
      on_all([&](int level, int32_t threads) {
        for (int64_t axis : {0, 1}) {
          std::vector<int64_t> kept;
          const std::vector<double> expected = reference(x, {{40, 40}, {axis}}, op, kept);
          Array y(kept);
          run(level, op, threads, {x.tensor()}, {y.tensor()}, {axis});
          compare(op, y, expected, 1e-6);
        }
      });
    }
  }
}

void nothing_reduces_to_the_identity() {
  on_all([&](int level, int32_t threads) {
    Array x(std::vector<int64_t>{0, 3}), y({3}), none(std::vector<int64_t>{0});
    run(level, "reduce_sum", threads, {x.tensor()}, {y.tensor()}, {0});
    compare("sum of nothing", y, {0, 0, 0}, 0);
    run(level, "reduce_max", threads, {x.tensor()}, {y.tensor()}, {0});
    compare("max of nothing", y, {-INFINITY, -INFINITY, -INFINITY}, 0);
    run(level, "reduce_mean", threads, {x.tensor()}, {y.tensor()}, {0});
    compare("mean of nothing", y, {NAN, NAN, NAN}, 0);
    run(level, "reduce_sum", threads, {x.tensor()}, {none.tensor()}, {1});
    CHECK(none.guarded(), "a batch of 0 wrote something");
  });
}

void the_global_norm_does_not_overflow() {
  for (int64_t n : {1, 17, 16384, 100003}) {
    Array x = Array::random({n}, 5);
    x[0] = 3e30f;
    double sum = 0;
    for (int64_t i = 0; i < n; ++i) sum += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    on_all([&](int level, int32_t threads) {
      Array y({1});
      run(level, "global_norm", threads, {x.tensor()}, {y.tensor()});
      compare("norm", y, {std::sqrt(sum)}, 1e-7);
    });
  }
}

}  // namespace

int main() {
  crema::pool_set_threads(5);
  const std::vector<Case> cases = {
      {{1}, {0}},           {{7}, {0}},          {{1000}, {0}},        {{70001}, {0}},      {{5, 10}, {1}},
      {{5, 10}, {0}},       {{3, 1025}, {1}},    {{300, 17}, {0}},     {{33, 64}, {0}},     {{1000, 10}, {0}},
      {{2, 70001}, {1}},    {{600, 300}, {0}},   {{9, 4100}, {0}},     {{70000, 3}, {0}},   {{4, 5, 6}, {1}},
      {{4, 50, 6}, {0, 2}}, {{4, 5, 6}, {0, 1}}, {{4, 5, 6}, {1, 2}},  {{4, 5, 6}, {}},     {{3, 1, 5}, {1}},
      {{4, 5, 6}, {0, 1, 2}}, {{2, 7, 7, 33}, {0, 1, 2}}, {{2, 30, 3, 40, 5}, {1, 3}}, {{2, 3, 2, 3, 2, 3, 2, 3}, {0, 2, 4, 6}},
      {{2, 3, 2, 3, 2, 3, 2, 3}, {1, 3, 5, 7}}, {{3, 300, 70}, {1}}};
  for (const Case& k : cases) every_reduction_matches_double_sums(k);
  long_sums_keep_their_digits();
  nan_and_infinity_pass_through();
  nothing_reduces_to_the_identity();
  the_global_norm_does_not_overflow();
  return result();
}
