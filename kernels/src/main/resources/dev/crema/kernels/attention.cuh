// attention.cuh: attention in tiles (Dao 2023, "FlashAttention-2") for heads of at most D numbers: forward, and the gradient in two passes,
// one over queries for dq and one over keys for dk and dv, so that no number is added by an atomic operation. Both passes compute the
// scores again: seven products where a single pass with atomics has five.
//
// A block owns kTiles x 16 rows a warp (queries, or keys in the pass for dk and dv), kept in shared memory. The other side comes by, kStep
// rows at a time, twice in shared memory: one step is multiplied while the next is copied (cp.async). A warp's products are tiles of 16 x 8
// sums spread over its lanes as of mma.m16n8k16 (mma.cuh): by tensor cores of 16-bit numbers, by multiply-adds in that layout of float32.
// What a product leaves in registers is the left factor of the next: weights never reach memory (float32: shared memory of their warp).
// Numbers past a head's size are zeros; rows past the end are zeros and have no weight.
//
// Limit, forward: 4 t s D operations a head; of memory, q, k, v and y once (k and v again for each block of queries, from the L2 cache):
// at t = s = 1024, D = 64 in 16 bits 512 operations a byte, so arithmetic and exponentials decide. A step of 64 keys costs a warp of 32
// rows 2 x 32 mma a 16 columns and one ldmatrix for each four of them; its 2048 exponentials take as long as 16 x 64 x 64 multiply-adds.
#pragma once

#include "copies.cuh"
#include "tile_products.cuh"

constexpr float kLog2e = 1.4426950408889634f, kLn2 = 0.6931471805599453f;

enum class Pass { kForward, kQueries, kKeys };

// How a block works: Attention<T, D, pass>.
template <typename T, int D, Pass pass>
struct Attention {
  static constexpr bool kWide = sizeof(T) == 4;  // float32, which no tensor core multiplies exactly
  static constexpr int kWarps = kWide && D == 128 && pass != Pass::kForward ? 2 : 4;
  static constexpr int kTiles = !kWide && pass == Pass::kForward ? 2 : 1;  // of 16 rows, of a warp
  static constexpr int kStep = kWide ? (D == 128 ? 16 : 32) : (D == 128 || (D == 32 && pass == Pass::kKeys) ? 32 : 64);
  static constexpr int kRows = kWarps * kTiles * 16;  // of a block
  static constexpr int kThreads = kWarps * kWarp;
  static constexpr int kRow = D + kPack<T>;           // numbers from row to row: eight rows lie in different banks
  static constexpr int kOwned = pass == Pass::kForward ? 1 : 2;
  static constexpr int kWeightRow = kStep + 4;
  static constexpr int kWeights = kWide ? kWarps * 16 * kWeightRow : 0;
  // Of dynamic shared memory; 99 KB are there on every card.
  static constexpr int kBytes = (kOwned * kRows + 4 * kStep) * kRow * static_cast<int>(sizeof(T)) + (kWeights + 4 * kStep) * 4;
  static_assert(kBytes <= 99 << 10, "a block asks for more shared memory than some cards have");
};

// Heads lie `inner` beside each other: q is [heads / inner, t, inner, d], and so are all others; 1: each head's rows are one after the other.
struct Extents {
  i64 heads, t, s;
  int inner, d, e;
  float scale;
  int causal, unused;  // in eights of bytes
};

CREMA_DEVICE float exp2_of(float x) {
#if defined(CREMA_EMULATED)
  return std::exp2(x);
#else
  float y;
  asm("ex2.approx.ftz.f32 %0, %1;" : "=f"(y) : "f"(x));
  return y;
#endif
}

// The first of a head's `rows` rows of n numbers, which are inner * n apart.
template <typename T>
CREMA_DEVICE T* of_head(T* x, const Extents& z, i64 head, i64 rows, int n) {
  const u32 inner = static_cast<u32>(z.inner), outer = static_cast<u32>(head) / inner;
  return x + (outer * rows * inner + static_cast<u32>(head) % inner) * n;
}

