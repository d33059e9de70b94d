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
  void poison() const {
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

// Chains of element-wise operations whose results are streamed give the bits of the same chain in pieces small enough not
// to be: y = relu(a - b) and, where `kept`, a - b as a second result that a later step reads.
void chains_give_the_bits_of_their_pieces(int64_t n, bool kept) {
  Aligned a(n), b(n), y(n), d(n), small_y(n), small_d(n);
  Random random(3);
  for (int64_t i = 0; i < n; ++i) {
    a.data()[i] = random.value();
    b.data()[i] = random.value();
  }
  const int64_t sub = crema_elementwise("sub"), relu = crema_elementwise("relu"), y_register = 2, d_register = 3;
  const std::vector<int64_t> steps{2, sub, d_register, 0, 1, -1, 0, relu, y_register, d_register, -1, -1, 0};
  const auto run_on = [&](int level, int32_t threads, int64_t at, int64_t count, const Aligned& to_y, const Aligned& to_d) {
    const auto part = [=](const Aligned& x) { return tensor_of(x.data() + at, CREMA_FLOAT32, {count}); };
    std::vector<crema::Tensor> out{part(to_y)};
    if (kept) out.push_back(part(to_d));
    const std::string error = run(level, "elementwise", threads, {part(a), part(b)}, out, steps);
    CHECK(error.empty(), "%s", error.c_str());
  };
  on_all([&](int level, int32_t threads) {
    for (const Aligned* x : {&y, &d, &small_y, &small_d}) x->poison();
    run_on(level, threads, 0, n, y, d);
    for (int64_t at = 0; at < n; at += 10000) run_on(level, 1, at, n - at < 10000 ? n - at : 10000, small_y, small_d);
    CHECK(y.guarded() && d.guarded(), "wrote behind an output");
    CHECK(y.same_bits(small_y) && d.same_bits(small_d), "level %d, %d threads, %lld floats: other bits", level, threads,
          static_cast<long long>(n));
  });
}

}  // namespace

int main() {
  chains_give_the_bits_of_their_pieces((2 << 20) + 77, true);
  chains_give_the_bits_of_their_pieces((2 << 20) + 64, false);
  for (const char* kernel : {"softmax", "log_softmax", "layer_norm", "rms_norm"}) {
    in_place_and_out_of_place_agree(kernel, 2052, 1024);
    in_place_and_out_of_place_agree(kernel, 7, 1 << 19);   // rows too long for scratch memory
    in_place_and_out_of_place_agree(kernel, 2050, 1030);   // rows that are not whole vectors
    in_place_and_out_of_place_agree(kernel, 3, 48);        // small
    in_place_and_out_of_place_agree(kernel, 1, 16);
  }
  return result();
}
