// plan.cpp: a plan is what Java made of a graph: a list of kernel calls over regions of memory. It is
// read once, checked whole, and then runs without looking at anything again.
//
// Words (int64):
//   magic, version, capacity, ISA level (-1: the active one), threads (0: the pool's),
//   regions R, tensors T, instructions I, address of the table of R region addresses
//   R x  bytes
//   T x  region, byte offset, type, rank, rank x (per example, constant)      extent = per example * batch + constant
//   I x  kernel, sections, ins, outs, ints, floats, ins x tensor (-1: absent), outs x tensor,
//        ints x value, floats x bits of a double
#include <bitset>
#include <chrono>
#include <cstring>
#include <memory>
#include <new>
#include <vector>

#include "float_mode.h"
#include "isa.h"
#include "registry.h"

namespace crema {
namespace {

constexpr int64_t kElementBytes[] = {4, 2, 2, 1, 1, 4, 8, 1};
constexpr int64_t kMostItems = 1 << 24;
constexpr int64_t kMostThreads = 4096;

struct PlanTensor {
  int64_t region, offset;
  int32_t type, rank;
  int64_t per_example[CREMA_MAX_RANK], constant[CREMA_MAX_RANK];
};

struct Instruction {
  KernelEntry entry;
  int64_t sections;
  Call call;
};

// Reads words in order; past the end it gives zeros and remembers.
class Reader {
 public:
  Reader(const int64_t* words, int64_t count) : words_(words), count_(count) {}
  int64_t next() {
    if (at_ >= count_) {
      past_end_ = true;
      return 0;
    }
    return words_[at_++];
  }
  // A count of items that follow: no more than there are words left.
  int64_t items() {
    const int64_t n = next();
    if (n < 0 || n > kMostItems || n > count_ - at_) {
      past_end_ = true;
      return 0;
    }
    return n;
  }
  bool bad() const { return past_end_; }
  bool done() const { return at_ == count_; }

 private:
  const int64_t* words_;
  int64_t count_;
  int64_t at_ = 0;
  bool past_end_ = false;
};

class Plan {
 public:
  const char* read(const int64_t* words, int64_t count) {
    Reader r(words, count);
    if (r.next() != CREMA_PLAN_MAGIC || r.next() != CREMA_PLAN_VERSION) {
      return "not a plan of this version of the library";
    }
    capacity_ = r.next();
    const int64_t level = r.next();
    const int64_t threads = r.next();
    const int64_t regions = r.items(), tensors = r.items(), instructions = r.items();
    bases_ = reinterpret_cast<const int64_t*>(static_cast<intptr_t>(r.next()));
    if (r.bad() || capacity_ < 1 || threads < 0 || threads > kMostThreads || bases_ == nullptr) return "bad plan header";
    threads_ = static_cast<int32_t>(threads);
    level_ = level < 0 ? isa_active() : static_cast<int>(level);
    if (!isa_supported(level_)) return "this processor lacks the plan's instruction set";
    for (int64_t i = 0; i < regions; ++i) region_bytes_.push_back(r.next());
    for (int64_t i = 0; i < tensors; ++i) {
      const char* problem = read_tensor(r);
      if (problem != nullptr) return problem;
    }
    shapes_.resize(tensors_.size());
    seen_bases_.assign(region_bytes_.size(), 0);
    for (int64_t i = 0; i < instructions; ++i) {
      const char* problem = read_instruction(r);
      if (problem != nullptr) return problem;
    }
    if (r.bad() || !r.done()) return "plan has the wrong length";
    link();
    return nullptr;
  }

  // Bytes of scratch memory that the largest kernel needs at full capacity, or at a batch that needed more, on as many
  // threads as there are now.
  int64_t scratch_bytes() {
    resolve(capacity_);
    const int64_t bytes = scratch_of_shapes(threads());
    return bytes > wanted_ ? bytes : wanted_;
  }

  // Memory of the caller's, which counts it; it lives until other memory is bound or the plan ends.
  bool bind_scratch(int64_t address, int64_t bytes) {
    if (bytes < scratch_bytes() || (address == 0 && bytes > 0) || address % 64 != 0) return false;
    scratch_ = address;
    scratch_bytes_ = bytes;
    enough_.reset();
    return true;
  }

