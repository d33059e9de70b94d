// registry.h: which kernels each instruction set has. Filled by static objects before main.
#pragma once

#include "kernel.h"

namespace crema {

constexpr int kLevels = 7;

struct KernelEntry {
  Kernel kernel = nullptr;
  Scratch scratch = nullptr;
};

int32_t kernel_count();
// The kernel at a level, or at the next level below (isa_below) that has it.
KernelEntry kernel_entry(int level, int32_t kernel);

}  // namespace crema
