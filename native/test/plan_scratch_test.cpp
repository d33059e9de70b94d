// plan_scratch_test.cpp: kernels cut a batch into blocks, and a smaller batch may have bigger ones. Whatever batch a
// plan runs, it stays within the scratch memory that it was given, or asks for more.
#include <cstring>
#include <vector>

#include "../include/crema.h"
#include "check.h"

namespace {

constexpr int64_t kCapacity = 40;
constexpr int64_t kGuard = 1 << 16;
constexpr unsigned char kMark = 0x5a;

int64_t address_of(const void* p) { return static_cast<int64_t>(reinterpret_cast<intptr_t>(p)); }

struct Convolution {
  int64_t side, in, out, taps;
};

// One convolution that keeps the images' size: regions of x, the kernel and y.
std::vector<int64_t> plan_of(const Convolution& c, int level, int64_t threads, const int64_t* bases) {
  const int64_t pixels = c.side * c.side, pad = c.taps / 2;
  std::vector<int64_t> w = {CREMA_PLAN_MAGIC, CREMA_PLAN_VERSION, kCapacity, level, threads, 3, 3, 1,
                            address_of(bases)};
  w.insert(w.end(),
           {4 * kCapacity * pixels * c.in, 4 * c.taps * c.taps * c.in * c.out, 4 * kCapacity * pixels * c.out});
  w.insert(w.end(), {0, 0, CREMA_FLOAT32, 4, 1, 0, 0, c.side, 0, c.side, 0, c.in});
  w.insert(w.end(), {1, 0, CREMA_FLOAT32, 4, 0, c.taps, 0, c.taps, 0, c.in, 0, c.out});
  w.insert(w.end(), {2, 0, CREMA_FLOAT32, 4, 1, 0, 0, c.side, 0, c.side, 0, c.out});
  w.insert(w.end(), {crema_kernel("conv2d"), 1, 2, 1, 8, 0, 0, 1, 2, 1, 1, 1, 1, pad, pad, 1, 0});
  return w;
}

// Scratch memory with a guard behind it.
class Scratch {
 public:
  explicit Scratch(int64_t plan) : bytes_(crema_plan_scratch(plan)), address_(crema_alloc(bytes_ + kGuard)) {
    std::memset(guard(), kMark, static_cast<size_t>(kGuard));
    CHECK(crema_plan_bind_scratch(plan, address_, bytes_) == CREMA_OK, "%lld bytes refused",
          static_cast<long long>(bytes_));
  }
  ~Scratch() { crema_free(address_, bytes_ + kGuard); }
  bool is_guarded() const {
    for (int64_t i = 0; i < kGuard; ++i) {
      if (guard()[i] != kMark) return false;
    }
    return true;
  }

 private:
  unsigned char* guard() const { return reinterpret_cast<unsigned char*>(static_cast<intptr_t>(address_ + bytes_)); }

  int64_t bytes_, address_;
};

void every_batch_stays_within_its_scratch_memory(const Convolution& c, int level, int64_t threads) {
  const int64_t pixels = c.side * c.side;
  std::vector<float> x(static_cast<size_t>(kCapacity * pixels * c.in)),
      w(static_cast<size_t>(c.taps * c.taps * c.in * c.out));
  std::vector<float> whole(static_cast<size_t>(kCapacity * pixels * c.out)), part(whole.size());
  crema_test::Random random(7);
  for (float& v : x) v = static_cast<float>(random.below(9) - 4);
  for (float& v : w) v = static_cast<float>(random.below(3) - 1);
  int64_t bases[] = {address_of(x.data()), address_of(w.data()), address_of(whole.data())};
  const std::vector<int64_t> words = plan_of(c, level, threads, bases);
  char error[128] = {};
  const int64_t plan =
      crema_plan_create(address_of(words.data()), static_cast<int64_t>(words.size()), address_of(error), 128);
  CHECK(plan != 0, "refused: %s", error);
  if (plan == 0) return;
  {
    const Scratch scratch(plan);
    CHECK(crema_plan_run(plan, kCapacity, -1) == CREMA_OK, "a full batch did not run");
  }
  bases[2] = address_of(part.data());
  for (int64_t batch = 1; batch < kCapacity; batch += 1 + batch / 6) {
    std::memset(part.data(), 0xff, part.size() * sizeof(float));
    int32_t status;
    {
      const Scratch scratch(plan);
      status = crema_plan_run(plan, batch, -1);
      CHECK(scratch.is_guarded(), "side %d, batch %d, level %d, %d threads", static_cast<int>(c.side),
            static_cast<int>(batch), level, static_cast<int>(threads));
    }
    if (status == CREMA_ERROR_MEMORY) {
      const Scratch more(plan);
      status = crema_plan_run(plan, batch, -1);
      CHECK(more.is_guarded(), "side %d, batch %d again", static_cast<int>(c.side), static_cast<int>(batch));
    }
    CHECK(status == CREMA_OK, "batch %d ends with %d", static_cast<int>(batch), status);
    // Whole numbers: whatever the order of the sums, they are exact.
    CHECK(std::memcmp(whole.data(), part.data(), static_cast<size_t>(batch * pixels * c.out) * sizeof(float)) == 0,
          "batch %d is another", static_cast<int>(batch));
  }
  crema_plan_destroy(plan);
}

}  // namespace

int main() {
  crema_set_threads(5);
  for (int level : crema_test::levels()) {
    for (int64_t threads : {1, 2, 5}) {
      every_batch_stays_within_its_scratch_memory({14, 48, 96, 1}, level, threads);
      every_batch_stays_within_its_scratch_memory({2, 128, 128, 3}, level, threads);
      every_batch_stays_within_its_scratch_memory({7, 33, 20, 3}, level, threads);
    }
  }
  return crema_test::result();
}
