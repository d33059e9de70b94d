// probe.cpp: loops that do nothing but reach a limit of the processor, for benchmarks to stand beside.
//   ints: rounds. Every thread does the whole of probe_fma; the memory loops share the tensors' elements.
#include "../amx.h"
#include "../bf16.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int kChains = 12;  // independent sums: more than latency times units of any processor of today, and few
                             // enough for 16 registers

CREMA_INLINE vec chains(const float* seeds, int64_t rounds) {
  vec sum[kChains];
  for (int i = 0; i < kChains; ++i) sum[i] = load(seeds + i * W);
  const vec a = load(seeds + kChains * W), b = load(seeds + (kChains + 1) * W);
  for (int64_t r = 0; r < rounds; ++r) {
    for (int i = 0; i < kChains; ++i) {
      sum[i] = sum[i] * a + b;
      CREMA_STAYS(sum[i]);  // one multiply-add a round
    }
  }
  vec all = sum[0];
  for (int i = 1; i < kChains; ++i) all += sum[i];
  return all;
}

// y = f(i) for whole vectors, each thread a stretch that begins at a cache line; `past` the cache or into it.
template <typename F>
CREMA_INLINE void sweep(const Call& c, bool past, const F& f) {
  float* const y = c.out[0].f32();
  parallel(c.threads, c.out[0].elements() / 64, 1, [&](int64_t begin, int64_t end, int64_t) {
    if (past) {
      for (int64_t i = begin * 64; i < end * 64; i += W) stream(y + i, f(i));
      streamed();
    } else {
      for (int64_t i = begin * 64; i < end * 64; i += W) store(y + i, f(i));
    }
  });
}

}  // namespace

// in: seeds [14 W or more]; out: one vector a thread, [threads, 16].
CREMA_KERNEL(probe_fma) {
  parallel(c.threads, c.threads, 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t t = begin; t < end; ++t) store(c.out[0].f32() + t * 16, chains(c.in[0].f32(), c.ints[0]));
  });
}

#if defined(__AMX_BF16__)
// As probe_fma, of tiles of bfloat16.
CREMA_KERNEL(probe_bf16) {
  parallel(c.threads, c.threads, 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t t = begin; t < end; ++t) amx_rounds<AmxType::kBf16>(c.in[0].f32(), c.ints[0], c.out[0].f32() + t * 16);
  });
}

CREMA_KERNEL(probe_bf16_operations) { c.out[0].i32()[0] = amx_operations(32); }
#elif defined(__AVX512BF16__)
// As probe_fma, of pairs of bfloat16: four operations a lane.
CREMA_KERNEL(probe_bf16) {
  parallel(c.threads, c.threads, 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t t = begin; t < end; ++t) {
      const float* const seeds = c.in[0].f32();
      vec sum[kChains];
      for (int i = 0; i < kChains; ++i) sum[i] = load(seeds + i * W);
      const vec a = load(seeds + kChains * W), b = load(seeds + (kChains + 1) * W);
      for (int64_t r = 0; r < c.ints[0]; ++r) {
        for (int i = 0; i < kChains; ++i) {
          sum[i] = add_pairs(a, b, sum[i]);
          CREMA_STAYS(sum[i]);
        }
      }
      vec all = sum[0];
      for (int i = 1; i < kChains; ++i) all += sum[i];
      store(c.out[0].f32() + t * 16, all);
    }
  });
}

CREMA_KERNEL(probe_bf16_operations) { c.out[0].i32()[0] = 4 * kChains * W; }
#endif

// y = a
CREMA_KERNEL(probe_copy) {
  const float* const a = c.in[0].f32();
  sweep(c, c.ints[0] != 0, [&](int64_t i) CREMA_LAMBDA { return load(a + i); });
}

// y = a + 3 b (McCalpin 1995)
CREMA_KERNEL(probe_triad) {
  const float *const a = c.in[0].f32(), *const b = c.in[1].f32();
  const vec scale = broadcast(3.0f);
  sweep(c, c.ints[0] != 0, [&](int64_t i) CREMA_LAMBDA { return load(a + i) + scale * load(b + i); });
}

// Sums of a, one vector a thread: out [threads, 16].
CREMA_KERNEL(probe_read) {
  const float* const a = c.in[0].f32();
  parallel(c.threads, c.in[0].elements() / 64, 1, [&](int64_t begin, int64_t end, int64_t chunk) {
    vec sum[4] = {};
    for (int64_t i = begin * 64; i < end * 64; i += 64) {
      for (int j = 0; j < 64 / W; ++j) sum[j % 4] += load(a + i + j * W);
    }
    store(c.out[0].f32() + chunk * 16, (sum[0] + sum[1]) + (sum[2] + sum[3]));
  });
}

// out: operations of a round of the probe of that name.
CREMA_KERNEL(probe_fma_operations) { c.out[0].i32()[0] = 2 * kChains * W; }

}  // namespace CREMA_ISA
}  // namespace crema