  int32_t run(int64_t batch, int64_t sections, int64_t* nanos, int64_t nano_count) {
    error_[0] = 0;
    failed_ = -1;
    if (batch < 0 || batch > capacity_) {
      std::snprintf(error_, sizeof(error_), "batch of %lld in a plan for %lld", static_cast<long long>(batch),
                    static_cast<long long>(capacity_));
      return CREMA_ERROR_PLAN;
    }
    const int32_t threads = this->threads();
    for (size_t i = 0; i < region_bytes_.size(); ++i) {
      if (bases_[i] == 0 && region_bytes_[i] != 0) {
        std::snprintf(error_, sizeof(error_), "memory region %d of the plan is not bound", static_cast<int>(i));
        return CREMA_ERROR_PLAN;
      }
    }
    resolve(batch);
    if (!scratch_suffices(batch, threads)) return CREMA_ERROR_MEMORY;
    const FloatMode flush_denormals;
    for (size_t i = 0; i < instructions_.size(); ++i) {
      Instruction& instruction = instructions_[i];
      if ((instruction.sections & sections) == 0) continue;
      instruction.call.threads = threads;
      instruction.call.scratch = reinterpret_cast<char*>(static_cast<intptr_t>(scratch_));
      if (nanos != nullptr && static_cast<int64_t>(i) < nano_count) {
        const auto start = std::chrono::steady_clock::now();
        instruction.entry.kernel(instruction.call);
        nanos[i] = std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start)
                       .count();
      } else {
        instruction.entry.kernel(instruction.call);
      }
      if (error_[0] != 0) {
        failed_ = static_cast<int64_t>(i);
        return CREMA_ERROR_DATA;
      }
    }
    return CREMA_OK;
  }

  int64_t failed() const { return failed_; }
  const char* error() const { return error_; }

 private:
  const char* read_tensor(Reader& r) {
    PlanTensor t{};
    t.region = r.next();
    t.offset = r.next();
    const int64_t type = r.next(), rank = r.next();
    if (r.bad() || t.region < 0 || t.region >= static_cast<int64_t>(region_bytes_.size()) || type < 0 ||
        type > CREMA_BOOL || rank < 0 || rank > CREMA_MAX_RANK || t.offset < 0) {
      return "bad tensor in plan";
    }
    t.type = static_cast<int32_t>(type);
    t.rank = static_cast<int32_t>(rank);
    int64_t bytes = kElementBytes[type];
    for (int a = 0; a < t.rank; ++a) {
      const int64_t per_example = r.next(), constant = r.next();
      int64_t extent = 0;
      if (per_example < 0 || constant < 0 || __builtin_mul_overflow(per_example, capacity_, &extent) ||
          __builtin_add_overflow(extent, constant, &extent) || __builtin_mul_overflow(bytes, extent, &bytes)) {
        return "bad extent in plan";
      }
      t.per_example[a] = per_example;
      t.constant[a] = constant;
    }
    int64_t end = 0;
    if (__builtin_add_overflow(t.offset, bytes, &end) || end > region_bytes_[static_cast<size_t>(t.region)]) {
      return "a tensor of the plan lies outside its region";
    }
    if (t.offset % kElementBytes[type] != 0) return "a tensor of the plan is not aligned to its elements";
    tensors_.push_back(t);
    return nullptr;
  }

  const char* read_instruction(Reader& r) {
    Instruction i{};
    const int64_t kernel = r.next();
    i.sections = r.next();
    const int64_t ins = r.items(), outs = r.items(), ints = r.items(), floats = r.items();
    if (r.bad() || kernel < 0 || kernel >= kernel_count()) return "unknown kernel in plan";
    i.entry = kernel_entry(level_, static_cast<int32_t>(kernel));
    if (i.entry.kernel == nullptr) return "kernel missing for this instruction set";
    for (int64_t k = 0; k < ins + outs; ++k) {
      const int64_t id = r.next();
      if (id < (k < ins ? -1 : 0) || id >= static_cast<int64_t>(tensors_.size())) return "unknown tensor in plan";
      operands_.push_back(id);
    }
    for (int64_t k = 0; k < ints; ++k) ints_.push_back(r.next());
    for (int64_t k = 0; k < floats; ++k) {
      const int64_t bits = r.next();
      double value;
      std::memcpy(&value, &bits, sizeof(value));
      floats_.push_back(value);
    }
    i.call.ins = static_cast<int32_t>(ins);
    i.call.outs = static_cast<int32_t>(outs);
    i.call.int_count = static_cast<int32_t>(ints);
    i.call.float_count = static_cast<int32_t>(floats);
    instructions_.push_back(i);
    return nullptr;
  }

  // Pointers into the arrays, once they no longer grow.
  void link() {
    values_.resize(operands_.size());
    size_t operand = 0, integer = 0, real = 0;
    for (Instruction& i : instructions_) {
      i.call.in = values_.data() + operand;
      i.call.out = i.call.in + i.call.ins;
      i.call.ints = ints_.data() + integer;
      i.call.floats = floats_.data() + real;
      i.call.error = error_;
      operand += static_cast<size_t>(i.call.ins + i.call.outs);
      integer += static_cast<size_t>(i.call.int_count);
      real += static_cast<size_t>(i.call.float_count);
    }
  }

  // Bytes of scratch memory for the shapes as they are resolved.
  int64_t scratch_of_shapes(int32_t threads) const {
    int64_t most = 0;
    for (const Instruction& i : instructions_) {
      if (i.entry.scratch == nullptr) continue;
      Call call = i.call;
      call.threads = threads;
      const int64_t bytes = i.entry.scratch(call);
      if (bytes > most) most = bytes;
    }
    return most;
  }

