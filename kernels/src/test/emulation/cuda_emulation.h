// cuda_emulation.h: enough of CUDA to compile the .cu files with a C++ compiler and run them on the host, one block after
// the other, its threads as fibers. It shows what tests of kernels must show: wrong numbers, accesses out of bounds (under
// AddressSanitizer), shared memory that nobody wrote (it begins as NaN), barriers that some threads do not reach, and
// barriers that are missing: the order in which threads run between two barriers is drawn by a seed. It shows nothing of
// speed, of caches, or of how memory is ordered between blocks that run at once.
#pragma once

#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

struct dim3 {
  unsigned x, y, z;
};
struct alignas(8) float2 {
  float x, y;
};
struct alignas(16) float4 {
  float x, y, z, w;
};
struct alignas(8) int2 {
  int x, y;
};
struct alignas(16) int4 {
  int x, y, z, w;
};
struct alignas(4) uchar4 {
  unsigned char x, y, z, w;
};
struct alignas(8) ushort4 {
  unsigned short x, y, z, w;
};
struct alignas(8) uint2 {
  unsigned x, y;
};
struct alignas(16) uint4 {
  unsigned x, y, z, w;
};
inline uint2 make_uint2(unsigned x, unsigned y) { return {x, y}; }
inline uint4 make_uint4(unsigned x, unsigned y, unsigned z, unsigned w) { return {x, y, z, w}; }
inline float4 make_float4(float x, float y, float z, float w) { return {x, y, z, w}; }
inline int4 make_int4(int x, int y, int z, int w) { return {x, y, z, w}; }
inline ushort4 make_ushort4(unsigned short x, unsigned short y, unsigned short z, unsigned short w) { return {x, y, z, w}; }

namespace crema_emulation {

struct Place {
  dim3 thread, block, threads, blocks;
};
extern Place here;  // of the thread that runs now

// A kernel by name: how to call it with an array of pointers to its arguments, as cuLaunchKernel has it.
struct Kernel {
  const char* name;
  int most_threads;       // __launch_bounds__
  const char* signature;  // a letter a parameter: p pointer, l int64, i int32, f float, d double, s another plain type
  const int* sizes;       // bytes of each parameter
  int parameters;
  void (*call)(void (*function)(), void** arguments);
  void (*function)();
};
void add(const Kernel& kernel);
const Kernel* find(const char* name);
int count();
const Kernel& at(int i);

template <typename T>
constexpr char letter() {
  using U = std::remove_cv_t<T>;
  if (std::is_pointer<U>::value) return 'p';
  if (std::is_integral<U>::value) return sizeof(U) == 8 ? 'l' : 'i';
  if (std::is_same<U, float>::value) return 'f';
  if (std::is_same<U, double>::value) return 'd';
  return 's';
}

template <typename... Args>
struct Caller {
  static constexpr char signature[] = {letter<Args>()..., '\0'};
  static constexpr int sizes[] = {static_cast<int>(sizeof(Args))..., 0};
  template <std::size_t... I>
  static void call_with(void (*function)(Args...), void** arguments, std::index_sequence<I...>) {
    function(*static_cast<std::remove_cv_t<Args>*>(arguments[I])...);
  }
  static void call(void (*function)(), void** arguments) {
    call_with(reinterpret_cast<void (*)(Args...)>(function), arguments, std::index_sequence_for<Args...>());
  }
};

struct Registration {
  template <typename... Args>
  Registration(const char* name, int most_threads, void (*function)(Args...)) {
    using C = Caller<Args...>;
    add({name, most_threads, C::signature, C::sizes, static_cast<int>(sizeof...(Args)), &C::call,
         reinterpret_cast<void (*)()>(function)});
  }
};

// Runs a kernel. Returns what is wrong, empty if nothing: a kernel that is not there, too many threads, a barrier that
// some threads never reach. Seeds 0 and 1 run threads and blocks in ascending and descending order, others in an order of
// their own. One launch at a time; a second thread waits.
std::string launch(const char* kernel, dim3 grid, int threads, int shared_bytes, void** arguments, std::uint64_t seed);

void barrier(const char* file, int line);
enum class Collective { kSync, kShuffle, kBallot, kExchange };
std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t value, int source, const char* file, int line);
int lane();
// What every lane of a warp, which all call this, has at `mine`: for what a warp does as one, as a product of matrices. All must meet
// again (__syncwarp) before one of them changes what it gave.
const void* const* exchange(const void* mine, const char* file, int line);
template <typename T>
const T* const* of_warp(const T& mine, const char* file, int line) {
  return reinterpret_cast<const T* const*>(exchange(&mine, file, line));
}
// A copy to shared memory that goes on while its thread does: made at once, or as late as its thread waits for it, as is drawn: so both a
// wait that is missing and a place that others still read show. `there` bytes are read, the others become 0.
void copy_later(void* to, const void* from, int bytes, int there);
void end_group();
void wait_for_all_but(int groups);
void* shared_memory(const void* key, std::size_t bytes, std::size_t align);
void* dynamic_shared_memory();

