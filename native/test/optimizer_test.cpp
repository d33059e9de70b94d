// Updates of parameters, for all optimizers, with weight decay and masks, on every instruction set: a parameter's bits are
// the same wherever it stands and however many threads share the sweep. And beside the product that makes their gradients:
// every bit as by the product and a sweep of its results, with numbers that are none, too.
#include "run.h"

using namespace crema_test;

namespace {

struct Optimizer {
  const char* name;
  int moments;
  std::vector<int64_t> ints;
  std::vector<double> floats;
};

struct Product {
  int64_t rows, columns, depth;
};

// Parameters, their moments and mask: the same for the same sizes.
struct State {
  std::vector<Array> arrays;
  Array mask;

  State(int64_t p, int moments, bool masked) {
    for (int i = 0; i <= moments; ++i) {
      arrays.push_back(Array::random({p}, static_cast<uint64_t>(10 + i)));
      for (int64_t j = 0; i > 0 && j < p; ++j) arrays.back()[j] = std::fabs(arrays.back()[j]) * 1e-2f;
    }
    if (!masked) return;
    mask = Array({p});
    for (int64_t j = 0; j < p; ++j) mask[j] = j % 3 == 0 ? 0.0f : 1.0f;
  }
};

// Learning rate, step and what of the moments was not there at first.
Array hyper_parameters() {
  Array hyper({4});
  hyper[0] = 1e-2f, hyper[1] = 3, hyper[2] = 0.271f, hyper[3] = 0.003f;
  return hyper;
}

// Either by the gradients or by the factors of their product.
void update(int level, int32_t threads, const Optimizer& o, State& s, Array& gradients, Array* x = nullptr,
            Array* d = nullptr, Array scale = {}) {
  Array none, hyper = hyper_parameters();
  std::vector<Array*> in{&s.arrays[0], x == nullptr ? &gradients : &none};
  for (int i = 1; i <= o.moments; ++i) in.push_back(&s.arrays[static_cast<size_t>(i)]);
  in.insert(in.end(), {&hyper, &scale, &s.mask});
  if (x != nullptr) in.insert(in.end(), {x, d});
  const crema::FloatMode flush_denormals;
  call(level, o.name, threads, in, {}, o.ints, o.floats);
}

bool same_or_both_nan(const Array& a, const Array& b) {
  for (int64_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i] && !(std::isnan(a[i]) && std::isnan(b[i]))) return false;
  }
  return true;
}

// The first n of an optimizer's state beside that of more parameters.
void compare_first(int64_t n, State& few, State& many, const Optimizer& o, int level, const char* what, int number) {
  for (size_t i = 0; i < few.arrays.size(); ++i) {
    Array &a = few.arrays[i], &b = many.arrays[i];
    int64_t same = 0;
    while (same < n && std::memcmp(&a[same], &b[same], sizeof(float)) == 0) ++same;
    CHECK(same == n && a.guarded(), "%s at level %d, %s %d: tensor %d differs at %d, %.9g for %.9g", o.name, level, what,
          number, static_cast<int>(i), static_cast<int>(same), a[same], b[same]);
  }
}

// Sweeps are of two vectors at a time, then of one, then of what is left; where a thread's part begins and ends decides
// which of them meets a parameter.
void check_places(int level, const Optimizer& o, bool masked) {
  constexpr int64_t kSome = 150, kMany = 5 * 32768 + 21;  // parts for five threads
  Array scale({1}), gradients = Array::random({kMany}, 3);
  scale[0] = 0.37f;
  State some(kSome, o.moments, masked), many(kMany, o.moments, masked);
  update(level, 1, o, some, gradients, nullptr, nullptr, scale);
  for (int64_t n = 1; n <= 70; ++n) {
    State few(n, o.moments, masked);
    update(level, 1, o, few, gradients, nullptr, nullptr, scale);
    compare_first(n, few, some, o, level, "parameters", static_cast<int>(n));
  }
  update(level, 1, o, many, gradients, nullptr, nullptr, scale);
  for (int32_t threads : {2, 3, 5}) {
    State shared(kMany, o.moments, masked);
    update(level, threads, o, shared, gradients, nullptr, nullptr, scale);
    compare_first(kMany, shared, many, o, level, "threads", threads);
  }
}

void check(int level, int32_t threads, const Optimizer& o, const Product& p, bool masked, bool numbers) {
  Array x = Array::random({p.depth, p.rows}, 1), d = Array::random({p.depth, p.columns}, 2);
  if (!numbers && p.depth > 0) {
    x[p.rows / 2] = NAN;
    d[p.columns - 1] = INFINITY;
  }
  Array gradients({p.rows, p.columns});
  Array absent;
  {
    const crema::FloatMode flush_denormals;
    call(level, "mat_mul", threads, {&x, &d}, {&gradients}, {1, 0, 0});
  }
  const int64_t n = p.rows * p.columns;
  Array flat({n});
  for (int64_t i = 0; i < n; ++i) flat[i] = gradients[i];
  State apart(n, o.moments, masked), beside(n, o.moments, masked);
  update(level, 1, o, apart, flat);
  update(level, threads, o, beside, absent, &x, &d);
  for (size_t i = 0; i < apart.arrays.size(); ++i) {
    const bool same = numbers ? same_bits(apart.arrays[i], beside.arrays[i])
                              : same_or_both_nan(apart.arrays[i], beside.arrays[i]);
    CHECK(same && beside.arrays[i].guarded(), "%s of %dx%dx%d at level %d on %d threads%s: tensor %d differs", o.name,
          static_cast<int>(p.rows), static_cast<int>(p.columns), static_cast<int>(p.depth), level, threads,
          masked ? ", masked" : "", static_cast<int>(i));
  }
}

}  // namespace

int main() {
  const Optimizer optimizers[] = {{"sgd", 0, {}, {0.01}},
                                  {"momentum", 1, {0}, {0.01, 0.9}},
                                  {"momentum", 1, {1}, {0.01, 0.9}},
                                  {"adam", 2, {0}, {0.01, 0.9, 0.999, 1e-8}},
                                  {"adam", 2, {1}, {0.01, 0.9, 0.999, 1e-8}},
                                  {"rmsprop", 1, {}, {0.01, 0.9, 1e-8}},
                                  {"adagrad", 1, {}, {0.01, 1e-8}},
                                  {"lion", 1, {}, {0.01, 0.9, 0.99}}};
  // Whole tiles, in blocks and as one; ragged rows and columns; one row; one column; two blocks of the sum; none.
  const Product products[] = {{113, 192, 40}, {99, 32, 1},  {100, 288, 256}, {60, 64, 33},
                              {101, 45, 7},   {1, 320, 20}, {130, 1, 9},     {100, 32, 1030}, {100, 64, 0}};
  crema::pool_set_threads(5);
  for (int level : levels()) {
    for (const Optimizer& o : optimizers) {
      for (bool masked : {false, true}) check_places(level, o, masked);
    }
  }
  on_all([&](int level, int32_t threads) {
    for (const Optimizer& o : optimizers) {
      for (const Product& p : products) {
        for (bool masked : {false, true}) {
          for (bool numbers : {true, false}) check(level, threads, o, p, masked, numbers);
        }
      }
    }
  });
  return result();
}
