// log_softmax.cu: y = x - log sum e^x over the last axis, and its gradient dx = dy - e^y sum(dy), of tensors stored as T. In place
// allowed. NaN in, NaN out. Rows as in softmax.cu.
//
// log_softmax_warp_T, log_softmax_block_T: (x, y, i64 rows, int n), (x, y, i64 rows, i64 n, int cached)
// log_softmax_grad_warp_T, log_softmax_grad_block_T: (y, dy, dx, i64 rows, n)
#include "softmax.cuh"

#define CREMA_LOG_SOFTMAX(type, T) CREMA_SOFTMAX(log_softmax, true, type, T)
CREMA_EACH_TYPE(CREMA_LOG_SOFTMAX)
