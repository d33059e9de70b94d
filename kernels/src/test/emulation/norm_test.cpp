// norm_test.cpp: layer, RMS and batch normalisation, against double; gradients against central differences.
#include "check.h"

namespace {

using namespace crema_test;
typedef long long i64;
typedef unsigned long long u64;
constexpr double kEpsilon = 1e-3;

// Normalises groups of elements of x [rows, n]: rows, or columns.
Doubles normalised(const Doubles& x, i64 rows, i64 n, bool columns, bool centred, const Floats& gamma, const Floats& beta,
                   Doubles* means, Doubles* inverses) {
  const i64 groups = columns ? n : rows;
  const double count = static_cast<double>(columns ? rows : n);
  Doubles mean(static_cast<std::size_t>(groups)), square(mean), y(x.size());
  const auto group = [&](i64 i) { return static_cast<std::size_t>(columns ? i % n : i / n); };
  for (i64 i = 0; i < rows * n && centred; ++i) mean[group(i)] += x[i] / count;
  for (i64 i = 0; i < rows * n; ++i) square[group(i)] += (x[i] - mean[group(i)]) * (x[i] - mean[group(i)]) / count;
  for (double& s : square) s = 1 / std::sqrt(s + kEpsilon);
  for (i64 i = 0; i < rows * n; ++i) y[i] = (x[i] - mean[group(i)]) * square[group(i)] * gamma[i % n] + beta[i % n];
  if (means != nullptr) *means = mean;
  if (inverses != nullptr) *inverses = square;
  return y;
}

void parameter_gradients(const Doubles& x, const Doubles& dy, const Doubles& mean, const Doubles& inverse, i64 n, bool columns,
                         Doubles* dgamma, Doubles* dbeta) {
  dgamma->assign(static_cast<std::size_t>(n), 0);
  dbeta->assign(static_cast<std::size_t>(n), 0);
  for (i64 i = 0; i < static_cast<i64>(x.size()); ++i) {
    const std::size_t g = static_cast<std::size_t>(columns ? i % n : i / n), j = static_cast<std::size_t>(i % n);
    (*dgamma)[j] += dy[i] * (x[i] - mean[g]) * inverse[g];
    (*dbeta)[j] += dy[i];
  }
}

template <typename T>
void rows_match(i64 rows, i64 n, bool centred, int shift) {
  Array<T> x = Array<T>::random(rows * n, 1, shift), dy = Array<T>::random(rows * n, 4);
  Floats gamma = Floats::random(n, 2, 1), beta = Floats::random(n, 3);
  Doubles means, inverses, dgamma, dbeta;
  const Doubles y = normalised(x.doubles(), rows, n, false, centred, gamma, beta, &means, &inverses);
  parameter_gradients(x.doubles(), dy.doubles(), means, inverses, n, false, &dgamma, &dbeta);
  const Doubles dx = rows * n > 600 ? Doubles() : differences(
      [&](const Doubles& at) { return normalised(at, rows, n, false, centred, gamma, beta, nullptr, nullptr); }, x.doubles(),
      dy.doubles());
  const float epsilon = static_cast<float>(kEpsilon);
  const std::string name = centred ? "layer_norm" : "rms_norm";
  in_every_order([&] {
    for (int form = n <= 1024 ? 0 : 1; form < 3; ++form) {
      Array<T> actual(rows * n), slope(rows * n);
      Floats mean(rows), inverse(rows);
      const T *const px = x.data(), *const pd = dy.data();
      const float *const pg = gamma.data(), *const pb = beta.data();
      const auto typed = [](const char* kernel) { return std::string(kernel) + Stored<T>::name; };
      const int shared = form == 2 ? static_cast<int>((n + 7) / 8 * 32) : 16;
      const dim3 grid{static_cast<unsigned>(order + 1), 1, 1};
      if (form == 0 && centred) {
        run(typed("layer_norm_warp").c_str(), grid, 256, 0, px, pg, pb, actual.data(), mean.data(), inverse.data(), rows, static_cast<int>(n), epsilon);
        run(typed("layer_norm_grad_warp").c_str(), grid, 256, 0, px, pg, static_cast<const float*>(mean.data()),
            static_cast<const float*>(inverse.data()), pd, slope.data(), rows, static_cast<int>(n));
      } else if (form == 0) {
        run(typed("rms_norm_warp").c_str(), grid, 256, 0, px, pg, pb, actual.data(), inverse.data(), rows, static_cast<int>(n), epsilon);
        run(typed("rms_norm_grad_warp").c_str(), grid, 256, 0, px, pg, static_cast<const float*>(inverse.data()), pd, slope.data(), rows,
            static_cast<int>(n));
      } else if (centred) {
        run(typed("layer_norm_block").c_str(), grid, 256, shared, px, pg, pb, actual.data(), mean.data(), inverse.data(), rows, n, epsilon, form - 1);
        run(typed("layer_norm_grad_block").c_str(), grid, 256, 0, px, pg, static_cast<const float*>(mean.data()),
            static_cast<const float*>(inverse.data()), pd, slope.data(), rows, n);
      } else {
        run(typed("rms_norm_block").c_str(), grid, 256, shared, px, pg, pb, actual.data(), inverse.data(), rows, n, epsilon, form - 1);
        run(typed("rms_norm_grad_block").c_str(), grid, 256, 0, px, pg, static_cast<const float*>(inverse.data()), pd, slope.data(), rows, n);
      }
      compare(name.c_str(), actual, y, 2e-6);
      compare("1 / deviation", inverse, inverses, 1e-6);
      if (centred) compare("mean", mean, means, 1e-6);
      if (!dx.empty() && n > 1) compare("dx", slope, dx, 5e-5);  // of one element, what is left is rounding
      const i64 piece = 3, pieces = (rows + piece - 1) / piece;
      Floats partial(2 * pieces * n), of_gamma(n), of_beta(n);
      run(typed("norm_grad_columns").c_str(), grid, 256, 0, px,
          centred ? static_cast<const float*>(mean.data()) : nullptr, static_cast<const float*>(inverse.data()), pd, partial.data(), rows,
          n, piece);
      run("norm_grad_finish", 1, 256, static_cast<const float*>(partial.data()), of_gamma.data(), of_beta.data(), pieces, n);
      compare("dgamma", of_gamma, dgamma, 4e-6);
      compare("dbeta", of_beta, dbeta, 4e-6);
    }
  });
}

template <typename T>
void columns_match(i64 rows, i64 n, i64 piece, int shift) {
  Array<T> x = Array<T>::random(rows * n, 1, shift), dy = Array<T>::random(rows * n, 4);
  Floats gamma = Floats::random(n, 2), beta = Floats::random(n, 3);
  for (i64 i = 0; i < x.size(); ++i) set(x[i], static_cast<float>(3 * value_of(x[i]) + 5));
  Doubles means, inverses, dgamma, dbeta;
  const Doubles y = normalised(x.doubles(), rows, n, true, true, gamma, beta, &means, &inverses);
  parameter_gradients(x.doubles(), dy.doubles(), means, inverses, n, true, &dgamma, &dbeta);
  const Doubles dx = rows * n > 600 ? Doubles() : differences(
      [&](const Doubles& at) { return normalised(at, rows, n, true, true, gamma, beta, nullptr, nullptr); }, x.doubles(), dy.doubles());
  in_every_order([&] {
    const i64 pieces = (rows + piece - 1) / piece;
    const dim3 grid{static_cast<unsigned>(order + 1), 1, 1};
    const auto typed = [](const char* kernel) { return std::string(kernel) + Stored<T>::name; };
    Floats partial(2 * pieces * n), running_mean(std::vector<float>(static_cast<std::size_t>(n), 1.0f));
    Floats running_variance(std::vector<float>(static_cast<std::size_t>(n), 2.0f));
    Array<T> actual(rows * n), slope(rows * n);
    Floats mean(n), inverse(n), scale(n), offset(n), share(n), of_x(n), of_gamma(n), of_beta(n);
    const T *const px = x.data(), *const pd = dy.data();
    const float *const pm = mean.data(), *const pp = partial.data(), *const pg = gamma.data();
    const float *const ps = scale.data(), *const pi = inverse.data();
    for (const bool failed : {true, false}) {
      u64 errors[1] = {failed ? 3 : ~0ull};
      run(typed("batch_norm_pieces").c_str(), grid, 256, 0, px, partial.data(), rows, n, piece);
      run("batch_norm_finish", 2, 256, pp, pg, static_cast<const float*>(beta.data()), running_mean.data(), running_variance.data(),
          mean.data(), inverse.data(), scale.data(), offset.data(), static_cast<const u64*>(&errors[0]), rows, n, piece,
          static_cast<float>(kEpsilon), 0.25f);
      CHECK(!failed || (running_mean[0] == 1 && running_variance[0] == 2), "statistics change after an error");
    }
    Floats other_mean(std::vector<float>(static_cast<std::size_t>(n), 1.0f)), other_variance(std::vector<float>(static_cast<std::size_t>(n), 2.0f));
    for (const bool failed : {true, false}) {
      u64 errors[1] = {failed ? 3 : ~0ull};
      run("batch_norm_run", 2, 256, pm, pi, other_mean.data(), other_variance.data(), static_cast<const u64*>(&errors[0]), rows, n,
          static_cast<float>(kEpsilon), 0.25f);
      CHECK(!failed || (other_mean[0] == 1 && other_variance[0] == 2), "statistics change after an error");
    }
    run(typed("batch_norm_apply").c_str(), 2, 256, px, pm, ps, static_cast<const float*>(offset.data()), actual.data(), rows, n);
    compare("mean", mean, means, 1e-6);
    compare("1 / deviation", inverse, inverses, 2e-6);
    compare("y", actual, y, 1e-5);  // of x around 5: an ulp of x is that much of a deviation
    Doubles average, variance;
    for (i64 j = 0; j < n; ++j) {
      average.push_back(0.75 + 0.25 * means[j]);
      const double unbiased = rows > 1 ? static_cast<double>(rows) / (rows - 1) : 1;
      variance.push_back(1.5 + 0.25 * (1 / (inverses[j] * inverses[j]) - kEpsilon) * unbiased);
    }
    compare("running mean", running_mean, average, 1e-6);
    compare("running variance", running_variance, variance, 1e-5);
    compare("running mean after a library", other_mean, average, 1e-6);
    compare("running variance after a library", other_variance, variance, 1e-5);
    run(typed("batch_norm_grad_pieces").c_str(), grid, 256, 0, px, pm, pd, partial.data(), rows, n, piece);
    run("batch_norm_grad_finish", 1, 256, pp, pg, pi, of_gamma.data(), of_beta.data(), scale.data(), share.data(), of_x.data(), rows, n,
        pieces);
    run(typed("batch_norm_grad_apply").c_str(), 3, 256, px, pm, pd, ps, static_cast<const float*>(share.data()), static_cast<const float*>(of_x.data()),
        slope.data(), rows, n);
    compare("dgamma", of_gamma, dgamma, 1e-5);
    compare("dbeta", of_beta, dbeta, 4e-6);
    if (!dx.empty() && rows > 1) compare("dx", slope, dx, 2e-4);
  });
}

// A deviation of 0 that rounding makes too small, one that is too great, and NaN.
void running_statistics_hold_what_is_not_finite() {
  Floats mean(3), inverse(3), running_mean(3), running_variance(3);
  const float epsilon = 1e-5f, nan = std::nanf("");
  const float inverses[] = {std::nextafter(1.0f / std::sqrt(epsilon), 1e9f), 0.0f, nan};
  for (int i = 0; i < 3; ++i) {
    mean[i] = i == 2 ? nan : 1.0f;
    inverse[i] = inverses[i];
    running_mean[i] = running_variance[i] = 0.0f;
  }
  run("batch_norm_run", 1, 256, static_cast<const float*>(mean.data()), static_cast<const float*>(inverse.data()), running_mean.data(),
      running_variance.data(), static_cast<const u64*>(nullptr), i64{2}, i64{3}, epsilon, 0.5f);
  CHECK(running_variance[0] >= 0.0f && running_variance[0] < 1e-10f, "a variance below 0");
  CHECK(std::isinf(running_variance[1]) && running_mean[1] == 0.5f, "an infinite variance");
  CHECK(std::isnan(running_variance[2]) && std::isnan(running_mean[2]), "NaN is lost");
}

}  // namespace

int main() {
  const i64 rows[][2] = {{1, 1}, {5, 17}, {4, 128}, {3, 200}, {2, 513}, {3, 1024}, {2, 1027}};
  for (const auto& r : rows) {
    for (const bool centred : {true, false}) rows_match<float>(r[0], r[1], centred, static_cast<int>(r[1] % 2));
  }
  const i64 narrow[][2] = {{1, 1}, {5, 17}, {3, 200}, {2, 264}, {2, 1032}};
  for (const auto& r : narrow) {
    rows_match<bf16>(r[0], r[1], true, 0);
    rows_match<f16>(r[0], r[1], false, 1);
  }
  const i64 columns[][3] = {{1, 3, 4}, {7, 1, 4}, {50, 5, 8}, {130, 33, 16}, {300, 72, 100}};
  for (const auto& c : columns) columns_match<float>(c[0], c[1], c[2], 0);
  columns_match<float>(20, 8, 9, 1);
  columns_match<bf16>(50, 5, 8, 0);
  columns_match<bf16>(150, 72, 70, 0);
  columns_match<f16>(20, 24, 9, 1);
  running_statistics_hold_what_is_not_finite();
  return result();
}
