// pool.h: the one thread pool. Work is cut into chunks whose number depends only on the sizes and the
// thread count of the plan, never on timing, so that the same thread count gives the same bits.
#pragma once

#include <cstdint>

namespace crema {

// Calls task(argument, i) once for every i in [0, chunks), on up to `threads` threads, the caller
// among them. When the pool is taken by another caller, and inside a chunk of a job, the caller does all
// chunks itself. A task throws nothing.
void pool_run(int32_t threads, int64_t chunks, void (*task)(void*, int64_t), void* argument);
void pool_set_threads(int32_t threads);
int32_t pool_threads();

// Number of chunks for n items when a chunk should have at least `grain` of them.
inline __attribute__((always_inline)) int64_t chunk_count(int32_t threads, int64_t n, int64_t grain) {
  if (n <= 0) return 0;
  if (grain < 1) grain = 1;
  const int64_t most = (n + grain - 1) / grain;
  return most < threads ? most : threads;
}

// Splits [0, n) into at most `threads` equal ranges of at least `grain` items and calls
// f(begin, end, chunk) for each; chunk < threads may index per-thread scratch memory.
template <typename F>
void parallel(int32_t threads, int64_t n, int64_t grain, const F& f) {
  const int64_t chunks = chunk_count(threads, n, grain);
  if (chunks <= 1) {
    if (n > 0) f(int64_t{0}, n, int64_t{0});
    return;
  }
  struct Job {
    const F* f;
    int64_t n, chunks;
  } job{&f, n, chunks};
  pool_run(
      threads, chunks,
      [](void* p, int64_t i) {
        const Job& j = *static_cast<const Job*>(p);
        (*j.f)(j.n * i / j.chunks, j.n * (i + 1) / j.chunks, i);
      },
      &job);
}

}  // namespace crema
