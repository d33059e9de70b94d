/* crema.h: the only contract between Java and the CPU library. Plain C: sizes explicit, addresses and
 * handles as int64_t, status codes, no ownership passed except where a function says so. Every
 * argument has been checked in Java; plans are checked again here, whole, before anything runs. */
#ifndef CREMA_H
#define CREMA_H

#include <stdint.h>

#if defined(_WIN32)
#define CREMA_API __declspec(dllexport)
#else
#define CREMA_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

enum {
  CREMA_OK = 0,
  CREMA_ERROR_PLAN = 1,  /* the plan's words are malformed */
  CREMA_ERROR_MEMORY = 2, /* native memory ran out */
  CREMA_ERROR_DATA = 3   /* an input's values are outside what the op allows (an index, say) */
};

/* Element types, as dev.crema.memory.ElementType. */
enum {
  CREMA_FLOAT32 = 0,
  CREMA_BFLOAT16 = 1,
  CREMA_FLOAT16 = 2,
  CREMA_INT8 = 3,
  CREMA_UINT8 = 4,
  CREMA_INT32 = 5,
  CREMA_INT64 = 6,
  CREMA_BOOL = 7
};

enum { CREMA_MAX_RANK = 8, CREMA_PLAN_MAGIC = 0x43524d41, CREMA_PLAN_VERSION = 1 };

/* Instruction sets. Levels are ordered: a kernel that a level lacks is taken from the next lower one whose
 * instructions it has. crema_isa_name returns NULL past the last level. */
CREMA_API const char* crema_isa_name(int32_t level);
CREMA_API int32_t crema_isa_supported(int32_t level);
/* The level in use: the best one this processor supports, or lower after crema_isa_force. */
CREMA_API int32_t crema_isa_active(void);
CREMA_API int32_t crema_isa_force(int32_t level);

/* Memory: 64-byte aligned. Returns 0 when there is none left. crema_free takes what crema_alloc gave. */
CREMA_API int64_t crema_alloc(int64_t bytes);
CREMA_API void crema_free(int64_t address, int64_t bytes);
CREMA_API int64_t crema_allocated_bytes(void);
/* Memory of this machine, or of its container (cgroup) where that has less. */
CREMA_API int64_t crema_physical_bytes(void);
/* Maps bytes [offset, offset + bytes) of a file, which must have them. `path` is the address of its name in UTF-8.
 * Returns the address of the first byte, or 0 with a message at `error`. */
CREMA_API int64_t crema_map(int64_t path, int64_t offset, int64_t bytes, int32_t writable, int64_t error,
                            int64_t error_bytes);
CREMA_API void crema_unmap(int64_t address, int64_t bytes);
/* Fill new memory with 0xFF (NaN as float) instead of zeros: shows reads of what nobody wrote. */
CREMA_API void crema_poison(int32_t on);
CREMA_API void crema_copy(int64_t destination, int64_t source, int64_t bytes);
CREMA_API void crema_fill(int64_t destination, int32_t byte, int64_t bytes);

/* The one thread pool. Threads include the caller. */
CREMA_API void crema_set_threads(int32_t threads);
CREMA_API int32_t crema_threads(void);

/* Number of a kernel or of an element-wise operation by name; -1 if there is none. */
CREMA_API int32_t crema_kernel(const char* name);
CREMA_API int32_t crema_elementwise(const char* name);

/* A plan is an array of 64-bit words (plan.cpp describes them). On success returns a handle; on
 * failure 0, with a message at `error` (NUL-terminated, cut to error_bytes). */
CREMA_API int64_t crema_plan_create(int64_t words, int64_t count, int64_t error, int64_t error_bytes);
/* Bytes of scratch memory that a plan needs on as many threads as there are now: at full capacity, or at the batch that
 * asked for more. */
CREMA_API int64_t crema_plan_scratch(int64_t plan);
/* Gives a plan that memory, 64-byte aligned. It stays the caller's, who keeps it until other memory is bound or the
 * plan is destroyed. */
CREMA_API int32_t crema_plan_bind_scratch(int64_t plan, int64_t address, int64_t bytes);
/* Runs the instructions whose sections meet `sections`, for `batch` examples. One call at a time. CREMA_ERROR_MEMORY:
 * the scratch memory bound is not enough, or none is: the pool has got more threads, or the kernels cut this batch into
 * bigger blocks. crema_plan_scratch tells how much is. */
CREMA_API int32_t crema_plan_run(int64_t plan, int64_t batch, int64_t sections);
/* The instruction at which the last run failed, with its message. */
CREMA_API int64_t crema_plan_error(int64_t plan, int64_t error, int64_t error_bytes);
/* Nanoseconds each instruction took in a run with timing; for profiles, not for benchmarks. */
CREMA_API int32_t crema_plan_profile(int64_t plan, int64_t batch, int64_t sections, int64_t nanos, int64_t count);
CREMA_API void crema_plan_destroy(int64_t plan);

/* A limit of this machine on that many threads, measured now (about 0.1 s): "fma", "bf16" (pairs of bfloat16) and
 * "int8" (VNNI, dot products; AMX) and "int8_vectors" (the same without AMX) in operations a second; "copy", "triad"
 * and "read" in bytes a second over arrays of that size. Negative if there is no such limit, or no memory. */
CREMA_API double crema_probe(const char* limit, int64_t bytes, int32_t threads);

/* OpenBLAS, loaded from a file on first need. `core` is the OPENBLAS_CORETYPE to set before. */
CREMA_API int32_t crema_blas_open(const char* path, const char* core, int64_t error, int64_t error_bytes);
CREMA_API int32_t crema_blas_loaded(void);

#ifdef __cplusplus
}
#endif
#endif
