// pooling.cu: max and average pooling, channels last. The maximum of a window with a NaN is NaN; padding never wins and, in
// averages, is zero. A thread an output; neighbours in a warp are neighbouring channels. 256 threads; grid: any, about outputs / 256.
//   max_pool2d, average_pool2d: (x, y, Pool p); max_pool2d_u8: of unsigned bytes
// Gradients: every input looks for the windows over it, in their order, so that dx is written once. A thread an input.
//   max_pool2d_grad: (x, y, dy, dx, Pool p): dy flows to the first of a window's maxima in row-major order (NaN counts as the maximum)
//   average_pool2d_grad: (dy, dx, Pool p)
#include "pooling.cuh"

CREMA_KERNEL(max_pool2d, kThreads, const float* x, float* y, const Pool p) {
  for (i64 i = global_thread(); i < pool_outputs(p); i += global_threads()) {
    float m = -CREMA_INFINITY;
    each_input(p, pixel_of(i, p.rows.outputs, p.columns.outputs, p.channels), [&](i64 at) { m = greater_of(m, x[at]); });
    y[i] = m;
  }
}

CREMA_KERNEL(max_pool2d_u8, kThreads, const u8* x, u8* y, const Pool p) {
  for (i64 i = global_thread(); i < pool_outputs(p); i += global_threads()) {
    u8 m = 0;
    each_input(p, pixel_of(i, p.rows.outputs, p.columns.outputs, p.channels), [&](i64 at) { m = x[at] > m ? x[at] : m; });
    y[i] = m;
  }
}

CREMA_KERNEL(average_pool2d, kThreads, const float* x, float* y, const Pool p) {
  for (i64 i = global_thread(); i < pool_outputs(p); i += global_threads()) {
    const Pixel o = pixel_of(i, p.rows.outputs, p.columns.outputs, p.channels);
    float sum = 0.0f;
    each_input(p, o, [&](i64 at) { sum += x[at]; });
    y[i] = sum * window_weight(p, o.y, o.x);
  }
}

// Whether element `at` is the first of the window's maxima.
CREMA_DEVICE bool is_first_maximum(const float* x, float maximum, const Pool& p, const Pixel& o, i64 at) {
  if (x[at] != maximum && !is_nan(x[at])) return false;
  bool first = true;
  each_input(p, o, [&](i64 other) {
    if (other < at && (x[other] == maximum || is_nan(x[other]))) first = false;
  });
  return first;
}

CREMA_KERNEL(max_pool2d_grad, kThreads, const float* x, const float* y, const float* dy, float* dx, const Pool p) {
  for (i64 i = global_thread(); i < pool_inputs(p); i += global_threads()) {
    const Pixel in = pixel_of(i, p.rows.inputs, p.columns.inputs, p.channels);
    float sum = 0.0f;
    for (i64 oy = first_window(p.rows, in.y); oy <= last_window(p.rows, in.y); ++oy) {
      for (i64 ox = first_window(p.columns, in.x); ox <= last_window(p.columns, in.x); ++ox) {
        const i64 o = ((in.image * p.rows.outputs + oy) * p.columns.outputs + ox) * p.channels + in.channel;
        if (is_first_maximum(x, y[o], p, {in.image, oy, ox, in.channel}, i)) sum += dy[o];
      }
    }
    dx[i] = sum;
  }
}

CREMA_KERNEL(average_pool2d_grad, kThreads, const float* dy, float* dx, const Pool p) {
  for (i64 i = global_thread(); i < pool_inputs(p); i += global_threads()) {
    const Pixel in = pixel_of(i, p.rows.inputs, p.columns.inputs, p.channels);
    float sum = 0.0f;
    for (i64 oy = first_window(p.rows, in.y); oy <= last_window(p.rows, in.y); ++oy) {
      for (i64 ox = first_window(p.columns, in.x); ox <= last_window(p.columns, in.x); ++ox) {
        const i64 o = ((in.image * p.rows.outputs + oy) * p.columns.outputs + ox) * p.channels + in.channel;
        sum += dy[o] * window_weight(p, oy, ox);
      }
    }
    dx[i] = sum;
  }
}
