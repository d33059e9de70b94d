// top_k.cpp: the k greatest of each row, in descending order, and their positions; equal ones in order of
// position; NaN counts as the greatest. x [..., c] -> values [..., k], positions [..., k] int32.
// top_k_grad: positions, dy -> dx [..., c]. A heap of the best k, its worst at the root, then sorted.
#include "../move.h"

namespace crema {
namespace CREMA_ISA {
namespace {

struct Best {
  float* value;
  int32_t* position;

  // Whether element i stands after element j in the result.
  bool after(int64_t i, int64_t j) const {
    const float a = value[i], b = value[j];
    if (a < b || (a == a && b != b)) return true;
    if (a > b || (a != a && b == b)) return false;
    return position[i] > position[j];
  }
  void swap(int64_t i, int64_t j) const {
    const float v = value[i];
    const int32_t p = position[i];
    value[i] = value[j];
    position[i] = position[j];
    value[j] = v;
    position[j] = p;
  }
  void sift(int64_t i, int64_t n) const {
    for (;;) {
      int64_t child = 2 * i + 1;
      if (child >= n) return;
      if (child + 1 < n && after(child + 1, child)) ++child;
      if (!after(child, i)) return;
      swap(i, child);
      i = child;
    }
  }
};

void best_of(const float* x, int64_t n, const Best& best, int64_t k) {
  for (int64_t i = 0; i < k; ++i) {
    best.value[i] = x[i];
    best.position[i] = static_cast<int32_t>(i);
  }
  for (int64_t i = k / 2 - 1; i >= 0; --i) best.sift(i, k);
  for (int64_t i = k; i < n; ++i) {
    const float worst = best.value[0];
    if (x[i] > worst || (x[i] != x[i] && worst == worst)) {
      best.value[0] = x[i];
      best.position[0] = static_cast<int32_t>(i);
      best.sift(0, k);
    }
  }
  for (int64_t i = k - 1; i > 0; --i) {
    best.swap(0, i);
    best.sift(0, i);
  }
}

}  // namespace

CREMA_KERNEL(top_k) {
  const Tensor& x = c.in[0];
  const int64_t n = x.last(), k = c.out[0].last();
  parallel(c.threads, x.rows(), row_grain(n * 8), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      best_of(x.f32() + r * n, n, Best{c.out[0].f32() + r * k, c.out[1].i32() + r * k}, k);
    }
  });
}

CREMA_KERNEL(top_k_grad) {
  const Tensor& dx = c.out[0];
  const int64_t n = dx.last(), k = c.in[0].last();
  parallel(c.threads, dx.rows(), row_grain(n * 4), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t r = begin; r < end; ++r) {
      float* const to = dx.f32() + r * n;
      std::memset(to, 0, static_cast<size_t>(n) * sizeof(float));
      for (int64_t i = 0; i < k; ++i) to[c.in[0].i32()[r * k + i]] = c.in[1].f32()[r * k + i];
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
