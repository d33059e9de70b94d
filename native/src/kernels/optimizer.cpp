// optimizer.cpp: updates of parameters from gradients (optimizer.h), element by element: one pass over memory, in place.
//   x [n, rows], d [n, columns] may come behind the mask, instead of gradients: these are x' d, row-major, and never
//   stored as a whole
// Sums of products say which of them is fused: a parameter's bits must not depend on the loop that meets it.
#include "../gemm.h"
#include "../optimizer.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kGrain = 32768;  // parameters worth waking another thread for

constexpr int64_t kAhead = 512;  // floats between what is fetched and what is updated: seven streams are more than the
                                 // processor foresees (Adam of 10 M: 1.1 times as fast on Zen 5)

struct Streams {
  float* w;
  const float* g;
  float *m0, *m1;
  const float* mask;
  vec factor;
};

// Calls f(vector of w, of g, m0, m1 by reference) for `Vectors` vectors at i, the last of n elements, and stores what f
// changed. Where a mask is 0, f sees a gradient of 0, and the parameter and its moments become 0. All that it reads in a
// loop comes by value: behind a reference it would be read again after every store.
template <int Moments, bool Fetch, bool Masked, int Vectors, typename F>
CREMA_INLINE void update(const Streams s, int64_t i, int64_t n, const F f) {
  vec w[Vectors], g[Vectors], a[Vectors]{}, b[Vectors]{};
  veci kept[Vectors]{};
  for (int k = 0; k < Vectors; ++k) {
    const int64_t at = i + k * W;
    if (Fetch) {
      fetch(s.w + at + kAhead);
      fetch(s.g + at + kAhead);
      if (Moments > 0) fetch(s.m0 + at + kAhead);
      if (Moments > 1) fetch(s.m1 + at + kAhead);
      if (Masked) fetch(s.mask + at + kAhead);
    }
    w[k] = some(s.w + at, n);
    g[k] = some(s.g + at, n);
    if (Masked) {
      kept[k] = some(s.mask + at, n) != 0.0f;
      g[k] = select(kept[k], g[k], vec{});
    }
    g[k] *= s.factor;
    if (Moments > 0) a[k] = some(s.m0 + at, n);
    if (Moments > 1) b[k] = some(s.m1 + at, n);
  }
  for (int k = 0; k < Vectors; ++k) f(w[k], g[k], a[k], b[k]);
  for (int k = 0; Masked && k < Vectors; ++k) {
    w[k] = select(kept[k], w[k], vec{});
    a[k] = select(kept[k], a[k], vec{});
    b[k] = select(kept[k], b[k], vec{});
  }
  for (int k = 0; k < Vectors; ++k) {
    const int64_t at = i + k * W;
    put(s.w + at, w[k], n);
    if (Moments > 0) put(s.m0 + at, a[k], n);
    if (Moments > 1) put(s.m1 + at, b[k], n);
  }
}

template <int Moments, bool Fetch, bool Masked, typename F>
CREMA_INLINE void update_range(const Streams s, int64_t begin, int64_t end, const F f) {
  int64_t i = begin;
  for (; i + 2 * W <= end; i += 2 * W) update<Moments, Fetch, Masked, 2>(s, i, W, f);
  for (; i < end; i += W) update<Moments, Fetch, Masked, 1>(s, i, end - i < W ? end - i : W, f);
}

// The product that makes the gradients, if the call has one. Their home is w.
template <int Moments>
bool has_product(const Call& c) {
  return c.ins == 7 + Moments;
}
template <int Moments>
Gemm product(const Call& c) {
  const Tensor &x = c.in[5 + Moments], &d = c.in[6 + Moments];
  Gemm g;
  g.m = x.last();
  g.n = d.last();
  g.k = d.rows();
  g.a = x.f32();
  g.lda = g.m;
  g.trans_a = true;
  g.b = d.f32();
  g.ldb = g.n;
  g.c = c.in[0].f32();
  g.ldc = g.n;
  return g;
}

// Of the product, then the gradients where it can't give them a block at a time.
template <int Moments>
int64_t scratch(const Call& c) {
  if (!has_product<Moments>(c)) return 0;
  const Gemm g = product<Moments>(c);
  const int64_t gradients = g.m * g.n * static_cast<int64_t>(sizeof(float));
  return gemm_parallel_scratch(g.m, g.n, g.k, c.threads) + (gives_blocks(g) ? taken_scratch(c.threads) : gradients);
}

