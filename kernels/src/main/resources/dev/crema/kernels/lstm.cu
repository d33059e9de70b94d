// lstm.cu: one step of long short-term memory, what is not a product (Hochreiter and Schmidhuber 1997; Gers et al. 2000). Gates stand
// in the order i, f, g, o. Gates and cells are float32; what products read is stored as T. 256 threads; grid: any, about n u / 256
// blocks, a thread a unit of an example.
//   lstm_cell_T: (gates, c_before or null, c, T* h, T* y, i64 n, i64 u, i64 y_row): gates [n, 4u] hold x w + h' r + bias and become the
//     activated gates; c [n, u]; h [n, u] goes to y, whose examples are y_row apart, too
//   lstm_cell_grad_T: (gates, c_before or null, c, T* dy or null, dh, dc, T* d_gates, i64 n, i64 u, i64 y_row): dh and dc [n, u] hold
//     what flows into h (beside dy, of examples y_row apart) and c of this step; dc becomes what flows into c of the step before
#include "elementwise.cuh"

template <typename T>
CREMA_DEVICE void lstm_cell(float* gates, const float* c_before, float* c, T* h, T* y, i64 n, i64 u, i64 y_row) {
  for (i64 i = global_thread(); i < n * u; i += global_threads()) {
    const i64 example = i / u, j = i % u;
    float* const own = gates + example * 4 * u + j;
    const float in = sigmoid_of(own[0]), forget = sigmoid_of(own[u]), g = tanhf(own[2 * u]), out = sigmoid_of(own[3 * u]);
    const float now = forget * (c_before != nullptr ? c_before[i] : 0.0f) + in * g;
    own[0] = in;
    own[u] = forget;
    own[2 * u] = g;
    own[3 * u] = out;
    c[i] = now;
    const float state = out * tanhf(now);
    put(h + i, state);
    put(y + example * y_row + j, state);
  }
}

template <typename T>
CREMA_DEVICE void lstm_cell_grad(const float* gates, const float* c_before, const float* c, const T* dy, const float* dh, float* dc,
                                 T* d_gates, i64 n, i64 u, i64 y_row) {
  for (i64 i = global_thread(); i < n * u; i += global_threads()) {
    const i64 example = i / u, j = i % u;
    const float* const own = gates + example * 4 * u + j;
    T* const d = d_gates + example * 4 * u + j;
    const float in = own[0], forget = own[u], g = own[2 * u], out = own[3 * u];
    const float before = c_before != nullptr ? c_before[i] : 0.0f, squashed = tanhf(c[i]);
    const float flow = dy != nullptr ? dh[i] + to_float(dy[example * y_row + j]) : dh[i];
    const float total = dc[i] + flow * out * (1.0f - squashed * squashed);
    put(d, total * g * in * (1.0f - in));
    put(d + u, total * before * forget * (1.0f - forget));
    put(d + 2 * u, total * in * (1.0f - g * g));
    put(d + 3 * u, flow * squashed * out * (1.0f - out));
    dc[i] = total * forget;
  }
}

#define CREMA_LSTM(type, T)                                                                                                     \
  CREMA_KERNEL(lstm_cell_##type, kThreads, float* gates, const float* c_before, float* c, T* h, T* y, i64 n, i64 u, i64 y_row) { \
    lstm_cell(gates, c_before, c, h, y, n, u, y_row);                                                                           \
  }                                                                                                                             \
  CREMA_KERNEL(lstm_cell_grad_##type, kThreads, const float* gates, const float* c_before, const float* c, const T* dy,         \
               const float* dh, float* dc, T* d_gates, i64 n, i64 u, i64 y_row) {                                               \
    lstm_cell_grad(gates, c_before, c, dy, dh, dc, d_gates, n, u, y_row);                                                       \
  }
CREMA_EACH_TYPE(CREMA_LSTM)