// Rows [from, from + Rows) of x [rows, n], `step` numbers apart, to shared memory, D numbers a row.
template <int Rows, int D, int Threads, typename T>
CREMA_DEVICE void fetch(const T* x, i64 from, i64 rows, int n, int step, T* to) {
  constexpr int kPacks = D / kPack<T>, kRow = D + kPack<T>;
  const bool whole = n % kPack<T> == 0 && is_aligned(x, 16);
  for (int i = static_cast<int>(threadIdx.x); i < Rows * kPacks; i += Threads) {
    const int row = i / kPacks, column = i % kPacks * kPack<T>;
    T* const place = to + row * kRow + column;
    const bool there = from + row < rows;
    if (whole && column < n) {
      copy_16(place, there ? x + (from + row) * step + column : x, there);
    } else {
      CREMA_UNROLL
      for (int k = 0; k < kPack<T>; ++k) place[k] = there && column + k < n ? x[(from + row) * step + column + k] : T{};
    }
  }
}

// --- What the passes share ------------------------------------------------------------------------------------------------------

// Rows from `row` on of y [rows, n], `step` numbers apart, of which sums are 16 tiles', times `by`.
template <int Tiles, int D, typename T>
CREMA_DEVICE void put_rows(const float (&sums)[Tiles][D / 8][4], const float (&by)[Tiles][2], T* y, i64 row, i64 rows, int n, int step) {
  const int g = lane_of_warp() / 4, t = lane_of_warp() % 4;
  const bool pairs = n % 2 == 0 && is_aligned(y, 2 * sizeof(T));
  CREMA_UNROLL
  for (int i = 0; i < Tiles; ++i) {
    CREMA_UNROLL
    for (int h = 0; h < 2; ++h) {
      const i64 r = row + i * 16 + h * 8 + g;
      if (r >= rows) continue;
      CREMA_UNROLL
      for (int j = 0; j < D / 8; ++j) {
        const int column = j * 8 + 2 * t;
        T* const place = y + r * step + column;
        const float first = sums[i][j][2 * h] * by[i][h], second = sums[i][j][2 * h + 1] * by[i][h];
        if (pairs && column < n) {
          if constexpr (sizeof(T) == 4) {
            *reinterpret_cast<float2*>(place) = float2{first, second};
          } else {
            *reinterpret_cast<u32*>(place) = word_of(first, second, T{});
          }
        } else {
          if (column < n) put(place, first);
          if (column + 1 < n) put(place + 1, second);
        }
      }
    }
  }
}

// Of four lanes that share rows.
template <typename Join>
CREMA_DEVICE float quad_join(float v, Join join) {
  v = join(v, __shfl_xor_sync(kAllLanes, v, 1));
  return join(v, __shfl_xor_sync(kAllLanes, v, 2));
}

// Calls f(head, first row) for the tiles of `rows` rows that this block takes. Where later queries see more, they come first.
template <int Rows, typename F>
CREMA_DEVICE void each_tile(const Extents& x, i64 rows, bool last_first, F f) {
  // 2^32 of them would be more rows than any card's memory has. Divisions of 32 bits need few registers.
  const u32 of_head = static_cast<u32>((rows + Rows - 1) / Rows), tiles = static_cast<u32>(x.heads) * of_head;
  for (u32 i = blockIdx.x; i < tiles; i += gridDim.x) {
    const u32 place = i % of_head;
    f(static_cast<i64>(i / of_head), static_cast<i64>(last_first ? of_head - 1 - place : place) * Rows);
  }
}

// Two tensors pass by in steps of Rows rows [from, end), from a multiple of Rows: use(step's first row, its rows of each, which of two).
template <int Rows, int D, int Threads, typename T, typename Fetch, typename Use>
CREMA_DEVICE void each_step(i64 from, i64 end, T* memory, Fetch fetch_step, Use use) {
  constexpr int kTile = Rows * (D + kPack<T>);
  if (from < end) fetch_step(from, memory, memory + kTile, 0);
  end_group();  // with what the block has begun to copy before
  int buffer = 0;
  for (i64 row = from; row < end; row += Rows) {
    wait_for_all_but<0>();
    __syncthreads();  // this step is there, and the one before is read
    T* const other = memory + (1 - buffer) * 2 * kTile;
    if (row + Rows < end) fetch_step(row + Rows, other, other + kTile, 1 - buffer);
    end_group();
    use(row, memory + buffer * 2 * kTile, memory + buffer * 2 * kTile + kTile, buffer);
    buffer = 1 - buffer;
  }
}

// --- Forward ---------------------------------------------------------------------------------------------------------------------

