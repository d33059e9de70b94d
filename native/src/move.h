// move.h: what kernels that only move elements share: sizes of elements, copies of short and long
// runs, zeros, indices of either integer type. Element types are told apart by size alone.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

constexpr int64_t kMoveGrain = 1 << 16;  // bytes worth waking another thread for

CREMA_INLINE int64_t element_bytes(int32_t type) {
  switch (type) {
    case CREMA_INT64: return 8;
    case CREMA_FLOAT32:
    case CREMA_INT32: return 4;
    case CREMA_BFLOAT16:
    case CREMA_FLOAT16: return 2;
    default: return 1;
  }
}

// Copies that do not overlap. Short runs of one element do not pay for a call.
CREMA_INLINE void copy_run(char* to, const char* from, int64_t bytes) {
  if (bytes == 4) {
    std::memcpy(to, from, 4);
  } else if (bytes == 8) {
    std::memcpy(to, from, 8);
  } else {
    std::memcpy(to, from, static_cast<size_t>(bytes));
  }
}

// Product of the extents of axes [from, to).
CREMA_INLINE int64_t extent(const Tensor& t, int from, int to) {
  int64_t n = 1;
  for (int a = from; a < to; ++a) n *= t.dim[a];
  return n;
}

// Rows worth a thread when each row moves that many bytes.
CREMA_INLINE int64_t row_grain(int64_t bytes) { return bytes >= kMoveGrain ? 1 : kMoveGrain / (bytes < 1 ? 1 : bytes); }

// y[i] += x[i]; they do not overlap.
CREMA_INLINE void add_run(float* y, const float* x, int64_t n) {
  int64_t i = 0;
  for (; i + W <= n; i += W) store(y + i, load(y + i) + load(x + i));
  for (; i < n; ++i) y[i] += x[i];
}

CREMA_INLINE void zero(char* data, int64_t bytes, int32_t threads) {
  parallel(threads, bytes, kMoveGrain, [&](int64_t begin, int64_t end, int64_t) {
    std::memset(data + begin, 0, static_cast<size_t>(end - begin));
  });
}

// An int32 or int64 index.
CREMA_INLINE int64_t index_at(const Tensor& t, int64_t i) {
  return t.type == CREMA_INT64 ? t.as<int64_t>()[i] : static_cast<int64_t>(t.i32()[i]);
}

// Reports the first index outside [0, bound); looked for before any thread starts, so that it is the
// same one every time.
CREMA_INLINE bool indices_fit(const Call& c, const Tensor& indices, int64_t bound) {
  const int64_t n = indices.elements();
  for (int64_t i = 0; i < n; ++i) {
    const int64_t value = index_at(indices, i);
    if (value < 0 || value >= bound) {
      c.fail("index %lld at position %lld is outside [0, %lld)", static_cast<long long>(value),
             static_cast<long long>(i), static_cast<long long>(bound));
      return false;
    }
  }
  return true;
}

}  // namespace CREMA_ISA
}  // namespace crema
