// map.cpp: files as memory. A mapping is made from the page that holds its first byte.
#include <cstdio>
#include <cstring>

#include "../include/crema.h"

#if defined(_WIN32)
#include <windows.h>

#include <string>
#else
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace {

inline char* pointer(int64_t address) { return reinterpret_cast<char*>(static_cast<intptr_t>(address)); }

int64_t fail(int64_t error, int64_t error_bytes, const char* message) {
  if (error != 0 && error_bytes > 0) {
    std::snprintf(pointer(error), static_cast<size_t>(error_bytes), "%s", message);
  }
  return 0;
}

int64_t too_short(int64_t error, int64_t error_bytes, int64_t size) {
  char message[64];
  std::snprintf(message, sizeof(message), "the file has only %lld bytes", static_cast<long long>(size));
  return fail(error, error_bytes, message);
}

#if defined(_WIN32)
int64_t granularity() {
  SYSTEM_INFO system;
  GetSystemInfo(&system);
  return static_cast<int64_t>(system.dwAllocationGranularity);
}

int64_t fail_with_code(int64_t error, int64_t error_bytes) {
  char message[64];
  std::snprintf(message, sizeof(message), "Windows error %lu", static_cast<unsigned long>(GetLastError()));
  return fail(error, error_bytes, message);
}
#else
int64_t granularity() { return static_cast<int64_t>(sysconf(_SC_PAGESIZE)); }
#endif

}  // namespace

extern "C" {

#if defined(_WIN32)

int64_t crema_map(int64_t path, int64_t offset, int64_t bytes, int32_t writable, int64_t error, int64_t error_bytes) {
  const char* name = pointer(path);
  const int length = MultiByteToWideChar(CP_UTF8, 0, name, -1, nullptr, 0);
  std::wstring wide(static_cast<size_t>(length < 1 ? 1 : length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, name, -1, &wide[0], length);
  const HANDLE file =
      CreateFileW(wide.c_str(), writable != 0 ? GENERIC_READ | GENERIC_WRITE : GENERIC_READ,
                  FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, nullptr, OPEN_EXISTING, 0, nullptr);
  if (file == INVALID_HANDLE_VALUE) return fail_with_code(error, error_bytes);
  LARGE_INTEGER size;
  if (!GetFileSizeEx(file, &size) || offset > size.QuadPart - bytes) {
    CloseHandle(file);
    return too_short(error, error_bytes, size.QuadPart);
  }
  const HANDLE mapping =
      CreateFileMappingW(file, nullptr, writable != 0 ? PAGE_READWRITE : PAGE_READONLY, 0, 0, nullptr);
  const int64_t skip = offset % granularity();
  const uint64_t start = static_cast<uint64_t>(offset - skip);
  void* view = mapping == nullptr
                   ? nullptr
                   : MapViewOfFile(mapping, writable != 0 ? FILE_MAP_WRITE : FILE_MAP_READ,
                                   static_cast<DWORD>(start >> 32), static_cast<DWORD>(start & 0xffffffffu),
                                   static_cast<SIZE_T>(bytes + skip));
  const int64_t result = view == nullptr ? fail_with_code(error, error_bytes)
                                         : static_cast<int64_t>(reinterpret_cast<intptr_t>(view)) + skip;
  if (mapping != nullptr) CloseHandle(mapping);
  CloseHandle(file);
  return result;
}

void crema_unmap(int64_t address, int64_t) { UnmapViewOfFile(pointer(address - address % granularity())); }

#else

int64_t crema_map(int64_t path, int64_t offset, int64_t bytes, int32_t writable, int64_t error, int64_t error_bytes) {
  const int file = open(pointer(path), (writable != 0 ? O_RDWR : O_RDONLY) | O_CLOEXEC);
  if (file < 0) return fail(error, error_bytes, std::strerror(errno));
  struct stat status;
  if (fstat(file, &status) != 0 || offset > static_cast<int64_t>(status.st_size) - bytes) {
    close(file);
    return too_short(error, error_bytes, static_cast<int64_t>(status.st_size));
  }
  const int64_t skip = offset % granularity();
  void* view = mmap(nullptr, static_cast<size_t>(bytes + skip), writable != 0 ? PROT_READ | PROT_WRITE : PROT_READ,
                    MAP_SHARED, file, static_cast<off_t>(offset - skip));
  const int problem = errno;
  close(file);
  if (view == MAP_FAILED) return fail(error, error_bytes, std::strerror(problem));
  return static_cast<int64_t>(reinterpret_cast<intptr_t>(view)) + skip;
}

void crema_unmap(int64_t address, int64_t bytes) {
  const int64_t skip = address % granularity();
  munmap(pointer(address - skip), static_cast<size_t>(bytes + skip));
}

#endif

}  // extern "C"