// Updates by the gradients of a block.
template <int Moments, bool Masked, typename F>
struct Updates : Taker {
  Streams streams;
  int64_t row;  // floats from one row of w to the next
  F f;

  Updates(const Streams& s, int64_t columns, const F& update)
      : Taker{take_block, s.w, {s.m0, s.m1, Masked ? s.mask : nullptr}}, streams(s), row(columns), f(update) {}

  static void take_block(const Taker& self, const float* c, int64_t step, int64_t at, int64_t rows, int64_t columns) {
    const Updates& u = static_cast<const Updates&>(self);
    const F f = u.f;  // into registers
    const vec factor = u.streams.factor;
    for (int64_t r = 0; r < rows; ++r, c += step, at += u.row) {
      const Streams s{u.streams.w + at,
                      c,
                      Moments > 0 ? u.streams.m0 + at : nullptr,
                      Moments > 1 ? u.streams.m1 + at : nullptr,
                      Masked ? u.streams.mask + at : nullptr,
                      factor};
      update_range<Moments, false, Masked>(s, 0, columns, f);
    }
  }
};

template <int Moments, bool Masked, typename F>
void sweep(const Call& c, const F& f) {
  const Tensor& scale = c.in[3 + Moments];
  if (is_skipped(scale)) return;
  Streams streams{c.in[0].f32(), c.in[1].f32(), Moments > 0 ? c.in[2].f32() : nullptr,
                  Moments > 1 ? c.in[3].f32() : nullptr, mask<Moments>(c),
                  broadcast(scale.present() ? scale.f32()[0] : 1.0f)};
  if (has_product<Moments>(c)) {
    Gemm g = product<Moments>(c);
    if (gives_blocks(g)) {
      const Updates<Moments, Masked, F> updates(streams, g.ldc, f);
      g.taker = &updates;
      return gemm_parallel(g, c.scratch, c.threads);
    }
    g.c = reinterpret_cast<float*>(c.scratch + gemm_parallel_scratch(g.m, g.n, g.k, c.threads));
    gemm_parallel(g, c.scratch, c.threads);
    streams.g = g.c;
  }
  const bool far = c.in[0].elements() * (2 + Moments) > 2 * kFarFloats;  // of the L2 cache
  parallel(c.threads, c.in[0].elements(), kGrain, [&](int64_t begin, int64_t end, int64_t) {
    if (far) {
      update_range<Moments, true, Masked>(streams, begin, end, f);
    } else {
      update_range<Moments, false, Masked>(streams, begin, end, f);
    }
  });
}

template <int Moments, typename F>
void sweep(const Call& c, const F& f) {
  (mask<Moments>(c) != nullptr ? sweep<Moments, true, F> : sweep<Moments, false, F>)(c, f);
}

}  // namespace

// w -= rate (g + decay w)
CREMA_KERNEL_SCRATCH(sgd, scratch<0>) {
  const vec rate = broadcast(hyper<0>(c)[0]), decay = broadcast(attribute(c, 0));
  sweep<0>(c, [=](vec& w, vec g, vec&, vec&) { w = multiply_add(-rate, multiply_add(decay, w, g), w); });
}

// floats: decay, momentum; ints: nesterov. Moment: v = momentum v + g (Polyak 1964); the step is v, or
// g + momentum v (Nesterov 1983, as Sutskever et al. 2013).
CREMA_KERNEL_SCRATCH(momentum, scratch<1>) {
  const vec rate = broadcast(hyper<1>(c)[0]), decay = broadcast(attribute(c, 0)), mu = broadcast(attribute(c, 1));
  if (c.ints[0] != 0) {
    sweep<1>(c, [=](vec& w, vec g, vec& v, vec&) {
      const vec d = multiply_add(decay, w, g);
      v = multiply_add(mu, v, d);
      w = multiply_add(-rate, multiply_add(mu, v, d), w);
    });
  } else {
    sweep<1>(c, [=](vec& w, vec g, vec& v, vec&) {
      v = multiply_add(mu, v, multiply_add(decay, w, g));
      w = multiply_add(-rate, v, w);
    });
  }
}

