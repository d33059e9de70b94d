// optimizer.cu: updates of parameters from gradients, all tensors of a model in one flat buffer, in place, one pass over
// memory. float32.
//   Update: w, g, moments m0 and m1 (as the optimiser has them), mask (or null: all are kept; where it is 0 the parameter
//   and its moments become 0), hyper (learning rate, step counted from 1, 1 - beta1^t, 1 - beta2^t), scale (or null: a
//   number that multiplies gradients first, as clipping and loss scaling give it; where it is NaN nothing is done), errors (or
//   null: nothing is done where a kernel before failed), n.
// The arithmetic is native/src/kernels/optimizer.cpp's. 256 threads; grid: any, about n / 1024 blocks. Limit: bytes of w, g,
// the moments and the mask read, of w and the moments written.
//
// sgd, momentum, adam, rmsprop, adagrad, lion: (Update u, floats and ints of the optimiser)
// lamb_moments: (Update u, float* step, ...): moments, and each parameter's step before its tensor's trust
// lamb_norms: (w, step, Tensors t, i64 piece, double* sums): a piece of a tensor a block, grid (pieces of the longest tensor,
//   tensors); sums [tensors, pieces, 2]
// lamb_apply: (Update u, step, Tensors t, i64 pieces, double* sums): grid (any, tensors)
#include "rows.cuh"

struct Update {
  float* w;
  const float* g;
  float *m0, *m1;
  const float* mask;
  const float* hyper;
  const float* scale;
  const u64* errors;
  i64 n;
};

// Whether parameters and moments stay as they are.
CREMA_DEVICE bool is_skipped(const Update& u) { return has_failed(u.errors) || (u.scale != nullptr && is_nan(*u.scale)); }

// f(w, g, m0, m1) for every parameter; g comes scaled, w and the moments by reference.
template <int Moments, typename F>
CREMA_DEVICE void update(const Update& u, F f) {
  if (is_skipped(u)) return;
  const float factor = u.scale != nullptr ? *u.scale : 1.0f;
  const bool masked = u.mask != nullptr;
  const bool whole = is_aligned(u.w, 16) && is_aligned(u.g, 16) && (Moments < 1 || is_aligned(u.m0, 16)) &&
                     (Moments < 2 || is_aligned(u.m1, 16)) && (!masked || is_aligned(u.mask, 16));
  for (i64 i = 4 * global_thread(); i < u.n; i += 4 * global_threads()) {
    const i64 left = u.n - i;
    float4 w = load4(u.w + i, left, whole, 0.0f), g = load4(u.g + i, left, whole, 0.0f);
    float4 a = Moments > 0 ? load4(u.m0 + i, left, whole, 0.0f) : w;
    float4 b = Moments > 1 ? load4(u.m1 + i, left, whole, 0.0f) : w;
    const float4 kept = masked ? load4(u.mask + i, left, whole, 0.0f) : make_float4(1.0f, 1.0f, 1.0f, 1.0f);
    const auto one = [&](float& wi, float gi, float& ai, float& bi, float keep) {
      f(wi, (keep != 0.0f ? gi : 0.0f) * factor, ai, bi);
      if (keep == 0.0f) wi = ai = bi = 0.0f;
    };
    one(w.x, g.x, a.x, b.x, kept.x);
    one(w.y, g.y, a.y, b.y, kept.y);
    one(w.z, g.z, a.z, b.z, kept.z);
    one(w.w, g.w, a.w, b.w, kept.w);
    store4(u.w + i, w, left, whole);
    if (Moments > 0) store4(u.m0 + i, a, left, whole);
    if (Moments > 1) store4(u.m1 + i, b, left, whole);
  }
}

// w -= rate (g + decay w)
CREMA_KERNEL(sgd, kThreads, const Update u, float decay) {
  const float rate = u.hyper[0];
  update<0>(u, [=](float& w, float g, float&, float&) { w = w - rate * (g + decay * w); });
}

CREMA_KERNEL(momentum, kThreads, const Update u, float decay, float mu, int nesterov) {
  const float rate = u.hyper[0];
  update<1>(u, [=](float& w, float g, float& v, float&) {
    const float d = g + decay * w;
    v = mu * v + d;
    w = w - rate * (nesterov != 0 ? d + mu * v : v);
  });
}

// rest: 1 - beta, rounded once.
CREMA_KERNEL(adam, kThreads, const Update u, float decay, float beta1, float rest1, float beta2, float rest2, float epsilon,
             int decoupled) {
  const float step = u.hyper[0] / u.hyper[2];
  const float second = 1.0f / sqrtf(u.hyper[3]);
  const float shrink = decoupled != 0 ? 1.0f - u.hyper[0] * decay : 1.0f;
  const float coupled = decoupled != 0 ? 0.0f : decay;
  update<2>(u, [=](float& w, float g, float& m, float& v) {
    const float d = g + coupled * w;
    m = beta1 * m + rest1 * d;
    v = beta2 * v + rest2 * (d * d);
    w = shrink * w - step * (m / (sqrtf(v) * second + epsilon));
  });
}

