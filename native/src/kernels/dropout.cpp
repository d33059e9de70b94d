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

// Sixteen counters side by side: whatever a vector's width is, elements [64 b, 64 b + 64) take the four words of
// the counters 16 b .. 16 b + 15, first all first words, then all second ones, and so on.
constexpr int kLanes = 16;
constexpr int64_t kBlock = 4 * kLanes;

typedef uint32_t words __attribute__((vector_size(4 * kLanes)));

struct Four {
  words v[4];
};

// High and low halves of the products a * b, lane by lane.
CREMA_INLINE void multiply(words a, uint32_t b, words* high, words* low) {
#if defined(__AVX512F__)
  const __m512i factor = _mm512_set1_epi64(b);
  const __m512i even = _mm512_mul_epu32((__m512i)a, factor);
  const __m512i odd = _mm512_mul_epu32(_mm512_srli_epi64((__m512i)a, 32), factor);
  *low = (words)_mm512_mask_blend_epi32(0xAAAA, even, _mm512_slli_epi64(odd, 32));
  *high = (words)_mm512_mask_blend_epi32(0xAAAA, _mm512_srli_epi64(even, 32), odd);
#else
  for (int i = 0; i < kLanes; ++i) {
    const uint64_t product = uint64_t{a[i]} * b;
    (*low)[i] = static_cast<uint32_t>(product);
    (*high)[i] = static_cast<uint32_t>(product >> 32);
  }
#endif
}

CREMA_INLINE Four philox(Four counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < 10; ++round) {
    words high0, low0, high1, low1;
    multiply(counter.v[0], 0xD2511F53u, &high0, &low0);
    multiply(counter.v[2], 0xCD9E8D57u, &high1, &low1);
    counter = Four{{high1 ^ counter.v[1] ^ key0, low1, high0 ^ counter.v[3] ^ key1, low0}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return counter;
}

// A block's random words, in the order of its elements.
CREMA_INLINE void draw(int64_t block, uint32_t stream, const uint32_t* bits, uint32_t* random) {
  constexpr words kOrder = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  const int64_t at = block * kLanes;  // no lane carries into the upper half
  Four counter;
  counter.v[0] = kOrder + static_cast<uint32_t>(at);
  counter.v[1] = words{} + (static_cast<uint32_t>(at >> 32) ^ (stream << 8));
  counter.v[2] = words{} + bits[2];
  counter.v[3] = words{} + bits[3];
  const Four r = philox(counter, bits[0], bits[1]);
  std::memcpy(random, r.v, sizeof(r.v));
}

// Numbers by value: read through the closure of a parallel loop they could be what y points to, and the loop would
// branch at random for each element instead of blending.
CREMA_INLINE void keep(const float* x, const uint32_t* random, uint32_t threshold, float scale, float* y, int64_t n) {
  for (int64_t i = 0; i < n; ++i) y[i] = random[i] >= threshold ? x[i] * scale : 0.0f;
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
  // Kept when a 32-bit number is at least p 2^32, which is below 2^32.
  const uint32_t threshold = static_cast<uint32_t>(p * 4294967296.0);
  const uint32_t stream = static_cast<uint32_t>(c.ints[0]);
  parallel(c.threads, (n + kBlock - 1) / kBlock, kGrain / kBlock, [&](int64_t begin, int64_t end, int64_t) {
    alignas(64) uint32_t random[kBlock];
    for (int64_t b = begin; b < end; ++b) {
      draw(b, stream, bits, random);
      const int64_t at = b * kBlock, count = n - at < kBlock ? n - at : kBlock;
      if (count == kBlock) {
        keep(x + at, random, threshold, scale, y + at, kBlock);
      } else {
        keep(x + at, random, threshold, scale, y + at, count);
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
