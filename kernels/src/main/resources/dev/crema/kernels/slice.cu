// slice.cu: every step-th element from begin on, in each axis, and the gradient: the same elements among zeros.
//   slice_SIZE: (x, y, i64 n, Axes axes): y [n] contiguous; x is the address of the first element taken, axes are y's with
//     the strides of the steps. 256 threads; grid: any, about n / 256 blocks.
//   slice_grad_2, slice_grad_4: (dy, dx, i64 n, Part part): every element of dx [n], of so many bytes, looks for its own in dy, so that
//     dx is written once.
#include "move.cuh"

CREMA_BY_SIZE(slice, copy_strided, (const void* x, void* y, i64 n, const Axes axes), (x, y, n, axes))

// Axes of the whole, and of each where the part begins, how far its elements are apart, and how many there are.
struct Part {
  i64 rank;
  i64 dim[8], begin[8], step[8], count[8];
};

template <typename T>
CREMA_DEVICE void slice_grad(const T* dy, T* dx, i64 n, const Part& part) {
  for (i64 i = global_thread(); i < n; i += global_threads()) {
    i64 rest = i, at = 0, stride = 1;
    bool inside = true;
    for (int a = static_cast<int>(part.rank) - 1; a >= 0; --a) {
      const i64 index = rest % part.dim[a] - part.begin[a];
      rest /= part.dim[a];
      inside = inside && index >= 0 && index % part.step[a] == 0 && index / part.step[a] < part.count[a];
      at += index / part.step[a] * stride;
      stride *= part.count[a];
    }
    dx[i] = inside ? dy[at] : T(0);
  }
}

CREMA_KERNEL(slice_grad_2, kThreads, const u16* dy, u16* dx, i64 n, const Part part) { slice_grad(dy, dx, n, part); }
CREMA_KERNEL(slice_grad_4, kThreads, const u32* dy, u32* dx, i64 n, const Part part) { slice_grad(dy, dx, n, part); }
