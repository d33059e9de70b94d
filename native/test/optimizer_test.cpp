// Updates of parameters beside the product that makes their gradients: every bit as by the product and a sweep of its
// results, for all optimizers, with weight decay, masks and numbers that are none, on every instruction set.
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

// Either by the gradients or by the factors of their product.
void update(int level, int32_t threads, const Optimizer& o, State& s, Array& gradients, Array& hyper, Array* x,
            Array* d) {
  Array none;
  std::vector<Array*> in{&s.arrays[0], x == nullptr ? &gradients : &none};
  for (int i = 1; i <= o.moments; ++i) in.push_back(&s.arrays[static_cast<size_t>(i)]);
  in.insert(in.end(), {&hyper, &none, &s.mask});
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

void check(int level, int32_t threads, const Optimizer& o, const Product& p, bool masked, bool numbers) {
  Array x = Array::random({p.depth, p.rows}, 1), d = Array::random({p.depth, p.columns}, 2);
  if (!numbers && p.depth > 0) {
    x[p.rows / 2] = NAN;
    d[p.columns - 1] = INFINITY;
  }
  Array hyper = Array({4});
  hyper[0] = 1e-2f, hyper[1] = 3, hyper[2] = 0.271f, hyper[3] = 0.003f;
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
  update(level, 1, o, apart, flat, hyper, nullptr, nullptr);
  update(level, threads, o, beside, absent, hyper, &x, &d);
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
