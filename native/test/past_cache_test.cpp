// past_cache_test.cpp: results too big for the cache are written past it. In place they are not: the bits must be the
// same, on every instruction set and number of threads.
#include <memory>

#include "run.h"

namespace {

using namespace crema_test;

constexpr int64_t kGuard = 16;
constexpr float kGuardValue = 12345.0f;

// Floats at a multiple of 64 bytes, with a guard behind them.
class Aligned {
 public:
  explicit Aligned(int64_t n) : n_(n), data_(static_cast<float*>(std::aligned_alloc(64, bytes()))) { poison(); }
  float* data() const { return data_.get(); }
  void poison() {
    std::memset(data_.get(), 0xff, bytes());
    for (int64_t i = 0; i < kGuard; ++i) data_.get()[n_ + i] = kGuardValue;
  }
  bool guarded() const {
    bool same = true;
    for (int64_t i = 0; i < kGuard; ++i) same = same && data_.get()[n_ + i] == kGuardValue;
    return same;
  }
  bool same_bits(const Aligned& other) const {
    return std::memcmp(data_.get(), other.data_.get(), static_cast<size_t>(n_) * sizeof(float)) == 0;
  }
  void copy(const Aligned& other) { std::memcpy(data_.get(), other.data_.get(), bytes()); }

 private:
  struct Free {
    void operator()(float* p) const { std::free(p); }
  };
  size_t bytes() const { return (static_cast<size_t>(n_ + kGuard) * sizeof(float) + 63) / 64 * 64; }
  int64_t n_;
  std::unique_ptr<float, Free> data_;
};

void in_place_and_out_of_place_agree(const char* kernel, int64_t rows, int64_t n) {
  const bool norm = std::strstr(kernel, "norm") != nullptr, centred = std::strcmp(kernel, "layer_norm") == 0;
  Aligned x(rows * n), y(rows * n), in_place(rows * n);
  Random random(1);
  for (int64_t i = 0; i < rows * n; ++i) x.data()[i] = 4 * random.value();
  Array gamma = Array::random({n}, 2), beta = Array::random({n}, 3), means({rows}), inverses({rows});
  const auto run_on = [&](const Aligned& from, const Aligned& to, int level, int32_t threads) {
    std::vector<crema::Tensor> in{tensor_of(from.data(), CREMA_FLOAT32, {rows, n})};
    std::vector<crema::Tensor> out{tensor_of(to.data(), CREMA_FLOAT32, {rows, n})};
    if (norm) in.insert(in.end(), {gamma.tensor(), beta.tensor()});
    if (centred) out.push_back(means.tensor());
    if (norm) out.push_back(inverses.tensor());
    const std::string error = run(level, kernel, threads, in, out, {}, norm ? std::vector<double>{1e-3} : std::vector<double>{});
    CHECK(error.empty(), "%s", error.c_str());
  };
  on_all([&](int level, int32_t threads) {
    y.poison();
    run_on(x, y, level, threads);
    in_place.copy(x);
    run_on(in_place, in_place, level, threads);
    CHECK(y.guarded(), "%s wrote behind its output", kernel);
    CHECK(y.same_bits(in_place), "%s of %lld rows of %lld, level %d, %d threads: in place it gives other bits", kernel,
          static_cast<long long>(rows), static_cast<long long>(n), level, threads);
  });
}

}  // namespace

int main() {
  for (const char* kernel : {"softmax", "log_softmax", "layer_norm", "rms_norm"}) {
    in_place_and_out_of_place_agree(kernel, 2052, 1024);
    in_place_and_out_of_place_agree(kernel, 7, 1 << 19);   // rows too long for scratch memory
    in_place_and_out_of_place_agree(kernel, 2050, 1030);   // rows that are not whole vectors
    in_place_and_out_of_place_agree(kernel, 3, 48);        // small
    in_place_and_out_of_place_agree(kernel, 1, 16);
  }
  return result();
}
