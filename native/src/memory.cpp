// memory.cpp: aligned allocation with a count of what is held, so that a leak is a number in a test.
#include <atomic>
#include <cstdlib>
#include <cstring>

#include "../include/crema.h"

#if defined(_WIN32)
#include <malloc.h>
#include <windows.h>
#else
#include <unistd.h>
#endif

namespace {

std::atomic<int64_t> allocated{0};
std::atomic<bool> poisoned{false};

constexpr size_t kAlignment = 64;

void* aligned(size_t bytes) {
#if defined(_WIN32)
  return _aligned_malloc(bytes, kAlignment);
#else
  void* p = nullptr;
  return posix_memalign(&p, kAlignment, bytes) == 0 ? p : nullptr;
#endif
}

inline char* pointer(int64_t address) { return reinterpret_cast<char*>(static_cast<intptr_t>(address)); }

}  // namespace

extern "C" {

int64_t crema_alloc(int64_t bytes) {
  if (bytes < 0) return 0;
  // Whole cache lines: a vector may read past the last element, never past the block.
  const size_t size = (static_cast<size_t>(bytes) + kAlignment - 1) / kAlignment * kAlignment;
  void* p = aligned(size == 0 ? kAlignment : size);
  if (p == nullptr) return 0;
  std::memset(p, poisoned.load(std::memory_order_relaxed) ? 0xFF : 0, size);
  allocated.fetch_add(bytes, std::memory_order_relaxed);
  return static_cast<int64_t>(reinterpret_cast<intptr_t>(p));
}

void crema_free(int64_t address, int64_t bytes) {
  if (address == 0) return;
#if defined(_WIN32)
  _aligned_free(pointer(address));
#else
  std::free(pointer(address));
#endif
  allocated.fetch_sub(bytes, std::memory_order_relaxed);
}

int64_t crema_allocated_bytes(void) { return allocated.load(std::memory_order_relaxed); }

int64_t crema_physical_bytes(void) {
#if defined(_WIN32)
  MEMORYSTATUSEX status;
  status.dwLength = sizeof(status);
  return GlobalMemoryStatusEx(&status) ? static_cast<int64_t>(status.ullTotalPhys) : 0;
#else
  return static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<int64_t>(sysconf(_SC_PAGESIZE));
#endif
}

void crema_poison(int32_t on) { poisoned.store(on != 0, std::memory_order_relaxed); }

void crema_copy(int64_t destination, int64_t source, int64_t bytes) {
  std::memmove(pointer(destination), pointer(source), static_cast<size_t>(bytes));
}

void crema_fill(int64_t destination, int32_t byte, int64_t bytes) {
  std::memset(pointer(destination), byte, static_cast<size_t>(bytes));
}

}  // extern "C"
