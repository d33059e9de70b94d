// gru.cpp: gated recurrent units over sequences (Cho et al. 2014), in the form of cuDNN and PyTorch (Keras'
// reset_after), whose reset gate acts after the recurrent product. Gates stand in the order r, z, n as in PyTorch:
//   r = sigmoid(x wr + br + h' ur + cr), z = sigmoid(x wz + bz + h' uz + cz)
//   q = h' un + cn, n = tanh(x wn + bn + r q), h = (1 - z) n + z h'
//
// gru: x [n, t, features], w [features, 3u], recurrent u [u, 3u], bias b [3u]?, recurrent bias c [3u]?, h0 [n, u]?
//   -> y [n, t, u] (h of every step), last h [n, u], and for gru_grad, by step: gates [t, n, 3u] after
//      their activations, q [t, n, u]
// gru_grad: x, w, u, h0?, y, gates, q, dy?, d last h? (and the biases, which are not read)
//   -> dx, dw, du, db [3u], dc [3u], dh0
#include "../recurrent.h"

namespace crema {
namespace CREMA_ISA {
namespace {

struct Memory {
  float *x, *w, *packed;  // x by step; the weights, packed
  float *recurrent, *h;   // h' u + c of one step, [n, 3u]; h of one step, [n, u]
  char* products;
  int64_t bytes;

  Memory(char* base, const Recurrence& r, int32_t threads) {
    Parts parts(base);
    x = parts.floats(r.rows() * r.features);
    w = parts.floats(r.by_steps() ? packed_floats(r.gates, r.features) : 0);
    packed = parts.floats(r.packs() ? packed_floats(r.gates, r.units) : 0);
    recurrent = parts.floats(r.n * r.gates);
    h = parts.floats(r.n * r.units);
    const int64_t input = gemm_parallel_scratch(r.rows(), r.gates, r.features, threads);
    const int64_t steps = threads * r.step_scratch();
    products = parts.bytes(input > steps ? input : steps);
    bytes = parts.used();
  }
};

int64_t scratch_of_gru(const Call& c) { return Memory(nullptr, Recurrence(c.in[0], c.in[2]), c.threads).bytes; }

// One step of one example: gates hold x w + b and become the activated gates; h is the state before and becomes the
// new one, which goes to y, too.
void cell(float* gates, const float* recurrent, float* q, float* h, float* y, int64_t u) {
  for (int64_t j = 0; j < u; j += W) {
    const int64_t left = u - j;
    const vec r = vsigmoid(some(gates + j, left) + some(recurrent + j, left));
    const vec z = vsigmoid(some(gates + u + j, left) + some(recurrent + u + j, left));
    const vec product = some(recurrent + 2 * u + j, left);
    const vec n = vtanh(some(gates + 2 * u + j, left) + r * product);
    const vec before = some(h + j, left), now = n + z * (before - n);
    put(gates + j, r, left);
    put(gates + u + j, z, left);
    put(gates + 2 * u + j, n, left);
    put(q + j, product, left);
    put(h + j, now, left);
    put(y + j, now, left);
  }
}

// One step of one example, backwards: dh is what flows into h; d gets what flows into x w + b, e into h' u + c,
// and dh_before the part of dh that reaches h' without the product.
void cell_grad(const float* gates, const float* q, const float* before_h, const float* dh, float* d, float* e,
               float* dh_before, int64_t u) {
  for (int64_t j = 0; j < u; j += W) {
    const int64_t left = u - j;
    const vec r = some(gates + j, left), z = some(gates + u + j, left), n = some(gates + 2 * u + j, left);
    const vec before = some(before_h + j, left);
    const vec flow = some(dh + j, left);
    const vec dn = flow * (1.0f - z) * (1.0f - n * n);
    const vec dz = flow * (before - n) * z * (1.0f - z);
    const vec dr = dn * some(q + j, left) * r * (1.0f - r);
    put(d + j, dr, left);
    put(d + u + j, dz, left);
    put(d + 2 * u + j, dn, left);
    put(e + j, dr, left);
    put(e + u + j, dz, left);
    put(e + 2 * u + j, dn * r, left);
    put(dh_before + j, flow * z, left);
  }
}

struct GradMemory {
  float *x, *dx, *d_input, *d_recurrent, *before, *dh;  // by step
  float *w, *packed;                                    // the weights, transposed and packed
  char* products;
  int64_t bytes;

