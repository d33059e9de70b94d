// emulation_test.cpp: that the emulation finds what it is there for: missing barriers, barriers that some threads do not
// reach, lanes that read others outside their mask, shared memory that nobody wrote.
#include "check.h"
#include "copies.cuh"

CREMA_KERNEL(reversed, 128, const float* x, float* y) {
  CREMA_SHARED(float, all, 128);
  all[threadIdx.x] = x[threadIdx.x];
  __syncthreads();
  y[threadIdx.x] = all[127 - threadIdx.x];
}
CREMA_KERNEL(reversed_without_barrier, 128, const float* x, float* y) {
  CREMA_SHARED(float, all, 128);
  all[threadIdx.x] = x[threadIdx.x];
  y[threadIdx.x] = all[127 - threadIdx.x];
}
CREMA_KERNEL(some_wait, 64, int* y) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncwarp();
    __shfl_sync(1u, 0, 0);
  }
  y[0] = 1;
}
CREMA_KERNEL(two_barriers, 64, int* y) {
  if (threadIdx.x < 32) {
    __syncthreads();
  } else {
    __syncthreads();
  }
  y[0] = 1;
}
CREMA_KERNEL(beyond_mask, 32, int* y) {
  if (threadIdx.x < 16) y[threadIdx.x] = __shfl_sync(0xffffu, y[threadIdx.x], 20);
}
CREMA_KERNEL(half_a_warp, 32, int* y) {
  const unsigned mask = threadIdx.x < 16 ? 0xffffu : 0xffff0000u;
  y[threadIdx.x] = threadIdx.x < 16 ? __shfl_xor_sync(mask, static_cast<int>(threadIdx.x), 1)
                                    : __shfl_xor_sync(mask, 2 * static_cast<int>(threadIdx.x), 2);
}
CREMA_KERNEL(unwritten, 32, float* y) {
  CREMA_DYNAMIC_SHARED(float, all);
  y[threadIdx.x] = all[threadIdx.x];
}
CREMA_KERNEL(copied, 32, const float* x, float* y, int waits) {
  CREMA_SHARED(float4, all, 32);
  copy_16(&all[threadIdx.x], x + 4 * threadIdx.x, threadIdx.x < 16);
  end_group();
  if (waits != 0) wait_for_all_but<0>();
  __syncthreads();
  y[threadIdx.x] = all[31 - threadIdx.x].w;
  wait_for_all_but<0>();
}
CREMA_KERNEL(copied_over, 32, const float* x, float* y) {
  CREMA_SHARED(float4, all, 1);
  if (threadIdx.x == 0) all[0] = make_float4(1, 1, 1, 1);
  __syncthreads();
  if (threadIdx.x == 31) copy_16(all, x, true);
  end_group();
  y[threadIdx.x] = all[0].x;
  wait_for_all_but<0>();
}
CREMA_KERNEL(never_waited_for, 32, const float* x) {
  CREMA_SHARED(float4, all, 32);
  copy_16(&all[threadIdx.x], x + 4 * threadIdx.x, true);
}
CREMA_KERNEL(copied_crooked, 32, const float* x) {
  CREMA_SHARED(float4, all, 32);
  copy_16(&all[threadIdx.x], x + 4 * threadIdx.x + 1, true);
}
CREMA_KERNEL(of_all_lanes, 64, int* y) {
  const int mine = static_cast<int>(threadIdx.x);
  const int* const* const lanes = crema_emulation::of_warp(mine, __FILE__, __LINE__);
  int sum = 0;
  for (int i = 0; i < 32; ++i) sum += *lanes[i];
  __syncwarp();
  y[threadIdx.x] = sum;
}
CREMA_KERNEL(in_the_grid, 32, int* y) {
  if (threadIdx.x == 0) atomicAdd(&y[(blockIdx.z * gridDim.y + blockIdx.y) * gridDim.x + blockIdx.x], 1);
}

