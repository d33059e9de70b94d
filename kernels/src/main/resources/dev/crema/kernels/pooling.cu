// pooling.cu: max and average pooling of tensors stored as T, channels last. The maximum of a window with a NaN is NaN; padding never
// wins and, in averages, is zero. A thread an output of as many adjoining channels as 16 bytes hold, or of one where their number is
// no multiple of that or a pointer is not aligned. 256 threads; grid: any, about outputs / 256.
//   max_pool2d_T, average_pool2d_T: (x, y, Pool p); max_pool2d_u8: of unsigned bytes
// Gradients: every input looks for the windows over it, in their order, so that dx is written once. A thread an input, as above.
//   max_pool2d_grad_T: (x, y, dy, dx, Pool p): dy flows to the first of a window's maxima in row-major order (NaN counts as the maximum)
//   average_pool2d_grad_T: (dy, dx, Pool p)
#include "pooling.cuh"
#include "rows.cuh"

// Calls f(first element, how many adjoining channels) for the elements of this thread.
template <typename T, typename F>
CREMA_DEVICE void each_of_channels(i64 elements, bool whole, F f) {
  if (whole) {
    for (i64 i = kPack<T> * global_thread(); i < elements; i += kPack<T> * global_threads()) f(i, Packs<kPack<T>>());
  } else {
    for (i64 i = global_thread(); i < elements; i += global_threads()) f(i, Packs<1>());
  }
}

template <typename T>
CREMA_DEVICE void max_pool2d(const T* x, T* y, const Pool& p) {
  each_of_channels<T>(pool_outputs(p), whole_rows(p.channels, x, y), [&](i64 i, auto width) {
    constexpr int V = decltype(width)::value;
    Numbers<V> m = all_of<V>(-CREMA_INFINITY);
    each_input(p, pixel_of(i, p.rows.outputs, p.columns.outputs, p.channels),
               [&](i64 at) { m = map(m, load<V>(x + at, V, true, 0.0f), [](float a, float b) { return greater_of(a, b); }); });
    store(y + i, m, V, true);
  });
}

template <typename T>
CREMA_DEVICE void average_pool2d(const T* x, T* y, const Pool& p) {
  each_of_channels<T>(pool_outputs(p), whole_rows(p.channels, x, y), [&](i64 i, auto width) {
    constexpr int V = decltype(width)::value;
    const Pixel o = pixel_of(i, p.rows.outputs, p.columns.outputs, p.channels);
    const float weight = window_weight(p, o.y, o.x);
    Numbers<V> sum = all_of<V>(0.0f);
    each_input(p, o, [&](i64 at) { sum = map(sum, load<V>(x + at, V, true, 0.0f), Plus()); });
    store(y + i, map(sum, [weight](float v) { return v * weight; }), V, true);
  });
}

// Calls f(the window's row, column, its place in y) for the windows over an input.
template <typename F>
CREMA_DEVICE void each_window(const Pool& p, const Pixel& in, F f) {
  for (i64 oy = first_window(p.rows, in.y); oy <= last_window(p.rows, in.y); ++oy) {
    for (i64 ox = first_window(p.columns, in.x); ox <= last_window(p.columns, in.x); ++ox) {
      f(oy, ox, ((in.image * p.rows.outputs + oy) * p.columns.outputs + ox) * p.channels + in.channel);
    }
  }
}

template <typename T>
CREMA_DEVICE void max_pool2d_grad(const T* x, const T* y, const T* dy, T* dx, const Pool& p) {
  each_of_channels<T>(pool_inputs(p), whole_rows(p.channels, x, y, dy, dx), [&](i64 i, auto width) {
    constexpr int V = decltype(width)::value;
    const Pixel in = pixel_of(i, p.rows.inputs, p.columns.inputs, p.channels);
    const Numbers<V> own = load<V>(x + i, V, true, 0.0f);
    Numbers<V> sum = all_of<V>(0.0f);
    each_window(p, in, [&](i64 oy, i64 ox, i64 o) {
      const Numbers<V> maximum = load<V>(y + o, V, true, 0.0f);
      bool first[V], any = false;  // whether the input is the first of the window's maxima
      CREMA_UNROLL
      for (int k = 0; k < V; ++k) {
        first[k] = own.v[k] == maximum.v[k] || is_nan(own.v[k]);
        any = any || first[k];
      }
      if (!any) return;
      each_input(p, {in.image, oy, ox, in.channel}, [&](i64 other) {
        if (other >= i) return;
        const Numbers<V> before = load<V>(x + other, V, true, 0.0f);
        CREMA_UNROLL
        for (int k = 0; k < V; ++k) first[k] = first[k] && before.v[k] != maximum.v[k] && !is_nan(before.v[k]);
      });
      const Numbers<V> flow = load<V>(dy + o, V, true, 0.0f);
      CREMA_UNROLL
      for (int k = 0; k < V; ++k) sum.v[k] += first[k] ? flow.v[k] : 0.0f;
    });
    store(dx + i, sum, V, true);
  });
}

template <typename T>
CREMA_DEVICE void average_pool2d_grad(const T* dy, T* dx, const Pool& p) {
  each_of_channels<T>(pool_inputs(p), whole_rows(p.channels, dy, dx), [&](i64 i, auto width) {
    constexpr int V = decltype(width)::value;
    Numbers<V> sum = all_of<V>(0.0f);
    each_window(p, pixel_of(i, p.rows.inputs, p.columns.inputs, p.channels), [&](i64 oy, i64 ox, i64 o) {
      const float weight = window_weight(p, oy, ox);
      sum = map(sum, load<V>(dy + o, V, true, 0.0f), [weight](float a, float d) { return a + d * weight; });
    });
    store(dx + i, sum, V, true);
  });
}

#define CREMA_POOLS(type, T)                                                                                             \
  CREMA_KERNEL(max_pool2d_##type, kThreads, const T* x, T* y, const Pool p) { max_pool2d(x, y, p); }                     \
  CREMA_KERNEL(average_pool2d_##type, kThreads, const T* x, T* y, const Pool p) { average_pool2d(x, y, p); }             \
  CREMA_KERNEL(max_pool2d_grad_##type, kThreads, const T* x, const T* y, const T* dy, T* dx, const Pool p) {             \
    max_pool2d_grad(x, y, dy, dx, p);                                                                                    \
  }                                                                                                                      \
  CREMA_KERNEL(average_pool2d_grad_##type, kThreads, const T* dy, T* dx, const Pool p) { average_pool2d_grad(dy, dx, p); }
CREMA_EACH_TYPE(CREMA_POOLS)

CREMA_KERNEL(max_pool2d_u8, kThreads, const u8* x, u8* y, const Pool p) {
  for (i64 i = global_thread(); i < pool_outputs(p); i += global_threads()) {
    u8 m = 0;
    each_input(p, pixel_of(i, p.rows.outputs, p.columns.outputs, p.channels), [&](i64 at) { m = x[at] > m ? x[at] : m; });
    y[i] = m;
  }
}
