// gru.cu: one step of gated recurrent units, what is not a product (Cho et al. 2014), in the form of cuDNN and PyTorch. Gates stand in
// the order r, z, n. Gates and the state from step to step are float32; what products read is stored as T. 256 threads; grid: any,
// about n u / 256 blocks, a thread a unit of an example.
//   gru_cell_T: (gates, recurrent, q, state, T* h, T* y, i64 n, i64 u, i64 y_row): gates [n, 3u] hold x w + b and become the activated
//     gates; recurrent [n, 3u] is h' u + c; q [n, u] gets its third part; state [n, u] holds h' and becomes h, which goes to h [n, u],
//     of float32 perhaps the same memory, and to y, whose examples are y_row apart
//   gru_cell_grad_T: (gates, q, T* h_before or null, T* dy or null, dh, T* d, T* e, i64 n, i64 u, i64 y_row): dh [n, u] holds what flows
//     into h (beside dy) and becomes the part of it that reaches h' without the product; d [n, 3u] gets what flows into x w + b, e into
//     h' u + c
#include "elementwise.cuh"

template <typename T>
CREMA_DEVICE void gru_cell(float* gates, const float* recurrent, float* q, float* state, T* h, T* y, i64 n, i64 u, i64 y_row) {
  for (i64 i = global_thread(); i < n * u; i += global_threads()) {
    const i64 example = i / u, j = i % u;
    float* const own = gates + example * 3 * u + j;
    const float* const other = recurrent + example * 3 * u + j;
    const float r = sigmoid_of(own[0] + other[0]), z = sigmoid_of(own[u] + other[u]), product = other[2 * u];
    const float candidate = tanhf(own[2 * u] + r * product);
    const float before = state[i];
    own[0] = r;
    own[u] = z;
    own[2 * u] = candidate;
    q[i] = product;
    const float now = candidate + z * (before - candidate);
    state[i] = now;
    put(h + i, now);
    put(y + example * y_row + j, now);
  }
}

template <typename T>
CREMA_DEVICE void gru_cell_grad(const float* gates, const float* q, const T* h_before, const T* dy, float* dh, T* d, T* e, i64 n,
                                i64 u, i64 y_row) {
  for (i64 i = global_thread(); i < n * u; i += global_threads()) {
    const i64 example = i / u, j = i % u, at = example * 3 * u + j;
    const float r = gates[at], z = gates[at + u], candidate = gates[at + 2 * u];
    const float before = h_before != nullptr ? to_float(h_before[i]) : 0.0f;
    const float flow = dy != nullptr ? dh[i] + to_float(dy[example * y_row + j]) : dh[i];
    const float dn = flow * (1.0f - z) * (1.0f - candidate * candidate);
    const float dz = flow * (before - candidate) * z * (1.0f - z);
    const float dr = dn * q[i] * r * (1.0f - r);
    put(d + at, dr);
    put(e + at, dr);
    put(d + at + u, dz);
    put(e + at + u, dz);
    put(d + at + 2 * u, dn);
    put(e + at + 2 * u, dn * r);
    dh[i] = flow * z;
  }
}

#define CREMA_GRU(type, T)                                                                                                     \
  CREMA_KERNEL(gru_cell_##type, kThreads, float* gates, const float* recurrent, float* q, float* state, T* h, T* y, i64 n,     \
               i64 u, i64 y_row) {                                                                                             \
    gru_cell(gates, recurrent, q, state, h, y, n, u, y_row);                                                                   \
  }                                                                                                                            \
  CREMA_KERNEL(gru_cell_grad_##type, kThreads, const float* gates, const float* q, const T* h_before, const T* dy, float* dh,  \
               T* d, T* e, i64 n, i64 u, i64 y_row) {                                                                          \
    gru_cell_grad(gates, q, h_before, dy, dh, d, e, n, u, y_row);                                                              \
  }
CREMA_EACH_TYPE(CREMA_GRU)
