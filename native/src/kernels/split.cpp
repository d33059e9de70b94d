// split.cpp: cuts a tensor along an axis into parts whose extents are those of the outputs. ints: axis.
// Any element type.
#include "../move.h"

namespace crema {
namespace CREMA_ISA {

CREMA_KERNEL(split) {
  const int axis = static_cast<int>(c.ints[0]);
  const Tensor& x = c.in[0];
  const int64_t size = element_bytes(x.type);
  const int64_t outer = extent(x, 0, axis);
  const int64_t row = extent(x, axis, x.rank) * size;
  int64_t at = 0;
  for (int i = 0; i < c.outs; ++i) {
    const Tensor& y = c.out[i];
    const int64_t run = extent(y, axis, y.rank) * size;
    const char* const from = x.as<char>() + at;
    char* const to = y.as<char>();
    if (outer == 1) {
      parallel(c.threads, run, kMoveGrain, [&](int64_t begin, int64_t end, int64_t) {
        std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
      });
    } else {
      parallel(c.threads, outer, row_grain(run), [&](int64_t begin, int64_t end, int64_t) {
        for (int64_t r = begin; r < end; ++r) copy_run(to + r * run, from + r * row, run);
      });
    }
    at += run;
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
