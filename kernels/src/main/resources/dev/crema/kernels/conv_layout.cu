// conv_layout.cu: what convolutions by cuDNN need around them: filters in its order, and images with padding that differs from
// side to side, of elements of SIZE bytes, 2 or 4.
//
// transpose_filter_SIZE: [rows, columns] -> [columns, rows]: (x, y, i64 rows, i64 columns). 256 threads take a tile of 32 x 32:
//   grid ceil(rows / 32) * ceil(columns / 32).
// shift_image_SIZE: y[n, i, j] = x[n, i - down, j - across], or 0 where x has no such pixel: (x, y, i64 images, int x_height,
//   int x_width, int y_height, int y_width, int channels, int down, int across). Grid any.
#include "common.cuh"

constexpr int kTile = 32;

template <typename T>
CREMA_DEVICE void transpose_filter(const T* x, T* y, i64 rows, i64 columns) {
  CREMA_SHARED_ROWS(T, tile, kTile, kTile + 1);  // one column more: no two lanes of a warp meet in a bank
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

template <typename T>
CREMA_DEVICE void shift_image(const T* x, T* y, i64 images, int x_height, int x_width, int y_height, int y_width, int channels,
                              int down, int across) {
  const i64 elements = images * y_height * y_width * channels;
  for (i64 at = global_thread(); at < elements; at += global_threads()) {
    const int channel = static_cast<int>(at % channels);
    const i64 pixel = at / channels;
    const int j = static_cast<int>(pixel % y_width) - across;
    const int i = static_cast<int>(pixel / y_width % y_height) - down;
    const i64 image = pixel / y_width / y_height;
    const bool inside = i >= 0 && i < x_height && j >= 0 && j < x_width;
    y[at] = inside ? x[((image * x_height + i) * x_width + j) * channels + channel] : T(0);
  }
}

#define CREMA_LAYOUTS(size, T)                                                                                                  \
  CREMA_KERNEL(transpose_filter_##size, 256, const T* x, T* y, i64 rows, i64 columns) { transpose_filter(x, y, rows, columns); } \
  CREMA_KERNEL(shift_image_##size, 256, const T* x, T* y, i64 images, int x_height, int x_width, int y_height, int y_width,     \
               int channels, int down, int across) {                                                                            \
    shift_image(x, y, images, x_height, x_width, y_height, y_width, channels, down, across);                                    \
  }
CREMA_LAYOUTS(2, u16)
CREMA_LAYOUTS(4, u32)
