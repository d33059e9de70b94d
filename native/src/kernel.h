// kernel.h: what a kernel sees. A kernel is a function of a Call: typed, shaped tensors in and out, its
// attributes and scratch memory. Shapes were checked by the op's rule in Java; a kernel may rely on them.
// Outputs are written whole (never accumulated into) unless the kernel's comment says otherwise.
#pragma once

#include <cstdarg>
#include <cstdint>
#include <cstdio>

#include "../include/crema.h"
#include "pool.h"

// Functions outside an instruction set's namespace: inlined everywhere, or else defined in a file that is compiled
// once. A copy compiled for AVX-512 must never serve an old processor.
#define CREMA_INLINED inline __attribute__((always_inline))

namespace crema {

struct Tensor {
  void* data = nullptr;
  int32_t type = -1;  // -1: an optional tensor that is not there
  int32_t rank = 0;
  int64_t dim[CREMA_MAX_RANK] = {};

  CREMA_INLINED bool present() const { return type >= 0; }
  CREMA_INLINED float* f32() const { return static_cast<float*>(data); }
  CREMA_INLINED int32_t* i32() const { return static_cast<int32_t*>(data); }
  template <typename T>
  CREMA_INLINED T* as() const {
    return static_cast<T*>(data);
  }
  CREMA_INLINED int64_t elements() const {
    int64_t n = 1;
    for (int i = 0; i < rank; ++i) n *= dim[i];
    return n;
  }
  CREMA_INLINED int64_t last() const { return rank == 0 ? 1 : dim[rank - 1]; }
  // Product of all extents but the last: the tensor seen as a matrix of rows.
  CREMA_INLINED int64_t rows() const {
    int64_t n = 1;
    for (int i = 0; i + 1 < rank; ++i) n *= dim[i];
    return n;
  }
};

struct Call {
  const Tensor* in = nullptr;
  const Tensor* out = nullptr;
  const int64_t* ints = nullptr;
  const double* floats = nullptr;
  int32_t ins = 0;
  int32_t outs = 0;
  int32_t int_count = 0;
  int32_t float_count = 0;
  char* scratch = nullptr;  // 64-byte aligned, as many bytes as the kernel's scratch function asked for
  int32_t threads = 1;
  char* error = nullptr;  // 256 bytes; the first byte is 0 while there is no error

  // Reports bad values in the data (an index outside its range). The run stops after this kernel.
  void fail(const char* format, ...) const;
};

using Kernel = void (*)(const Call&);
using Scratch = int64_t (*)(const Call&);  // bytes needed at this call's shapes, for call.threads threads

// Puts a kernel into the table of one instruction set. Static objects only.
struct Registration {
  Registration(int level, const char* name, Kernel kernel, Scratch scratch);
};

// Where a result lies: in the L2 cache, where fetching it ahead only costs (a sixth of a softmax of 1 MB); beyond; or so
// much that it is better written past the caches, whole vectors at a time.
enum class Place { kNear, kFar, kPast };

// Element-wise operation on n floats: y[i] = f(a[i], b[i], c[i]; parameters). y may be a, b or c, but not when it is
// written past the caches, and then it begins at a multiple of 64 bytes.
using Elementwise = void (*)(const float* a, const float* b, const float* c, float* y, int64_t n,
                             const float* parameters, Place place);
struct ElementwiseRegistration {
  ElementwiseRegistration(int level, const char* name, int arity, Elementwise function);
};
struct ElementwiseEntry {
  Elementwise function = nullptr;
  int arity = 0;
};
// The function for an operation number at a level or the next lower level that has it.
ElementwiseEntry elementwise_entry(int level, int32_t operation);

}  // namespace crema

// Instruction set of this object file: set by the build (-DCREMA_ISA=avx512 -DCREMA_LEVEL=2).
#ifndef CREMA_ISA
#define CREMA_ISA scalar
#define CREMA_LEVEL 0
#endif

#define CREMA_KERNEL_SCRATCH(name, scratch)                                                    \
  static void kernel_##name(const ::crema::Call& c);                                           \
  static const ::crema::Registration registration_##name(CREMA_LEVEL, #name, kernel_##name,    \
                                                         scratch);                             \
  static void kernel_##name(const ::crema::Call& c)

#define CREMA_KERNEL(name) CREMA_KERNEL_SCRATCH(name, nullptr)
