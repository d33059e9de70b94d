// common.cuh: what every family of kernels uses. Compiled by nvcc, by NVRTC (so nothing of the host is included) and,
// through the emulation of the tests, by a C++ compiler.
//
// A kernel is declared by CREMA_KERNEL(name, threads, parameters ...): extern "C", at most `threads` a block, which is one
// of threads x 1 x 1 in whole warps; CREMA_KERNEL_TOGETHER(name, threads, blocks, ...) also says how many blocks of it are to find
// registers on a multiprocessor: the compiler then neither takes more nor, to fit one more block, spills some. Parameters are pointers, i64, int, float, double and plain structs.
// Shared memory is declared by CREMA_SHARED(type, name, elements), so that the emulation can put NaN into it and notice
// accesses out of its bounds.
//
// Results are the same bits whatever the grid: sums are over pieces of fixed size, added in a fixed order; no number is
// added by an atomic operation.
#pragma once

typedef long long i64;
typedef unsigned long long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;
typedef signed char s8;

#if !defined(CREMA_EMULATED)
#define CREMA_KERNEL(name, threads, ...) extern "C" __global__ void __launch_bounds__(threads) name(__VA_ARGS__)
#define CREMA_KERNEL_TOGETHER(name, threads, blocks, ...) \
  extern "C" __global__ void __launch_bounds__(threads, blocks) name(__VA_ARGS__)
#define CREMA_DEVICE static __device__ __forceinline__
#define CREMA_DEVICE_METHOD __device__ __forceinline__
#define CREMA_SHARED(type, name, n) __shared__ type name[n]
#define CREMA_SHARED_ROWS(type, name, rows, columns) __shared__ type name[rows][columns]
#define CREMA_DYNAMIC_SHARED(type, name)                  \
  extern __shared__ __align__(16) unsigned char dynamic_shared[]; \
  type* const name = reinterpret_cast<type*>(dynamic_shared)
#define CREMA_UNROLL _Pragma("unroll")
#define CREMA_UNROLL_TWICE _Pragma("unroll 2")
#endif

constexpr int kWarp = 32;
constexpr u32 kAllLanes = 0xffffffffu;
constexpr int kThreads = 256;  // of a block, where nothing speaks for another number

#define CREMA_INFINITY __int_as_float(0x7f800000)
#define CREMA_NAN __int_as_float(0x7fc00000)

// --- Which elements a thread takes -------------------------------------------------------------------------------------

CREMA_DEVICE i64 global_thread() { return static_cast<i64>(blockIdx.x) * blockDim.x + threadIdx.x; }
CREMA_DEVICE i64 global_threads() { return static_cast<i64>(gridDim.x) * blockDim.x; }
CREMA_DEVICE int lane_of_warp() { return static_cast<int>(threadIdx.x) % kWarp; }
CREMA_DEVICE int warp_of_block() { return static_cast<int>(threadIdx.x) / kWarp; }
CREMA_DEVICE int warps_of_block() { return static_cast<int>(blockDim.x) / kWarp; }

CREMA_DEVICE i64 least(i64 a, i64 b) { return a < b ? a : b; }
CREMA_DEVICE i64 most(i64 a, i64 b) { return a > b ? a : b; }

// --- Numbers -------------------------------------------------------------------------------------------------------------

// NaN wins.
CREMA_DEVICE float greater_of(float a, float b) { return a > b ? a : (a != a ? a : b); }
CREMA_DEVICE float smaller_of(float a, float b) { return a < b ? a : (a != a ? a : b); }
// x where it is greater than the constant c, else c; NaN in x stays.
CREMA_DEVICE float at_least(float x, float c) { return c > x ? c : x; }
CREMA_DEVICE float at_most(float x, float c) { return c < x ? c : x; }
CREMA_DEVICE float within(float x, float limit) { return at_most(at_least(x, -limit), limit); }
CREMA_DEVICE bool is_nan(float x) { return x != x; }

// --- Memory: four elements at a time -----------------------------------------------------------------------------------------

