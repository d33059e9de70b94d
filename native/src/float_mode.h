// float_mode.h: numbers too small for a normal float count as zero while kernels run (moments of an
// optimiser decay into them, and each would cost a hundred cycles). Restored at the end of the scope.
#pragma once

#include <cstdint>

namespace crema {

class FloatMode {
 public:
#if defined(__x86_64__)
  FloatMode() : before_(__builtin_ia32_stmxcsr()) {
    __builtin_ia32_ldmxcsr(before_ | 0x8040u);  // flush to zero, denormals are zero
  }
  ~FloatMode() { __builtin_ia32_ldmxcsr(before_); }

 private:
  unsigned before_;
#elif defined(__aarch64__)
  FloatMode() {
    __asm__ __volatile__("mrs %0, fpcr" : "=r"(before_));
    __asm__ __volatile__("msr fpcr, %0" ::"r"(before_ | (uint64_t{1} << 24)));
  }
  ~FloatMode() { __asm__ __volatile__("msr fpcr, %0" ::"r"(before_)); }

 private:
  uint64_t before_;
#else
  FloatMode() {}
#endif

 public:
  FloatMode(const FloatMode&) = delete;
  FloatMode& operator=(const FloatMode&) = delete;
};

}  // namespace crema
