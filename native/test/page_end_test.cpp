// Products whose inputs and output all end where a page does, or begin there, beside pages that nobody may touch: a
// vector or a tile that reaches past a row, a column or a depth ends the test. On every instruction set; of bytes and of
// bfloat16, with enough work for AMX's tiles where there are. The numbers are those of memory with room around it.
#include <sys/mman.h>
#include <unistd.h>

#include <memory>

#include "run.h"

using namespace crema_test;

namespace {

// Bytes between two pages without access, as near as may be to the second (or first) of them. Past the end there may be
// less than `alignment` bytes that belong to nobody.
class Fenced {
 public:
  Fenced(int64_t bytes, bool at_end, int64_t alignment = 1) {
    const int64_t page = sysconf(_SC_PAGESIZE), room = (bytes + page - 1) / page * page;
    size_ = static_cast<size_t>(room + 2 * page);
    all_ = static_cast<char*>(mmap(nullptr, size_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (all_ == MAP_FAILED) std::abort();
    if (mprotect(all_, static_cast<size_t>(page), PROT_NONE) != 0) std::abort();
    if (mprotect(all_ + page + room, static_cast<size_t>(page), PROT_NONE) != 0) std::abort();
    data_ = all_ + page + (at_end ? (room - bytes) / alignment * alignment : 0);
  }
  Fenced(const Fenced&) = delete;
  Fenced& operator=(const Fenced&) = delete;
  ~Fenced() { munmap(all_, size_); }
  char* data() const { return data_; }

 private:
  char *all_, *data_;
  size_t size_;
};

struct Memory {
  std::vector<char> bytes;
  crema::Tensor tensor;

  Memory(int32_t type, const std::vector<int64_t>& dims) {
    tensor = tensor_of(nullptr, type, dims);
    bytes.assign(static_cast<size_t>(tensor.elements() * (type == CREMA_UINT8 ? 1 : 4)), '\xff');
    tensor.data = bytes.data();
  }
  Memory& floats(uint64_t seed) {
    Random random(seed);
    for (int64_t i = 0; i < tensor.elements(); ++i) tensor.f32()[i] = random.value();
    return *this;
  }
};

// Whether a kernel gives the same with every tensor at the edge of its pages. Those at `aligned` are the packed ones,
// whose memory Crema aligns.
void check(int level, int32_t threads, const char* name, std::vector<Memory*> in, Memory& out, size_t aligned,
           const std::vector<int64_t>& ints, const std::vector<int64_t>& size) {
  std::vector<crema::Tensor> tensors;
  for (Memory* m : in) tensors.push_back(m->tensor);
  CHECK(run(level, name, threads, tensors, {out.tensor}, ints).empty(), "%s", name);
  for (const bool at_end : {true, false}) {
    std::vector<std::unique_ptr<Fenced>> fenced;
    for (size_t i = 0; i < in.size(); ++i) {
      const int64_t bytes = static_cast<int64_t>(in[i]->bytes.size());
      fenced.push_back(std::make_unique<Fenced>(bytes, at_end, i == aligned ? 64 : 1));
      std::memcpy(fenced.back()->data(), in[i]->bytes.data(), in[i]->bytes.size());
      tensors[i].data = fenced.back()->data();
    }
    const Fenced result(static_cast<int64_t>(out.bytes.size()), at_end);
    crema::Tensor y = out.tensor;
    y.data = result.data();
    CHECK(run(level, name, threads, tensors, {y}, ints).empty(), "%s", name);
    CHECK(std::memcmp(y.data, out.bytes.data(), out.bytes.size()) == 0, "%s of %d x %d x %d at level %d, %d threads",
          name, static_cast<int>(size[0]), static_cast<int>(size[1]), static_cast<int>(size[2]), level, threads);
  }
}

void bytes(int level, int32_t threads, int64_t m, int64_t n, int64_t k) {
  Memory x(CREMA_UINT8, {m, k}), w(CREMA_FLOAT32, {k, n}), scales(CREMA_FLOAT32, {n});
  Memory packed(CREMA_FLOAT32, {(k + 3) / 4 + 2, (n + 15) / 16 * 16});
  Random random(7);
  for (char& b : x.bytes) b = static_cast<char>(random.bits() >> 30);
  w.floats(8);
  for (int64_t j = 0; j < n; ++j) scales.tensor.f32()[j] = 0.01f;
  const std::string error = run(level, "pack_quantized", threads, {packed.tensor, w.tensor, scales.tensor, absent()},
                                {}, {128, k}, {0.01, 0.2});
  CHECK(error.empty(), "%s", error.c_str());
  Memory q(CREMA_UINT8, {m, n}), y(CREMA_FLOAT32, {m, n});
  check(level, threads, "quantized_linear", {&x, &packed}, q, 1, {0, 128}, {m, n, k});
  check(level, threads, "quantized_linear", {&x, &packed}, y, 1, {1, 0}, {m, n, k});
}

void numbers(int level, int32_t threads, int64_t m, int64_t n, int64_t k, bool trans_a, bool trans_b, bool bf16) {
  const std::vector<int64_t> a_dims = trans_a ? std::vector<int64_t>{k, m} : std::vector<int64_t>{m, k};
  const std::vector<int64_t> b_dims = trans_b ? std::vector<int64_t>{n, k} : std::vector<int64_t>{k, n};
  Memory a(CREMA_FLOAT32, a_dims), b(CREMA_FLOAT32, b_dims), c(CREMA_FLOAT32, {m, n});
  a.floats(1);
  b.floats(2);
  check(level, threads, "mat_mul", {&a, &b}, c, 2, {trans_a, trans_b, bf16}, {m, n, k});
}

}  // namespace

int main() {
  crema::pool_set_threads(3);
  bool amx = false;
  for (int level : levels()) {
    amx = amx || std::strcmp(crema_isa_name(level), "avx512_amx") == 0;
    for (const int64_t m : {1, 15, 16, 17, 31, 32, 33, 47}) {
      for (const int64_t n : {15, 16, 17, 31, 33, 50}) {
        for (const int64_t k : {190, 192, 195, 257}) {
          bytes(level, 1, m, n, k);
          for (const bool bf16 : {false, true}) numbers(level, 1, m, n, k, m % 2 == 0, n % 2 == 0, bf16);
        }
      }
    }
    for (const int64_t m : {5, 130}) {
      for (const int64_t n : {3, 97}) {
        bytes(level, 3, m, n, 1027);
        for (const int trans : {0, 1, 2}) numbers(level, 3, m, n, 1027, trans == 1, trans == 2, true);
      }
    }
  }
  if (!amx) std::printf("no AMX on this processor: the reach of its tiles was not tested\n");
  return result();
}
