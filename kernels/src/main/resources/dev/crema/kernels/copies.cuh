// copies.cuh: copies from global to shared memory that go on while a thread computes (cp.async of PTX). A thread closes what it has begun
// into groups, and waits until all but the newest few have come; then __syncthreads, since others began copies too.
#pragma once

#include "common.cuh"

// 16 bytes; zeros if they are not `there`, and then nothing is read. Both addresses are multiples of 16.
CREMA_DEVICE void copy_16(void* to, const void* from, bool there) {
#if defined(CREMA_EMULATED)
  crema_emulation::copy_later(to, from, 16, there ? 16 : 0);
#else
  u64 shared;
  asm("cvta.to.shared.u64 %0, %1;" : "=l"(shared) : "l"(to));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(static_cast<u32>(shared)), "l"(from), "r"(there ? 16 : 0) : "memory");
#endif
}

// 4 bytes, as copy_16; both addresses are multiples of 4.
CREMA_DEVICE void copy_4(void* to, const void* from, bool there) {
#if defined(CREMA_EMULATED)
  crema_emulation::copy_later(to, from, 4, there ? 4 : 0);
#else
  u64 shared;
  asm("cvta.to.shared.u64 %0, %1;" : "=l"(shared) : "l"(to));
  asm volatile("cp.async.ca.shared.global [%0], [%1], 4, %2;" ::"r"(static_cast<u32>(shared)), "l"(from), "r"(there ? 4 : 0) : "memory");
#endif
}

CREMA_DEVICE void end_group() {
#if defined(CREMA_EMULATED)
  crema_emulation::end_group();
#else
  asm volatile("cp.async.commit_group;" ::: "memory");
#endif
}

template <int kGroups>
CREMA_DEVICE void wait_for_all_but() {
#if defined(CREMA_EMULATED)
  crema_emulation::wait_for_all_but(kGroups);
#else
  asm volatile("cp.async.wait_group %0;" ::"n"(kGroups) : "memory");
#endif
}
