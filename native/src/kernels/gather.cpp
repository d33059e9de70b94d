// gather.cpp: slices of an axis by index, and the gradient. ints: axis.
// gather: x [a..., k, b...] of any element type, indices [i...] int32 or int64 -> [a..., i..., b...].
// gather_grad: indices, dy -> dx, float32.
#include "../scatter.h"

namespace crema {
namespace CREMA_ISA {

CREMA_KERNEL(gather) {
  const int axis = static_cast<int>(c.ints[0]);
  const Tensor& x = c.in[0];
  if (!indices_fit(c, c.in[1], x.dim[axis])) return;
  gather_rows(c, c.in[1], x.as<char>(), c.out[0].as<char>(), extent(x, 0, axis), x.dim[axis],
              extent(x, axis + 1, x.rank) * element_bytes(x.type), -1);
}

CREMA_KERNEL(gather_grad) {
  const int axis = static_cast<int>(c.ints[0]);
  const Tensor& dx = c.out[0];
  if (!indices_fit(c, c.in[0], dx.dim[axis])) return;
  scatter_rows(c, c.in[0], c.in[1].f32(), dx.f32(), extent(dx, 0, axis), dx.dim[axis],
               extent(dx, axis + 1, dx.rank), -1);
}

}  // namespace CREMA_ISA
}  // namespace crema
