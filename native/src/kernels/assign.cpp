// assign.cpp: stores a tensor in a variable, or adds it. in: variable (written in place), value; ints:
// accumulate. The two may overlap, as variables of one storage can.
#include "../move.h"

namespace crema {
namespace CREMA_ISA {

CREMA_KERNEL(assign) {
  const int64_t bytes = c.in[0].elements() * element_bytes(c.in[0].type);
  char* const to = c.in[0].as<char>();
  const char* const from = c.in[1].as<char>();
  const bool apart = to + bytes <= from || from + bytes <= to;
  if (c.ints[0] == 0) {
    if (!apart) {
      std::memmove(to, from, static_cast<size_t>(bytes));
      return;
    }
    parallel(c.threads, bytes, kMoveGrain, [&](int64_t begin, int64_t end, int64_t) {
      std::memcpy(to + begin, from + begin, static_cast<size_t>(end - begin));
    });
    return;
  }
  float* const y = c.in[0].f32();
  const float* const x = c.in[1].f32();
  const int64_t n = c.in[0].elements();
  if (apart) {
    parallel(c.threads, n, kMoveGrain / 4, [&](int64_t begin, int64_t end, int64_t) {
      add_run(y + begin, x + begin, end - begin);
    });
  } else if (x >= y) {  // reads stay ahead of writes
    for (int64_t i = 0; i < n; ++i) y[i] += x[i];
  } else {
    for (int64_t i = n - 1; i >= 0; --i) y[i] += x[i];
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
