// concat.cpp: joins tensors along an axis. ints: axis. Any element type, any number of inputs.
#include "../move.h"

namespace crema {
namespace CREMA_ISA {

CREMA_KERNEL(concat) {
  const int axis = static_cast<int>(c.ints[0]);
  const Tensor& y = c.out[0];
  const int64_t size = element_bytes(y.type);
  const int64_t outer = extent(y, 0, axis);
  const int64_t row = extent(y, axis, y.rank) * size;
  int64_t at = 0;
  for (int i = 0; i < c.ins; ++i) {
    const Tensor& x = c.in[i];
    const int64_t run = extent(x, axis, x.rank) * size;
    const char* const from = x.as<char>();
    char* const to = y.as<char>() + at;
    if (outer == 1) {
      parallel(c.threads, run, kMoveGrain, [&](int64_t begin, int64_t end, int64_t) {
        std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
      });
    } else {
      parallel(c.threads, outer, row_grain(run), [&](int64_t begin, int64_t end, int64_t) {
        for (int64_t r = begin; r < end; ++r) copy_run(to + r * row, from + r * run, run);
      });
    }
    at += run;
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
