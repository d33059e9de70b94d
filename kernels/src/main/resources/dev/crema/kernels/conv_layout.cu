// conv_layout.cu: what convolutions by cuDNN need around them: filters in its order, images with padding that differs from
// side to side, and the gradient of a bias. float32; results are the same bits whatever the grid.
//
// transpose_filter_f32: [rows, columns] -> [columns, rows]: (x, y, i64 rows, i64 columns). 256 threads take a tile of 32 x 32:
//   grid ceil(rows / 32) * ceil(columns / 32).
// shift_image_f32: y[n, i, j] = x[n, i - down, j - across], or 0 where x has no such pixel: (x, y, i64 images, int x_height,
//   int x_width, int y_height, int y_width, int channels, int down, int across). Grid any.
// column_sums_f32: [rows, columns] -> [pieces, columns], sums of `piece` rows each: (x, y, i64 rows, i64 columns, i64 piece).
//   256 threads take 32 columns of a piece: grid pieces * ceil(columns / 32).
#include "common.cuh"

constexpr int kTile = 32;

CREMA_KERNEL(transpose_filter_f32, 256, const float* x, float* y, i64 rows, i64 columns) {
  CREMA_SHARED_ROWS(float, tile, kTile, kTile + 1);  // one column more: no two lanes of a warp meet in a bank
  const i64 across = (columns + kTile - 1) / kTile;
  const i64 row = blockIdx.x / across * kTile, column = blockIdx.x % across * kTile;
  const int lane = static_cast<int>(threadIdx.x) % kTile;
  for (int i = static_cast<int>(threadIdx.x) / kTile; i < kTile; i += 8) {
    if (row + i < rows && column + lane < columns) tile[i][lane] = x[(row + i) * columns + column + lane];
  }
  __syncthreads();
  for (int i = static_cast<int>(threadIdx.x) / kTile; i < kTile; i += 8) {
    if (column + i < columns && row + lane < rows) y[(column + i) * rows + row + lane] = tile[lane][i];
  }
}

CREMA_KERNEL(shift_image_f32, 256, const float* x, float* y, i64 images, int x_height, int x_width, int y_height, int y_width,
             int channels, int down, int across) {
  const i64 elements = images * y_height * y_width * channels;
  for (i64 at = global_thread(); at < elements; at += global_threads()) {
    const int channel = static_cast<int>(at % channels);
    const i64 pixel = at / channels;
    const int j = static_cast<int>(pixel % y_width) - across;
    const int i = static_cast<int>(pixel / y_width % y_height) - down;
    const i64 image = pixel / y_width / y_height;
    const bool inside = i >= 0 && i < x_height && j >= 0 && j < x_width;
    y[at] = inside ? x[((image * x_height + i) * x_width + j) * channels + channel] : 0.0f;
  }
}

CREMA_KERNEL(column_sums_f32, 256, const float* x, float* y, i64 rows, i64 columns, i64 piece) {
  CREMA_SHARED_ROWS(float, sums, 8, kTile);
  const i64 across = (columns + kTile - 1) / kTile;
  const i64 part = blockIdx.x / across;
  const int lane = static_cast<int>(threadIdx.x) % kTile, warp = static_cast<int>(threadIdx.x) / kTile;
  const i64 column = blockIdx.x % across * kTile + lane;
  const i64 end = least(rows, (part + 1) * piece);
  float sum = 0.0f;
  if (column < columns) {
    for (i64 row = part * piece + warp; row < end; row += 8) sum += x[row * columns + column];
  }
  sums[warp][lane] = sum;
  __syncthreads();
  if (warp == 0 && column < columns) {
    float all = 0.0f;
    for (int w = 0; w < 8; ++w) all += sums[w][lane];
    y[part * columns + column] = all;
  }
}
