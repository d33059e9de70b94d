// bias_activation.cu: what follows a product that a library did without it.
//   bias_activation_f32: (y, bias or null, i64 rows, i64 columns, int activation): y = activation(y + bias), in place. Activations:
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

CREMA_KERNEL(bias_activation_f32, kThreads, float* y, const float* bias, i64 rows, i64 columns, int activation) {
  const i64 n = rows * columns;
  const bool whole = is_aligned(y, 16), small = n <= 0xffffffffll;
  for (i64 i = 4 * global_thread(); i < n; i += 4 * global_threads()) {
    const float4 v = load4(y + i, n - i, whole, 0.0f);
    const auto of = [=](float x, i64 at) {
      if (bias != nullptr && at < n) x += bias[small ? static_cast<u32>(at) % static_cast<u32>(columns) : at % columns];
      return activated(x, activation);
    };
    store4(y + i, make_float4(of(v.x, i), of(v.y, i + 1), of(v.z, i + 2), of(v.w, i + 3)), n - i, whole);
  }
}
