// attention_tiles.cu: attention of float32 heads of at most 128 numbers, by multiply-adds, as attention.cuh says.
//   attention_D_f32: (q, k, v, y, lse, Extents): D 64 or 128, at least d and e
//   attention_grad_queries_D_f32: (q, k, v, dy, lse, delta, dq, Extents); attention_grad_keys_D_f32: (q, k, v, dy, lse, delta, dk, dv, Extents)
//   Attention<...>::kThreads threads, kBytes of shared memory; grid: any, about heads ceil(rows / kRows).
#include "attention_grad.cuh"

CREMA_ATTENTION(f32, float, 64)
CREMA_ATTENTION(f32, float, 128)
