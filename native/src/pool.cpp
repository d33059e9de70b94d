// pool.cpp: workers spin for a few microseconds after a job, then sleep. One job at a time: whoever comes while it
// runs, or from inside it, does its own work alone, which is never slower than waiting.
//
// A job is open from its start until the caller has no chunk left to take. A worker that wakes up in time joins it;
// the caller waits for those who joined and for nobody else, so that a small job never waits for a sleeper.
#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

#include "../include/crema.h"
#include "float_mode.h"

#if !defined(_WIN32)
#include <pthread.h>
#include <signal.h>
#endif

namespace crema {
namespace {

constexpr int kSpins = 2000;  // about 20 to 60 µs of pause instructions
constexpr int kMostThreads = 1024;

inline void pause_cpu() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

// Set while this thread runs chunks of a job.
thread_local bool inside = false;

// The process's signals are for its other threads: the JVM's handlers expect those. Faults stay with who made them.
void leave_signals_to_others() {
#if !defined(_WIN32)
  sigset_t all;
  sigfillset(&all);
  for (int fault : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP}) sigdelset(&all, fault);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
#endif
#if defined(__linux__)
  pthread_setname_np(pthread_self(), "crema-pool");
#endif
}

class Pool {
 public:
  Pool() {
    const unsigned hardware = std::thread::hardware_concurrency();
    threads_ = hardware == 0 ? 1 : static_cast<int>(hardware);
  }

  // Waits for a job that runs. Does nothing from inside a job, which would wait for itself.
  void resize(int threads) {
    if (inside) return;
    std::lock_guard<std::mutex> owner(owner_);
    stop();
    threads_.store(threads < 1 ? 1 : threads > kMostThreads ? kMostThreads : threads, std::memory_order_relaxed);
  }

  int threads() const { return threads_.load(std::memory_order_relaxed); }

  void run(int threads, int64_t chunks, void (*task)(void*, int64_t), void* argument) {
    if (threads > 1 && chunks > 1 && !inside) {
      std::unique_lock<std::mutex> owner(owner_, std::try_to_lock);
      if (owner.owns_lock() && start() > 0) {
        run_together(threads, chunks, task, argument);
        return;
      }
    }
    for (int64_t i = 0; i < chunks; ++i) task(argument, i);
  }

 private:
  // state_: a count of jobs, whether one is open, and how many workers are in it.
  static constexpr uint64_t kWorkers = 0xffff;
  static constexpr uint64_t kOpen = 0x10000;
  static constexpr uint64_t kNumber = 0x20000;

  void run_together(int threads, int64_t chunks, void (*task)(void*, int64_t), void* argument) {
    task_ = task;
    argument_ = argument;
    chunks_ = chunks;
    const int64_t most = (threads < chunks ? threads : chunks) - 1;
    const int64_t wanted = most < static_cast<int64_t>(workers_.size()) ? most : static_cast<int64_t>(workers_.size());
    wanted_.store(static_cast<uint64_t>(wanted), std::memory_order_relaxed);
    next_.store(0, std::memory_order_relaxed);
    state_.fetch_add(kNumber | kOpen);  // sequentially consistent, as is a worker's look before it sleeps
    wake(wanted);
    work();
    state_.fetch_and(~kOpen);
    for (int spins = 0; (state_.load(std::memory_order_acquire) & kWorkers) != 0; ++spins) {
      if (spins < kSpins) {
        pause_cpu();
      } else {
        std::this_thread::yield();  // the worker waits for a processor
      }
    }
  }

  void work() {
    inside = true;
    for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < chunks_;) task_(argument_, i);
    inside = false;
  }

  void wake(int64_t wanted) {
    const int asleep = sleepers_.load();
    if (asleep == 0) return;
    { std::lock_guard<std::mutex> lock(mutex_); }  // who counted itself a sleeper now sleeps
    if (wanted >= asleep) {
      wake_.notify_all();
    } else {
      for (int64_t i = 0; i < wanted; ++i) wake_.notify_one();
    }
  }

  // Takes part in the open job, if there is one and it wants more workers.
  bool join() {
    uint64_t now = state_.load(std::memory_order_relaxed);
    while ((now & kOpen) != 0 && (now & kWorkers) < wanted_.load(std::memory_order_relaxed)) {
      if (state_.compare_exchange_weak(now, now + 1, std::memory_order_acquire, std::memory_order_relaxed)) return true;
    }
    return false;
  }

  void loop(uint64_t seen) {
    leave_signals_to_others();
    const FloatMode flush_denormals;
    const auto is_new = [&] { return number(state_.load()) != seen; };
    while (true) {
      for (int spins = 0; !is_new() && spins < kSpins; ++spins) pause_cpu();
      if (!is_new()) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1);
        wake_.wait(lock, is_new);
        sleepers_.fetch_sub(1);
      }
      seen = number(state_.load(std::memory_order_acquire));
      if (stopping_.load(std::memory_order_relaxed)) return;
      if (join()) {
        work();
        state_.fetch_sub(1, std::memory_order_release);
      }
    }
  }

  static uint64_t number(uint64_t state) { return state / kNumber; }

  // Starts the workers on the first job; fewer where the system gives no more threads. Returns how many there are.
  size_t start() {
    if (started_) return workers_.size();
    started_ = true;
    stopping_.store(false, std::memory_order_relaxed);
    const uint64_t seen = number(state_.load());
    try {
      for (int i = 1; i < threads(); ++i) workers_.emplace_back([this, seen] { loop(seen); });
    } catch (const std::system_error&) {
    } catch (const std::bad_alloc&) {
    }
    return workers_.size();
  }

  void stop() {
    stopping_.store(true, std::memory_order_relaxed);
    state_.fetch_add(kNumber);
    wake(static_cast<int64_t>(workers_.size()));
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
    started_ = false;
  }

  std::mutex owner_;  // of the one job, and of the workers
  std::mutex mutex_;  // of those who sleep
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
  bool started_ = false;
  std::atomic<int> threads_;
  std::atomic<bool> stopping_{false};
  std::atomic<int> sleepers_{0};

  // The job, in one cache line: a worker that sees the state change then has all of it. Written while none is open and
  // no worker is in one.
  alignas(64) void (*task_)(void*, int64_t) = nullptr;
  void* argument_ = nullptr;
  int64_t chunks_ = 0;
  std::atomic<uint64_t> wanted_{0};
  std::atomic<int64_t> next_{0};
  std::atomic<uint64_t> state_{0};
};

// Never destroyed: a JVM may exit while daemon threads still predict.
Pool& pool() {
  static Pool* const instance = new Pool();
  return *instance;
}

}  // namespace

void pool_run(int32_t threads, int64_t chunks, void (*task)(void*, int64_t), void* argument) {
  pool().run(threads, chunks, task, argument);
}

void pool_set_threads(int32_t threads) { pool().resize(threads); }

int32_t pool_threads() { return pool().threads(); }

}  // namespace crema

extern "C" {

void crema_set_threads(int32_t threads) { crema::pool_set_threads(threads); }

int32_t crema_threads(void) { return crema::pool_threads(); }

}  // extern "C"
