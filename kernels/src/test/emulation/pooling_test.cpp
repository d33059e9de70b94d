// pooling_test.cpp: pooling and its gradients against plain loops in double; windows that overlap, leave gaps, and reach over borders.
#include "check.h"
#include "pooling.cuh"

namespace {

using namespace crema_test;

// Calls f(output, input) for every input under every window.
template <typename F>
void each_pair(const Pool& p, const F& f) {
  i64 o = 0;
  for (i64 n = 0; n < p.images; ++n) {
    for (i64 oy = 0; oy < p.rows.outputs; ++oy) {
      for (i64 ox = 0; ox < p.columns.outputs; ++ox) {
        for (i64 c = 0; c < p.channels; ++c, ++o) {
          for (i64 r = 0; r < p.rows.size; ++r) {
            for (i64 q = 0; q < p.columns.size; ++q) {
              const i64 y = oy * p.rows.stride - p.rows.pad + r, x = ox * p.columns.stride - p.columns.pad + q;
              if (y < 0 || y >= p.rows.inputs || x < 0 || x >= p.columns.inputs) continue;
              f(o, ((n * p.rows.inputs + y) * p.columns.inputs + x) * p.channels + c);
            }
          }
        }
      }
    }
  }
}

void windows_match(const Pool& p) {
  const i64 in = pool_inputs(p), out = pool_outputs(p);
  Floats x = Floats::random(in, 1), dy = Floats::random(out, 2);
  Array<u8> bytes(in);
  for (i64 i = 0; i < in; ++i) {
    x[i] = std::round(4 * x[i]) / 4;  // many are equal
    bytes[i] = static_cast<u8>(i * 37);
  }
  if (in > 5) x[5] = NAN;
  const std::size_t n = static_cast<std::size_t>(out);
  Doubles most(n, -INFINITY), sum(n), count(n), dx(static_cast<std::size_t>(in)), share(dx), zero(n, 0);
  std::vector<i64> first(n, -1);
  each_pair(p, [&](i64 o, i64 i) {
    if (x[i] > most[o] || (std::isnan(x[i]) && !std::isnan(most[o]))) {
      most[o] = x[i];
      first[static_cast<std::size_t>(o)] = i;
    }
    if (bytes[i] > zero[o]) zero[o] = bytes[i];
    sum[o] += x[i];
    ++count[o];
  });
  for (double& c : count) c = p.count_padding != 0 ? static_cast<double>(p.rows.size * p.columns.size) : c;
  each_pair(p, [&](i64 o, i64 i) { share[i] += dy[o] / count[o]; });
  for (i64 o = 0; o < out; ++o) {
    sum[o] = count[o] > 0 ? sum[o] / count[o] : 0;
    if (first[static_cast<std::size_t>(o)] >= 0) dx[first[static_cast<std::size_t>(o)]] += dy[o];
  }
  in_every_order([&] {
    Floats y(out), mean(out), slope(in), of_mean(in);
    Array<u8> q(out);
    run("max_pool2d", order + 1, 256, static_cast<const float*>(x.data()), y.data(), p);
    compare("max", y, most, 0);
    run("max_pool2d_u8", order + 1, 256, static_cast<const u8*>(bytes.data()), q.data(), p);
    for (i64 o = 0; o < out; ++o) CHECK(q[o] == zero[o], "byte %lld", o);
    run("average_pool2d", order + 1, 256, static_cast<const float*>(x.data()), mean.data(), p);
    compare("mean", mean, sum, 1e-6);
    run("max_pool2d_grad", order + 1, 256, static_cast<const float*>(x.data()), static_cast<const float*>(y.data()),
        static_cast<const float*>(dy.data()), slope.data(), p);
    compare("gradient of max", slope, dx, 1e-6);
    run("average_pool2d_grad", order + 1, 256, static_cast<const float*>(dy.data()), of_mean.data(), p);
    compare("gradient of mean", of_mean, share, 1e-6);
  });
}

}  // namespace

int main() {
  windows_match({1, 1, {1, 1, 1, 1, 0}, {1, 1, 1, 1, 0}, 0});
  windows_match({2, 3, {8, 4, 2, 2, 0}, {6, 3, 2, 2, 0}, 0});    // side by side
  windows_match({2, 5, {9, 5, 3, 2, 1}, {7, 4, 3, 2, 1}, 0});    // they overlap and reach over the border
  windows_match({1, 2, {9, 5, 3, 2, 1}, {7, 4, 3, 2, 1}, 1});    // the padding counts
  windows_match({1, 17, {11, 3, 2, 4, 0}, {10, 4, 1, 3, 0}, 0});  // between them are gaps
  return result();
}