CREMA_KERNEL(rmsprop, kThreads, const Update u, float decay, float rho, float rest, float epsilon) {
  const float rate = u.hyper[0];
  update<1>(u, [=](float& w, float g, float& v, float&) {
    const float d = g + decay * w;
    v = rho * v + rest * (d * d);
    w = w - rate * (d / (sqrtf(v) + epsilon));
  });
}

CREMA_KERNEL(adagrad, kThreads, const Update u, float decay, float epsilon) {
  const float rate = u.hyper[0];
  update<1>(u, [=](float& w, float g, float& v, float&) {
    const float d = g + decay * w;
    v = v + d * d;
    w = w - rate * (d / (sqrtf(v) + epsilon));
  });
}

CREMA_KERNEL(lion, kThreads, const Update u, float decay, float beta1, float rest1, float beta2, float rest2) {
  const float rate = u.hyper[0], shrink = 1.0f - rate * decay;
  update<1>(u, [=](float& w, float g, float& m, float&) {
    const float d = beta1 * m + rest1 * g;
    const float sign = d > 0.0f ? 1.0f : d < 0.0f ? -1.0f : d;
    w = shrink * w - rate * sign;
    m = beta2 * m + rest2 * g;
  });
}

CREMA_KERNEL(lamb_moments, kThreads, const Update u, float* step, float decay, float beta1, float rest1, float beta2,
             float rest2, float epsilon) {
  if (is_skipped(u)) return;
  const float factor = u.scale != nullptr ? *u.scale : 1.0f, first = u.hyper[2], second = u.hyper[3];
  for (i64 i = global_thread(); i < u.n; i += global_threads()) {
    if (u.mask != nullptr && u.mask[i] == 0.0f) {
      u.w[i] = u.m0[i] = u.m1[i] = step[i] = 0.0f;
      continue;
    }
    const float d = u.g[i] * factor;
    const float m = beta1 * u.m0[i] + rest1 * d, v = beta2 * u.m1[i] + rest2 * d * d;
    u.m0[i] = m;
    u.m1[i] = v;
    step[i] = (m / first) / (sqrtf(v / second) + epsilon) + decay * u.w[i];
  }
}

// Where tensors lie in the flat buffer, one behind the other from `begin` on.
struct Tensors {
  i64 count, begin;
  i64 end[256];
};
CREMA_DEVICE i64 begin_of(const Tensors& tensors, int t) { return t == 0 ? tensors.begin : tensors.end[t - 1]; }

CREMA_KERNEL(lamb_norms, kThreads, const float* w, const float* step, const Tensors tensors, i64 piece, double* sums) {
  const i64 pieces = gridDim.x;
  for (int t = static_cast<int>(blockIdx.y); t < static_cast<int>(tensors.count); t += static_cast<int>(gridDim.y)) {
    const i64 from = begin_of(tensors, t) + static_cast<i64>(blockIdx.x) * piece, end = least(tensors.end[t], from + piece);
    double of_w = 0, of_step = 0;
    for (i64 i = from + threadIdx.x; i < end; i += blockDim.x) {
      of_w += static_cast<double>(w[i]) * w[i];
      of_step += static_cast<double>(step[i]) * step[i];
    }
    of_w = block_sum(of_w);
    of_step = block_sum(of_step);
    if (threadIdx.x == 0) {
      sums[(t * pieces + blockIdx.x) * 2] = of_w;
      sums[(t * pieces + blockIdx.x) * 2 + 1] = of_step;
    }
  }
}

CREMA_KERNEL(lamb_apply, kThreads, const Update u, const float* step, const Tensors tensors, i64 pieces, const double* sums) {
  if (is_skipped(u)) return;
  for (int t = static_cast<int>(blockIdx.y); t < static_cast<int>(tensors.count); t += static_cast<int>(gridDim.y)) {
    double of_w = 0, of_step = 0;
    for (i64 p = threadIdx.x; p < pieces; p += blockDim.x) {
      of_w += sums[(t * pieces + p) * 2];
      of_step += sums[(t * pieces + p) * 2 + 1];
    }
    of_w = block_sum(of_w);
    of_step = block_sum(of_step);
    const float trust = of_w > 0 && of_step > 0 ? static_cast<float>(sqrt(of_w / of_step)) : 1.0f;
    const float rate = u.hyper[0] * trust;
    for (i64 i = begin_of(tensors, t) + global_thread(); i < tensors.end[t]; i += global_threads()) u.w[i] -= rate * step[i];
  }
}
