// cast_all.cu: many float32 tensors stored in 16 bits by one launch: the weights of a model at the beginning of a step.
//   cast_all_bf16, cast_all_f16: (Tensors): 256 threads, a piece of kPiece numbers of one tensor a block; grid: any, about as many as
//     there are pieces. Addresses of any alignment of their elements; no tensor is empty.
#include "storage.cuh"

constexpr int kMostTensors = 96;
constexpr i64 kPiece = 8192;

struct Tensors {
  i64 count;
  const float* x[kMostTensors];
  void* y[kMostTensors];
  i64 n[kMostTensors];
  i64 end[kMostTensors];  // pieces up to the end of the tensor
};

template <typename T>
CREMA_DEVICE void cast_all(const Tensors& all) {
  constexpr int kWidth = 8;
  for (i64 piece = blockIdx.x; piece < all.end[all.count - 1]; piece += gridDim.x) {
    i64 at = 0, last = all.count - 1;  // the first tensor that ends behind the piece
    while (at < last) {
      const i64 middle = (at + last) / 2;
      if (all.end[middle] > piece) {
        last = middle;
      } else {
        at = middle + 1;
      }
    }
    const i64 from = (at == 0 ? piece : piece - all.end[at - 1]) * kPiece;
    const i64 left = all.n[at] - from, n = left < kPiece ? left : kPiece;
    const float* const x = all.x[at] + from;
    T* const y = static_cast<T*>(all.y[at]) + from;
    const bool whole = is_aligned(x, 16) && is_aligned(y, 16);
    for (i64 i = kWidth * static_cast<i64>(threadIdx.x); i < n; i += kWidth * static_cast<i64>(blockDim.x)) {
      store(y + i, load<kWidth>(x + i, n - i, whole, 0.0f), n - i, whole);
    }
  }
}

CREMA_KERNEL(cast_all_bf16, kThreads, Tensors all) { cast_all<bf16>(all); }
CREMA_KERNEL(cast_all_f16, kThreads, Tensors all) { cast_all<f16>(all); }
