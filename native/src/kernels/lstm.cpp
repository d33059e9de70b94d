// lstm.cpp: long short-term memory over sequences (Hochreiter and Schmidhuber 1997, with forget gates of
// Gers et al. 2000). Gates stand in the order i, f, g, o, as in Keras and PyTorch:
//   [i f g o] = x w + h' r + bias; i, f, o through sigmoid, g through tanh; c = f c' + i g; h = o tanh(c)
//
// lstm: x [n, t, features], w [features, 4u], r [u, 4u], bias [4u]?, h0 [n, u]?, c0 [n, u]? (zero when absent)
//   -> y [n, t, u] (h of every step), last h [n, u], last c [n, u], and for lstm_grad: cells [t, n, u],
//      gates [t, n, 4u] after their activations, both by step. t = 0: the last states are the first.
// lstm_grad: x, w, r, h0?, c0?, y, cells, gates, dy?, d last h?, d last c? (and the bias, which is not read)
//   -> dx, dw, dr, dbias [4u], dh0, dc0
#include "../recurrent.h"

namespace crema {
namespace CREMA_ISA {
namespace {

struct Memory {
  float *x, *w, *packed, *h;  // x by step; the weights, packed; h of one step, [n, u]
  char* products;
  int64_t bytes;

  Memory(char* base, const Recurrence& r, int32_t threads) {
    Parts parts(base);
    x = parts.floats(r.rows() * r.features);
    w = parts.floats(r.by_steps() ? packed_floats(r.gates, r.features) : 0);
    packed = parts.floats(r.packs() ? packed_floats(r.gates, r.units) : 0);
    h = parts.floats(r.n * r.units);
    const int64_t input = gemm_parallel_scratch(r.rows(), r.gates, r.features, threads);
    const int64_t steps = threads * r.step_scratch();
    products = parts.bytes(input > steps ? input : steps);
    bytes = parts.used();
  }
};

int64_t scratch_of_lstm(const Call& c) { return Memory(nullptr, Recurrence(c.in[0], c.in[2]), c.threads).bytes; }

// One step of one example: gates hold x w + h' r + bias and become the activated gates. h goes to y, too.
void cell(float* gates, const float* c_before, float* c, float* h, float* y, int64_t u) {
  for (int64_t j = 0; j < u; j += W) {
    const int64_t left = u - j;
    const vec i = vsigmoid(some(gates + j, left)), f = vsigmoid(some(gates + u + j, left));
    const vec g = vtanh(some(gates + 2 * u + j, left)), o = vsigmoid(some(gates + 3 * u + j, left));
    const vec before = c_before == nullptr ? vec{} : some(c_before + j, left);
    const vec now = f * before + i * g;
    put(gates + j, i, left);
    put(gates + u + j, f, left);
    put(gates + 2 * u + j, g, left);
    put(gates + 3 * u + j, o, left);
    put(c + j, now, left);
    const vec out = o * vtanh(now);
    put(h + j, out, left);
    put(y + j, out, left);
  }
}

// One step of one example, backwards: dh and dc hold what flows into h and c of this step; dc becomes what
// flows into c of the step before.
void cell_grad(const float* gates, const float* c_before, const float* c, const float* dh, float* dc, float* d,
               int64_t u) {
  for (int64_t j = 0; j < u; j += W) {
    const int64_t left = u - j;
    const vec i = some(gates + j, left), f = some(gates + u + j, left);
    const vec g = some(gates + 2 * u + j, left), o = some(gates + 3 * u + j, left);
    const vec before = c_before == nullptr ? vec{} : some(c_before + j, left);
    const vec squashed = vtanh(some(c + j, left)), flow = some(dh + j, left);
    const vec total = some(dc + j, left) + flow * o * (1.0f - squashed * squashed);
    put(d + j, total * g * i * (1.0f - i), left);
    put(d + u + j, total * before * f * (1.0f - f), left);
    put(d + 2 * u + j, total * i * (1.0f - g * g), left);
    put(d + 3 * u + j, flow * squashed * o * (1.0f - o), left);
    put(dc + j, total * f, left);
  }
}

struct GradMemory {
  float *x, *dx, *d_gates, *before, *w, *packed, *dh;  // by step; w and packed: the weights, transposed and packed
  char* products;
  int64_t bytes;

