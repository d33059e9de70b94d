// elementwise.cu: element-wise operations. float32; an output may lie over an input of its shape.
//
// elementwise_NAME: one operation on operands that are as long as y or a single number: y[i] = f(a[i], ...).
//   (a, b, c, y, i64 n, int repeats, float p0, p1, p2); bit 0, 1, 2 of `repeats`: a, b, c is a single number. Operands that
//   the operation does not have are not read.
//   256 threads; grid: any, about n / 1024 blocks. Reads each operand and writes y once.
// elementwise_chain: a chain of operations in one pass: (Chain chain, i64 n). 128 threads; shared memory:
//   chain.registers x 2048 bytes; grid: any, about n / 512 blocks. Memory is read and written once whatever the length.
#include "elementwise.cuh"

CREMA_DEVICE float4 operand(const float* x, bool repeats, i64 i, i64 n, bool whole) {
  if (repeats) return make_float4(x[0], x[0], x[0], x[0]);
  return load4(x + i, n - i, whole, 0.0f);
}

template <int Operands, typename F>
CREMA_DEVICE void each(const float* a, const float* b, const float* c, float* y, i64 n, int repeats, float p0, float p1,
                       float p2) {
  const float p[3] = {p0, p1, p2};
  const bool whole = is_aligned(y, 16) && is_aligned(a, 16) && (Operands < 2 || is_aligned(b, 16)) &&
                     (Operands < 3 || is_aligned(c, 16));
  for (i64 i = 4 * global_thread(); i < n; i += 4 * global_threads()) {
    const float4 va = operand(a, repeats & 1, i, n, whole);
    const float4 vb = Operands > 1 ? operand(b, repeats & 2, i, n, whole) : va;
    const float4 vc = Operands > 2 ? operand(c, repeats & 4, i, n, whole) : va;
    store4(y + i, each_of_four(F(), va, vb, vc, p), n - i, whole);
  }
}

#define CREMA_ONE(name, operands, ...)                                                                              \
  CREMA_KERNEL(elementwise_##name, kThreads, const float* a, const float* b, const float* c, float* y, i64 n,       \
               int repeats, float p0, float p1, float p2) {                                                         \
    each<operands, operation_##name>(a, b, c, y, n, repeats, p0, p1, p2);                                           \
  }
CREMA_ELEMENTWISE_OPERATIONS(CREMA_ONE)
#undef CREMA_ONE

constexpr int kMostRegisters = 24;  // of a chain: inputs, outputs, temporaries (Fused.MAX_REGISTERS)
constexpr int kMostSteps = 96;
constexpr int kMostParameters = 4 * kMostRegisters;
constexpr int kStepParameters = 4;
constexpr int kChainThreads = 128;

// How an input of a chain is read when the output is walked in order.
struct ChainInput {
  const float* data;
  i64 period;  // 1, n, or what repeats as a whole; 0: by dim and stride
  i64 rank;
  i64 dim[8];     // of the output, axes that do not matter to this input merged
  i64 stride[8];  // 0 where it is broadcast
};
// Registers are numbered: inputs, outputs, temporaries. A step that lacks an operand has 255 there.
struct Chain {
  int ins, outs, registers, steps;
  u8 operation[kMostSteps], to[kMostSteps], a[kMostSteps], b[kMostSteps], c[kMostSteps], parameter[kMostSteps];
  float parameters[kMostParameters + kStepParameters];
  ChainInput in[kMostRegisters];
  float* out[kMostRegisters];
};

CREMA_DEVICE float strided(const ChainInput& x, i64 i) {
  i64 at = 0;
  for (int axis = static_cast<int>(x.rank) - 1; axis > 0; --axis) {
    const i64 next = i / x.dim[axis];
    at += (i - next * x.dim[axis]) * x.stride[axis];
    i = next;
  }
  return x.data[at + i * x.stride[0]];
}

CREMA_DEVICE float periodic(const ChainInput& x, i64 i, i64 n) {
  // A division of 32 bits is several times as fast.
  return x.data[n <= 0xffffffffll ? static_cast<u32>(i) % static_cast<u32>(x.period) : i % x.period];
}

CREMA_DEVICE float4 chain_operand(const ChainInput& x, i64 i, i64 n) {
  if (x.period == n || x.period == 1) return operand(x.data, x.period != n, i, n, is_aligned(x.data, 16));
  float v[4];
  CREMA_UNROLL
  for (int k = 0; k < 4; ++k) v[k] = i + k >= n ? 0.0f : x.period != 0 ? periodic(x, i + k, n) : strided(x, i + k);
  return make_float4(v[0], v[1], v[2], v[3]);
}

CREMA_DEVICE float4 operate(int operation, float4 a, float4 b, float4 c, const float* p) {
  switch (operation) {
#define CREMA_CASE(name, operands, ...) \
  case kOperation_##name:               \
    return each_of_four(operation_##name(), a, b, c, p);
    CREMA_ELEMENTWISE_OPERATIONS(CREMA_CASE)
#undef CREMA_CASE
    default:
      return make_float4(CREMA_NAN, CREMA_NAN, CREMA_NAN, CREMA_NAN);
  }
}

CREMA_KERNEL(elementwise_chain, kChainThreads, const Chain chain, i64 n) {
  CREMA_DYNAMIC_SHARED(float4, registers);  // each thread has a column of its own: nothing is shared
  float4* const own = registers + threadIdx.x;
  const int step_of_register = static_cast<int>(blockDim.x);
  for (i64 i = 4 * global_thread(); i < n; i += 4 * global_threads()) {
    for (int r = 0; r < chain.ins; ++r) own[r * step_of_register] = chain_operand(chain.in[r], i, n);
    for (int s = 0; s < chain.steps; ++s) {
      const float4 a = own[chain.a[s] * step_of_register];
      const float4 b = chain.b[s] == 255 ? a : own[chain.b[s] * step_of_register];
      const float4 c = chain.c[s] == 255 ? a : own[chain.c[s] * step_of_register];
      own[chain.to[s] * step_of_register] = operate(chain.operation[s], a, b, c, chain.parameters + chain.parameter[s]);
    }
    for (int r = 0; r < chain.outs; ++r) {
      store4(chain.out[r] + i, own[(chain.ins + r) * step_of_register], n - i, is_aligned(chain.out[r], 16));
    }
  }
}