  GradMemory(char* base, const Recurrence& r, int32_t threads) {
    Parts parts(base);
    x = parts.floats(r.rows() * r.features);
    dx = parts.floats(r.rows() * r.features);
    w = parts.floats(r.by_steps() ? packed_floats(r.features, r.gates) : 0);
    packed = parts.floats(r.packs() ? packed_floats(r.units, r.gates) : 0);
    d_input = parts.floats(r.rows() * r.gates);
    d_recurrent = parts.floats(r.rows() * r.gates);
    before = parts.floats(r.rows() * r.units);
    dh = parts.floats(r.n * r.units);
    products = parts.bytes(grad_products_bytes(r, threads));
    bytes = parts.used();
  }
};

int64_t scratch_of_gru_grad(const Call& c) {
  return GradMemory(nullptr, Recurrence(c.in[0], c.in[2]), c.threads).bytes;
}

}  // namespace

CREMA_KERNEL_SCRATCH(gru, scratch_of_gru) {
  const Recurrence r(c.in[0], c.in[2]);
  const Memory memory(c.scratch, r, c.threads);
  const int64_t u = r.units, t = r.t, n = r.n;
  float *const y = c.out[0].f32(), *const gates = c.out[2].f32(), *const q = c.out[3].f32();
  const float* const h0 = c.in[5].present() ? c.in[5].f32() : nullptr;
  const float* const bias = c.in[3].present() ? c.in[3].f32() : nullptr;
  by_step(r, c.in[0].f32(), r.features, memory.x, c.threads);
  if (r.by_steps()) {
    pack_weights(c.in[1].f32(), r.gates, false, r.gates, r.features, memory.w);
  } else {
    dense({r.rows(), r.gates, r.features, memory.x, false, c.in[1].f32(), false, gates, bias}, memory.products,
          c.threads);
  }
  if (r.packs()) pack_weights(c.in[2].f32(), r.gates, false, r.gates, u, memory.packed);

  Gemm input = step_product(r, r.gates, r.features, c.in[1].f32(), false, memory.w);
  input.bias = bias;
  Gemm step = step_product(r, r.gates, u, c.in[2].f32(), false, memory.packed);
  step.bias = c.in[4].present() ? c.in[4].f32() : nullptr;
  const Path input_path = path_of(input), path = path_of(step);
  const int64_t bytes = r.step_scratch();
  parallel(c.threads, n, r.grain(), [&](int64_t begin, int64_t end, int64_t chunk) {
    Gemm own = input, part = step;
    own.m = part.m = end - begin;
    part.a = memory.h + begin * u;
    part.c = memory.recurrent + begin * r.gates;
    copy_or_zero(memory.h + begin * u, h0 == nullptr ? nullptr : h0 + begin * u, part.m * u);
    for (int64_t s = 0; s < t; ++s) {
      own.a = memory.x + (s * n + begin) * r.features;
      own.c = gates + (s * n + begin) * r.gates;
      if (r.by_steps() && s % kTogether == 0) {
        products_from(r, s, input_path, own, memory.products + chunk * bytes);
      }
      gemm_on(path, part, memory.products + chunk * bytes);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = s * n + i;
        cell(gates + at * r.gates, memory.recurrent + i * r.gates, q + at * u, memory.h + i * u, y + (i * t + s) * u,
             u);
      }
    }
    copy_or_zero(c.out[1].f32() + begin * u, part.a, part.m * u);
  });
}

CREMA_KERNEL_SCRATCH(gru_grad, scratch_of_gru_grad) {
  const Recurrence r(c.in[0], c.in[2]);
  const GradMemory memory(c.scratch, r, c.threads);
  const int64_t u = r.units, t = r.t, n = r.n;
  const float* const h0 = c.in[3].present() ? c.in[3].f32() : nullptr;
  const float *const y = c.in[4].f32(), *const gates = c.in[5].f32(), *const q = c.in[6].f32();
  const float* const dy = c.in[7].present() ? c.in[7].f32() : nullptr;
  const float* const dh_last = c.in[8].present() ? c.in[8].f32() : nullptr;
  float* const dh0 = c.out[5].f32();
  if (r.packs()) pack_weights(c.in[2].f32(), r.gates, true, u, r.gates, memory.packed);
  if (r.by_steps()) pack_weights(c.in[1].f32(), r.gates, true, r.features, r.gates, memory.w);
  states_before(r, y, h0, memory.before);

  const Gemm input = step_product(r, r.features, r.gates, c.in[1].f32(), true, memory.w);
  Gemm step = step_product(r, u, r.gates, c.in[2].f32(), true, memory.packed);
  step.accumulate = true;
  const Path input_path = path_of(input), path = path_of(step);
  const int64_t bytes = r.step_scratch();
  parallel(c.threads, n, r.grain(), [&](int64_t begin, int64_t end, int64_t chunk) {
    Gemm own = input, part = step;
    own.m = part.m = end - begin;
    part.c = dh0 + begin * u;  // what flows into the step before: in the end, into h0
    copy_or_zero(part.c, dh_last == nullptr ? nullptr : dh_last + begin * u, part.m * u);
    for (int64_t s = t - 1; s >= 0; --s) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = s * n + i;
        float* const flow = memory.dh + i * u;
        if (dy != nullptr) {
          each(dh0 + i * u, dy + (i * t + s) * u, flow, u, [](vec a, vec b) { return a + b; });
        } else {
          copy_or_zero(flow, dh0 + i * u, u);
        }
        cell_grad(gates + at * r.gates, q + at * u, memory.before + at * u, flow, memory.d_input + at * r.gates,
                  memory.d_recurrent + at * r.gates, dh0 + i * u, u);
      }
      part.a = memory.d_recurrent + (s * n + begin) * r.gates;
      own.a = memory.d_input + (s * n + begin) * r.gates;
      own.c = memory.dx + (s * n + begin) * r.features;
      gemm_on(path, part, memory.products + chunk * bytes);
      if (r.by_steps() && s % kTogether == 0) {
        products_from(r, s, input_path, own, memory.products + chunk * bytes);
      }
    }
  });

  by_step(r, c.in[0].f32(), r.features, memory.x, c.threads);
  if (!r.by_steps()) {
    dense({r.rows(), r.features, r.gates, memory.d_input, false, c.in[1].f32(), true, memory.dx, nullptr},
          memory.products, c.threads);
  }
  by_example(r, memory.dx, r.features, c.out[0].f32(), c.threads);
  dense({r.features, r.gates, r.rows(), memory.x, true, memory.d_input, false, c.out[1].f32(), nullptr},
        memory.products, c.threads);
  dense({u, r.gates, r.rows(), memory.before, true, memory.d_recurrent, false, c.out[2].f32(), nullptr},
        memory.products, c.threads);
  sum_rows(memory.d_input, r.rows(), r.gates, c.out[3].f32());
  sum_rows(memory.d_recurrent, r.rows(), r.gates, c.out[4].f32());
}

}  // namespace CREMA_ISA
}  // namespace crema
