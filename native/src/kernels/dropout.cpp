// dropout.cpp: y = x / (1 - p) where a random bit keeps it, else 0 (Srivastava et al. 2014). The bits are
// a function of (seed, step, stream, element) alone - Philox4x32-10, a counter-based generator (Salmon et
// al. 2011) - so the backward pass draws the same ones again, and any number of threads gives the same.
//   in: x, counter (4 floats whose bits are: seed low, seed high, step low, step high); out: y
//   floats: p; ints: stream. The gradient is the same kernel on dy. In place allowed.
#include "../vec.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kGrain = 16384;

struct Four {
  uint32_t v[4];
};

inline Four philox(Four counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53u} * counter.v[0], p1 = uint64_t{0xCD9E8D57u} * counter.v[2];
    counter = Four{{static_cast<uint32_t>(p1 >> 32) ^ counter.v[1] ^ key0, static_cast<uint32_t>(p1),
                    static_cast<uint32_t>(p0 >> 32) ^ counter.v[3] ^ key1, static_cast<uint32_t>(p0)}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

}  // namespace

CREMA_KERNEL(dropout) {
  const float* const x = c.in[0].f32();
  float* const y = c.out[0].f32();
  const int64_t n = c.in[0].elements();
  uint32_t bits[4];
  std::memcpy(bits, c.in[1].data, sizeof(bits));
  const double p = c.floats[0];
  const float scale = p < 1 ? static_cast<float>(1 / (1 - p)) : 0.0f;
  // Kept when a 32-bit number is at least p 2^32.
  const uint64_t threshold = static_cast<uint64_t>(p * 4294967296.0);
  const uint32_t stream = static_cast<uint32_t>(c.ints[0]);
  parallel(c.threads, (n + 3) / 4, kGrain / 4, [&](int64_t begin, int64_t end, int64_t) {
    for (int64_t b = begin; b < end; ++b) {
      const Four r = philox(Four{{static_cast<uint32_t>(b), static_cast<uint32_t>(b >> 32) ^ (stream << 8), bits[2], bits[3]}},
                            bits[0], bits[1]);
      for (int64_t i = 4 * b; i < 4 * b + 4 && i < n; ++i) y[i] = r.v[i - 4 * b] >= threshold ? x[i] * scale : 0.0f;
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
