// pad_test.cpp: padding by a value, mirrored and repeated, and the gradients, against plain loops.
#include "check.h"

namespace {

using namespace crema_test;
typedef long long i64;

struct Padding {
  i64 rank, mode, inside[8], before[8], padded[8];
};

template <typename T>
void padding_matches(i64 mode) {
  const Padding p{2, mode, {3, 4}, {2, 1}, {6, 8}};
  const auto source = [&](i64 i, int axis) {
    const i64 n = p.inside[axis], at = i - p.before[axis];
    if (at >= 0 && at < n) return at;
    return mode == 0 ? i64{-1} : mode == 2 ? (at < 0 ? i64{0} : n - 1) : (at < 0 ? -at : 2 * (n - 1) - at);
  };
  Array<T> x = Array<T>::random(12, 1), dy = Array<T>::random(48, 2), y(48), dx(12);
  Doubles expected, slope(12);
  for (i64 i = 0; i < 48; ++i) {
    const i64 r = source(i / 8, 0), q = source(i % 8, 1);
    expected.push_back(r < 0 || q < 0 ? 0.5 : value_of(x[r * 4 + q]));
    if (r >= 0 && q >= 0) slope[static_cast<std::size_t>(r * 4 + q)] += value_of(dy[i]);
  }
  run((std::string("pad") + Stored<T>::name).c_str(), 1, 256, static_cast<const T*>(x.data()), y.data(), i64{48}, p, 0.5f);
  compare("padded", y, expected, 0);
  if (mode == 0) return;
  run((std::string("pad_grad") + Stored<T>::name).c_str(), 1, 256, static_cast<const T*>(dy.data()), dx.data(), i64{12}, p);
  compare("gradient of padding", dx, slope, 1e-6);
}

}  // namespace

int main() {
  for (const i64 mode : {0, 1, 2}) {
    padding_matches<float>(mode);
    padding_matches<bf16>(mode);
    padding_matches<f16>(mode);
  }
  return result();
}
