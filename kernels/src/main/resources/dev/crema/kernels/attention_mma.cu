// attention_mma.cu: attention of 16-bit heads of at most 128 numbers, by tensor cores, as attention.cuh says. Sums are float32; weights,
// and what flows into scores, are rounded to the type stored before they are multiplied.
//   attention_D_T: (q, k, v, y, lse, Extents): D 32, 64 or 128, at least d and e
//   attention_grad_queries_D_T: (q, k, v, dy, lse, delta, dq, Extents); attention_grad_keys_D_T: (q, k, v, dy, lse, delta, dk, dv, Extents)
//   Attention<...>::kThreads threads, kBytes of shared memory; grid: any, about heads ceil(rows / kRows).
#include "attention_grad.cuh"

CREMA_ATTENTION(bf16, bf16, 32)
CREMA_ATTENTION(bf16, bf16, 64)
CREMA_ATTENTION(bf16, bf16, 128)
CREMA_ATTENTION(f16, f16, 32)
CREMA_ATTENTION(f16, f16, 64)
CREMA_ATTENTION(f16, f16, 128)
