// plan_words_test.cpp: whatever words a plan is made of, it is refused or it runs within its regions. Words of a sound
// plan are changed at random; what is accepted runs over memory of exactly the regions' bytes, where a sanitizer sees
// every step past their end. Not changed are the shapes' agreement with the kernels and the addresses: Java checks
// those, and a plan can't. So a kernel's number, and a count that would make another word one, become impossible ones.
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "../include/crema.h"
#include "check.h"

namespace {

constexpr int64_t kCapacity = 6;
constexpr int64_t kColumns = 5;
constexpr int64_t kTensors = 5;
constexpr int64_t kRegions = 3;
constexpr int64_t kHeader = 9;
constexpr int64_t kTensorWords = 8;
constexpr int64_t kMostBytes = 1 << 16;  // of a region that a test allocates

int64_t address_of(const void* p) { return static_cast<int64_t>(reinterpret_cast<intptr_t>(p)); }

int64_t bits_of(double value) {
  int64_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

// Tensors [n, 5]: two inputs, a temporary and an output of one region, an output in another; four instructions.
std::vector<int64_t> sound_plan(const int64_t* bases) {
  const int64_t bytes = kCapacity * kColumns * 4;
  std::vector<int64_t> w = {CREMA_PLAN_MAGIC, CREMA_PLAN_VERSION, kCapacity, -1, 2, kRegions, kTensors, 4,
                            address_of(bases)};
  w.insert(w.end(), {bytes, 3 * bytes, bytes});
  const int64_t places[kTensors][2] = {{0, 0}, {1, 0}, {1, bytes}, {1, 2 * bytes}, {2, 0}};
  for (const auto& place : places) w.insert(w.end(), {place[0], place[1], CREMA_FLOAT32, 2, 1, 0, 0, kColumns});
  const int64_t kernel = crema_kernel("elementwise");
  const int64_t add = crema_elementwise("add"), relu = crema_elementwise("relu"), affine = crema_elementwise("affine");
  // t2 = t0 + t1; t3 = relu(t2); t4 = 2 t3 + 1, all in chains of one; then t2 = relu(t0 + t1) in a chain of two.
  w.insert(w.end(), {kernel, 1, 2, 1, 7, 0, 0, 1, 2, 1, add, 2, 0, 1, -1, 0});
  w.insert(w.end(), {kernel, 1, 1, 1, 7, 0, 2, 3, 1, relu, 1, 0, -1, -1, 0});
  w.insert(w.end(), {kernel, 2, 1, 1, 7, 2, 3, 4, 1, affine, 1, 0, -1, -1, 0, bits_of(2), bits_of(1)});
  w.insert(w.end(), {kernel, 3, 2, 1, 13, 0, 0, 1, 2, 2, add, 3, 0, 1, -1, 0, relu, 2, 3, -1, -1, 0});
  return w;
}

class Memory {
 public:
  // False if the plan claims regions that are too big to try.
  bool take(const std::vector<int64_t>& words, int64_t* bases) {
    for (int64_t i = 0; i < kRegions; ++i) {
      const int64_t bytes = words[static_cast<size_t>(kHeader + i)];
      if (bytes < 0 || bytes > kMostBytes) return false;
      blocks_.push_back(std::make_unique<char[]>(static_cast<size_t>(bytes)));
      std::memset(blocks_.back().get(), 0, static_cast<size_t>(bytes));
      bases[i] = address_of(blocks_.back().get());
    }
    return true;
  }

 private:
  std::vector<std::unique_ptr<char[]>> blocks_;
};

// Whether counts, types and shapes are still those of the sound plan, so that its kernels may run.
bool same_shapes(const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i : {5, 6, 7}) {
    if (a[i] != b[i]) return false;
  }
  for (int64_t t = 0; t < kTensors; ++t) {
    const size_t at = static_cast<size_t>(kHeader + kRegions + t * kTensorWords);
    if (std::memcmp(&a[at + 2], &b[at + 2], 6 * sizeof(int64_t)) != 0) return false;
  }
  return true;
}

int64_t changed(int64_t word, crema_test::Random& random) {
  const int64_t absurd[] = {INT64_MAX, INT64_MIN, INT64_MAX / 4, -1, int64_t{1} << 31, int64_t{1} << 33, 0};
  switch (random.below(6)) {
    case 0:
      return absurd[random.below(7)];
    case 1:
      return static_cast<int64_t>(static_cast<uint64_t>(word) + static_cast<uint64_t>(random.below(9) - 4));
    case 2:
      return word ^ (int64_t{1} << random.below(63));
    case 3:
      return static_cast<int64_t>(static_cast<uint64_t>(word) * 2);
    default:
      return random.below(12) - 2;
  }
}

// Words that say how those behind them are read: a kernel, or how many there are of something.
bool is_structure(size_t at, const std::vector<int64_t>& sound) {
  if (at >= 5 && at <= 7) return true;
  for (size_t i = static_cast<size_t>(kHeader + kRegions + kTensors * kTensorWords); i < sound.size();) {
    if (at >= i && at < i + 6) return at != i + 1;  // which sections it belongs to
    i += 6 + static_cast<size_t>(sound[i + 2] + sound[i + 3] + sound[i + 4] + sound[i + 5]);
  }
  return false;
}

std::vector<int64_t> mutated(const std::vector<int64_t>& sound, crema_test::Random& random) {
  std::vector<int64_t> words = sound;
  if (random.below(8) == 0) words.resize(static_cast<size_t>(random.below(static_cast<int64_t>(words.size()) + 4)));
  for (int64_t i = 1 + random.below(3); i > 0 && !words.empty(); --i) {
    const size_t at = static_cast<size_t>(random.below(static_cast<int64_t>(words.size())));
    if (at == kHeader - 1 || at >= words.size()) continue;
    if (at < sound.size() && is_structure(at, sound)) {
      const int64_t impossible[] = {INT64_MAX, INT64_MIN, INT64_MAX / 4, -1, int64_t{1} << 31, int64_t{1} << 33};
      words[at] = impossible[random.below(6)];  // another possible one would be a kernel that Java never gives those shapes
    } else {
      words[at] = changed(words[at], random);
    }
  }
  return words;
}

struct Plan {
  int64_t handle = 0;
  int64_t scratch = 0;
  int64_t scratch_bytes = 0;
  std::string problem;

