// isa.cpp: which instruction sets this processor has, and which one is in use.
#include "isa.h"

#include <atomic>
#if defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

#if defined(__x86_64__) || defined(_M_X64)
#include <cpuid.h>
#if defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif
#endif

#include "registry.h"

namespace crema {
namespace {

#if defined(__x86_64__) || defined(_M_X64)
constexpr const char* kNames[kLevels] = {"scalar",      "avx2",        "avx_vnni",  "avx512",
                                         "avx512_vnni", "avx512_bf16", "avx512_amx"};

// Not asked of the compiler, which may be too old to know its name.
bool has_avx_vnni() {
  constexpr unsigned kAvxVnni = 1u << 4;  // of EAX, leaf 7, subleaf 1
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  return __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) != 0 && (eax & kAvxVnni) != 0;
}

// The processor has tiles of bytes and of bfloat16, and Linux lets this process use them: it wants to be asked first,
// since it keeps 8 KB more for every thread that does. (Sapphire Rapids and later, Linux 5.16.)
bool has_amx() {
#if defined(__linux__)
  constexpr unsigned kBf16 = 1u << 22, kTile = 1u << 24, kInt8 = 1u << 25, kAll = kBf16 | kTile | kInt8;  // of EDX, leaf 7
  constexpr int kRequestPermission = 0x1023, kTileData = 18;  // of arch_prctl
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0 || (edx & kAll) != kAll) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

bool supported(int level) {
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = avx2 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
#if defined(CREMA_EMULATE)  // in C++ tests
  if (level > 1) return avx2;
#endif
  switch (level) {
    case 0:
      return true;
    case 1:
      return avx2;
    case 2:  // processors without AVX-512, among them all of Intel's for desktops since 2021
      return avx2 && has_avx_vnni();
    case 3:
      return avx512;
    case 4:
      return avx512 && __builtin_cpu_supports("avx512vnni");
    case 5:  // every processor that has it has VNNI
      return avx512 && __builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512bf16");
    case 6: {
      static const bool amx = supported(5) && has_amx();
      return amx;
    }
    default:
      return false;
  }
}
#elif defined(__aarch64__)
constexpr const char* kNames[kLevels] = {"scalar", "neon", "neon_dot", nullptr, nullptr, nullptr, nullptr};

bool has_dot_product() {
#if defined(__ARM_FEATURE_DOTPROD)
  return true;
#elif defined(__linux__)
  constexpr unsigned long kDotProduct = 1ul << 20;  // HWCAP_ASIMDDP
  return (getauxval(AT_HWCAP) & kDotProduct) != 0;
#else
  return false;
#endif
}

bool supported(int level) { return level == 0 || level == 1 || (level == 2 && has_dot_product()); }
#else
constexpr const char* kNames[kLevels] = {"scalar", nullptr, nullptr, nullptr, nullptr, nullptr, nullptr};

bool supported(int level) { return level == 0; }
#endif

int best() {
  int level = kLevels - 1;
  while (!supported(level)) --level;
  return level;
}

std::atomic<int>& active() {
  static std::atomic<int> level{best()};
  return level;
}

}  // namespace

int isa_active() { return active().load(std::memory_order_relaxed); }

int isa_below(int level) {
#if defined(__x86_64__) || defined(_M_X64)
  constexpr int kAvx2 = 1, kAvx512 = 3;
  if (level == kAvx512) return kAvx2;  // there are processors with AVX-512 that lack AVX-VNNI
#endif
  return level - 1;
}

bool isa_supported(int level) { return level >= 0 && level < kLevels && supported(level); }

}  // namespace crema

extern "C" {

const char* crema_isa_name(int32_t level) {
  return level < 0 || level >= crema::kLevels ? nullptr : crema::kNames[level];
}

int32_t crema_isa_supported(int32_t level) { return crema::isa_supported(level) ? 1 : 0; }

int32_t crema_isa_active(void) { return crema::isa_active(); }

int32_t crema_isa_force(int32_t level) {
  if (!crema::isa_supported(level)) return CREMA_ERROR_PLAN;
  crema::active().store(level, std::memory_order_relaxed);
  return CREMA_OK;
}

}  // extern "C"
