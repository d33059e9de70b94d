// gru.cu: one step of gated recurrent units, what is not a product (Cho et al. 2014), in the form of cuDNN and PyTorch. Gates stand in
// the order r, z, n. float32; 256 threads; grid: any, about n u / 256 blocks, a thread a unit of an example.
//   gru_cell: (gates, recurrent, q, h_before or null, h, y, i64 n, i64 u, i64 y_row): gates [n, 3u] hold x w + b and become the activated
//     gates; recurrent [n, 3u] is h' u + c; q [n, u] gets its third part; h may lie over h_before
//   gru_cell_grad: (gates, q, h_before or null, dy or null, dh, d, e, i64 n, i64 u, i64 y_row): dh [n, u] holds what flows into h (beside
//     dy) and becomes the part of it that reaches h' without the product; d [n, 3u] gets what flows into x w + b, e into h' u + c
#include "elementwise.cuh"

CREMA_KERNEL(gru_cell, kThreads, float* gates, const float* recurrent, float* q, const float* h_before, float* h, float* y,
             i64 n, i64 u, i64 y_row) {
  for (i64 i = global_thread(); i < n * u; i += global_threads()) {
    const i64 example = i / u, j = i % u;
    float* const own = gates + example * 3 * u + j;
    const float* const other = recurrent + example * 3 * u + j;
    const float r = sigmoid_of(own[0] + other[0]), z = sigmoid_of(own[u] + other[u]), product = other[2 * u];
    const float candidate = tanhf(own[2 * u] + r * product);
    const float before = h_before != nullptr ? h_before[i] : 0.0f;
    own[0] = r;
    own[u] = z;
    own[2 * u] = candidate;
    q[i] = product;
    h[i] = y[example * y_row + j] = candidate + z * (before - candidate);
  }
}

CREMA_KERNEL(gru_cell_grad, kThreads, const float* gates, const float* q, const float* h_before, const float* dy, float* dh,
             float* d, float* e, i64 n, i64 u, i64 y_row) {
  for (i64 i = global_thread(); i < n * u; i += global_threads()) {
    const i64 example = i / u, j = i % u, at = example * 3 * u + j;
    const float r = gates[at], z = gates[at + u], candidate = gates[at + 2 * u];
    const float before = h_before != nullptr ? h_before[i] : 0.0f;
    const float flow = dy != nullptr ? dh[i] + dy[example * y_row + j] : dh[i];
    const float dn = flow * (1.0f - z) * (1.0f - candidate * candidate);
    const float dz = flow * (before - candidate) * z * (1.0f - z);
    const float dr = dn * q[i] * r * (1.0f - r);
    d[at] = e[at] = dr;
    d[at + u] = e[at + u] = dz;
    d[at + 2 * u] = dn;
    e[at + 2 * u] = dn * r;
    dh[i] = flow * z;
  }
}
