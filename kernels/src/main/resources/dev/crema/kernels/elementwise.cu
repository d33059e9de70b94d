// elementwise.cu: element-wise operations; an output may lie over an input of its shape and type. They are computed in float32; each operand
// and each output may be stored in 16 bits.
//
// elementwise_NAME: one operation on operands of float32 that are as long as y or a single number: y[i] = f(a[i], ...).
//   (a, b, c, y, i64 n, int repeats, float p0, p1, p2); bit 0, 1, 2 of `repeats`: a, b, c is a single number. Operands that
//   the operation does not have are not read.
//   256 threads; grid: any, about n / 1024 blocks. Reads each operand and writes y once.
// elementwise_NAME_mixed: the same of operands of any types, for the operations that CREMA_MIXED_OPERATIONS lists: (a, b, c, y, i64 n,
//   int repeats, int types, float p0, p1, p2); two bits of `types` each, from the lowest on: those of a, b, c, y (Stored).
// elementwise_chain, elementwise_chain_mixed: a chain of operations in one pass, of float32 or of any types: (Chain chain, i64 n).
//   128 or 64 threads; shared memory: chain.registers x 2048 bytes; grid: any, about n / 512 blocks. Memory is read and written once
//   whatever the length.
#include "elementwise.cuh"

// How a tensor is stored: Java's ElementType.id().
enum Stored : int { kFloat32, kBfloat16, kFloat16 };

template <int N>
CREMA_DEVICE Numbers<N> load_stored(const void* x, int type, i64 i, i64 left, bool whole) {
  switch (type) {
    case kBfloat16:
      return load<N>(static_cast<const bf16*>(x) + i, left, whole, 0.0f);
    case kFloat16:
      return load<N>(static_cast<const f16*>(x) + i, left, whole, 0.0f);
    default:
      return load<N>(static_cast<const float*>(x) + i, left, whole, 0.0f);
  }
}
template <int N>
CREMA_DEVICE void store_stored(void* y, int type, i64 i, const Numbers<N>& v, i64 left, bool whole) {
  switch (type) {
    case kBfloat16:
      return store(static_cast<bf16*>(y) + i, v, left, whole);
    case kFloat16:
      return store(static_cast<f16*>(y) + i, v, left, whole);
    default:
      return store(static_cast<float*>(y) + i, v, left, whole);
  }
}
CREMA_DEVICE float number_at(const void* x, int type, i64 i) {
  switch (type) {
    case kBfloat16:
      return to_float(static_cast<const bf16*>(x)[i]);
    case kFloat16:
      return to_float(static_cast<const f16*>(x)[i]);
    default:
      return static_cast<const float*>(x)[i];
  }
}

template <int N>
CREMA_DEVICE Numbers<N> operand(const void* x, int type, bool repeats, i64 i, i64 n, bool whole) {
  return repeats ? all_of<N>(number_at(x, type, 0)) : load_stored<N>(x, type, i, n - i, whole);
}

// `types` is a constant where all are float32: then no other type is compiled.
template <int N, int Operands, typename F>
CREMA_DEVICE void each(const void* a, const void* b, const void* c, void* y, i64 n, int repeats, int types, float p0, float p1,
                       float p2) {
  const float p[3] = {p0, p1, p2};
  const bool whole = is_aligned(y, 16) && is_aligned(a, 16) && (Operands < 2 || is_aligned(b, 16)) &&
                     (Operands < 3 || is_aligned(c, 16));
  for (i64 i = N * global_thread(); i < n; i += N * global_threads()) {
    Numbers<N> v = operand<N>(a, types & 3, (repeats & 1) != 0, i, n, whole);
    const Numbers<N> vb = Operands > 1 ? operand<N>(b, types >> 2 & 3, (repeats & 2) != 0, i, n, whole) : v;
    const Numbers<N> vc = Operands > 2 ? operand<N>(c, types >> 4 & 3, (repeats & 4) != 0, i, n, whole) : v;
    CREMA_UNROLL
    for (int k = 0; k < N; ++k) v.v[k] = F()(v.v[k], vb.v[k], vc.v[k], p);
    store_stored(y, types >> 6 & 3, i, v, n - i, whole);
  }
}

#define CREMA_ONE(name, operands, ...)                                                                              \
  CREMA_KERNEL(elementwise_##name, kThreads, const float* a, const float* b, const float* c, float* y, i64 n,       \
               int repeats, float p0, float p1, float p2) {                                                         \
    each<4, operands, operation_##name>(a, b, c, y, n, repeats, 0, p0, p1, p2);                                     \
  }
CREMA_ELEMENTWISE_OPERATIONS(CREMA_ONE)
#undef CREMA_ONE

#define CREMA_ONE_MIXED(name)                                                                                           \
  CREMA_KERNEL(elementwise_##name##_mixed, kThreads, const void* a, const void* b, const void* c, void* y, i64 n,       \
               int repeats, int types, float p0, float p1, float p2) {                                                  \
    each<8, operation_##name::kOperands, operation_##name>(a, b, c, y, n, repeats, types, p0, p1, p2);                  \
  }