CREMA_DEVICE bool is_aligned(const void* p, int bytes) { return reinterpret_cast<u64>(p) % bytes == 0; }
CREMA_DEVICE float4 load4(const float* p) { return *reinterpret_cast<const float4*>(p); }
CREMA_DEVICE void store4(float* p, float4 v) { *reinterpret_cast<float4*>(p) = v; }
// The first n of four elements; the others are `rest`.
CREMA_DEVICE float4 load_some(const float* p, i64 n, float rest) {
  return make_float4(n > 0 ? p[0] : rest, n > 1 ? p[1] : rest, n > 2 ? p[2] : rest, n > 3 ? p[3] : rest);
}
CREMA_DEVICE void store_some(float* p, float4 v, i64 n) {
  if (n > 0) p[0] = v.x;
  if (n > 1) p[1] = v.y;
  if (n > 2) p[2] = v.z;
  if (n > 3) p[3] = v.w;
}
// Four elements at p, of which n are there; `whole` says that p is aligned to 16 bytes.
CREMA_DEVICE float4 load4(const float* p, i64 n, bool whole, float rest) {
  return whole && n >= 4 ? load4(p) : load_some(p, n, rest);
}
CREMA_DEVICE void store4(float* p, float4 v, i64 n, bool whole) {
  if (whole && n >= 4) {
    store4(p, v);
  } else {
    store_some(p, v, n);
  }
}

// --- Sums and extremes over a warp and a block -----------------------------------------------------------------------------

struct Plus {
  template <typename T>
  CREMA_DEVICE_METHOD T operator()(T a, T b) const {
    return a + b;
  }
};
struct Greater {  // NaN wins
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return greater_of(a, b); }
};
struct Smaller {
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return smaller_of(a, b); }
};
struct GreaterNumber {  // NaN loses
  CREMA_DEVICE_METHOD float operator()(float a, float b) const { return fmaxf(a, b); }
};

// Of all lanes, in all lanes.
template <typename T, typename Join>
CREMA_DEVICE T warp_join(T v, Join join) {
  CREMA_UNROLL
  for (int step = kWarp / 2; step > 0; step /= 2) v = join(v, __shfl_xor_sync(kAllLanes, v, step));
  return v;
}
template <typename T>
CREMA_DEVICE T warp_sum(T v) {
  return warp_join(v, Plus());
}

// Of all threads of a block, in all threads; `start` changes nothing when it is joined. A barrier before and one after:
// calls may follow one another.
template <typename T, typename Join>
CREMA_DEVICE T block_join(T v, Join join, T start) {
  CREMA_SHARED(T, of_warps, kWarp);
  v = warp_join(v, join);
  __syncthreads();
  if (lane_of_warp() == 0) of_warps[warp_of_block()] = v;
  __syncthreads();
  v = lane_of_warp() < warps_of_block() ? of_warps[lane_of_warp()] : start;
  return warp_join(v, join);
}
template <typename T>
CREMA_DEVICE T block_sum(T v) {
  return block_join(v, Plus(), T(0));
}

// --- Errors in the data ---------------------------------------------------------------------------------------------------------

// `errors` are 8-byte words, all bits set before a run. Word 0 is the smallest slot that failed; the word of a slot holds
// the first position that is wrong, above, and the value found there, saturated to 32 bits, below.
CREMA_DEVICE void report(u64* errors, int slot, i64 position, i64 value) {
  const i64 high = 0xffffffffll, low = -0x80000000ll;
  const i64 saturated = value < low ? low : value > 0x7fffffffll ? 0x7fffffffll : value;
  const u64 place = static_cast<u64>(position < high ? position : high - 1);
  atomicMin(&errors[slot], place << 32 | static_cast<u32>(static_cast<int>(saturated)));
  atomicMin(&errors[0], static_cast<u64>(slot));
}
// Whether something before failed: what would change a variable then does nothing. `errors` may be null.
CREMA_DEVICE bool has_failed(const u64* errors) { return errors != nullptr && errors[0] != ~0ull; }

// An int32 or an int64 index.
CREMA_DEVICE i64 index_at(const void* indices, int wide, i64 i) {
  return wide != 0 ? static_cast<const i64*>(indices)[i] : static_cast<i64>(static_cast<const int*>(indices)[i]);
}
