// elementwise_test.cpp: single operations and chains give the same bits, whatever the alignment and the way operands repeat; NaN and
// infinities; numbers to bfloat16 and back. What each operation means is checked by the Java tests of ops.
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
  const float* data;
  i64 period, rank, dim[8], stride[8];
};
struct Chain {
  int ins, outs, registers, steps;
  unsigned char operation[96], to[96], a[96], b[96], c[96], parameter[96];
  float parameters[100];
  ChainInput in[24];
  float* out[24];
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

void bfloat16_is_the_nearest() {
  Floats x(std::vector<float>{1.0f, 1.00390625f, 1.01171875f, -3.1415927f, INFINITY, NAN, 3.4e38f});
  Array<unsigned short> b(7);
  Floats y(7);
  run("f32_to_bf16", 1, 256, static_cast<const float*>(x.data()), b.data(), i64{7});
  run("bf16_to_f32", 1, 256, static_cast<const unsigned short*>(b.data()), y.data(), i64{7});
  // Halfway between two: the even one.
  const float expected[] = {1.0f, 1.0f, 1.015625f, -3.140625f, INFINITY, NAN, INFINITY};
  for (int i = 0; i < 7; ++i) CHECK(y[i] == expected[i] || (std::isnan(y[i]) && i == 5), "%g became %g", x[i], y[i]);
}

}  // namespace

int main() {
  for (const i64 n : {1, 7, 1000, 1025}) {
    chains_are_operations(n, 0);
    chains_are_operations(n, 1);
  }
  operands_repeat_along_axes();
  ends_are_limits_and_nan_stays();
  bfloat16_is_the_nearest();
  return result();
}
