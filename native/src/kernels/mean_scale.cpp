// mean_scale.cpp: what flows back through a mean: dy divided by how many elements each mean was of. in: dy,
// x (only its shape is read); out: dy's shape. In place allowed.
#include "../vec.h"

namespace crema {
namespace CREMA_ISA {

CREMA_KERNEL(mean_scale) {
  const int64_t n = c.in[0].elements(), all = c.in[1].elements();
  const vec scale = broadcast(all == 0 ? 0.0f : static_cast<float>(static_cast<double>(n) / static_cast<double>(all)));
  each(c.in[0].f32(), c.out[0].f32(), n, [&](vec v) { return v * scale; });
}

}  // namespace CREMA_ISA
}  // namespace crema
