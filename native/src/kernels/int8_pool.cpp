// int8_pool.cpp: max pooling of unsigned bytes, channels last: no byte is turned into a number.
#include "../pooling.h"

namespace crema {
namespace CREMA_ISA {
namespace {

template <int Bytes>
struct Vector {
  typedef uint8_t type __attribute__((vector_size(Bytes)));
  typedef uint8_t memory __attribute__((vector_size(Bytes), aligned(1), may_alias));
};
template <>
struct Vector<1> {
  typedef uint8_t type;
  typedef uint8_t memory;
};

// A row of outputs, `Bytes` channels at a time; the last vector reaches back.
template <int Bytes>
void max_row(const Pool& p, const uint8_t* image, int64_t oy, uint8_t* y) {
  using Lane = typename Vector<Bytes>::type;
  using Memory = typename Vector<Bytes>::memory;
  const int64_t line = p.line(), c = p.x.c, top = p.rows.begin(oy), bottom = p.rows.end(oy);
  for (int64_t ox = 0; ox < p.columns.outputs; ++ox, y += c) {
    const int64_t left = p.columns.begin(ox), right = p.columns.end(ox);
    for (int64_t at = 0; at < c; at += Bytes) {
      const int64_t channel = at + Bytes > c ? c - Bytes : at;
      Lane m{};
      for (int64_t r = top; r < bottom; ++r) {
        const uint8_t* const x = image + r * line + channel;
        for (int64_t q = left; q < right; ++q) {
          const Lane v = *reinterpret_cast<const Memory*>(x + q * c);
          m = m > v ? m : v;
        }
      }
      *reinterpret_cast<Memory*>(y + channel) = m;
    }
  }
}

}  // namespace

void max_pool_bytes(const Call& c) {
  const Pool p(c, c.in[0], c.out[0]);
  const int64_t image = p.x.h * p.line(), out = p.columns.outputs * p.x.c;
  const auto row = p.x.c >= 64 ? max_row<64> : p.x.c >= 32 ? max_row<32> : p.x.c >= 16 ? max_row<16> : max_row<1>;
  const int64_t work = (p.rows.stride * p.line() + out * p.columns.size) / (p.x.c >= 16 ? 4 : 1);
  parallel(c.threads, p.y.n * p.y.h, row_grain(work), [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t i = begin; i < end; ++i) {
      row(p, c.in[0].as<uint8_t>() + i / p.y.h * image, i % p.y.h, c.out[0].as<uint8_t>() + i * out);
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
