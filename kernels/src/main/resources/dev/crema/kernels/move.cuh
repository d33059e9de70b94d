// move.cuh: what kernels that only move elements share. Element types are told apart by size alone; a launch description may
// take several elements of a run as one of up to 16 bytes, where addresses and sizes allow it.
#pragma once

#include "common.cuh"

struct alignas(16) Sixteen {
  u64 low, high;
};

// Defines kernels NAME_1, _2, _4, _8 and _16, for elements of that many bytes: body<T>(...).
#define CREMA_BY_SIZE(name, body, parameters, arguments)                 \
  CREMA_KERNEL(name##_1, kThreads, CREMA_LIST parameters) { body<u8> arguments; }   \
  CREMA_KERNEL(name##_2, kThreads, CREMA_LIST parameters) { body<u16> arguments; }  \
  CREMA_KERNEL(name##_4, kThreads, CREMA_LIST parameters) { body<u32> arguments; }  \
  CREMA_KERNEL(name##_8, kThreads, CREMA_LIST parameters) { body<u64> arguments; }  \
  CREMA_KERNEL(name##_16, kThreads, CREMA_LIST parameters) { body<Sixteen> arguments; }
#define CREMA_LIST(...) __VA_ARGS__

// Axes of a tensor, outermost first, and the strides of another one in elements.
struct Axes {
  i64 rank;
  i64 dim[8];
  i64 stride[8];
};

// Offset of element i of a tensor of these axes.
CREMA_DEVICE i64 offset_of(const Axes& axes, i64 i) {
  i64 at = 0;
  for (int a = static_cast<int>(axes.rank) - 1; a > 0; --a) {
    const i64 n = axes.dim[a];
    i64 next, index;
    if (i <= 0xffffffffll && n <= 0xffffffffll) {  // a division of 32 bits is several times as fast
      next = static_cast<u32>(i) / static_cast<u32>(n);
      index = static_cast<u32>(i) % static_cast<u32>(n);
    } else {
      next = i / n;
      index = i % n;
    }
    at += index * axes.stride[a];
    i = next;
  }
  return axes.rank > 0 ? at + i * axes.stride[0] : at;
}

// y[i] = x[offset of i]: y is contiguous, its axes and x's strides are `axes`.
template <typename T>
CREMA_DEVICE void copy_strided(const void* x, void* y, i64 n, const Axes& axes) {
  for (i64 i = global_thread(); i < n; i += global_threads()) {
    static_cast<T*>(y)[i] = static_cast<const T*>(x)[offset_of(axes, i)];
  }
}

// Rows of `run` elements, from_row and to_row elements apart.
template <typename T>
CREMA_DEVICE void copy_rows(const void* x, void* y, i64 rows, i64 run, i64 from_row, i64 to_row) {
  const bool small = rows * run <= 0xffffffffll;
  for (i64 i = global_thread(); i < rows * run; i += global_threads()) {
    const i64 r = small ? static_cast<u32>(i) / static_cast<u32>(run) : i / run, j = i - r * run;
    static_cast<T*>(y)[r * to_row + j] = static_cast<const T*>(x)[r * from_row + j];
  }
}
