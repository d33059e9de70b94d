// softmax_test.cpp: softmax, log-softmax, their gradients and the cross-entropy of logits, against double.
#include "check.h"

namespace {

using namespace crema_test;
typedef unsigned long long u64;

Doubles softmax(const Doubles& x, long long n, bool log) {
  Doubles y(x.size());
  for (std::size_t r = 0; r < x.size(); r += static_cast<std::size_t>(n)) {
    double most = -INFINITY, sum = 0;
    for (long long i = 0; i < n; ++i) most = std::fmax(most, x[r + i]);
    for (long long i = 0; i < n; ++i) sum += std::exp(x[r + i] - most);
    for (long long i = 0; i < n; ++i) y[r + i] = log ? x[r + i] - most - std::log(sum) : std::exp(x[r + i] - most) / sum;
  }
  return y;
}

// The forms in which a row may be done: by a warp, by a block, by a block with the row in shared memory.
enum class Form { kWarp, kBlock, kCached };
constexpr Form kForms[] = {Form::kWarp, Form::kBlock, Form::kCached};

template <typename T>
void forward(const char* family, Form form, const T* x, T* y, long long rows, long long n, long long blocks) {
  const std::string name = std::string(family) + (form == Form::kWarp ? "_warp" : "_block") + Stored<T>::name;
  const unsigned grid = static_cast<unsigned>(blocks);
  if (form == Form::kWarp) {
    run(name.c_str(), dim3{grid, 1, 1}, 256, 0, x, y, rows, static_cast<int>(n));
  } else {
    // Without a cache a block still is given some bytes: a kernel that declares dynamic shared memory may have none on a card.
    const bool cached = form == Form::kCached;
    run(name.c_str(), dim3{grid, 1, 1}, 256, cached ? static_cast<int>((n + 7) / 8 * 32) : 16, x, y, rows, n, cached ? 1 : 0);
  }
}

template <typename T>
void rows_match(long long rows, long long n, int shift) {
  Array<T> x = Array<T>::random(rows * n, 1, shift), dy = Array<T>::random(rows * n, 2);
  for (long long i = 0; i < x.size(); ++i) set(x[i], static_cast<float>(8 * value_of(x[i])));
  for (bool log : {false, true}) {
    const char* const family = log ? "log_softmax" : "softmax";
    const Doubles expected = softmax(x.doubles(), n, log), flow = dy.doubles();
    in_every_order([&] {
      for (Form form : kForms) {
        if (form == Form::kWarp && n > 1024) continue;
        Array<T> y(rows * n);
        const long long enough = form == Form::kWarp ? (rows + 7) / 8 : rows;
        forward(family, form, static_cast<const T*>(x.data()), y.data(), rows, n, order == 0 ? 1 : enough + 1);
        compare(family, y, expected, 2e-6);
        if (form != Form::kCached) {
          const Doubles given = y.doubles();  // as it was stored
          Doubles dx(given.size());
          for (long long r = 0; r < rows; ++r) {
            double sum = 0;
            for (long long i = r * n; i < (r + 1) * n; ++i) sum += flow[i] * (log ? 1.0 : given[i]);
            for (long long i = r * n; i < (r + 1) * n; ++i) {
              dx[i] = log ? flow[i] - std::exp(given[i]) * sum : given[i] * (flow[i] - sum);
            }
          }
          Array<T> slope(rows * n);
          const std::string grad = std::string(family) + (form == Form::kWarp ? "_grad_warp" : "_grad_block") + Stored<T>::name;
          const T *const py = y.data(), *const pd = dy.data();
          if (form == Form::kWarp) {
            run(grad.c_str(), enough, 256, py, pd, slope.data(), rows, static_cast<int>(n));
          } else {
            run(grad.c_str(), rows, 256, py, pd, slope.data(), rows, n);
          }
          compare(grad.c_str(), slope, dx, 5e-6);
        }
        // In place.
        Array<T> z = x;
        forward(family, form, static_cast<const T*>(z.data()), z.data(), rows, n, enough);
        compare(family, z, expected, 2e-6);
      }
    });
  }
}

template <typename T>
void ends_are_as_on_the_cpu() {
  const long long n = 130;
  for (Form form : kForms) {
    Array<T> x = Array<T>::random(4 * n, 3), y(4 * n);
    set(x[5], NAN);
    for (long long i = n; i < 2 * n; ++i) set(x[i], -INFINITY);
    set(x[2 * n + 7], INFINITY);
    for (long long i = 3 * n; i < 3 * n + 100; ++i) set(x[i], -INFINITY);
    forward("softmax", form, static_cast<const T*>(x.data()), y.data(), 4, n, 4);
    const Doubles v = y.doubles();
    for (long long i = 0; i < 2 * n; ++i) CHECK(std::isnan(v[i]), "NaN, and nothing but -infinity, give NaN: %lld", i);
    CHECK(std::isnan(v[2 * n + 7]), "infinity gives NaN");
    double sum = 0;
    for (long long i = 3 * n; i < 4 * n; ++i) sum += v[i];
    CHECK(v[3 * n] == 0 && std::fabs(sum - 1) < 1e-6 + Stored<T>::rounding, "-infinity gives 0");
  }
}

struct Loss {
  double loss = 0;
  Doubles rows, slope;
};

Loss cross_entropy(const Doubles& x, const int* labels, const float* targets, const float* weights, long long n, long long k,
                   double smoothing) {
  Loss l;
  const Doubles logs = softmax(x, k, true);
  double total = 0;
  for (long long r = 0; r < n; ++r) total += labels == nullptr ? 1 : weights == nullptr ? 1 : weights[labels[r]];
  for (long long r = 0; r < n; ++r) {
    double loss = 0, mass = 0;
    Doubles goals;
    for (long long j = 0; j < k; ++j) {
      const double target = labels != nullptr ? j == labels[r] : targets[r * k + j];
      const double weight = weights == nullptr ? 1 : weights[labels != nullptr ? labels[r] : j];
      goals.push_back(((1 - smoothing) * target + smoothing / k) * weight);
      mass += goals.back();
      loss -= goals.back() * logs[r * k + j];
    }
    for (long long j = 0; j < k; ++j) {
      l.slope.push_back(total > 0 ? (std::exp(logs[r * k + j]) * mass - goals[j]) / total : 0);
    }
    l.rows.push_back(loss);
    l.loss += total > 0 ? loss / total : 0;
  }
  return l;
}

// D: what gradients are stored as.
template <typename T, typename D>
void losses_match(long long n, long long k, bool weighted, double smoothing) {
  Array<T> x = Array<T>::random(n * k, 1);
  Floats targets = Floats::random(n * k, 2), weights = Floats::random(k, 3);
  std::vector<int> labels;
  for (long long r = 0; r < n; ++r) labels.push_back(static_cast<int>((r * 7 + 3) % k));
  for (long long i = 0; i < n * k; ++i) {
    set(x[i], static_cast<float>(5 * value_of(x[i])));
    targets[i] = std::fabs(targets[i]);
  }
  for (long long j = 0; j < k; ++j) weights[j] = std::fabs(weights[j]) + 0.1f;
  for (bool sparse : {true, false}) {
    const Loss expected = cross_entropy(x.doubles(), sparse ? labels.data() : nullptr, targets.data(), weighted ? weights.data() : nullptr, n,
                                        k, smoothing);
    in_every_order([&] {
      const float* const w = weighted ? weights.data() : nullptr;
      Array<D> slope(n * k);
      Floats rows(n), loss(1);
      Array<double> total(1);
      u64 errors[2] = {~0ull, ~0ull};
      const double* const t = sparse ? total.data() : nullptr;
      if (sparse) {
        run("cross_entropy_weight", 1, 1024, static_cast<const int*>(labels.data()), w, n, k, total.data(), &errors[0], 1);
      }
      const std::string kernel = std::string("cross_entropy_rows") + Stored<T>::name;
      run(kernel.c_str(), n, 256, static_cast<const T*>(x.data()), sparse ? static_cast<const int*>(labels.data()) : nullptr,
          sparse ? nullptr : static_cast<const float*>(targets.data()), w, t, slope.data(), rows.data(), n, k,
          static_cast<float>(smoothing));
      run("cross_entropy_mean", 1, 1024, static_cast<const float*>(rows.data()), t, loss.data(), n);
      CHECK(errors[0] == ~0ull && errors[1] == ~0ull, "an error is reported");
      compare("loss", loss, {expected.loss}, 2e-6);
      compare("losses of rows", rows, expected.rows, 3e-6);
      compare("dlogits", slope, expected.slope, 3e-6);
    });
  }
}

void the_first_bad_label_is_reported() {
  std::vector<int> labels = {0, 2, 3, -1, 1};
  Array<double> total(1);
  in_every_order([&] {
    u64 errors[4] = {~0ull, ~0ull, ~0ull, ~0ull};
    run("cross_entropy_weight", 1, 1024, static_cast<const int*>(labels.data()), static_cast<const float*>(nullptr), 5ll, 3ll,
        total.data(), &errors[0], 2);
    CHECK(errors[0] == 2 && errors[2] == (2ull << 32 | 3) && errors[1] == ~0ull, "%llx %llx", errors[0], errors[2]);
  });
}

}  // namespace