template <typename T>
T shuffle(unsigned mask, T value, int source, const char* file, int line) {
  static_assert(sizeof(T) <= 8, "a shuffle moves at most eight bytes");
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(T));
  bits = collective(Collective::kShuffle, mask, bits, source, file, line);
  std::memcpy(&value, &bits, sizeof(T));
  return value;
}
inline int below(int lane, int width, int delta) { return (lane & (width - 1)) + delta < width ? lane + delta : lane; }
inline int above(int lane, int width, int delta) { return (lane & (width - 1)) - delta >= 0 ? lane - delta : lane; }

}  // namespace crema_emulation

#define threadIdx (crema_emulation::here.thread)
#define blockIdx (crema_emulation::here.block)
#define blockDim (crema_emulation::here.threads)
#define gridDim (crema_emulation::here.blocks)

#define __syncthreads() crema_emulation::barrier(__FILE__, __LINE__)
#define __syncwarp(...) \
  crema_emulation::collective(crema_emulation::Collective::kSync, 0xffffffffu, 0, 0, __FILE__, __LINE__)
#define __shfl_sync(mask, value, source) crema_emulation::shuffle(mask, value, (source) & 31, __FILE__, __LINE__)
#define __shfl_xor_sync(mask, value, bits) \
  crema_emulation::shuffle(mask, value, crema_emulation::lane() ^ (bits), __FILE__, __LINE__)
#define __shfl_down_sync(mask, value, delta) \
  crema_emulation::shuffle(mask, value, crema_emulation::below(crema_emulation::lane(), 32, delta), __FILE__, __LINE__)
#define __shfl_up_sync(mask, value, delta) \
  crema_emulation::shuffle(mask, value, crema_emulation::above(crema_emulation::lane(), 32, delta), __FILE__, __LINE__)
#define __ballot_sync(mask, predicate)                                                                         \
  static_cast<unsigned>(crema_emulation::collective(crema_emulation::Collective::kBallot, mask, !!(predicate), 0, \
                                                    __FILE__, __LINE__))
#define __any_sync(mask, predicate) (__ballot_sync(mask, predicate) != 0)
#define __all_sync(mask, predicate) (__ballot_sync(mask, !(predicate)) == 0)

template <typename T>
T atomicAdd(T* p, T v) {
  const T before = *p;
  *p = before + v;
  return before;
}
template <typename T>
T atomicMin(T* p, T v) {
  const T before = *p;
  if (v < before) *p = v;
  return before;
}
template <typename T>
T atomicMax(T* p, T v) {
  const T before = *p;
  if (v > before) *p = v;
  return before;
}

inline float __int_as_float(int v) {
  float f;
  std::memcpy(&f, &v, 4);
  return f;
}
inline int __float_as_int(float f) {
  int v;
  std::memcpy(&v, &f, 4);
  return v;
}
inline unsigned __float_as_uint(float f) { return static_cast<unsigned>(__float_as_int(f)); }
inline float __uint_as_float(unsigned v) { return __int_as_float(static_cast<int>(v)); }
inline unsigned __umulhi(unsigned a, unsigned b) {
  return static_cast<unsigned>((static_cast<std::uint64_t>(a) * b) >> 32);
}
// One rounding each: the compiler of the host fuses nothing (-ffp-contract=off).
inline float __fadd_rn(float a, float b) { return a + b; }
inline float __fmul_rn(float a, float b) { return a * b; }
inline float __fdiv_rn(float a, float b) { return a / b; }
inline float rsqrtf(float x) { return 1.0f / std::sqrt(x); }

// What common.cuh defines for CUDA's compilers, in the terms of the emulation.
#define CREMA_EMULATED 1
#define CREMA_KERNEL(name, threads, ...)                                                           \
  extern "C" void name(__VA_ARGS__);                                                               \
  static const crema_emulation::Registration registration_of_##name(#name, threads, &name);        \
  extern "C" void name(__VA_ARGS__)
#define CREMA_KERNEL_TOGETHER(name, threads, blocks, ...) CREMA_KERNEL(name, threads, __VA_ARGS__)
#define CREMA_DEVICE static inline
#define CREMA_DEVICE_METHOD inline
#define CREMA_SHARED(type, name, n)  \
  static const char key_of_##name{}; \
  type* const name = static_cast<type*>(crema_emulation::shared_memory(&key_of_##name, sizeof(type) * (n), alignof(type)))
#define CREMA_SHARED_ROWS(type, name, rows, columns)                                                     \
  static const char key_of_##name{};                                                                     \
  type(*const name)[columns] = static_cast<type(*)[columns]>(crema_emulation::shared_memory(            \
      &key_of_##name, sizeof(type) * (rows) * (columns), alignof(type)))
#define CREMA_DYNAMIC_SHARED(type, name) type* const name = static_cast<type*>(crema_emulation::dynamic_shared_memory())
#define CREMA_UNROLL
#define CREMA_UNROLL_TWICE
