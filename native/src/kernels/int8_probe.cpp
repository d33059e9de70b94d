// int8_probe.cpp: as probe_fma, of groups of four bytes: eight operations a lane; in tiles where there are.
#include "../amx.h"
#include "../int8_dot.h"

namespace crema {
namespace CREMA_ISA {

#if defined(__AMX_INT8__)
CREMA_KERNEL(probe_int8) {
  parallel(c.threads, c.threads, 1, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t t = begin; t < end; ++t) amx_rounds<AmxType::kInt8>(c.in[0].f32(), c.ints[0], c.out[0].f32() + t * 16);
  });
}

CREMA_KERNEL(probe_int8_operations) { c.out[0].i32()[0] = amx_operations(64); }
#elif defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__ARM_FEATURE_DOTPROD)
static constexpr int kChains = 12;

CREMA_KERNEL(probe_int8) {
  parallel(c.threads, c.threads, 1, [&](int64_t begin, int64_t end, int64_t) {
    const float* const seeds = c.in[0].f32();
    const Left a = left(as_int(load(seeds + kChains * W))[0]);
    const Right b = right(reinterpret_cast<const int32_t*>(seeds + (kChains + 1) * W));
    for (int64_t t = begin; t < end; ++t) {
      veci sum[kChains];
      for (int i = 0; i < kChains; ++i) sum[i] = as_int(load(seeds + i * W));
      for (int64_t r = 0; r < c.ints[0]; ++r) {
        for (int i = 0; i < kChains; ++i) {
          sum[i] = dot(sum[i], a, b);
          CREMA_STAYS(sum[i]);
        }
      }
      veci all = sum[0];
      for (int i = 1; i < kChains; ++i) all ^= sum[i];
      store(c.out[0].f32() + t * 16, as_float(all));
    }
  });
}

CREMA_KERNEL(probe_int8_operations) { c.out[0].i32()[0] = 8 * kChains * W; }
#endif

}  // namespace CREMA_ISA
}  // namespace crema
