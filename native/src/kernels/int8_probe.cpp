// int8_probe.cpp: as probe_fma, of groups of four bytes: eight operations a lane.
#include "../int8_dot.h"

namespace crema {
namespace CREMA_ISA {

#if defined(__AVX512VNNI__) || defined(__AVXVNNI__) || defined(__ARM_FEATURE_DOTPROD)
CREMA_KERNEL(probe_int8) {
  constexpr int kChains = 12;
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
#endif

}  // namespace CREMA_ISA
}  // namespace crema
