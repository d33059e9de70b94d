// blas.cpp: opens OpenBLAS from a file Java extracted. Its core is chosen by an environment variable
// that it reads while it loads, so the variable is set first: left alone it takes `Haswell` on an
// AVX-512 machine and loses half its speed.
#include "blas.h"

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <mutex>

#include "../include/crema.h"

#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace crema {
namespace {

std::atomic<Sgemm> sgemm{nullptr};
std::atomic<void (*)(int)> set_threads{nullptr};
std::atomic<const char* (*)()> core_name{nullptr};
std::mutex opening;

#if defined(_WIN32)
void* open(const char* path) { return reinterpret_cast<void*>(LoadLibraryA(path)); }
void* symbol(void* library, const char* name) {
  return reinterpret_cast<void*>(GetProcAddress(reinterpret_cast<HMODULE>(library), name));
}
const char* problem() { return "LoadLibrary failed"; }
void set_variable(const char* name, const char* value) { _putenv_s(name, value); }
#else
void* open(const char* path) { return dlopen(path, RTLD_NOW | RTLD_LOCAL); }
void* symbol(void* library, const char* name) { return dlsym(library, name); }
const char* problem() {
  const char* text = dlerror();
  return text == nullptr ? "unknown error" : text;
}
void set_variable(const char* name, const char* value) { setenv(name, value, 1); }
#endif

}  // namespace

Sgemm blas_sgemm() { return sgemm.load(std::memory_order_acquire); }

const char* blas_core() {
  auto name = core_name.load(std::memory_order_acquire);
  return name == nullptr ? "" : name();
}

void blas_set_threads(int32_t threads) {
  auto set = set_threads.load(std::memory_order_acquire);
  if (set != nullptr) set(threads);
}

}  // namespace crema

extern "C" {

int32_t crema_blas_loaded(void) { return crema::blas_sgemm() != nullptr ? 1 : 0; }

int32_t crema_blas_open(const char* path, const char* core, int64_t error, int64_t error_bytes) {
  std::lock_guard<std::mutex> lock(crema::opening);
  if (crema::blas_sgemm() != nullptr) return CREMA_OK;
  if (core != nullptr && core[0] != 0) crema::set_variable("OPENBLAS_CORETYPE", core);
  void* library = crema::open(path);
  void* product = library == nullptr ? nullptr : crema::symbol(library, "cblas_sgemm");
  if (product == nullptr) {
    if (error != 0 && error_bytes > 0) {
      std::snprintf(reinterpret_cast<char*>(static_cast<intptr_t>(error)), static_cast<size_t>(error_bytes), "%s",
                    crema::problem());
    }
    return CREMA_ERROR_DATA;
  }
  crema::set_threads.store(reinterpret_cast<void (*)(int)>(crema::symbol(library, "openblas_set_num_threads")));
  crema::core_name.store(reinterpret_cast<const char* (*)()>(crema::symbol(library, "openblas_get_corename")));
  crema::blas_set_threads(1);  // our pool has the threads
  crema::sgemm.store(reinterpret_cast<crema::Sgemm>(product), std::memory_order_release);
  return CREMA_OK;
}

}  // extern "C"
