// cast_test.cpp: many tensors cast by one launch: each number is rounded to the nearest, and nothing else is written.
#include "check.h"

namespace {

using namespace crema_test;

// As cast_all.cu's.
struct Tensors {
  i64 count;
  const float* x[96];
  void* y[96];
  i64 n[96];
  i64 end[96];
};

template <typename T>
void every_tensor_is_rounded(const std::vector<i64>& sizes, int shift) {
  std::vector<Floats> x;
  for (std::size_t i = 0; i < sizes.size(); ++i) x.push_back(Floats::random(sizes[i], i + 1, (static_cast<int>(i) + shift) % 4));
  x[0][0] = NAN;
  x.back()[sizes.back() - 1] = 1e30f;
  in_every_order([&] {
    std::vector<Array<T>> y;
    Tensors all = {};
    for (std::size_t i = 0; i < sizes.size(); ++i) y.emplace_back(sizes[i], (static_cast<int>(i) * 3 + shift) % 8);
    all.count = static_cast<i64>(sizes.size());
    i64 pieces = 0;
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      all.x[i] = x[i].data();
      all.y[i] = y[i].data();
      all.n[i] = sizes[i];
      all.end[i] = pieces += (sizes[i] + 8191) / 8192;
    }
    run((std::string("cast_all") + Stored<T>::name).c_str(), order == 0 ? 1 : pieces, 256, all);
    for (std::size_t i = 0; i < sizes.size(); ++i) {
      for (i64 k = 0; k < sizes[i]; ++k) {
        T expected;
        put(&expected, x[i][k]);
        CHECK(y[i][k].bits == expected.bits, "tensor %d, element %lld", static_cast<int>(i), k);
      }
    }
  });
}

}  // namespace

int main() {
  for (int shift = 0; shift < 2; ++shift) {
    every_tensor_is_rounded<bf16>({1}, shift);
    every_tensor_is_rounded<bf16>({5, 8192, 8193, 7, 20000, 1}, shift);
    every_tensor_is_rounded<f16>({16, 3, 9000}, shift);
    every_tensor_is_rounded<f16>(std::vector<i64>(96, 11), shift);
  }
  return result();
}
