// Products with weights that are mostly zero, of every form, instruction set and thread count, against float64: every
// number of rows of a panel, ragged sizes, no zeros at all and nothing else, empty columns, indices of 16 and 32 bits,
// weights that have outgrown their memory; and what is not finite meets no absent weight.
#include <functional>
#include <limits>
#include <memory>

#include "run.h"

using crema_test::absent;
using crema_test::Array;
using crema_test::run;
using crema_test::tensor_of;

namespace {

constexpr int64_t kFew = 4;  // examples that may have windows
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Words of packed weights; `room` as it is reserved for some number of non-zero weights.
struct Packed {
  std::unique_ptr<int32_t, decltype(&std::free)> words;
  int64_t count;

  Packed(Array& w, int64_t n, int64_t room, int64_t examples, int level, int32_t threads)
      : words(static_cast<int32_t*>(std::aligned_alloc(64, static_cast<size_t>((room + 16) / 16 * 16 * 4))), std::free),
        count(room) {
    const size_t bytes = static_cast<size_t>((room + 16) / 16 * 16 * 4);
    std::memset(words.get(), 0xff, bytes);
    crema::Tensor matrix = w.tensor();
    CHECK(matrix.last() == n, "shape");
    const std::string error =
        run(level, "pack_sparse", threads, {tensor_of(words.get(), CREMA_FLOAT32, {room}), matrix}, {}, {examples, kFew});
    CHECK(error.empty(), "%s", error.c_str());
    const char* const behind = reinterpret_cast<const char*>(words.get() + room);
    for (size_t i = 0; i < bytes - static_cast<size_t>(room) * 4; ++i) {
      CHECK(behind[i] == '\xff', "pack_sparse wrote behind its memory");
    }
  }
  int32_t form() const { return words.get()[0]; }
};

int64_t ample(int64_t k, int64_t n) { return 64 + 12 * n + 6 * k * n + 90 * n; }

Array weights(int64_t k, int64_t n, double density, uint64_t seed) {
  Array w = Array::random({k, n}, seed);
  crema_test::Random random(seed + 1);
  for (int64_t i = 0; i < w.size(); ++i) {
    if (std::fabs(random.value()) >= density) w[i] = i % 3 == 0 ? -0.0f : 0.0f;
  }
  return w;
}

// relu(x w + bias), with absent weights absent.
std::vector<double> expected(const Array& x, const Array& w, const Array* bias, int64_t m, int64_t n, int64_t k,
                             bool relu) {
  std::vector<double> y;
  for (int64_t i = 0; i < m; ++i) {
    for (int64_t j = 0; j < n; ++j) {
      double sum = bias == nullptr ? 0 : (*bias)[j];
      for (int64_t p = 0; p < k; ++p) {
        if (w[p * n + j] != 0) sum += static_cast<double>(x[i * k + p]) * w[p * n + j];
      }
      y.push_back(relu && sum < 0 ? 0 : sum);
    }
  }
  return y;
}

void check(int64_t m, int64_t n, int64_t k, double density, uint64_t seed,
           const std::function<void(Array&, Array&)>& change = nullptr, int64_t examples = 0) {
  if (examples == 0) {
    check(m, n, k, density, seed, change, m);
    if (m > 1 && m % 4 <= 1) check(m, n, k, density, seed, change, 2);  // more than the weights are packed for
    return;
  }
  Array x = Array::random({m, k}, seed), w = weights(k, n, density, seed + 7), bias = Array::random({n}, seed + 9);
  if (change) change(x, w);
  const bool relu = seed % 2 == 0;
  Array* const b = seed % 3 == 0 ? nullptr : &bias;
  const std::vector<double> e = expected(x, w, b, m, n, k, relu);
  Array first;
  int before = -1;
  crema_test::on_all([&](int level, int32_t threads) {
    Packed packed(w, n, ample(k, n), examples, level, threads);
    CHECK(packed.form() != 0, "packed");
    Array y({m, n});
    const std::string error = run(level, "sparse_linear", threads,
                                  {x.tensor(), tensor_of(packed.words.get(), CREMA_FLOAT32, {packed.count}),
                                   w.tensor(), b == nullptr ? absent() : b->tensor()},
                                  {y.tensor()}, {relu ? 1 : 0});
    char what[96];
    std::snprintf(what, sizeof(what), "%s, %d threads, %d x %d x %d", crema_isa_name(level), threads,
                  static_cast<int>(m), static_cast<int>(n), static_cast<int>(k));
    CHECK(error.empty() && y.guarded(), "%s: %s", what, error.c_str());
    crema_test::compare(what, y, e, 1e-7 * std::sqrt(static_cast<double>(k) + 10) * 4);
    if (level == before) {
      CHECK(crema_test::same_bits(first, y), "%s: other bits than on one thread", what);
    } else {
      before = level;
      first = y;
    }
  });
}

void sizes() {
  uint64_t seed = 1;
  for (int64_t m = 1; m <= 35; ++m) check(m, 1 + m * 13 % 90, 1 + m * 29 % 150, 0.1 + 0.02 * static_cast<double>(m % 7), ++seed);
  for (const int64_t n : {1, 15, 16, 17, 63, 64, 65, 130}) {
    for (const int64_t k : {1, 7, 8, 15, 16, 17, 31, 32, 33, 100, 257}) {
      for (const int64_t m : {1, 5, 20}) check(m, n, k, 0.15, ++seed);
    }
  }
  for (const double density : {0.0, 0.01, 0.5, 1.0}) {
    for (const int64_t m : {1, 2, 8, 9, 16, 17, 32, 33, 100}) check(m, 70, 90, density, ++seed);
  }
  for (const int64_t m : {1, 3, 40}) {
    check(m, 400, 1000, 0.1, ++seed);  // enough work for threads
    check(m, 3, 16383, 0.02, ++seed);  // the last row with indices of 16 bits
    check(m, 3, 16384, 0.02, ++seed);
    check(m, 2, 40000, 0.01, ++seed);
  }
}

// Blocks as pruning leaves them, whole and with a weight of 0 here and there, also where x is not finite.
void blocks() {
  uint64_t seed = 700;
  for (const bool gaps : {false, true}) {
    for (const int64_t height : {1, 4}) {
      for (const int64_t m : {1, 2, 7, 8, 9, 16, 17, 31, 32, 33, 70}) {
        for (const int64_t n : {4, 41, 90}) {
          const int64_t k = n == 90 ? 16400 / (m > 20 ? 20 : 1) : 50;
          check(m, n, k, 0.0, ++seed, [&](Array& x, Array& w) {
            crema_test::Random random(seed);
            for (int64_t p = 0; p < k; p += height) {
              for (int64_t j = 0; j < n; j += 4) {
                if (std::fabs(random.value()) > 0.1) continue;
                for (int64_t i = p; i < p + height && i < k; ++i) {
                  for (int64_t c = j; c < j + 4 && c < n; ++c) w[i * n + c] = static_cast<float>(random.value()) + 2.0f;
                }
                if (gaps) w[p * n + j] = 0.0f;
              }
            }
            if (seed % 2 == 1) x[seed % static_cast<uint64_t>(x.size())] = seed % 4 == 1 ? NAN : kInfinity;
          });
        }
      }
    }
  }
}

// Which of the two forms a panel is multiplied by.
void bands_are_recognised() {
  for (const bool blocked : {false, true}) {
    Array w = weights(64, 64, 0.1, 5);
    for (int64_t i = 0; blocked && i < w.size(); ++i) w[i] = i / 64 / 4 % 10 == i % 64 / 4 % 10 ? 1.0f : 0.0f;
    crema_test::on_all([&](int level, int32_t threads) {
      Packed packed(w, 64, ample(64, 64), 8, level, threads);
      const bool wide = std::strncmp(crema_isa_name(level), "avx512", 6) == 0;
      CHECK(packed.form() == (blocked && !wide ? 3 : 1), "%s: form %d", crema_isa_name(level), packed.form());
    });
  }
}

// Columns that are full, columns that are empty.
void uneven() {
  for (const int64_t m : {1, 6, 25}) {
    check(m, 50, 200, 0.0, 4, [](Array&, Array& w) {
      for (int64_t i = 0; i < 50; ++i) w[i * 50 + 17] = 1.0f + static_cast<float>(i);
      w[199 * 50 + 49] = 3.0f;
    });
  }
}

void not_finite() {
  for (const int64_t m : {1, 7, 30}) {
    for (const float value : {kInfinity, -kInfinity, NAN}) {
      check(m, 40, 60, 0.2, 11, [&](Array& x, Array&) {
        x[5] = value;
        x[x.size() - 1] = value;
      });
      check(m, 40, 60, 0.2, 12, [&](Array&, Array& w) { w[100] = value; });
    }
  }
}

// As many non-zero weights as do not fit: w is multiplied itself, a dense product.
void outgrown() {
  for (const int64_t m : {1, 9, 40}) {
    Array x = Array::random({m, 70}, 3), w = weights(70, 50, 1.0, 4);
    const std::vector<double> e = expected(x, w, nullptr, m, 50, 70, false);
    crema_test::on_all([&](int level, int32_t threads) {
      for (const int64_t room : {16, 60, 80, 1000, 3500}) {
        Packed packed(w, 50, room, m, level, threads);
        CHECK(packed.form() == 0, "%d words", static_cast<int>(room));
        Array y({m, 50});
        run(level, "sparse_linear", threads,
            {x.tensor(), tensor_of(packed.words.get(), CREMA_FLOAT32, {room}), w.tensor(), absent()}, {y.tensor()}, {0});
        crema_test::compare("outgrown", y, e, 1e-5);
      }
    });
  }
}

// Windows on AVX2 and AVX-512 for up to a few examples; x86's levels from 1 on have them.
void few_examples() {
#if defined(__x86_64__)
  Array w = weights(256, 256, 0.1, 900);
  for (int level : crema_test::levels()) {
    for (const int64_t examples : {int64_t{1}, kFew, kFew + 1}) {
      const int32_t form = Packed(w, 256, ample(256, 256), examples, level, 1).form();
      CHECK(form == (level > 0 && examples <= kFew ? 2 : 1), "form %d of %d examples at level %d", form,
            static_cast<int>(examples), level);
    }
  }
#endif
}

void activations() {
  Array x = Array::random({3, 40}, 5), w = weights(40, 20, 0.3, 6);
  const std::vector<double> sums = expected(x, w, nullptr, 3, 20, 40, false);
  const std::vector<std::function<double(double)>> functions = {
      [](double v) { return v; },
      [](double v) { return v > 0 ? v : 0; },
      [](double v) { return 1 / (1 + std::exp(-v)); },
      [](double v) { return std::tanh(v); },
      [](double v) { return 0.5 * v * (1 + std::erf(v / std::sqrt(2.0))); },
      [](double v) { return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))); },
      [](double v) { return v / (1 + std::exp(-v)); }};
  for (size_t a = 0; a < functions.size(); ++a) {
    std::vector<double> e;
    for (const double v : sums) e.push_back(functions[a](v));
    crema_test::on_all([&](int level, int32_t threads) {
      Packed packed(w, 20, ample(40, 20), 8, level, threads);
      Array y({3, 20});
      run(level, "sparse_linear", threads,
          {x.tensor(), tensor_of(packed.words.get(), CREMA_FLOAT32, {packed.count}), w.tensor(), absent()},
          {y.tensor()}, {static_cast<int64_t>(a)});
      crema_test::compare("activation", y, e, 3e-6);
    });
  }
}

}  // namespace

int main() {
  sizes();
  blocks();
  bands_are_recognised();
  uneven();
  not_finite();
  outgrown();
  few_examples();
  activations();
  return crema_test::result();
}
