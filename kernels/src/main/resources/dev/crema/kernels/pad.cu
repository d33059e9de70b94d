// pad.cu: elements before and after each axis: a value (mode 0), the mirrored inside without the border itself (1) or the border
// repeated (2); and the gradient of the latter two. Tensors are stored as T.
//   pad_T: (x, y, i64 n, Padding p, float value): y [n]. 256 threads; grid: any, about n / 256 blocks.
//   pad_grad_T: (dy, dx, i64 n, Padding p): every element of dx [n] sums what was read from it, in the order of the padded elements.
#include "storage.cuh"

struct Padding {
  i64 rank, mode;
  i64 inside[8], before[8], padded[8];  // extents of x, elements put before, extents of y
};

// Where padded position i of an axis of n reads from; -1 for the value.
CREMA_DEVICE i64 source(i64 i, i64 before, i64 n, i64 mode) {
  i -= before;
  if (i >= 0 && i < n) return i;
  if (mode == 0) return -1;
  if (mode == 2) return i < 0 ? 0 : n - 1;
  return i < 0 ? -i : 2 * (n - 1) - i;
}

template <typename T>
CREMA_DEVICE void pad(const T* x, T* y, i64 n, const Padding& p, float value) {
  for (i64 i = global_thread(); i < n; i += global_threads()) {
    i64 rest = i, at = 0, stride = 1;
    bool inside = true;
    for (int a = static_cast<int>(p.rank) - 1; a >= 0; --a) {
      const i64 from = source(rest % p.padded[a], p.before[a], p.inside[a], p.mode);
      rest /= p.padded[a];
      inside = inside && from >= 0;
      at += from * stride;
      stride *= p.inside[a];
    }
    put(y + i, inside ? to_float(x[at]) : value);
  }
}

// The padded positions that read from position s of an axis, ascending: `count` of them, the first at first, and so on.
struct Readers {
  i64 first, second, third;
  i64 count;  // at most three where the inside is mirrored; all from first on where the border is repeated
};
CREMA_DEVICE Readers readers_of(i64 s, i64 before, i64 n, i64 padded, i64 mode) {
  if (mode == 2) {
    const i64 from = s == 0 ? 0 : before + s, to = s == n - 1 ? padded : before + s + 1;
    return {from, from + 1, from + 2, to - from};
  }
  i64 at[3];
  int count = 0;
  if (s >= 1 && s <= before) at[count++] = before - s;
  at[count++] = before + s;
  const i64 mirrored = before + 2 * (n - 1) - s;
  if (s < n - 1 && mirrored < padded) at[count++] = mirrored;
  return {at[0], count > 1 ? at[1] : 0, count > 2 ? at[2] : 0, count};
}
CREMA_DEVICE i64 reader(const Readers& r, i64 i, i64 mode) {
  return mode == 2 ? r.first + i : i == 0 ? r.first : i == 1 ? r.second : r.third;
}

template <typename T>
CREMA_DEVICE void pad_grad(const T* dy, T* dx, i64 n, const Padding& p) {
  const int rank = static_cast<int>(p.rank);
  for (i64 i = global_thread(); i < n; i += global_threads()) {
    Readers of[8];
    i64 turn[8];
    i64 rest = i;
    for (int a = rank - 1; a >= 0; --a) {
      of[a] = readers_of(rest % p.inside[a], p.before[a], p.inside[a], p.padded[a], p.mode);
      rest /= p.inside[a];
      turn[a] = 0;
    }
    float sum = 0.0f;
    for (bool more = true; more;) {
      i64 at = 0;
      for (int a = 0; a < rank; ++a) at = at * p.padded[a] + reader(of[a], turn[a], p.mode);
      sum += to_float(dy[at]);
      int a = rank - 1;
      while (a >= 0 && ++turn[a] == of[a].count) turn[a--] = 0;
      more = a >= 0;
    }
    put(dx + i, sum);
  }
}

#define CREMA_PADS(type, T)                                                                                                \
  CREMA_KERNEL(pad_##type, kThreads, const T* x, T* y, i64 n, const Padding p, float value) { pad(x, y, n, p, value); }    \
  CREMA_KERNEL(pad_grad_##type, kThreads, const T* dy, T* dx, i64 n, const Padding p) { pad_grad(dy, dx, n, p); }
CREMA_EACH_TYPE(CREMA_PADS)