  GradMemory(char* base, const Recurrence& r, int32_t threads) {
    Parts parts(base);
    x = parts.floats(r.rows() * r.features);
    dx = parts.floats(r.rows() * r.features);
    d_gates = parts.floats(r.rows() * r.gates);
    before = parts.floats(r.rows() * r.units);
    w = parts.floats(r.by_steps() ? packed_floats(r.features, r.gates) : 0);
    packed = parts.floats(r.packs() ? packed_floats(r.units, r.gates) : 0);
    dh = parts.floats(r.n * r.units);
    products = parts.bytes(grad_products_bytes(r, threads));
    bytes = parts.used();
  }
};

int64_t scratch_of_lstm_grad(const Call& c) {
  return GradMemory(nullptr, Recurrence(c.in[0], c.in[2]), c.threads).bytes;
}

}  // namespace

CREMA_KERNEL_SCRATCH(lstm, scratch_of_lstm) {
  const Recurrence r(c.in[0], c.in[2]);
  const Memory memory(c.scratch, r, c.threads);
  const int64_t u = r.units, t = r.t, n = r.n;
  float *const y = c.out[0].f32(), *const cells = c.out[3].f32(), *const gates = c.out[4].f32();
  const float* const h0 = c.in[4].present() ? c.in[4].f32() : nullptr;
  const float* const c0 = c.in[5].present() ? c.in[5].f32() : nullptr;
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
  step.accumulate = true;
  const Path input_path = path_of(input), path = path_of(step);
  const int64_t bytes = r.step_scratch();
  parallel(c.threads, n, r.grain(), [&](int64_t begin, int64_t end, int64_t chunk) {
    Gemm own = input, part = step;
    own.m = part.m = end - begin;
    part.a = memory.h + begin * u;
    copy_or_zero(memory.h + begin * u, h0 == nullptr ? nullptr : h0 + begin * u, part.m * u);
    for (int64_t s = 0; s < t; ++s) {
      own.a = memory.x + (s * n + begin) * r.features;
      own.c = part.c = gates + (s * n + begin) * r.gates;
      if (r.by_steps() && s % kTogether == 0) {
        products_from(r, s, input_path, own, memory.products + chunk * bytes);
      }
      if (s > 0 || h0 != nullptr) gemm_on(path, part, memory.products + chunk * bytes);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = s * n + i;
        const float* const before = s > 0 ? cells + (at - n) * u : c0 == nullptr ? nullptr : c0 + i * u;
        cell(gates + at * r.gates, before, cells + at * u, memory.h + i * u, y + (i * t + s) * u, u);
      }
    }
    const float* const last = t > 0 ? cells + ((t - 1) * n + begin) * u : c0 == nullptr ? nullptr : c0 + begin * u;
    copy_or_zero(c.out[1].f32() + begin * u, part.a, part.m * u);
    copy_or_zero(c.out[2].f32() + begin * u, last, part.m * u);
  });
}

CREMA_KERNEL_SCRATCH(lstm_grad, scratch_of_lstm_grad) {
  const Recurrence r(c.in[0], c.in[2]);
  const GradMemory memory(c.scratch, r, c.threads);
  const int64_t u = r.units, t = r.t, n = r.n;
  const float* const h0 = c.in[3].present() ? c.in[3].f32() : nullptr;
  const float* const c0 = c.in[4].present() ? c.in[4].f32() : nullptr;
  const float *const y = c.in[5].f32(), *const cells = c.in[6].f32(), *const gates = c.in[7].f32();
  const float* const dy = c.in[8].present() ? c.in[8].f32() : nullptr;
  const float* const dh_last = c.in[9].present() ? c.in[9].f32() : nullptr;
  const float* const dc_last = c.in[10].present() ? c.in[10].f32() : nullptr;
  float *const dh0 = c.out[4].f32(), *const dc0 = c.out[5].f32();
  if (r.packs()) pack_weights(c.in[2].f32(), r.gates, true, u, r.gates, memory.packed);
  if (r.by_steps()) pack_weights(c.in[1].f32(), r.gates, true, r.features, r.gates, memory.w);

  const Gemm input = step_product(r, r.features, r.gates, c.in[1].f32(), true, memory.w);
  const Gemm step = step_product(r, u, r.gates, c.in[2].f32(), true, memory.packed);
  const Path input_path = path_of(input), path = path_of(step);
  const int64_t bytes = r.step_scratch();
  parallel(c.threads, n, r.grain(), [&](int64_t begin, int64_t end, int64_t chunk) {
    Gemm own = input, part = step;
    own.m = part.m = end - begin;
    part.c = dh0 + begin * u;  // what flows into the step before: in the end, into h0
    copy_or_zero(part.c, dh_last == nullptr ? nullptr : dh_last + begin * u, part.m * u);
    copy_or_zero(dc0 + begin * u, dc_last == nullptr ? nullptr : dc_last + begin * u, part.m * u);
    for (int64_t s = t - 1; s >= 0; --s) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = s * n + i;
        const float* flow = dh0 + i * u;
        if (dy != nullptr) {
          each(flow, dy + (i * t + s) * u, memory.dh + i * u, u, [](vec a, vec b) { return a + b; });
          flow = memory.dh + i * u;
        }
        const float* const before = s > 0 ? cells + (at - n) * u : c0 == nullptr ? nullptr : c0 + i * u;
        cell_grad(gates + at * r.gates, before, cells + at * u, flow, dc0 + i * u, memory.d_gates + at * r.gates, u);
      }
      own.a = part.a = memory.d_gates + (s * n + begin) * r.gates;
      own.c = memory.dx + (s * n + begin) * r.features;
      gemm_on(path, part, memory.products + chunk * bytes);
      if (r.by_steps() && s % kTogether == 0) {
        products_from(r, s, input_path, own, memory.products + chunk * bytes);
      }
    }
  });

  states_before(r, y, h0, memory.before);
  by_step(r, c.in[0].f32(), r.features, memory.x, c.threads);
  if (!r.by_steps()) {
    dense({r.rows(), r.features, r.gates, memory.d_gates, false, c.in[1].f32(), true, memory.dx, nullptr},
          memory.products, c.threads);
  }
  by_example(r, memory.dx, r.features, c.out[0].f32(), c.threads);
  dense({r.features, r.gates, r.rows(), memory.x, true, memory.d_gates, false, c.out[1].f32(), nullptr},
        memory.products, c.threads);
  dense({u, r.gates, r.rows(), memory.before, true, memory.d_gates, false, c.out[2].f32(), nullptr}, memory.products,
        c.threads);
  sum_rows(memory.d_gates, r.rows(), r.gates, c.out[3].f32());
}

}  // namespace CREMA_ISA
}  // namespace crema
