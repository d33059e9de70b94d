// pool.cpp: workers spin for a few microseconds after a job, then sleep. One job at a time: whoever
// comes while it runs does its own work alone, which is never slower than waiting.
#include "pool.h"

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

#include "../include/crema.h"
#include "float_mode.h"

namespace crema {
namespace {

constexpr int kSpins = 2000;  // about 20 to 60 µs of pause instructions

inline void pause_cpu() {
#if defined(__x86_64__) || defined(_M_X64)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ __volatile__("yield");
#endif
}

class Pool {
 public:
  Pool() {
    const unsigned hardware = std::thread::hardware_concurrency();
    threads_ = hardware == 0 ? 1 : static_cast<int>(hardware);
  }

  ~Pool() { stop(); }

  void resize(int threads) {
    std::lock_guard<std::mutex> owner(owner_);
    stop();
    threads_ = threads < 1 ? 1 : threads;
  }

  int threads() const { return threads_; }

  void run(int threads, int64_t chunks, void (*task)(void*, int64_t), void* argument) {
    std::unique_lock<std::mutex> owner(owner_, std::defer_lock);
    if (threads <= 1 || chunks <= 1 || !owner.try_lock() || threads_ <= 1) {
      for (int64_t i = 0; i < chunks; ++i) task(argument, i);
      return;
    }
    start();
    task_ = task;
    argument_ = argument;
    chunks_ = chunks;
    const int64_t helpers = static_cast<int64_t>(workers_.size());
    next_.store(0, std::memory_order_relaxed);
    running_.store(helpers, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      epoch_.fetch_add(1, std::memory_order_release);
    }
    if (sleepers_.load(std::memory_order_acquire) > 0) wake_.notify_all();
    work();
    while (running_.load(std::memory_order_acquire) != 0) pause_cpu();
  }

 private:
  void work() {
    for (int64_t i; (i = next_.fetch_add(1, std::memory_order_relaxed)) < chunks_;) task_(argument_, i);
  }

  void loop(uint64_t seen) {
    const FloatMode flush_denormals;
    while (true) {
      int spins = 0;
      while (epoch_.load(std::memory_order_acquire) == seen && spins < kSpins) {
        pause_cpu();
        ++spins;
      }
      if (epoch_.load(std::memory_order_acquire) == seen) {
        std::unique_lock<std::mutex> lock(mutex_);
        sleepers_.fetch_add(1, std::memory_order_acq_rel);
        wake_.wait(lock, [&] { return epoch_.load(std::memory_order_acquire) != seen; });
        sleepers_.fetch_sub(1, std::memory_order_acq_rel);
      }
      seen = epoch_.load(std::memory_order_acquire);
      if (stopping_) return;
      work();
      running_.fetch_sub(1, std::memory_order_acq_rel);
    }
  }

  void start() {
    if (!workers_.empty()) return;
    stopping_ = false;
    const uint64_t epoch = epoch_.load();
    for (int i = 1; i < threads_; ++i) workers_.emplace_back([this, epoch] { loop(epoch); });
  }

  void stop() {
    if (workers_.empty()) return;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      epoch_.fetch_add(1, std::memory_order_release);
    }
    wake_.notify_all();
    for (std::thread& worker : workers_) worker.join();
    workers_.clear();
  }

  std::mutex owner_;
  std::mutex mutex_;
  std::condition_variable wake_;
  std::vector<std::thread> workers_;
  std::atomic<uint64_t> epoch_{0};
  std::atomic<int> sleepers_{0};
  std::atomic<int64_t> next_{0};
  std::atomic<int64_t> running_{0};
  void (*task_)(void*, int64_t) = nullptr;
  void* argument_ = nullptr;
  int64_t chunks_ = 0;
  int threads_;
  bool stopping_ = false;
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
