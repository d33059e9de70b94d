// blas.h: OpenBLAS, when it has been loaded.
#pragma once

#include <cstdint>

namespace crema {

// cblas_sgemm of a row-major C = alpha * op(A) op(B) + beta * C; null while OpenBLAS is not loaded.
using Sgemm = void (*)(int order, int trans_a, int trans_b, int m, int n, int k, float alpha, const float* a, int lda,
                       const float* b, int ldb, float beta, float* c, int ldc);
Sgemm blas_sgemm();
// The core that it chose or was given, as it names it; empty while it is not loaded.
const char* blas_core();
// OpenBLAS owns as many threads as the caller says, for the next product.
void blas_set_threads(int32_t threads);

}  // namespace crema