  explicit Plan(const std::vector<int64_t>& words) {
    char error[64] = {};
    // A copy without spare capacity: reading past the end is seen.
    std::unique_ptr<int64_t[]> exact(new int64_t[words.size()]);
    if (!words.empty()) std::memcpy(exact.get(), words.data(), words.size() * sizeof(int64_t));
    handle = crema_plan_create(address_of(exact.get()), static_cast<int64_t>(words.size()), address_of(error),
                               sizeof(error));
    problem = error;
  }
  ~Plan() {
    if (handle != 0) crema_plan_destroy(handle);
    crema_free(scratch, scratch_bytes);
  }
  // Memory for its kernels; false if there is not that much.
  bool take_scratch() {
    scratch_bytes = crema_plan_scratch(handle);
    scratch = crema_alloc(scratch_bytes);
    return scratch != 0 && crema_plan_bind_scratch(handle, scratch, scratch_bytes) == CREMA_OK;
  }
};

void the_sound_plan_computes() {
  int64_t bases[kRegions] = {};
  const std::vector<int64_t> words = sound_plan(bases);
  Plan plan(words);
  CHECK(plan.handle != 0, "refused: %s", plan.problem.c_str());
  if (plan.handle == 0) return;
  CHECK(crema_plan_run(plan.handle, 1, -1) == CREMA_ERROR_PLAN, "ran with no memory bound");
  Memory memory;
  CHECK(memory.take(words, bases), "regions");
  float* const x = reinterpret_cast<float*>(static_cast<intptr_t>(bases[0]));
  for (int i = 0; i < kColumns; ++i) x[i] = static_cast<float>(i - 2);
  CHECK(crema_plan_run(plan.handle, 1, -1) == CREMA_ERROR_MEMORY, "ran with no scratch memory");
  const int64_t need = crema_plan_scratch(plan.handle);
  CHECK(need > 0, "a product and an element-wise operation need scratch memory");
  CHECK(crema_plan_bind_scratch(plan.handle, 64, need - 1) == CREMA_ERROR_PLAN, "took too little scratch memory");
  CHECK(crema_plan_bind_scratch(plan.handle, 0, need) == CREMA_ERROR_PLAN, "took no scratch memory");
  CHECK(crema_plan_bind_scratch(plan.handle, 68, need) == CREMA_ERROR_PLAN, "took unaligned scratch memory");
  CHECK(plan.take_scratch(), "scratch memory");
  CHECK(crema_plan_run(plan.handle, 1, -1) == CREMA_OK, "did not run");
  const float* const y = reinterpret_cast<const float*>(static_cast<intptr_t>(bases[2]));
  for (int i = 0; i < kColumns; ++i) CHECK(y[i] == (i > 2 ? 2.0f * static_cast<float>(i - 2) + 1 : 1.0f), "y[%d]", i);
  CHECK(crema_plan_run(plan.handle, kCapacity + 1, -1) == CREMA_ERROR_PLAN, "ran beyond its capacity");
  CHECK(crema_plan_run(plan.handle, -1, -1) == CREMA_ERROR_PLAN, "ran a negative batch");
}

void changed_plans_are_refused_or_run_within_their_regions() {
  int64_t refused = 0, ran = 0;
  for (uint64_t seed = 1; seed <= 60000; ++seed) {
    crema_test::Random random(seed);
    random.bits();
    int64_t bases[kRegions] = {};
    const std::vector<int64_t> sound = sound_plan(bases);
    const std::vector<int64_t> words = mutated(sound, random);
    const int64_t before = crema_allocated_bytes();
    {
      Plan plan(words);
      CHECK((plan.handle == 0) == !plan.problem.empty(), "a refusal without a reason, or a reason without one");
      Memory memory;
      if (plan.handle == 0) {
        ++refused;
      } else if (same_shapes(words, sound) && plan.take_scratch() && memory.take(words, bases)) {
        for (int64_t batch : {words[2], int64_t{1}, int64_t{0}}) {
          const int32_t status = crema_plan_run(plan.handle, batch, random.below(4));
          CHECK(status != CREMA_ERROR_MEMORY, "seed %d", static_cast<int>(seed));
        }
        ++ran;
      }
    }
    CHECK(crema_allocated_bytes() == before, "seed %d leaks", static_cast<int>(seed));
  }
  CHECK(refused > 1000 && ran > 1000, "refused %d, ran %d: says little", static_cast<int>(refused),
        static_cast<int>(ran));
}

}  // namespace

int main() {
  the_sound_plan_computes();
  changed_plans_are_refused_or_run_within_their_regions();
  return crema_test::result();
}
