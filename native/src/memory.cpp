// memory.cpp: aligned allocation with a count of what is held, so that a leak is a number in a test.
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "../include/crema.h"

#if defined(_WIN32)
#include <malloc.h>
#include <windows.h>
#else
#include <unistd.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#endif

namespace {

std::atomic<int64_t> allocated{0};
std::atomic<bool> poisoned{false};

constexpr size_t kAlignment = 64;
constexpr size_t kHugePage = size_t{2} << 20;

void* aligned(size_t bytes) {
#if defined(_WIN32)
  return _aligned_malloc(bytes, kAlignment);
#else
  // Big blocks begin at a huge page where the system has them: fewer misses of the TLB, fewer page faults.
  const bool huge = bytes >= 2 * kHugePage;
  void* p = nullptr;
  if (posix_memalign(&p, huge ? kHugePage : kAlignment, bytes) != 0) return nullptr;
#if defined(MADV_HUGEPAGE)
  if (huge) (void)madvise(p, bytes, MADV_HUGEPAGE);
#endif
  return p;
#endif
}

inline char* pointer(int64_t address) { return reinterpret_cast<char*>(static_cast<intptr_t>(address)); }

#if defined(__linux__)
// The number in a file of the cgroup file system; no limit ("max", a missing file) gives `otherwise`.
int64_t limit_in(const char* path, int64_t otherwise) {
  std::FILE* file = std::fopen(path, "re");
  if (file == nullptr) return otherwise;
  long long value = 0;
  const bool number = std::fscanf(file, "%lld", &value) == 1;
  std::fclose(file);
  return number && value > 0 && value < otherwise ? value : otherwise;
}

// The least memory limit of this process's control groups, version 1 or 2: in a container they are mounted at the
// root, on a plain system under the path that /proc/self/cgroup names.
int64_t container_limit(int64_t limit) {
  limit = limit_in("/sys/fs/cgroup/memory.max", limit);
  limit = limit_in("/sys/fs/cgroup/memory/memory.limit_in_bytes", limit);
  std::FILE* groups = std::fopen("/proc/self/cgroup", "re");
  if (groups == nullptr) return limit;
  char line[1024], path[1200];
  while (std::fgets(line, sizeof(line), groups) != nullptr) {
    line[std::strcspn(line, "\n")] = 0;
    if (std::strncmp(line, "0::/", 4) == 0) {
      std::snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/memory.max", line + 4);
      limit = limit_in(path, limit);
    } else if (const char* at = std::strstr(line, ":memory:/")) {
      std::snprintf(path, sizeof(path), "/sys/fs/cgroup/memory/%s/memory.limit_in_bytes", at + 9);
      limit = limit_in(path, limit);
    }
  }
  std::fclose(groups);
  return limit;
}
#endif

int64_t physical_bytes() {
#if defined(_WIN32)
  MEMORYSTATUSEX status;
  status.dwLength = sizeof(status);
  return GlobalMemoryStatusEx(&status) ? static_cast<int64_t>(status.ullTotalPhys) : 0;
#else
  const int64_t all = static_cast<int64_t>(sysconf(_SC_PHYS_PAGES)) * static_cast<int64_t>(sysconf(_SC_PAGESIZE));
#if defined(__linux__)
  return container_limit(all);
#else
  return all;
#endif
#endif
}

}  // namespace

extern "C" {

int64_t crema_alloc(int64_t bytes) {
  // Whole cache lines: a vector may read past the last element, never past the block.
  if (bytes < 0 || bytes > INT64_MAX - static_cast<int64_t>(kAlignment)) return 0;
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
  static const int64_t bytes = physical_bytes();
  return bytes;
}

void crema_poison(int32_t on) { poisoned.store(on != 0, std::memory_order_relaxed); }

void crema_copy(int64_t destination, int64_t source, int64_t bytes) {
  std::memmove(pointer(destination), pointer(source), static_cast<size_t>(bytes));
}

void crema_fill(int64_t destination, int32_t byte, int64_t bytes) {
  std::memset(pointer(destination), byte, static_cast<size_t>(bytes));
}

}  // extern "C"
