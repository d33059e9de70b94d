// lstm.cpp: long short-term memory over sequences (Hochreiter and Schmidhuber 1997, with forget gates of
// Gers et al. 2000). Gates stand in the order i, f, g, o, as in Keras and PyTorch:
//   [i f g o] = x w + h' r + bias; i, f, o through sigmoid, g through tanh; c = f c' + i g; h = o tanh(c)
//
// lstm: x [n, t, features], w [features, 4u], r [u, 4u], bias [4u]?, h0 [n, u]?, c0 [n, u]? (zero when absent)
//   -> y [n, t, u] (h of every step), last h [n, u], last c [n, u], and for lstm_grad: cells [n, t, u],
//      gates [n, t, 4u] after their activations. t = 0: the last states are the first.
// lstm_grad: x, w, r, h0?, c0?, y, cells, gates, dy?, d last h?, d last c?
//   -> dx, dw, dr, dbias [4u], dh0, dc0
#include "../recurrent.h"

namespace crema {
namespace CREMA_ISA {
namespace {

int64_t scratch_of_lstm(const Call& c) {
  const Recurrence r(c.in[0], c.in[2]);
  const int64_t input = gemm_parallel_scratch(r.rows(), r.gates, r.features, c.threads);
  const int64_t steps = c.threads * r.step_scratch();
  return input > steps ? input : steps;
}

// One step of one example: gates hold x w + h' r + bias and become the activated gates.
void cell(float* gates, const float* c_before, float* c, float* h, int64_t u) {
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
    put(h + j, o * vtanh(now), left);
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
  float *d_gates, *before, *r_transposed, *dh;
  char* products;
  int64_t bytes;

  GradMemory(char* base, const Recurrence& r, int32_t threads) {
    Parts parts(base);
    d_gates = parts.floats(r.rows() * r.gates);
    before = parts.floats(r.rows() * r.units);
    r_transposed = parts.floats(r.units * r.gates);
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
  const int64_t u = r.units, t = r.t;
  float *const y = c.out[0].f32(), *const cells = c.out[3].f32(), *const gates = c.out[4].f32();
  const float* const h0 = c.in[4].present() ? c.in[4].f32() : nullptr;
  const float* const c0 = c.in[5].present() ? c.in[5].f32() : nullptr;
  const float* const bias = c.in[3].present() ? c.in[3].f32() : nullptr;
  dense({r.rows(), r.gates, r.features, c.in[0].f32(), false, c.in[1].f32(), false, gates, bias}, c.scratch,
        c.threads);

  Gemm step;
  step.m = r.n;
  step.n = r.gates;
  step.k = u;
  step.b = c.in[2].f32();
  step.ldb = r.gates;
  step.ldc = t * r.gates;
  step.accumulate = true;
  const Path path = path_of(step);
  const int64_t bytes = r.step_scratch();
  parallel(c.threads, r.n, r.grain(), [&](int64_t begin, int64_t end, int64_t chunk) {
    Gemm part = step;
    part.m = end - begin;
    for (int64_t s = 0; s < t; ++s) {
      part.a = s > 0 ? y + (begin * t + s - 1) * u : h0 == nullptr ? nullptr : h0 + begin * u;
      part.lda = s > 0 ? t * u : u;
      part.c = gates + (begin * t + s) * r.gates;
      if (part.a != nullptr) gemm_on(path, part, c.scratch + chunk * bytes);
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = i * t + s;
        const float* const before = s > 0 ? cells + (at - 1) * u : c0 == nullptr ? nullptr : c0 + i * u;
        cell(gates + at * r.gates, before, cells + at * u, y + at * u, u);
      }
    }
    for (int64_t i = begin; i < end; ++i) {
      const int64_t at = (i + 1) * t - 1;
      copy_or_zero(c.out[1].f32() + i * u, t > 0 ? y + at * u : h0 == nullptr ? nullptr : h0 + i * u, u);
      copy_or_zero(c.out[2].f32() + i * u, t > 0 ? cells + at * u : c0 == nullptr ? nullptr : c0 + i * u, u);
    }
  });
}

CREMA_KERNEL_SCRATCH(lstm_grad, scratch_of_lstm_grad) {
  const Recurrence r(c.in[0], c.in[2]);
  const GradMemory memory(c.scratch, r, c.threads);
  const int64_t u = r.units, t = r.t;
  const float* const h0 = c.in[3].present() ? c.in[3].f32() : nullptr;
  const float* const c0 = c.in[4].present() ? c.in[4].f32() : nullptr;
  const float *const y = c.in[5].f32(), *const cells = c.in[6].f32(), *const gates = c.in[7].f32();
  const float* const dy = c.in[8].present() ? c.in[8].f32() : nullptr;
  const float* const dh_last = c.in[9].present() ? c.in[9].f32() : nullptr;
  const float* const dc_last = c.in[10].present() ? c.in[10].f32() : nullptr;
  float *const dh0 = c.out[4].f32(), *const dc0 = c.out[5].f32();
  transposed(c.in[2].f32(), u, r.gates, memory.r_transposed);

  Gemm step;
  step.m = r.n;
  step.n = u;
  step.k = r.gates;
  step.lda = t * r.gates;
  step.b = memory.r_transposed;
  step.ldb = u;
  step.ldc = u;
  const Path path = path_of(step);
  const int64_t bytes = r.step_scratch();
  parallel(c.threads, r.n, r.grain(), [&](int64_t begin, int64_t end, int64_t chunk) {
    Gemm part = step;
    part.m = end - begin;
    part.c = dh0 + begin * u;  // what flows into the step before: in the end, into h0
    copy_or_zero(part.c, dh_last == nullptr ? nullptr : dh_last + begin * u, part.m * u);
    copy_or_zero(dc0 + begin * u, dc_last == nullptr ? nullptr : dc_last + begin * u, part.m * u);
    for (int64_t s = t - 1; s >= 0; --s) {
      for (int64_t i = begin; i < end; ++i) {
        const int64_t at = i * t + s;
        const float* flow = dh0 + i * u;
        if (dy != nullptr) {
          each(flow, dy + at * u, memory.dh + i * u, u, [](vec a, vec b) { return a + b; });
          flow = memory.dh + i * u;
        }
        const float* const before = s > 0 ? cells + (at - 1) * u : c0 == nullptr ? nullptr : c0 + i * u;
        cell_grad(gates + at * r.gates, before, cells + at * u, flow, dc0 + i * u, memory.d_gates + at * r.gates, u);
      }
      part.a = memory.d_gates + (begin * t + s) * r.gates;
      gemm_on(path, part, memory.products + chunk * bytes);
    }
  });

  states_before(r, y, h0, memory.before);
  const float *const x = c.in[0].f32(), *const w = c.in[1].f32();
  dense({r.rows(), r.features, r.gates, memory.d_gates, false, w, true, c.out[0].f32(), nullptr}, memory.products,
        c.threads);
  dense({r.features, r.gates, r.rows(), x, true, memory.d_gates, false, c.out[1].f32(), nullptr}, memory.products,
        c.threads);
  dense({u, r.gates, r.rows(), memory.before, true, memory.d_gates, false, c.out[2].f32(), nullptr}, memory.products,
        c.threads);
  sum_rows(memory.d_gates, r.rows(), r.gates, c.out[3].f32());
}

}  // namespace CREMA_ISA
}  // namespace crema
