// Which elements a dropout keeps, against Philox4x32-10 written plainly, which is checked against the answers that its
// authors published (Salmon et al. 2011, Random123's kat_vectors).
#include <array>

#include "check.h"

using crema_test::Array;

namespace {

using Words = std::array<uint32_t, 4>;

Words philox(Words c, uint32_t k0, uint32_t k1) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t p0 = uint64_t{0xD2511F53} * c[0], p1 = uint64_t{0xCD9E8D57} * c[2];
    c = Words{static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ k0, static_cast<uint32_t>(p1),
              static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ k1, static_cast<uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return c;
}

void known_answers() {
  CHECK((philox({0, 0, 0, 0}, 0, 0) == Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}), "of zeros");
  const uint32_t f = 0xffffffff;
  CHECK((philox({f, f, f, f}, f, f) == Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}), "of ones");
  CHECK((philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, 0xa4093822, 0x299f31d0) ==
         Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}),
        "of pi");
}

// Element e of block b of 64 takes word e / 16 of counter 16 b + e % 16.
bool kept(int64_t element, uint32_t stream, const Words& bits, double rate) {
  const int64_t block = element / 64, at = block * 16 + element % 16;
  const Words r = philox({static_cast<uint32_t>(at), static_cast<uint32_t>(at >> 32) ^ (stream << 8), bits[2], bits[3]},
                         bits[0], bits[1]);
  return r[static_cast<size_t>(element % 64 / 16)] >= static_cast<uint32_t>(rate * 4294967296.0);
}

void masks(int level, int32_t threads, int64_t n, double rate) {
  const Words bits{42, 7, 0xdeadbeef, 1};
  Array x = Array::random({n}, 5), y({n}), counter({4});
  std::memcpy(counter.data(), bits.data(), sizeof(bits));
  crema_test::call(level, "dropout", threads, {&x, &counter}, {&y}, {3}, {rate});
  for (int64_t i = 0; i < n; ++i) {
    const float expected = kept(i, 3, bits, rate) ? x[i] * static_cast<float>(1 / (1 - rate)) : 0.0f;
    CHECK(y[i] == expected, "element %d of %d at level %d: %g, not %g", static_cast<int>(i), static_cast<int>(n), level,
          static_cast<double>(y[i]), static_cast<double>(expected));
  }
}

}  // namespace

int main() {
  known_answers();
  for (int level = 0; level < crema::kLevels; ++level) {
    if (!crema::isa_supported(level)) continue;
    for (const int64_t n : {1, 15, 16, 63, 64, 65, 1000, 100000}) {
      for (const int32_t threads : {1, 3}) {
        masks(level, threads, n, 0.3);
        masks(level, threads, n, 0.0);
      }
    }
  }
  return crema_test::result();
}
