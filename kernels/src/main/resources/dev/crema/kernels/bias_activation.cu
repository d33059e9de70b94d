// bias_activation.cu: what follows a product that a library did without it.
//   bias_activation_T: (y, bias or null, i64 rows, i64 columns, int activation): y = activation(y + bias), in place. Activations:
//     0 none, 1 relu, 2 sigmoid, 3 tanh, 4 gelu, 5 gelu by tanh, 6 silu. 256 threads; grid: any, about rows columns / 1024 blocks.
#include "elementwise.cuh"

CREMA_DEVICE float activated(float x, int activation) {
  switch (activation) {
    case 1:
      return at_least(x, 0.0f);
    case 2:
      return sigmoid_of(x);
    case 3:
      return tanhf(x);
    case 4:
      return gelu_of(x);
    case 5:
      return gelu_tanh_of(x);
    case 6:
      return silu_of(x);
    default:
      return x;
  }
}

template <typename T>
CREMA_DEVICE void bias_activation(T* y, const T* bias, i64 rows, i64 columns, int activation) {
  constexpr int kWidth = kPack<T>;
  const i64 n = rows * columns;
  const bool whole = is_aligned(y, 16), small = n <= 0xffffffffll;
  for (i64 i = kWidth * global_thread(); i < n; i += kWidth * global_threads()) {
    auto v = load<kWidth>(y + i, n - i, whole, 0.0f);
    i64 j = small ? static_cast<u32>(i) % static_cast<u32>(columns) : i % columns;
    CREMA_UNROLL
    for (int k = 0; k < kWidth; ++k) {
      v.v[k] = activated(bias != nullptr ? v.v[k] + to_float(bias[j]) : v.v[k], activation);
      j = j + 1 == columns ? 0 : j + 1;
    }
    store(y + i, v, n - i, whole);
  }
}

#define CREMA_BIAS_ACTIVATION(type, T)                                                                                     \
  CREMA_KERNEL(bias_activation_##type, kThreads, T* y, const T* bias, i64 rows, i64 columns, int activation) {             \
    bias_activation(y, bias, rows, columns, activation);                                                                   \
  }
CREMA_EACH_TYPE(CREMA_BIAS_ACTIVATION)