  // Kernels cut a batch into blocks, and those of a smaller one may be bigger. What is enough is remembered.
  bool scratch_suffices(int64_t batch, int32_t threads) {
    if (threads != seen_threads_) {
      enough_.reset();
      seen_threads_ = threads;
    }
    const size_t place = static_cast<size_t>(batch);
    if (place < enough_.size() && enough_[place]) return true;
    const int64_t bytes = scratch_of_shapes(threads);
    if (bytes > scratch_bytes_) {
      wanted_ = bytes;
      std::snprintf(error_, sizeof(error_), "the plan has %lld bytes of scratch memory, but %d threads need %lld now",
                    static_cast<long long>(scratch_bytes_), threads, static_cast<long long>(bytes));
      return false;
    }
    if (place < enough_.size()) enough_.set(place);
    return true;
  }

  // Extents for this batch, addresses for the present regions. Does nothing when neither changed.
  void resolve(int64_t batch) {
    const size_t regions = region_bytes_.size();
    if (batch == batch_ && std::memcmp(seen_bases_.data(), bases_, regions * sizeof(int64_t)) == 0) return;
    if (regions != 0) std::memcpy(seen_bases_.data(), bases_, regions * sizeof(int64_t));
    batch_ = batch;
    for (size_t i = 0; i < tensors_.size(); ++i) {
      const PlanTensor& t = tensors_[i];
      Tensor& s = shapes_[i];
      s.data = reinterpret_cast<void*>(static_cast<intptr_t>(seen_bases_[static_cast<size_t>(t.region)] + t.offset));
      s.type = t.type;
      s.rank = t.rank;
      for (int a = 0; a < t.rank; ++a) s.dim[a] = t.per_example[a] * batch + t.constant[a];
    }
    for (size_t i = 0; i < operands_.size(); ++i) {
      values_[i] = operands_[i] < 0 ? Tensor{} : shapes_[static_cast<size_t>(operands_[i])];
    }
  }

  int32_t threads() const { return threads_ == 0 ? pool_threads() : threads_; }

  int64_t capacity_ = 0;
  int64_t batch_ = -1;
  int level_ = 0;
  int32_t threads_ = 0;
  int32_t seen_threads_ = 0;
  std::bitset<4096> enough_;  // batches for which the scratch memory is, on so many threads
  const int64_t* bases_ = nullptr;
  std::vector<int64_t> region_bytes_, seen_bases_, operands_, ints_;
  std::vector<double> floats_;
  std::vector<PlanTensor> tensors_;
  std::vector<Tensor> shapes_, values_;
  std::vector<Instruction> instructions_;
  int64_t scratch_ = 0, scratch_bytes_ = -1, wanted_ = 0;
  int64_t failed_ = -1;
  char error_[256] = {};
};

Plan* plan_of(int64_t handle) { return reinterpret_cast<Plan*>(static_cast<intptr_t>(handle)); }

void put(int64_t address, int64_t bytes, const char* message) {
  if (address == 0 || bytes <= 0) return;
  std::snprintf(reinterpret_cast<char*>(static_cast<intptr_t>(address)), static_cast<size_t>(bytes), "%s", message);
}

}  // namespace
}  // namespace crema

extern "C" {

int64_t crema_plan_create(int64_t words, int64_t count, int64_t error, int64_t error_bytes) {
  try {
    auto plan = std::make_unique<crema::Plan>();
    const char* problem = plan->read(reinterpret_cast<const int64_t*>(static_cast<intptr_t>(words)), count);
    if (problem != nullptr) {
      crema::put(error, error_bytes, problem);
      return 0;
    }
    return static_cast<int64_t>(reinterpret_cast<intptr_t>(plan.release()));
  } catch (const std::bad_alloc&) {
    crema::put(error, error_bytes, "out of native memory");
    return 0;
  }
}

int64_t crema_plan_scratch(int64_t plan) { return crema::plan_of(plan)->scratch_bytes(); }

int32_t crema_plan_bind_scratch(int64_t plan, int64_t address, int64_t bytes) {
  return crema::plan_of(plan)->bind_scratch(address, bytes) ? CREMA_OK : CREMA_ERROR_PLAN;
}

int32_t crema_plan_run(int64_t plan, int64_t batch, int64_t sections) {
  return crema::plan_of(plan)->run(batch, sections, nullptr, 0);
}

int32_t crema_plan_profile(int64_t plan, int64_t batch, int64_t sections, int64_t nanos, int64_t count) {
  return crema::plan_of(plan)->run(batch, sections, reinterpret_cast<int64_t*>(static_cast<intptr_t>(nanos)), count);
}

int64_t crema_plan_error(int64_t plan, int64_t error, int64_t error_bytes) {
  crema::put(error, error_bytes, crema::plan_of(plan)->error());
  return crema::plan_of(plan)->failed();
}

void crema_plan_destroy(int64_t plan) { delete crema::plan_of(plan); }

}  // extern "C"
