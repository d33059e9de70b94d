// pool_test.cpp: every chunk runs once, whoever calls, from however many threads, while the pool changes size.
// Also built with ThreadSanitizer, where the compiler has it.
#include "../src/pool.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "../include/crema.h"
#include "check.h"

namespace {

using namespace crema;

#if defined(__SANITIZE_THREAD__)
constexpr int kJobs = 3000;
#else
constexpr int kJobs = 20000;
#endif

// Sum of f over [0, n) by chunks; wrong when a chunk is missed, doubled or sees another job's data.
int64_t sum(int32_t threads, int64_t n, int64_t grain) {
  std::vector<int64_t> parts(static_cast<size_t>(chunk_count(threads, n, grain)), -1);
  parallel(threads, n, grain, [&](int64_t begin, int64_t end, int64_t chunk) {
    int64_t s = 0;
    for (int64_t i = begin; i < end; ++i) s += i;
    parts[static_cast<size_t>(chunk)] = parts[static_cast<size_t>(chunk)] == -1 ? s : -1000000000;
  });
  int64_t total = 0;
  for (int64_t part : parts) total += part;
  return total;
}

void every_chunk_runs_once() {
  for (int32_t threads : {1, 2, 3, 8}) {
    crema_set_threads(threads);
    for (int64_t n : {0, 1, 2, 7, 64, 1000}) {
      for (int64_t grain : {0, 1, 3, 2000}) {
        const int64_t got = sum(threads, n, grain), expected = n * (n - 1) / 2;
        CHECK(got == expected, "threads %d, n %lld, grain %lld: %lld", threads, static_cast<long long>(n),
              static_cast<long long>(grain), static_cast<long long>(got));
      }
    }
  }
}

void many_jobs_one_after_another() {
  crema_set_threads(4);
  for (int job = 0; job < kJobs; ++job) {
    const int64_t n = job % 9;
    CHECK(sum(4, n, 1) == n * (n - 1) / 2, "job %d", job);
  }
}

void jobs_that_come_while_workers_fall_asleep() {
  crema_set_threads(3);
  for (int job = 0; job < kJobs / 20; ++job) {
    // Between none and some hundred microseconds: around the time after which workers sleep.
    const auto until = std::chrono::steady_clock::now() + std::chrono::microseconds(job % 100 * 3);
    while (std::chrono::steady_clock::now() < until) {
    }
    CHECK(sum(3, 6, 1) == 15, "job %d", job);
  }
}

void many_threads_call_at_once() {
  crema_set_threads(4);
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 8; ++t) {
    callers.emplace_back([&, t] {
      for (int job = 0; job < kJobs / 8; ++job) {
        const int64_t n = (job + t) % 11;
        if (sum(4, n, 1) != n * (n - 1) / 2) ++wrong;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0, "%d wrong sums", wrong.load());
}

void nested_calls_run_alone() {
  crema_set_threads(4);
  for (int job = 0; job < kJobs / 20; ++job) {
    std::vector<int64_t> inner(8, 0);
    parallel(4, 8, 1, [&](int64_t begin, int64_t end, int64_t) {
      for (int64_t i = begin; i < end; ++i) {
        const std::thread::id self = std::this_thread::get_id();
        bool same = true;
        parallel(4, 100, 1, [&](int64_t, int64_t, int64_t) { same = same && std::this_thread::get_id() == self; });
        crema_set_threads(2);  // from inside: ignored
        inner[static_cast<size_t>(i)] = same ? sum(4, 10, 1) : -1;
      }
    });
    for (int64_t s : inner) CHECK(s == 45, "inner sum %lld", static_cast<long long>(s));
  }
  CHECK(crema_threads() == 4, "%d threads", crema_threads());
}

void the_pool_changes_size_while_it_works() {
  std::atomic<bool> done{false};
  std::atomic<int> wrong{0};
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t) {
    callers.emplace_back([&] {
      while (!done) {
        if (sum(5, 10, 1) != 45) ++wrong;
      }
    });
  }
  for (int i = 0; i < 200; ++i) crema_set_threads(1 + i % 6);
  done = true;
  for (std::thread& caller : callers) caller.join();
  CHECK(wrong == 0, "%d wrong sums", wrong.load());
  crema_set_threads(0);
  CHECK(crema_threads() == 1, "%d threads", crema_threads());
}

// The work of all threads together is seen by the caller: no chunk is still being written.
void the_caller_sees_all_results() {
  crema_set_threads(4);
  std::vector<int> cells(4096);
  for (int job = 1; job < kJobs / 100; ++job) {
    parallel(4, 4096, 64, [&](int64_t begin, int64_t end, int64_t) {
      for (int64_t i = begin; i < end; ++i) cells[static_cast<size_t>(i)] = job;
    });
    int old = 0;
    for (int cell : cells) old += cell != job;
    CHECK(old == 0, "%d cells of job %d", old, job);
  }
}

}  // namespace

int main() {
  every_chunk_runs_once();
  many_jobs_one_after_another();
  jobs_that_come_while_workers_fall_asleep();
  many_threads_call_at_once();
  nested_calls_run_alone();
  the_pool_changes_size_while_it_works();
  the_caller_sees_all_results();
  return crema_test::result();
}