// a b - c / d for d as reciprocal() takes it.
CREMA_INLINE vec product_less_quotient(vec a, vec b, vec c, vec d) {
#if defined(__AVX512F__)
  return fused(-c, reciprocal(d), a * b);
#else
  return multiply_add(a, b, -(c / d));
#endif
}

// Adam (Kingma and Ba 2015). floats: decay, beta1, beta2, epsilon; ints: decoupled (AdamW, Loshchilov and
// Hutter 2019). Moments: m, v. w -= rate (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + epsilon).
CREMA_KERNEL_SCRATCH(adam, scratch<2>) {
  const float* h = hyper<2>(c);
  const vec c1 = broadcast(rest_of(c, 1)), c2 = broadcast(rest_of(c, 2));
  const float second = __builtin_sqrtf(h[3]);  // of 1 - beta2^t: both sides of the division are multiplied by it
  const vec step = broadcast(h[0] / h[2] * second), epsilon = broadcast(attribute(c, 3) * second);
  const bool decoupled = c.ints[0] != 0;
  const vec shrink = broadcast(decoupled ? 1.0f - h[0] * attribute(c, 0) : 1.0f);
  const vec decay = broadcast(decoupled ? 0.0f : attribute(c, 0));
  sweep<2>(c, [=](vec& w, vec g, vec& m, vec& v) {
    const vec d = multiply_add(decay, w, g);
    m = multiply_add(c1, d - m, m);
    v = multiply_add(c2, multiply_add(d, d, -v), v);
    w = product_less_quotient(shrink, w, step * m, sqrt_of_normal(v) + epsilon);
  });
}

// RMSprop (Tieleman and Hinton 2012). floats: decay, rho, epsilon. Moment: v = rho v + (1 - rho) g^2.
CREMA_KERNEL_SCRATCH(rmsprop, scratch<1>) {
  const vec rate = broadcast(hyper<1>(c)[0]), decay = broadcast(attribute(c, 0));
  const vec rho = broadcast(attribute(c, 1)), rest = broadcast(rest_of(c, 1));
  const vec epsilon = broadcast(attribute(c, 2));
  sweep<1>(c, [=](vec& w, vec g, vec& v, vec&) {
    const vec d = multiply_add(decay, w, g);
    v = multiply_add(rho, v, rest * (d * d));
    w = multiply_add(-rate, d / (vsqrt(v) + epsilon), w);
  });
}

// Adagrad (Duchi et al. 2011). floats: decay, epsilon. Moment: v += g^2.
CREMA_KERNEL_SCRATCH(adagrad, scratch<1>) {
  const vec rate = broadcast(hyper<1>(c)[0]), decay = broadcast(attribute(c, 0));
  const vec epsilon = broadcast(attribute(c, 1));
  sweep<1>(c, [=](vec& w, vec g, vec& v, vec&) {
    const vec d = multiply_add(decay, w, g);
    v = multiply_add(d, d, v);
    w = multiply_add(-rate, d / (vsqrt(v) + epsilon), w);
  });
}

// Lion (Chen et al. 2023). floats: decay (decoupled), beta1, beta2. Moment: m. The step is the sign of
// beta1 m + (1 - beta1) g; then m = beta2 m + (1 - beta2) g.
CREMA_KERNEL_SCRATCH(lion, scratch<1>) {
  const float* h = hyper<1>(c);
  const float beta1 = attribute(c, 1), beta2 = attribute(c, 2);
  const vec b1 = broadcast(beta1), b2 = broadcast(beta2), c1 = broadcast(rest_of(c, 1)), c2 = broadcast(rest_of(c, 2));
  const vec rate = broadcast(h[0]), shrink = broadcast(1.0f - h[0] * attribute(c, 0));
  sweep<1>(c, [=](vec& w, vec g, vec& m, vec&) {
    const vec u = multiply_add(b1, m, c1 * g);
    const vec sign = select(u > 0.0f, broadcast(1.0f), select(u < 0.0f, broadcast(-1.0f), u));
    w = multiply_add(-rate, sign, shrink * w);
    m = multiply_add(b2, m, c2 * g);
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
