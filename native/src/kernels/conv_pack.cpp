// conv_pack.cpp: weights of convolutions in the order in which the register tile reads them.
#include "../conv.h"

namespace crema {
namespace CREMA_ISA {

void pack_panels(const Weights& w, const Axis& rows, const Axis& columns, int64_t groups, int64_t k, int64_t n,
                 int32_t threads, float* to) {
  const Panels panels(n);
  const int64_t taps = rows.taps * columns.taps, steps = taps * k;
  const int64_t work = k * panels.width();
  parallel(threads, groups * taps, 1 + (1 << 16) / (work + 1), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t group = i / taps, tap = i % taps;
      const float* const from = w.data + group * w.group +
                                (rows.weight_first + tap / columns.taps * rows.weight_step) * w.row +
                                (columns.weight_first + tap % columns.taps * columns.weight_step) * w.column;
      for (int64_t p = 0; p < panels.count; ++p) {
        const int64_t first = panels.first(p) * W, width = panels.size(p) * W, there = panels.columns_of(p);
        float* row = to + (group * panels.width() + first) * steps + tap * k * width;
        for (int64_t step = 0; step < k; ++step, row += width) {
          const float* const weights = from + step * w.k + first * w.n;
          if (w.n == 1) {
            std::memcpy(row, weights, static_cast<size_t>(there) * sizeof(float));
          } else {
            for (int64_t j = 0; j < there; ++j) row[j] = weights[j * w.n];
          }
          for (int64_t j = there; j < width; ++j) row[j] = 0.0f;
        }
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