int main() {
  const long long shapes[][2] = {{1, 1}, {3, 17}, {2, 128}, {9, 129}, {2, 500}, {1, 1024}, {2, 1025}, {1, 4099}};
  for (const auto& s : shapes) {
    rows_match<float>(s[0], s[1], 0);
    if (s[1] % 4 == 0) rows_match<float>(s[0], s[1], 1);  // else no row is read by packs anyway
  }
  const long long narrow[][2] = {{1, 1}, {3, 17}, {2, 256}, {3, 264}, {1, 1027}};
  for (const auto& s : narrow) {
    rows_match<bf16>(s[0], s[1], s[1] % 2 == 0 ? 0 : 1);
    rows_match<f16>(s[0], s[1], s[1] % 2 == 0 ? 1 : 0);
  }
  ends_are_as_on_the_cpu<float>();
  ends_are_as_on_the_cpu<bf16>();
  ends_are_as_on_the_cpu<f16>();
  for (bool weighted : {false, true}) {
    for (double smoothing : {0.0, 0.1}) {
      losses_match<float, float>(1, 1, weighted, smoothing);
      losses_match<float, float>(5, 10, weighted, smoothing);
      losses_match<float, float>(3, 1027, weighted, smoothing);
      losses_match<bf16, bf16>(3, 17, weighted, smoothing);
      losses_match<bf16, bf16>(2, 1032, weighted, smoothing);
      losses_match<f16, float>(3, 17, weighted, smoothing);
      losses_match<f16, float>(2, 1032, weighted, smoothing);
    }
  }
  the_first_bad_label_is_reported();
  return result();
}
