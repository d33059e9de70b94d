// tile_products.cuh: products of a warp, in tiles of 16 x 8 sums spread over its lanes as of mma.m16n8k16 (mma.cuh): by tensor cores of
// 16-bit numbers, by multiply-adds in that layout of float32. Factors lie in shared memory, rows of D numbers and a pack more; what a product
// leaves in registers may be the left factor of the next.
#pragma once

#include "mma.cuh"

template <int Tiles, int Columns>
CREMA_DEVICE void clear(float (&sums)[Tiles][Columns][4]) {
  CREMA_UNROLL
  for (int i = 0; i < Tiles; ++i) {
    CREMA_UNROLL
    for (int j = 0; j < Columns; ++j) sums[i][j][0] = sums[i][j][1] = sums[i][j][2] = sums[i][j][3] = 0.0f;
  }
}

// --- Products of a warp: 16-bit numbers --------------------------------------------------------------------------------------

// Of numbers stored as T.
template <typename T>
struct Products {
  // sums [Tiles 16, Columns 8] = a bT over D: rows of both in shared memory, kRow apart.
  template <int D, int Tiles, int Columns>
  CREMA_DEVICE_METHOD static void multiply_rows(float (&sums)[Tiles][Columns][4], const T* a, const T* b) {
    constexpr int kRow = D + kPack<T>;
    const int lane = lane_of_warp();
    clear(sums);
    CREMA_UNROLL
    for (int k = 0; k < D; k += 16) {
      u32 left[Tiles][4];
      CREMA_UNROLL
      for (int i = 0; i < Tiles; ++i) load_matrices<false>(left[i], a + (i * 16 + lane % 16) * kRow + k + lane / 16 * 8);
      CREMA_UNROLL
      for (int j = 0; j < Columns; j += 2) {
        u32 right[4];
        load_matrices<false>(right, b + (j * 8 + lane % 8 + lane / 16 * 8) * kRow + k + lane / 8 % 2 * 8);
        const u32 first[2] = {right[0], right[1]}, second[2] = {right[2], right[3]};
        CREMA_UNROLL
        for (int i = 0; i < Tiles; ++i) {
          mma(sums[i][j], left[i], first, T{});
          mma(sums[i][j + 1], left[i], second, T{});
        }
      }
    }
  }

  // sums [Tiles 16, D] += w b: w [Tiles 16, Columns 8] as a product left it, b's rows in shared memory.
  template <int D, int Tiles, int Columns>
  CREMA_DEVICE_METHOD static void add_weighted(float (&sums)[Tiles][D / 8][4], const float (&w)[Tiles][Columns][4], const T* b, float*) {
    constexpr int kRow = D + kPack<T>;
    const int lane = lane_of_warp();
    CREMA_UNROLL
    for (int k = 0; k < Columns; k += 2) {
      u32 left[Tiles][4];
      CREMA_UNROLL
      for (int i = 0; i < Tiles; ++i) {
        CREMA_UNROLL
        for (int p = 0; p < 4; ++p) left[i][p] = word_of(w[i][k + p / 2][p % 2 * 2], w[i][k + p / 2][p % 2 * 2 + 1], T{});
      }
      CREMA_UNROLL
      for (int j = 0; j < D / 8; j += 2) {
        u32 right[4];
        load_matrices<true>(right, b + (k * 8 + lane % 16) * kRow + j * 8 + lane / 16 * 8);
        const u32 first[2] = {right[0], right[1]}, second[2] = {right[2], right[3]};
        CREMA_UNROLL
        for (int i = 0; i < Tiles; ++i) {
          mma(sums[i][j], left[i], first, T{});
          mma(sums[i][j + 1], left[i], second, T{});
        }
      }
    }
  }
};

// --- Products of a warp: float32, in the same layout -------------------------------------------------------------------------------

CREMA_DEVICE float dot(float4 a, float4 b, float sum) { return fmaf(a.w, b.w, fmaf(a.z, b.z, fmaf(a.y, b.y, fmaf(a.x, b.x, sum)))); }

template <>
struct Products<float> {
  template <int D, int Tiles, int Columns>
  CREMA_DEVICE_METHOD static void multiply_rows(float (&sums)[Tiles][Columns][4], const float* a, const float* b) {
    constexpr int kRow = D + kPack<float>;
    const int g = lane_of_warp() / 4, t = lane_of_warp() % 4;
    clear(sums);
    CREMA_UNROLL
    for (int i = 0; i < Tiles; ++i) {
      CREMA_UNROLL_TWICE
      for (int k = 0; k < D; k += 4) {
        const float4 low = load4(a + (i * 16 + g) * kRow + k), high = load4(a + (i * 16 + g + 8) * kRow + k);
        CREMA_UNROLL
        for (int j = 0; j < Columns; ++j) {
          const float4 left = load4(b + (j * 8 + 2 * t) * kRow + k), right = load4(b + (j * 8 + 2 * t + 1) * kRow + k);
          sums[i][j][0] = dot(low, left, sums[i][j][0]);
          sums[i][j][1] = dot(low, right, sums[i][j][1]);
          sums[i][j][2] = dot(high, left, sums[i][j][2]);
          sums[i][j][3] = dot(high, right, sums[i][j][3]);
        }
      }
    }
  }

  // `room` is shared memory of this warp, [16, Columns 8 + 4].
  template <int D, int Tiles, int Columns>
  CREMA_DEVICE_METHOD static void add_weighted(float (&sums)[Tiles][D / 8][4], const float (&w)[Tiles][Columns][4], const float* b, float* room) {
    constexpr int kRow = D + kPack<float>, kWeightRow = Columns * 8 + 4;
    const int g = lane_of_warp() / 4, t = lane_of_warp() % 4;
    CREMA_UNROLL
    for (int i = 0; i < Tiles; ++i) {
      __syncwarp();
      CREMA_UNROLL
      for (int j = 0; j < Columns; ++j) {
        CREMA_UNROLL
        for (int p = 0; p < 4; ++p) room[(g + p / 2 * 8) * kWeightRow + j * 8 + 2 * t + p % 2] = w[i][j][p];
      }
      __syncwarp();
      CREMA_UNROLL_TWICE
      for (int k = 0; k < Columns * 8; ++k) {
        const float low = room[g * kWeightRow + k], high = room[(g + 8) * kWeightRow + k];
        CREMA_UNROLL
        for (int j = 0; j < D / 8; ++j) {
          const float2 right = *reinterpret_cast<const float2*>(b + k * kRow + j * 8 + 2 * t);
          sums[i][j][0] = fmaf(low, right.x, sums[i][j][0]);
          sums[i][j][1] = fmaf(low, right.y, sums[i][j][1]);
          sums[i][j][2] = fmaf(high, right.x, sums[i][j][2]);
          sums[i][j][3] = fmaf(high, right.y, sums[i][j][3]);
        }
      }
    }
  }
};
