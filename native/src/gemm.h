// gemm.h: the matrix product behind matmul, linear, convolution and recurrent layers. Compiled per ISA.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

enum Activation { kNone = 0, kRelu = 1, kSigmoid = 2, kTanh = 3, kGelu = 4, kGeluTanh = 5, kSilu = 6 };

// Takes C a block at a time as soon as it is summed, on the thread that summed it, instead of its being stored.
struct Taker {
  // `c` are rows x columns, `step` apart, which belong where `at` says: so many floats from C's first.
  void (*take)(const Taker& self, const float* c, int64_t step, int64_t at, int64_t rows, int64_t columns);
  const float* home;       // C's first element would be here; the product only asks for what is there
  const float* beside[3];  // what else is read then, laid out as C; null: no more
};

// C[m, n] = activation(op(A)[m, k] op(B)[k, n] (+ C when accumulate) + bias[n]); row-major, ld* in
// floats. trans_a: A is stored [k, m]; trans_b: B is stored [n, k]. C must not overlap A or B.
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  bool trans_a = false;
  const float* b = nullptr;
  int64_t ldb = 0;
  bool trans_b = false;
  const float* packed_b = nullptr;  // the same as pack_weights leaves it, or null; ldb 0: there is nothing else, and m > 4
  bool bf16 = false;                // A and B are rounded to bfloat16, and multiplied as such where the processor can
  float* c = nullptr;
  int64_t ldc = 0;
  const Taker* taker = nullptr;  // where gives_blocks; c is its home
  bool accumulate = false;
  const float* bias = nullptr;  // n floats or null
  Activation activation = kNone;
};

// Bytes of scratch memory (64-byte aligned) that gemm needs for a product of up to m rows, n columns and k steps on one
// thread.
int64_t gemm_scratch(int64_t m, int64_t n, int64_t k);
// On the calling thread.
void gemm(const Gemm& g, char* scratch);

// op(B)[k, n] in the order in which the product reads it, for B that many products share: packed_floats(n, k) floats,
// 64-byte aligned.
int64_t packed_floats(int64_t n, int64_t k);
void pack_weights(const float* b, int64_t ldb, bool trans, int64_t n, int64_t k, float* packed);
// The same, row-major B as bfloat16: packed_floats(n, (k + 1) / 2) floats of room.
void pack_weights_bf16(const float* b, int64_t ldb, int64_t n, int64_t k, float* packed);

// gemm on up to `threads` threads of the pool; not from inside a parallel loop.
int64_t gemm_parallel_scratch(int64_t m, int64_t n, int64_t k, int32_t threads);
void gemm_parallel(const Gemm& g, char* scratch, int32_t threads);

// Whether a product can give C to a taker: A is transposed, B not, its rows whole tiles, and k one block. Bytes that it
// needs beside gemm_parallel_scratch.
bool gives_blocks(const Gemm& g);
int64_t taken_scratch(int32_t threads);

// y = activation(y), n floats.
void apply_activation(Activation activation, float* y, int64_t n);

}  // namespace CREMA_ISA
}  // namespace crema
