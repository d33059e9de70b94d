// dropout.cu: y = x / (1 - p) where a random bit keeps it, else 0 (Srivastava et al. 2014). The bits are a function of (seed,
// step, stream, element) alone - Philox4x32-10, a counter-based generator (Salmon et al. 2011) - and the same as on the CPU,
// so the backward pass draws the same ones again. x and y are stored as T; in place allowed.
//
// dropout_T: (x, u32* counter, y, i64 n, u32 threshold, float scale, u32 stream). counter: seed low, seed high, step low, step
//   high. An element is kept when its 32 bits are at least threshold = p 2^32. 256 threads; a thread takes one counter, whose
//   four words belong to elements 16 apart: elements [64 b, 64 b + 64) take the words of counters 16 b .. 16 b + 15. Grid: any,
//   about n / 1024 blocks. Reads x and writes y once.
#include "storage.cuh"

struct Words {
  u32 v[4];
};

CREMA_DEVICE Words philox(Words c, u32 key0, u32 key1) {
  CREMA_UNROLL
  for (int round = 0; round < 10; ++round) {
    const u32 high0 = __umulhi(c.v[0], 0xD2511F53u), low0 = c.v[0] * 0xD2511F53u;
    const u32 high1 = __umulhi(c.v[2], 0xCD9E8D57u), low1 = c.v[2] * 0xCD9E8D57u;
    c = {{high1 ^ c.v[1] ^ key0, low1, high0 ^ c.v[3] ^ key1, low0}};
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return c;
}

template <typename T>
CREMA_DEVICE void dropout(const T* x, const u32* counter, T* y, i64 n, u32 threshold, float scale, u32 stream) {
  const u32 key0 = counter[0], key1 = counter[1], step0 = counter[2], step1 = counter[3];
  const i64 counters = (n + 63) / 64 * 16;
  for (i64 at = global_thread(); at < counters; at += global_threads()) {
    const Words random = philox({{static_cast<u32>(at), static_cast<u32>(at >> 32) ^ (stream << 8), step0, step1}}, key0, key1);
    const i64 first = at / 16 * 64 + at % 16;
    CREMA_UNROLL
    for (int k = 0; k < 4; ++k) {
      const i64 i = first + 16 * k;
      if (i < n) put(y + i, random.v[k] >= threshold ? to_float(x[i]) * scale : 0.0f);
    }
  }
}

#define CREMA_DROPOUT(type, T)                                                                                               \
  CREMA_KERNEL(dropout_##type, kThreads, const T* x, const u32* counter, T* y, i64 n, u32 threshold, float scale, u32 stream) { \
    dropout(x, counter, y, n, threshold, scale, stream);                                                                     \
  }
CREMA_EACH_TYPE(CREMA_DROPOUT)
