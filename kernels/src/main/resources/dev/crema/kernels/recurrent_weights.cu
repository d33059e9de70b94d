// recurrent_weights.cu: weights of a recurrent layer as Crema keeps them, [inputs, gates · units] with the gates beside each other, and as
// cuDNN has them in a space of its own: a matrix [units, inputs] and a bias [units] a gate, of the layer's inputs and of the state before.
//   recurrent_weights_to: (float* w, float* r, float* b or null, float* c or null, Places p, int features, int units, int gates): w
//     [features, gates units] and r [units, gates units] into the matrices, b and c [gates units] into the biases beside them; null: zeros
//   recurrent_weights_from: (Places p, float* dw, float* dr, float* db, float* dc or null, int features, int units, int gates): gradients
//     back
// 256 threads; grid: any, about gates units blocks, a block a row of the matrices. Limit: every weight is read and written once.
#include "common.cuh"

constexpr int kMostGates = 8;  // of the inputs, then of the state

struct Places {
  float *matrix[kMostGates], *bias[kMostGates];
};

// One of eight pointers, by comparisons: by its number it would be read from memory that each thread had of its own.
CREMA_DEVICE float* one_of(float* const (&all)[kMostGates], int number) {
  float* found = all[0];
  CREMA_UNROLL
  for (int i = 1; i < kMostGates; ++i) found = i == number ? all[i] : found;
  return found;
}

// [inputs] of one column of [inputs, width], and back.
CREMA_DEVICE void take_column(float* to, const float* from, int inputs, int column, i64 width) {
  CREMA_UNROLL_TWICE
  for (int i = static_cast<int>(threadIdx.x); i < inputs; i += kThreads) to[i] = from[i * width + column];
}
CREMA_DEVICE void put_column(float* to, const float* from, int inputs, int column, i64 width) {
  CREMA_UNROLL_TWICE
  for (int i = static_cast<int>(threadIdx.x); i < inputs; i += kThreads) to[i * width + column] = from[i];
}

CREMA_KERNEL(recurrent_weights_to, kThreads, const float* w, const float* r, const float* b, const float* c, const Places p, int features,
             int units, int gates) {
  const int width = gates * units;
  for (int column = static_cast<int>(blockIdx.x); column < width; column += static_cast<int>(gridDim.x)) {
    const int gate = column / units, unit = column - gate * units;
    take_column(one_of(p.matrix, gate) + static_cast<i64>(unit) * features, w, features, column, width);
    take_column(one_of(p.matrix, gates + gate) + static_cast<i64>(unit) * units, r, units, column, width);
    if (threadIdx.x == 0) {
      one_of(p.bias, gate)[unit] = b != nullptr ? b[column] : 0.0f;
      one_of(p.bias, gates + gate)[unit] = c != nullptr ? c[column] : 0.0f;
    }
  }
}

CREMA_KERNEL(recurrent_weights_from, kThreads, const Places p, float* dw, float* dr, float* db, float* dc, int features, int units,
             int gates) {
  const int width = gates * units;
  for (int column = static_cast<int>(blockIdx.x); column < width; column += static_cast<int>(gridDim.x)) {
    const int gate = column / units, unit = column - gate * units;
    put_column(dw, one_of(p.matrix, gate) + static_cast<i64>(unit) * features, features, column, width);
    put_column(dr, one_of(p.matrix, gates + gate) + static_cast<i64>(unit) * units, units, column, width);
    if (threadIdx.x == 0) {
      db[column] = one_of(p.bias, gate)[unit];
      if (dc != nullptr) dc[column] = one_of(p.bias, gates + gate)[unit];
    }
  }
}