namespace {

using namespace crema_test;

std::string launch(const char* kernel, int threads, int shared, std::uint64_t seed, void* a, void* b = nullptr) {
  void* arguments[] = {&a, &b};
  return crema_emulation::launch(kernel, {1, 1, 1}, threads, shared, arguments, seed);
}

bool says(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

void barriers_let_threads_see_each_other() {
  Floats x = Floats::random(128, 1);
  in_every_order([&] {
    Floats y(128);
    run("reversed", 1, 128, x.data(), y.data());
    for (int i = 0; i < 128; ++i) CHECK(y[i] == x[127 - i], "element %d", i);
  });
}

void a_missing_barrier_shows_in_every_order() {
  Floats x = Floats::random(128, 1);
  for (order = 0; order < 8; ++order) {
    Floats y(128);
    run("reversed_without_barrier", 1, 128, x.data(), y.data());
    bool wrong = false;
    for (int i = 0; i < 128; ++i) wrong = wrong || !(y[i] == x[127 - i]);
    CHECK(wrong, "order %d hides that a barrier is missing", static_cast<int>(order));
  }
  order = 0;
}

void what_hangs_on_a_card_is_an_error() {
  int y[64] = {};
  std::string error = launch("some_wait", 64, 0, 0, y);
  CHECK(says(error, "stuck") || says(error, "mask"), "%s", error.c_str());
  error = launch("two_barriers", 64, 0, 0, y);
  CHECK(says(error, "different barriers"), "%s", error.c_str());
  error = launch("beyond_mask", 32, 0, 2, y);
  CHECK(says(error, "reads lane 20"), "%s", error.c_str());
  error = launch("reversed", 100, 0, 0, y, y);
  CHECK(says(error, "whole warps"), "%s", error.c_str());
  error = launch("reversed", 256, 0, 0, y, y);
  CHECK(says(error, "128 threads a block at most"), "%s", error.c_str());
  error = launch("unwritten", 32, 0, 0, y);
  CHECK(says(error, "without the shared memory"), "%s", error.c_str());
  error = launch("nothing", 32, 0, 0, y);
  CHECK(says(error, "no kernel nothing"), "%s", error.c_str());
  // And the next launch is none the worse for it.
  barriers_let_threads_see_each_other();
}

void parts_of_a_warp_shuffle_by_themselves() {
  in_every_order([&] {
    Array<int> y(32);
    run("half_a_warp", 1, 32, y.data());
    for (int i = 0; i < 32; ++i) CHECK(y[i] == (i < 16 ? i ^ 1 : 2 * (i ^ 2)), "lane %d", i);
  });
}

void shared_memory_begins_as_nan() {
  Floats y(32);
  run("unwritten", dim3{1, 1, 1}, 32, 128, y.data());
  for (int i = 0; i < 32; ++i) CHECK(std::isnan(y[i]), "element %d", i);
}

void copies_come_when_they_are_waited_for() {
  Floats x = Floats::random(132, 1);
  bool missing_shows = false, early_shows = false;
  for (order = 0; order < 8; ++order) {
    Floats y(32), some(32), over(32);
    run("copied", 1, 32, static_cast<const float*>(x.data()), y.data(), 1);
    for (int i = 0; i < 32; ++i) CHECK(y[i] == (i < 16 ? 0 : x[4 * (31 - i) + 3]), "element %d is %g", i, y[i]);
    run("copied", 1, 32, static_cast<const float*>(x.data()), some.data(), 0);
    run("copied_over", 1, 32, static_cast<const float*>(x.data()), over.data());
    for (int i = 0; i < 32; ++i) {
      missing_shows = missing_shows || !(some[i] == y[i]);
      early_shows = early_shows || over[i] != 1;
    }
  }
  order = 0;
  CHECK(missing_shows, "no order shows that a wait is missing");
  CHECK(early_shows, "no order shows that a copy overwrites what is still read");
  std::string error = launch("never_waited_for", 32, 0, 1, x.data());
  CHECK(says(error, "before copies have come"), "%s", error.c_str());
  error = launch("copied_crooked", 32, 0, 0, x.data());
  CHECK(says(error, "copies 16 bytes from or to"), "%s", error.c_str());
}

void a_warp_sees_what_its_lanes_have() {
  in_every_order([&] {
    Array<int> y(64);
    run("of_all_lanes", 1, 64, y.data());
    for (int i = 0; i < 64; ++i) CHECK(y[i] == (i < 32 ? 496 : 496 + 1024), "thread %d has %d", i, y[i]);
  });
}

void every_block_runs_once() {
  in_every_order([&] {
    std::vector<int> y(2 * 3 * 5);
    run("in_the_grid", dim3{5, 3, 2}, 32, 0, y.data());
    for (int n : y) CHECK(n == 1, "a block ran %d times", n);
  });
}

}  // namespace

int main() {
  barriers_let_threads_see_each_other();
  a_missing_barrier_shows_in_every_order();
  what_hangs_on_a_card_is_an_error();
  parts_of_a_warp_shuffle_by_themselves();
  shared_memory_begins_as_nan();
  copies_come_when_they_are_waited_for();
  a_warp_sees_what_its_lanes_have();
  every_block_runs_once();
  return result();
}
