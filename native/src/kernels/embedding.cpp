// embedding.cpp: rows of a table by id, and the table's gradient. ints: id of the padding, whose row reads
// as zeros and gets no gradient; -1 for none.
// embedding: ids [i...] int32 or int64, table [v, d] -> [i..., d]. embedding_grad: ids, dy -> [v, d].
#include "../scatter.h"

namespace crema {
namespace CREMA_ISA {

CREMA_KERNEL(embedding) {
  const Tensor& table = c.in[1];
  if (!indices_fit(c, c.in[0], table.dim[0])) return;
  gather_rows(c, c.in[0], table.as<char>(), c.out[0].as<char>(), 1, table.dim[0], table.dim[1] * 4, c.ints[0]);
}

CREMA_KERNEL(embedding_grad) {
  const Tensor& table = c.out[0];
  if (!indices_fit(c, c.in[0], table.dim[0])) return;
  scatter_rows(c, c.in[0], c.in[1].f32(), table.f32(), 1, table.dim[0], table.dim[1], c.ints[0]);
}

}  // namespace CREMA_ISA
}  // namespace crema
