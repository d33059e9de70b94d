// norm_test.cpp: layer, RMS and batch normalisation and log-softmax, forward and backward, against double.
#include "run.h"

namespace {

using namespace crema_test;

constexpr double kEpsilon = 1e-3;

using Doubles = std::vector<double>;

struct Reference {
  Doubles y, dx, dgamma, dbeta, mean, inverse;
};

// Normalises groups of elements; of(i) is element i's group, feature(i) its place in gamma.
template <typename Group>
Reference reference(const Array& x, const Array& gamma, const Array& beta, const Array& dy, int64_t groups, bool centred,
                    const Group& of) {
  const int64_t n = x.dim(1), size = x.size();
  const size_t g = static_cast<size_t>(groups);
  Reference r{Doubles(static_cast<size_t>(size)), Doubles(static_cast<size_t>(size)), Doubles(static_cast<size_t>(n)),
              Doubles(static_cast<size_t>(n)), Doubles(g), Doubles(g)};
  const double count = static_cast<double>(size / groups);
  for (int64_t i = 0; i < size && centred; ++i) r.mean[of(i)] += x[i] / count;
  Doubles variance(g), sum(g), product(g);
  for (int64_t i = 0; i < size; ++i) variance[of(i)] += std::pow(x[i] - r.mean[of(i)], 2) / count;
  for (size_t k = 0; k < g; ++k) r.inverse[k] = 1 / std::sqrt(variance[k] + kEpsilon);
  const auto hat = [&](int64_t i) { return (x[i] - r.mean[of(i)]) * r.inverse[of(i)]; };
  for (int64_t i = 0; i < size; ++i) {
    const size_t f = static_cast<size_t>(i % n);
    const double d = dy[i];
    r.y[static_cast<size_t>(i)] = hat(i) * gamma[i % n] + beta[i % n];
    r.dgamma[f] += d * hat(i);
    r.dbeta[f] += d;
    sum[of(i)] += d * gamma[i % n] / count;
    product[of(i)] += d * gamma[i % n] * hat(i) / count;
  }
  for (int64_t i = 0; i < size; ++i) {
    const double inner = static_cast<double>(dy[i]) * gamma[i % n] - (centred ? sum[of(i)] : 0) - hat(i) * product[of(i)];
    r.dx[static_cast<size_t>(i)] = inner * r.inverse[of(i)];
  }
  return r;
}

void rows_are_normalised(int64_t rows, int64_t n, bool centred) {
  Array x = Array::random({rows, n}, 1), gamma = Array::random({n}, 2), beta = Array::random({n}, 3);
  Array dy = Array::random({rows, n}, 4);
  const Reference r = reference(x, gamma, beta, dy, rows, centred, [n](int64_t i) { return static_cast<size_t>(i / n); });
  on_all([&](int level, int32_t threads) {
    Array y({rows, n}), mean({rows}), inverse({rows}), dx({rows, n}), dgamma({n}), dbeta({n});
    std::string error;
    if (centred) {
      error = run(level, "layer_norm", threads, {x.tensor(), gamma.tensor(), beta.tensor()},
                  {y.tensor(), mean.tensor(), inverse.tensor()}, {}, {kEpsilon});
      error += run(level, "layer_norm_grad", threads,
                   {x.tensor(), gamma.tensor(), mean.tensor(), inverse.tensor(), dy.tensor()},
                   {dx.tensor(), dgamma.tensor(), dbeta.tensor()});
      compare("mean", mean, r.mean, 1e-6);
    } else {
      error = run(level, "rms_norm", threads, {x.tensor(), gamma.tensor(), beta.tensor()},
                  {y.tensor(), inverse.tensor()}, {}, {kEpsilon});
      error += run(level, "rms_norm_grad", threads, {x.tensor(), gamma.tensor(), inverse.tensor(), dy.tensor()},
                   {dx.tensor(), dgamma.tensor(), dbeta.tensor()});
    }
    CHECK(error.empty(), "%s", error.c_str());
    CHECK(y.guarded() && dx.guarded() && dgamma.guarded() && dbeta.guarded(), "wrote behind an output");
    compare("1 / deviation", inverse, r.inverse, 1e-6);
    compare("y", y, r.y, 2e-6);
    if (n > 1) compare("dx", dx, r.dx, 4e-6);  // of one element, what is left is rounding
    compare("dgamma", dgamma, r.dgamma, 4e-6);
    compare("dbeta", dbeta, r.dbeta, 4e-6);
  });
}

void columns_are_normalised_over_the_batch(int64_t rows, int64_t n) {
  Array x = Array::random({rows, n}, 1), gamma = Array::random({n}, 2), beta = Array::random({n}, 3);
  for (int64_t i = 0; i < x.size(); ++i) x[i] = 3 * x[i] + 5;
  Array dy = Array::random({rows, n}, 4);
  const Reference r = reference(x, gamma, beta, dy, n, true, [n](int64_t i) { return static_cast<size_t>(i % n); });
  Doubles running_mean, running_variance;
  for (int64_t k = 0; k < n; ++k) {
    const double variance = 1 / std::pow(r.inverse[static_cast<size_t>(k)], 2) - kEpsilon;
    running_mean.push_back(0.9 * 2 + 0.1 * r.mean[static_cast<size_t>(k)]);
    running_variance.push_back(0.9 + 0.1 * variance * static_cast<double>(rows) / std::fmax(1.0, static_cast<double>(rows - 1)));
  }
  on_all([&](int level, int32_t threads) {
    Array y({rows, n}), mean({n}), inverse({n}), dx({rows, n}), dgamma({n}), dbeta({n}), rm({n}), rv({n});
    for (int64_t k = 0; k < n; ++k) {
      rm[k] = 2;
      rv[k] = 1;
    }
    std::string error = run(level, "batch_norm", threads,
                            {x.tensor(), gamma.tensor(), beta.tensor(), rm.tensor(), rv.tensor()},
                            {y.tensor(), mean.tensor(), inverse.tensor()}, {}, {kEpsilon, 0.1});
    error += run(level, "batch_norm_grad", threads,
                 {x.tensor(), gamma.tensor(), mean.tensor(), inverse.tensor(), dy.tensor()},
                 {dx.tensor(), dgamma.tensor(), dbeta.tensor()});
    CHECK(error.empty(), "%s", error.c_str());
    CHECK(y.guarded() && dx.guarded() && dgamma.guarded() && dbeta.guarded(), "wrote behind an output");
    compare("mean", mean, r.mean, 1e-6);
    compare("1 / deviation", inverse, r.inverse, 2e-6);
    compare("running mean", rm, running_mean, 1e-6);
    compare("running variance", rv, running_variance, 2e-6);
    if (rows < 2) return;  // one row is its own mean: what is left is rounding
    compare("y", y, r.y, 4e-6);
    compare("dx", dx, r.dx, 1e-4);  // three rows that lie close together lose digits
    compare("dgamma", dgamma, r.dgamma, 1e-5);
    compare("dbeta", dbeta, r.dbeta, 1e-5);
  });
}

void log_softmax_and_its_gradient(int64_t rows, int64_t n) {
  Array x = Array::random({rows, n}, 1), dy = Array::random({rows, n}, 2);
  Doubles y(static_cast<size_t>(rows * n)), dx(y.size());
  for (int64_t i = 0; i < x.size(); ++i) x[i] *= 30;
  for (int64_t row = 0; row < rows; ++row) {
    double sum = 0, total = 0;
    for (int64_t i = row * n; i < (row + 1) * n; ++i) {
      sum += std::exp(static_cast<double>(x[i]));
      total += dy[i];
    }
    for (int64_t i = row * n; i < (row + 1) * n; ++i) {
      y[static_cast<size_t>(i)] = n == 1 ? 0 : x[i] - std::log(sum);
      dx[static_cast<size_t>(i)] = dy[i] - std::exp(x[i] - std::log(sum)) * total;
    }
  }
  on_all([&](int level, int32_t threads) {
    Array got({rows, n}), back({rows, n});
    run(level, "log_softmax", threads, {x.tensor()}, {got.tensor()});
    run(level, "log_softmax_grad", threads, {got.tensor(), dy.tensor()}, {back.tensor()});
    CHECK(got.guarded() && back.guarded(), "wrote behind an output");
    compare("log softmax", got, y, 1e-6);
    if (n > 1) compare("its gradient", back, dx, 1e-5);
  });
}

}  // namespace

int main() {
  for (int64_t rows : {1, 3, 40, 700}) {
    for (int64_t n : {1, 5, 16, 37, 130}) {
      rows_are_normalised(rows, n, true);
      rows_are_normalised(rows, n, false);
      columns_are_normalised_over_the_batch(rows, n);
      log_softmax_and_its_gradient(rows, n);
    }
  }
  columns_are_normalised_over_the_batch(50, 600);
  return result();
}
