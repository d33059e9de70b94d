// int8_tiles.cu: dense layers of bytes by tensor cores: tiles of outputs, mma of unsigned and signed bytes. The sums are whole numbers,
// so the results are those of int8_linear.cu (and of the CPU) to the bit.
//   quantized_linear_tiles_128, _64: (u8* x, int* packed, Target t, i64 m, i64 n, i64 k)
//   dynamic_quantized_linear_tiles_128, _64: (u8* x, row_scale, u8* row_zero, int* packed, bias or null, y, i64 m, i64 n, i64 k, int relu)
//   256 threads (_128) or 128 (_64); grid: any, about ceil(m / tile) ceil(n / tile) blocks.
// A block's tile of x [tile, 64] and of the weights [64, tile] lie twice in shared memory: one is multiplied while the next is fetched.
// Limit: 2 m n k operations over the card's rate of int8 products.
#include "int8.cuh"

constexpr int kRun = 64;                    // of k, in shared memory at a time
constexpr int kRunWords = kRun / 4;
constexpr int kRowWords = kRunWords + 4;    // of x: eight rows of a quarter of a warp lie in different banks

// d [16, 8] += a [16, 32] b [32, 8], spread over a warp as PTX says: with g = lane / 4 and t = lane % 4, a[0] and a[2] are the bytes
// 4t ... of row g from 0 and from 16, a[1] and a[3] of row g + 8, b[0] and b[1] the rows 4t ... of column g from 0 and from 16, d[0] and
// d[1] the columns 2t, 2t + 1 of row g, d[2] and d[3] of row g + 8.
CREMA_DEVICE void mma_bytes(int (&d)[4], const u32 (&a)[4], const u32 (&b)[2]) {
#if defined(CREMA_EMULATED)
  const int lane = lane_of_warp(), first = lane / 4 * 4;
  for (int t = 0; t < 4; ++t) {
    u32 rows[4];
    for (int i = 0; i < 4; ++i) rows[i] = __shfl_sync(kAllLanes, a[i], first + t);
    for (int j = 0; j < 2; ++j) {
      const int column = (lane % 4 * 2 + j) * 4 + t;
      const int low = static_cast<int>(__shfl_sync(kAllLanes, b[0], column));
      const int high = static_cast<int>(__shfl_sync(kAllLanes, b[1], column));
      d[j] = dot4(rows[2], high, dot4(rows[0], low, d[j]));
      d[2 + j] = dot4(rows[3], high, dot4(rows[1], low, d[2 + j]));
    }
  }
#else
  asm("mma.sync.aligned.m16n8k32.row.col.s32.u8.s8.s32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, %3};"
      : "+r"(d[0]), "+r"(d[1]), "+r"(d[2]), "+r"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
#endif
}

// 16 bytes of a row of x from k0 on; those that are not there are 0.
CREMA_DEVICE uint4 row_bytes(const u8* x, i64 m, i64 k, i64 row, i64 k0, bool whole) {
  if (row >= m || k0 >= k) return make_uint4(0, 0, 0, 0);
  const u8* const p = x + row * k + k0;
  if (whole) return *reinterpret_cast<const uint4*>(p);
  const i64 left = k - k0;
  return make_uint4(four_bytes(p, left), four_bytes(p + 4, left - 4), four_bytes(p + 8, left - 8), four_bytes(p + 12, left - 12));
}

// Of four columns of a step of the packed weights.
CREMA_DEVICE uint4 weight_words(const int* packed, i64 steps, i64 columns, i64 step, i64 column) {
  if (step >= steps || column >= columns) return make_uint4(0, 0, 0, 0);
  return *reinterpret_cast<const uint4*>(packed + step * columns + column);
}

// Warps of a block stand in kDown rows and kAcross columns. finish(row, column, sum) takes each output of [m, n] once.
template <int kTile, int kDown, int kAcross, typename Finish>
CREMA_DEVICE void int8_tiles(const u8* x, const int* packed, i64 m, i64 n, i64 k, Finish finish) {
  constexpr int kBlock = kDown * kAcross * kWarp;
  constexpr int kRows = kTile / kDown / 16, kColumns = kTile / kAcross / 8;  // products of a warp
  constexpr int kColumnWords = kTile + 8;                                    // four steps lie in different banks
  constexpr int kPieces = kTile * kRunWords / 4 / kBlock;                    // of 16 bytes, of each factor, of a thread
  CREMA_SHARED(u32, xs, 2 * kTile * kRowWords);
  CREMA_SHARED(u32, ws, 2 * kRunWords * kColumnWords);
  const i64 columns = int8_columns(n), steps = int8_steps(k), across = (n + kTile - 1) / kTile;
  const i64 tiles = (m + kTile - 1) / kTile * across, runs = (k + kRun - 1) / kRun;
  const bool whole = k % 16 == 0 && is_aligned(x, 16);
  const int thread = static_cast<int>(threadIdx.x), lane = lane_of_warp(), g = lane / 4, t = lane % 4;
  const int down = warp_of_block() / kAcross * (kTile / kDown), right = warp_of_block() % kAcross * (kTile / kAcross);
  for (i64 tile = blockIdx.x; tile < tiles; tile += gridDim.x) {
    const i64 row0 = tile / across * kTile, column0 = tile % across * kTile;
    int sums[kRows][kColumns][4];
    CREMA_UNROLL
    for (int i = 0; i < kRows; ++i) {
      CREMA_UNROLL
      for (int j = 0; j < kColumns; ++j) sums[i][j][0] = sums[i][j][1] = sums[i][j][2] = sums[i][j][3] = 0;
    }
    uint4 next_x[kPieces], next_w[kPieces];
    const auto fetch = [&](i64 run) {
      CREMA_UNROLL
      for (int p = 0; p < kPieces; ++p) {
        const int piece = thread + p * kBlock;
        next_x[p] = row_bytes(x, m, k, row0 + piece / 4, run * kRun + piece % 4 * 16, whole);
        next_w[p] = weight_words(packed, steps, columns, run * kRunWords + piece / (kTile / 4), column0 + piece % (kTile / 4) * 4);
      }
    };
    const auto put = [&](int buffer) {
      CREMA_UNROLL
      for (int p = 0; p < kPieces; ++p) {
        const int piece = thread + p * kBlock;
        u32* const to = xs + (buffer * kTile + piece / 4) * kRowWords + piece % 4 * 4;
        *reinterpret_cast<uint4*>(to) = next_x[p];
        u32* const w = ws + (buffer * kRunWords + piece / (kTile / 4)) * kColumnWords + piece % (kTile / 4) * 4;
        *reinterpret_cast<uint4*>(w) = next_w[p];
      }
    };
    __syncthreads();  // the tile before is read
    fetch(0);
    put(0);
    __syncthreads();
    for (i64 run = 0; run < runs; ++run) {
      const int buffer = static_cast<int>(run % 2);
      if (run + 1 < runs) fetch(run + 1);
      CREMA_UNROLL
      for (int step = 0; step < kRunWords; step += 8) {
        u32 b[kColumns][2];
        CREMA_UNROLL
        for (int j = 0; j < kColumns; ++j) {
          const u32* const w = ws + (buffer * kRunWords + step + t) * kColumnWords + right + j * 8 + g;
          b[j][0] = w[0];
          b[j][1] = w[4 * kColumnWords];
        }
        CREMA_UNROLL
        for (int i = 0; i < kRows; ++i) {
          const u32* const r = xs + (buffer * kTile + down + i * 16 + g) * kRowWords + step + t;
          const u32 a[4] = {r[0], r[8 * kRowWords], r[4], r[8 * kRowWords + 4]};
          CREMA_UNROLL
          for (int j = 0; j < kColumns; ++j) mma_bytes(sums[i][j], a, b[j]);
        }
      }
      if (run + 1 < runs) put(1 - buffer);
      __syncthreads();
    }
    CREMA_UNROLL
    for (int i = 0; i < kRows; ++i) {
      CREMA_UNROLL
      for (int j = 0; j < kColumns; ++j) {
        CREMA_UNROLL
        for (int e = 0; e < 4; ++e) {
          const i64 row = row0 + down + i * 16 + g + e / 2 * 8, column = column0 + right + j * 8 + t * 2 + e % 2;
          if (row < m && column < n) finish(row, column, sums[i][j][e]);
        }
      }
    }
  }
}

template <int kTile, int kDown, int kAcross>
CREMA_DEVICE void quantized_tiles(const u8* x, const int* packed, const Target& t, i64 m, i64 n, i64 k) {
  const int* const offset = packed + int8_steps(k) * int8_columns(n);
  const float* const scale = reinterpret_cast<const float*>(offset + int8_columns(n));
  int8_tiles<kTile, kDown, kAcross>(x, packed, m, n, k, [&](i64 r, i64 j, int sum) {
    put_sum(t, r * n + j, sum, offset[j], scale[j]);
  });
}

template <int kTile, int kDown, int kAcross>
CREMA_DEVICE void dynamic_tiles(const u8* x, const float* row_scale, const u8* row_zero, const int* packed, const float* bias, float* y,
                                i64 m, i64 n, i64 k, int relu) {
  const int* const sums = packed + int8_steps(k) * int8_columns(n);
  const float* const scale = reinterpret_cast<const float*>(sums + int8_columns(n));
  int8_tiles<kTile, kDown, kAcross>(x, packed, m, n, k, [&](i64 r, i64 j, int sum) {
    const float b = bias != nullptr ? bias[j] : 0.0f;
    y[r * n + j] = number_of_sum(sum, row_zero[r], sums[j], row_scale[r], scale[j], b, relu);
  });
}

CREMA_KERNEL(quantized_linear_tiles_128, 256, const u8* x, const int* packed, const Target t, i64 m, i64 n, i64 k) {
  quantized_tiles<128, 2, 4>(x, packed, t, m, n, k);
}
CREMA_KERNEL(quantized_linear_tiles_64, 128, const u8* x, const int* packed, const Target t, i64 m, i64 n, i64 k) {
  quantized_tiles<64, 2, 2>(x, packed, t, m, n, k);
}
CREMA_KERNEL(dynamic_quantized_linear_tiles_128, 256, const u8* x, const float* row_scale, const u8* row_zero, const int* packed,
             const float* bias, float* y, i64 m, i64 n, i64 k, int relu) {
  dynamic_tiles<128, 2, 4>(x, row_scale, row_zero, packed, bias, y, m, n, k, relu);
}
CREMA_KERNEL(dynamic_quantized_linear_tiles_64, 128, const u8* x, const float* row_scale, const u8* row_zero, const int* packed,
             const float* bias, float* y, i64 m, i64 n, i64 k, int relu) {
  dynamic_tiles<64, 2, 2>(x, row_scale, row_zero, packed, bias, y, m, n, k, relu);
}
