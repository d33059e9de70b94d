// mma.cuh: products of 16-bit numbers by tensor cores, and how shared memory is read for them. Under the emulation the
// lanes of a warp exchange their registers in memory, by the layouts that PTX gives.
#pragma once

#include "storage.cuh"

#if defined(CREMA_EMULATED)
// What the lanes of this warp show each other: between two barriers each writes its own place, then all read.
CREMA_DEVICE u64 (*shown_by_warp())[8] {
  static u64 shown[kWarp][kWarp][8];
  return shown[warp_of_block()];
}
#else
CREMA_DEVICE u32 shared_address(const void* p) {
  u64 address;
  asm("cvta.to.shared.u64 %0, %1;" : "=l"(address) : "l"(p));
  return static_cast<u32>(address);
}
#endif

// d [16, 8] += a [16, 16] b [16, 8], sums in float32, spread over a warp as PTX says (mma.m16n8k16): with g = lane / 4 and t = lane % 4,
// a[0] and a[2] are the numbers 2t, 2t + 1 of row g from 0 and from 8, a[1] and a[3] of row g + 8; b[0] and b[1] are rows 2t, 2t + 1 of
// column g from 0 and from 8; d[0] and d[1] are the columns 2t, 2t + 1 of row g, d[2] and d[3] of row g + 8.
#if defined(CREMA_EMULATED)
template <typename T>
CREMA_DEVICE void mma(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2], T) {
  u64(*const shown)[8] = shown_by_warp();
  const int lane = lane_of_warp(), g = lane / 4;
  for (int i = 0; i < 4; ++i) shown[lane][i] = a[i];
  for (int i = 0; i < 2; ++i) shown[lane][4 + i] = b[i];
  __syncwarp();
  const auto number = [](u64 word, int half) { return to_float(T{static_cast<u16>(word >> 16 * half)}); };
  for (int e = 0; e < 4; ++e) {
    const int column = lane % 4 * 2 + e % 2;
    for (int k = 0; k < 16; ++k) {
      const int holder = k % 8 / 2, half = k % 2, from = k / 8;
      d[e] += number(shown[4 * g + holder][2 * from + e / 2], half) * number(shown[4 * column + holder][4 + from], half);
    }
  }
  __syncwarp();
}
#else
#define CREMA_MMA(T, type)                                                                                                         \
  CREMA_DEVICE void mma(float (&d)[4], const u32 (&a)[4], const u32 (&b)[2], T) {                                                  \
    asm("mma.sync.aligned.m16n8k16.row.col.f32." type "." type ".f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};" \
        : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])                                                                           \
        : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));                                                       \
  }
CREMA_MMA(bf16, "bf16")
CREMA_MMA(f16, "f16")
#undef CREMA_MMA
#endif

// Four matrices of 8 x 8 numbers from shared memory (ldmatrix): lane l gives the address of row l % 8 of matrix l / 8, aligned to 16 bytes;
// of each matrix it gets the numbers 2 (l % 4) and the next of row l / 4 or, transposed, of column l / 4.
template <bool Transposed>
CREMA_DEVICE void load_matrices(u32 (&r)[4], const void* row) {
#if defined(CREMA_EMULATED)
  u64(*const shown)[8] = shown_by_warp();
  const int lane = lane_of_warp(), g = lane / 4, t = lane % 4;
  shown[lane][0] = reinterpret_cast<u64>(row);
  __syncwarp();
  for (int i = 0; i < 4; ++i) {
    const auto number = [&](int line, int column) -> u32 { return reinterpret_cast<const u16*>(shown[8 * i + line][0])[column]; };
    r[i] = Transposed ? number(2 * t, g) | number(2 * t + 1, g) << 16 : number(g, 2 * t) | number(g, 2 * t + 1) << 16;
  }
  __syncwarp();
#else
  if constexpr (Transposed) {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
  } else {
    asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                 : "=r"(r[0]), "=r"(r[1]), "=r"(r[2]), "=r"(r[3])
                 : "r"(shared_address(row))
                 : "memory");
  }
#endif
}
