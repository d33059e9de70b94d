// elementwise_test.cpp: single operations and chains give the same bits, whatever the alignment and the way operands repeat, and the
// nearest of those bits where tensors are stored in 16; NaN and infinities; what follows a product; numbers to bfloat16 and back. What each operation means is checked by the Java tests of ops.
#include "check.h"
#include "elementwise.cuh"

namespace {

using namespace crema_test;

#define CREMA_NAME(name, operands, ...) #name,
const char* const kNames[] = {CREMA_ELEMENTWISE_OPERATIONS(CREMA_NAME)};
#define CREMA_OPERANDS(name, operands, ...) operands,
const int kOperands[] = {CREMA_ELEMENTWISE_OPERATIONS(CREMA_OPERANDS)};
constexpr int kCount = sizeof(kOperands) / sizeof(int);

struct ChainInput {
  const void* data;
  i64 period, rank, dim[8], stride[8];
};
struct Chain {
  int ins, outs, registers, steps;
  unsigned char operation[96], to[96], a[96], b[96], c[96], parameter[96];
  unsigned char in_type[24], out_type[24];
  float parameters[100];
  ChainInput in[24];
  void* out[24];
};

void chains_are_operations(i64 n, int shift) {
  Floats a = Floats::random(n, 1, shift), b = Floats::random(n, 2), c = Floats::random(n, 3, shift);
  const float *const pa = a.data(), *const pb = b.data(), *const pc = c.data();
  for (int o = 0; o < kCount; ++o) {
    const bool scalar = o % 2 == 0;  // b is one number
    Floats y(n, shift), z(n);
    run((std::string("elementwise_") + kNames[o]).c_str(), 2, 256, pa, pb, pc, y.data(), n, scalar && n > 1 ? 2 : 0, 0.5f, 0.25f, 2.0f);
    Chain chain{};
    chain.ins = 3;
    chain.outs = 1;
    chain.registers = 5;
    chain.steps = 2;  // through a temporary
    chain.operation[0] = static_cast<unsigned char>(o);
    chain.operation[1] = 7;  // copy
    chain.to[0] = 4;
    chain.to[1] = 3;
    chain.a[1] = 4;
    chain.b[0] = kOperands[o] > 1 ? 1 : 255;
    chain.c[0] = kOperands[o] > 2 ? 2 : 255;
    chain.b[1] = chain.c[1] = 255;
    chain.parameter[0] = 1;
    chain.parameters[1] = 0.5f;
    chain.parameters[2] = 0.25f;
    chain.parameters[3] = 2.0f;
    chain.in[0] = {pa, n, 0, {}, {}};
    chain.in[1] = {pb, scalar ? 1 : n, 0, {}, {}};
    chain.in[2] = {pc, n, 0, {}, {}};
    chain.out[0] = z.data();
    run("elementwise_chain", dim3{3, 1, 1}, 128, 5 * 2048, chain, n);
    CHECK(std::memcmp(y.data(), z.data(), static_cast<std::size_t>(n) * 4) == 0, "%s of %lld", kNames[o], n);
  }
}

void operands_repeat_along_axes() {
  const i64 rows = 7, columns = 10, n = rows * columns;
  Floats x = Floats::random(n, 1), bias = Floats::random(columns, 2), scale = Floats::random(rows, 3), y(n);
  Chain chain{};
  chain.ins = 3;
  chain.outs = 1;
  chain.registers = 4;
  chain.steps = 2;
  chain.operation[0] = 2;  // mul
  chain.operation[1] = 0;  // add
  chain.to[0] = chain.to[1] = 3;
  chain.b[0] = 2;
  chain.a[1] = 3;
  chain.b[1] = 1;
  chain.c[0] = chain.c[1] = 255;
  chain.in[0] = {x.data(), n, 0, {}, {}};
  chain.in[1] = {bias.data(), columns, 2, {rows, columns}, {0, 1}};
  chain.in[2] = {scale.data(), 0, 2, {rows, columns}, {1, 0}};
  chain.out[0] = y.data();
  run("elementwise_chain", dim3{1, 1, 1}, 128, 4 * 2048, chain, n);
  for (i64 i = 0; i < n; ++i) CHECK(y[i] == x[i] * scale[i / columns] + bias[i % columns], "element %lld", i);
}

void ends_are_limits_and_nan_stays() {
  const struct {
    const char* name;
    double below, above;  // what it is far below and far above zero
  } limits[] = {{"relu", 0, INFINITY}, {"sigmoid", 0, 1}, {"tanh", -1, 1}, {"gelu", 0, INFINITY}, {"gelu_tanh", 0, INFINITY},
                {"silu", 0, INFINITY}, {"softplus", 0, INFINITY}, {"exp", 0, INFINITY}, {"erf", -1, 1}, {"hard_sigmoid", 0, 1}};
  for (const auto& l : limits) {
    Floats x(std::vector<float>{-INFINITY, INFINITY, NAN, -1e30f, 1e30f}), y(5);
    run((std::string("elementwise_") + l.name).c_str(), 1, 256, static_cast<const float*>(x.data()), static_cast<const float*>(x.data()),
        static_cast<const float*>(x.data()), y.data(), i64{5}, 0, 0.0f, 0.0f, 0.0f);
    CHECK(y[0] == l.below && y[3] == l.below, "%s of -infinity is %g", l.name, y[0]);
    CHECK(y[1] == l.above, "%s of infinity is %g", l.name, y[1]);
    CHECK(std::isnan(y[2]), "%s of NaN is %g", l.name, y[2]);
  }
}

#define CREMA_MIXED_NAME(name) #name,
const char* const kMixed[] = {CREMA_MIXED_OPERATIONS(CREMA_MIXED_NAME)};

// The same numbers as float32.
template <typename T>
Floats widened(const Array<T>& x) {
  Floats y(x.size());
  for (i64 i = 0; i < x.size(); ++i) y[i] = static_cast<float>(value_of(x[i]));
  return y;
}
template <typename T>
constexpr int type_of() {
  return std::is_same<T, float>::value ? 0 : std::is_same<T, bf16>::value ? 1 : 2;
}

// An operation on tensors of types A and B, stored as Y: the bits of float32 operands, rounded once.
template <typename A, typename B, typename Y>
void types_may_differ(i64 n, int shift) {
  Array<A> a = Array<A>::random(n, 1, shift);
  Array<B> b = Array<B>::random(n, 2);
  if (n > 9) set(a[9], NAN);
  if (n > 8) set(a[8], INFINITY);
  const Floats wide_a = widened(a), wide_b = widened(b);
  for (const char* name : kMixed) {
    int operation = 0;
    while (std::string(kNames[operation]) != name) ++operation;
    const int repeats = operation % 2 == 0 && n > 1 ? 2 : 0;  // b is one number
    Floats expected(n);
    Floats fa = wide_a, fb = wide_b;
    run((std::string("elementwise_") + name).c_str(), 2, 256, static_cast<const float*>(fa.data()), static_cast<const float*>(fb.data()),
        static_cast<const float*>(fa.data()), expected.data(), n, repeats, 0.5f, 0.25f, 2.0f);
    Array<Y> y(n, shift), z(n);
    const int types = type_of<A>() | type_of<B>() << 2 | type_of<Y>() << 6;
    run((std::string("elementwise_") + name + "_mixed").c_str(), 2, 256, static_cast<const void*>(a.data()),
        static_cast<const void*>(b.data()), static_cast<const void*>(nullptr), static_cast<void*>(y.data()), n, repeats, types, 0.5f,
        0.25f, 2.0f);
    Chain chain{};
    chain.ins = 2;
    chain.outs = 1;
    chain.registers = 4;
    chain.steps = 2;  // through a temporary
    chain.operation[0] = static_cast<unsigned char>(operation);
    chain.operation[1] = 7;  // copy
    chain.to[0] = 3;
    chain.to[1] = 2;
    chain.a[1] = 3;
    chain.b[0] = kOperands[operation] > 1 ? 1 : 255;
    chain.c[0] = chain.b[1] = chain.c[1] = 255;
    chain.in_type[0] = static_cast<unsigned char>(type_of<A>());
    chain.in_type[1] = static_cast<unsigned char>(type_of<B>());
    chain.out_type[0] = static_cast<unsigned char>(type_of<Y>());
    chain.parameters[0] = 0.5f;
    chain.parameters[1] = 0.25f;
    chain.in[0] = {a.data(), n, 0, {}, {}};
    chain.in[1] = {b.data(), repeats != 0 ? 1 : n, 0, {}, {}};
    chain.out[0] = z.data();
    run("elementwise_chain_mixed", dim3{3, 1, 1}, 64, 4 * 2048, chain, n);
    for (i64 i = 0; i < n; ++i) {
      Y nearest;
      set(nearest, expected[i]);
      const double e = value_of(nearest), v = value_of(y[i]), w = value_of(z[i]);
      CHECK(v == e || (std::isnan(v) && std::isnan(e)), "%s: element %lld is %g, expected %g", name, i, v, e);
      CHECK(w == e || (std::isnan(w) && std::isnan(e)), "chain of %s: element %lld is %g, expected %g", name, i, w, e);
    }
  }
}

// Broadcast operands of 16 bits, several outputs of different types.
void mixed_operands_repeat_along_axes() {
  const i64 rows = 7, columns = 10, n = rows * columns;
  Array<bf16> x = Array<bf16>::random(n, 1), y(n);
  Array<f16> scale = Array<f16>::random(rows, 3);
  Floats bias = Floats::random(columns, 2), z(n);
  Chain chain{};
  chain.ins = 3;
  chain.outs = 2;
  chain.registers = 5;
  chain.steps = 2;
  chain.operation[0] = 2;  // mul
  chain.operation[1] = 0;  // add
  chain.to[0] = 3;
  chain.to[1] = 4;
  chain.b[0] = 2;
  chain.a[1] = 3;
  chain.b[1] = 1;
  chain.c[0] = chain.c[1] = 255;
  chain.in_type[0] = 1;
  chain.in_type[2] = 2;
  chain.out_type[0] = 1;
  chain.in[0] = {x.data(), n, 0, {}, {}};
  chain.in[1] = {bias.data(), columns, 2, {rows, columns}, {0, 1}};
  chain.in[2] = {scale.data(), 0, 2, {rows, columns}, {1, 0}};
  chain.out[0] = y.data();
  chain.out[1] = z.data();
  run("elementwise_chain_mixed", dim3{1, 1, 1}, 64, 5 * 2048, chain, n);
  for (i64 i = 0; i < n; ++i) {
    const float product = to_float(x[i]) * to_float(scale[i / columns]);
    bf16 rounded;
    set(rounded, product);
    CHECK(y[i].bits == rounded.bits, "element %lld of the product", i);
    CHECK(z[i] == product + bias[i % columns], "element %lld of the sum", i);  // of the product that was not rounded
  }
}

template <typename T>
void what_follows_a_product_matches(i64 rows, i64 columns, int shift) {
  Array<T> product = Array<T>::random(rows * columns, 1, shift), bias = Array<T>::random(columns, 2);
  for (i64 i = 0; i < product.size(); ++i) set(product[i], static_cast<float>(4 * value_of(product[i])));
  double (*const activations[])(double) = {[](double x) { return x; },
                                           [](double x) { return x > 0 ? x : 0; },
                                           [](double x) { return 1 / (1 + std::exp(-x)); },
                                           [](double x) { return std::tanh(x); },
                                           [](double x) { return 0.5 * x * std::erfc(-x / std::sqrt(2.0)); },
                                           [](double x) { return x / (1 + std::exp(-1.5957691216057308 * (x + 0.044715 * x * x * x))); },
                                           [](double x) { return x / (1 + std::exp(-x)); }};
  for (int a = 0; a < 7; ++a) {
    for (const bool biased : {false, true}) {
      Doubles expected = product.doubles();
      for (i64 i = 0; i < rows * columns; ++i) expected[i] = activations[a](expected[i] + (biased ? value_of(bias[i % columns]) : 0));
      Array<T> y = product;
      run((std::string("bias_activation") + Stored<T>::name).c_str(), 2, 256, y.data(),
          biased ? static_cast<const T*>(bias.data()) : nullptr, rows, columns, a);
      compare("bias and activation", y, expected, 2e-6);
    }
  }
}

void conversions_are_copies(i64 n, int shift) {
  Floats x = Floats::random(n, 1, shift), back(n);
  if (n > 1) x[1] = NAN;
  Array<bf16> b(n, shift);
  run("f32_to_bf16", 2, 256, static_cast<const float*>(x.data()), b.data(), n);
  run("bf16_to_f32", 2, 256, static_cast<const bf16*>(b.data()), back.data(), n);
  for (i64 i = 0; i < n; ++i) {
    CHECK(b[i].bits == bf16_bits(x[i]), "element %lld", i);
    CHECK(back[i] == to_float(b[i]) || (i == 1 && std::isnan(back[i])), "element %lld, back", i);
  }
}

}  // namespace

int main() {
  for (const i64 n : {1, 7, 1025}) {
    chains_are_operations(n, 0);
    chains_are_operations(n, 1);
  }
  operands_repeat_along_axes();
  ends_are_limits_and_nan_stays();
  for (const i64 n : {1, 13, 520}) {
    types_may_differ<bf16, bf16, bf16>(n, 0);
    types_may_differ<f16, f16, f16>(n, 1);
    types_may_differ<float, bf16, f16>(n, 0);
    types_may_differ<bf16, float, float>(n, 0);
  }
  mixed_operands_repeat_along_axes();
  what_follows_a_product_matches<float>(5, 7, 0);
  what_follows_a_product_matches<bf16>(3, 16, 0);
  what_follows_a_product_matches<bf16>(3, 5, 1);
  what_follows_a_product_matches<f16>(9, 13, 0);
  for (const i64 n : {1, 37, 600}) conversions_are_copies(n, static_cast<int>(n % 2));
  return result();
}