CREMA_MIXED_OPERATIONS(CREMA_ONE_MIXED)
#undef CREMA_ONE_MIXED

constexpr int kMostRegisters = 24;  // of a chain: inputs, outputs, temporaries (Fused.MAX_REGISTERS)
constexpr int kMostSteps = 96;
constexpr int kMostParameters = 4 * kMostRegisters;
constexpr int kStepParameters = 4;
constexpr int kChainThreads = 128;
constexpr int kMixedChainThreads = 64;  // of twice as many elements

// How an input of a chain is read when the output is walked in order.
struct ChainInput {
  const void* data;
  i64 period;  // 1, n, or what repeats as a whole; 0: by dim and stride
  i64 rank;
  i64 dim[8];     // of the output, axes that do not matter to this input merged
  i64 stride[8];  // 0 where it is broadcast
};
// Registers are numbered: inputs, outputs, temporaries. A step that lacks an operand has 255 there.
struct Chain {
  int ins, outs, registers, steps;
  u8 operation[kMostSteps], to[kMostSteps], a[kMostSteps], b[kMostSteps], c[kMostSteps], parameter[kMostSteps];
  u8 in_type[kMostRegisters], out_type[kMostRegisters];  // Stored
  float parameters[kMostParameters + kStepParameters];
  ChainInput in[kMostRegisters];
  void* out[kMostRegisters];
};

CREMA_DEVICE i64 strided(const ChainInput& x, i64 i) {
  i64 at = 0;
  for (int axis = static_cast<int>(x.rank) - 1; axis > 0; --axis) {
    const i64 next = i / x.dim[axis];
    at += (i - next * x.dim[axis]) * x.stride[axis];
    i = next;
  }
  return at + i * x.stride[0];
}

CREMA_DEVICE i64 periodic(const ChainInput& x, i64 i, i64 n) {
  // A division of 32 bits is several times as fast.
  return n <= 0xffffffffll ? static_cast<u32>(i) % static_cast<u32>(x.period) : i % x.period;
}

template <int N>
CREMA_DEVICE Numbers<N> chain_operand(const ChainInput& x, int type, i64 i, i64 n) {
  if (x.period == n || x.period == 1) return operand<N>(x.data, type, x.period != n, i, n, is_aligned(x.data, 16));
  Numbers<N> v;
  CREMA_UNROLL
  for (int k = 0; k < N; ++k) {
    v.v[k] = i + k >= n ? 0.0f : number_at(x.data, type, x.period != 0 ? periodic(x, i + k, n) : strided(x, i + k));
  }
  return v;
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

// A thread takes N elements; its registers, fours of them, are a column of its own: nothing is shared.
template <int N, bool Mixed>
CREMA_DEVICE void walk(const Chain& chain, i64 n, float4* shared) {
  constexpr int kFours = N / 4;
  const int threads = static_cast<int>(blockDim.x);
  float4* const own = shared + threadIdx.x;
  const auto at = [=](int r, int four) { return own + (r * kFours + four) * threads; };
  for (i64 i = N * global_thread(); i < n; i += N * global_threads()) {
    for (int r = 0; r < chain.ins; ++r) {
      const Numbers<N> v = chain_operand<N>(chain.in[r], Mixed ? chain.in_type[r] : 0, i, n);
      CREMA_UNROLL
      for (int f = 0; f < kFours; ++f) *at(r, f) = make_float4(v.v[4 * f], v.v[4 * f + 1], v.v[4 * f + 2], v.v[4 * f + 3]);
    }
    for (int t = 0; t < chain.steps * kFours; ++t) {
      const int s = t / kFours, f = t % kFours;
      const float4 a = *at(chain.a[s], f);
      const float4 b = chain.b[s] == 255 ? a : *at(chain.b[s], f);
      const float4 c = chain.c[s] == 255 ? a : *at(chain.c[s], f);
      *at(chain.to[s], f) = operate(chain.operation[s], a, b, c, chain.parameters + chain.parameter[s]);
    }
    for (int r = 0; r < chain.outs; ++r) {
      Numbers<N> v;
      CREMA_UNROLL
      for (int f = 0; f < kFours; ++f) {
        const float4 four = *at(chain.ins + r, f);
        v.v[4 * f] = four.x, v.v[4 * f + 1] = four.y, v.v[4 * f + 2] = four.z, v.v[4 * f + 3] = four.w;
      }
      store_stored(chain.out[r], Mixed ? chain.out_type[r] : 0, i, v, n - i, is_aligned(chain.out[r], 16));
    }
  }
}

CREMA_KERNEL(elementwise_chain, kChainThreads, const Chain chain, i64 n) {
  CREMA_DYNAMIC_SHARED(float4, registers);
  walk<4, false>(chain, n, registers);
}
CREMA_KERNEL(elementwise_chain_mixed, kMixedChainThreads, const Chain chain, i64 n) {
  CREMA_DYNAMIC_SHARED(float4, registers);
  walk<8, true>(chain, n, registers);
}