template <typename T, int D>
CREMA_DEVICE void attention(const T* q, const T* k, const T* v, T* y, float* lse, const Extents& x) {
  using A = Attention<T, D, Pass::kForward>;
  constexpr int kTiles = A::kTiles, kStep = A::kStep;
  CREMA_DYNAMIC_SHARED(T, own);
  T* const steps = own + A::kRows * A::kRow;
  float* const room = reinterpret_cast<float*>(steps + 4 * kStep * A::kRow) + warp_of_block() * 16 * A::kWeightRow;
  const int g = lane_of_warp() / 4, t = lane_of_warp() % 4, down = warp_of_block() * kTiles * 16;
  const float c = x.scale * kLog2e;
  each_tile<A::kRows>(x, x.t, x.causal != 0, [&](i64 head, i64 row0) {
    const T *const keys = of_head(k, x, head, x.s, x.d), *const values = of_head(v, x, head, x.s, x.e);
    const i64 end = x.causal != 0 ? least(x.s, row0 + A::kRows) : x.s;
    float sums[kTiles][D / 8][4], most[kTiles][2], total[kTiles][2];
    clear(sums);
    CREMA_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      most[i][0] = most[i][1] = -CREMA_INFINITY;
      total[i][0] = total[i][1] = 0.0f;
    }
    __syncthreads();  // the tile before is read
    fetch<A::kRows, D, A::kThreads>(of_head(q, x, head, x.t, x.d), row0, x.t, x.d, x.inner * x.d, own);
    const auto fetch_step = [&](i64 row, T* of_keys, T* of_values, int) {
      fetch<kStep, D, A::kThreads>(keys, row, x.s, x.d, x.inner * x.d, of_keys);
      fetch<kStep, D, A::kThreads>(values, row, x.s, x.e, x.inner * x.e, of_values);
    };
    each_step<kStep, D, A::kThreads>(i64{0}, end, steps, fetch_step, [&](i64 key0, const T* of_keys, const T* of_values, int) {
      float w[kTiles][kStep / 8][4];
      Products<T>::template multiply_rows<D>(w, own + down * A::kRow, of_keys);
      const bool edge = key0 + kStep > x.s || (x.causal != 0 && key0 + kStep > row0 + down);
      CREMA_UNROLL
      for (int i = 0; i < kTiles; ++i) {
        CREMA_UNROLL
        for (int h = 0; h < 2; ++h) {
          const i64 last = x.causal != 0 ? least(x.s - 1, row0 + down + i * 16 + h * 8 + g) : x.s - 1;  // key that is seen
          float here = -CREMA_INFINITY;
          CREMA_UNROLL
          for (int j = 0; j < kStep / 8; ++j) {
            CREMA_UNROLL
            for (int p = 0; p < 2; ++p) {
              float& score = w[i][j][2 * h + p];
              if (edge && key0 + j * 8 + 2 * t + p > last) score = -CREMA_INFINITY;
              here = fmaxf(here, score);
            }
          }
          const float now = fmaxf(most[i][h], quad_join(here, GreaterNumber()));
          const float shift = now == -CREMA_INFINITY ? 0.0f : now * c;  // of nothing but -infinity, nothing
          const float kept = exp2_of(fmaf(most[i][h], c, -shift));
          float sum = 0.0f;
          CREMA_UNROLL
          for (int j = 0; j < kStep / 8; ++j) {
            CREMA_UNROLL
            for (int p = 0; p < 2; ++p) {
              float& score = w[i][j][2 * h + p];
              score = exp2_of(fmaf(score, c, -shift));
              sum += score;
            }
          }
          most[i][h] = now;
          total[i][h] = fmaf(total[i][h], kept, sum);
          CREMA_UNROLL
          for (int j = 0; j < D / 8; ++j) {
            sums[i][j][2 * h] *= kept;
            sums[i][j][2 * h + 1] *= kept;
          }
        }
      }
      Products<T>::template add_weighted<D>(sums, w, of_values, room);
    });
    float inverse[kTiles][2];
    CREMA_UNROLL
    for (int i = 0; i < kTiles; ++i) {
      CREMA_UNROLL
      for (int h = 0; h < 2; ++h) {
        const float sum = quad_join(total[i][h], Plus());
        inverse[i][h] = 1.0f / sum;
        const i64 row = row0 + down + i * 16 + h * 8 + g;
        if (t == 0 && row < x.t) of_head(lse, x, head, x.t, 1)[row * x.inner] = fmaf(most[i][h], x.scale, logf(sum));
      }
    }
    put_rows<kTiles, D>(sums, inverse, of_head(y, x, head, x.t, x.e), row0 + down, x.t, x.e, x.inner * x.e);
  });
}
