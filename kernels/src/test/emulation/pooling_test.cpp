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

template <typename T>
void windows_match(const Pool& p, int shift) {
  const i64 in = pool_inputs(p), out = pool_outputs(p);
  Array<T> stored = Array<T>::random(in, 1, shift), flow = Array<T>::random(out, 2);
  const Doubles dy = flow.doubles();
  Array<u8> bytes(in);
  for (i64 i = 0; i < in; ++i) {
    set(stored[i], static_cast<float>(std::round(4 * value_of(stored[i])) / 4));  // many are equal
    bytes[i] = static_cast<u8>(i * 37);
  }
  if (in > 5 + p.channels) {  // neighbours, so that a window has two
    set(stored[5], NAN);
    set(stored[5 + p.channels], NAN);
  }
  const Doubles x = stored.doubles();
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
    Array<T> y(out), mean(out), slope(in), of_mean(in);
    Array<u8> q(out);
    const T *const px = stored.data(), *const pd = flow.data(), *const py = y.data();
    const auto kernel = [](const char* name) { return std::string(name) + Stored<T>::name; };
    run(kernel("max_pool2d").c_str(), order + 1, 256, px, y.data(), p);
    compare("max", y, most, 0);
    run("max_pool2d_u8", order + 1, 256, static_cast<const u8*>(bytes.data()), q.data(), p);
    for (i64 o = 0; o < out; ++o) CHECK(q[o] == zero[o], "byte %lld", o);
    run(kernel("average_pool2d").c_str(), order + 1, 256, px, mean.data(), p);
    compare("mean", mean, sum, 1e-6);
    run(kernel("max_pool2d_grad").c_str(), order + 1, 256, px, py, pd, slope.data(), p);
    compare("gradient of max", slope, dx, 1e-6);
    run(kernel("average_pool2d_grad").c_str(), order + 1, 256, pd, of_mean.data(), p);
    compare("gradient of mean", of_mean, share, 1e-6);
  });
}

// x [n, pixels, c]: gradients of the mean and of the maximum of all pixels.
template <typename T>
void whole_images_match(i64 n, i64 pixels, i64 c) {
  Array<T> x = Array<T>::random(n * pixels * c, 1), y(n * c), dy = Array<T>::random(n * c, 2);
  for (i64 i = 0; i < x.size(); ++i) set(x[i], static_cast<float>(std::round(2 * value_of(x[i])) / 2));  // many are equal
  if (x.size() > 7) set(x[7], NAN);
  Doubles share, slope(static_cast<std::size_t>(x.size()));
  for (i64 i = 0; i < x.size(); ++i) share.push_back(value_of(dy[i / (pixels * c) * c + i % c]) / static_cast<double>(pixels));
  for (i64 i = 0; i < n * c; ++i) {
    const i64 first = i / c * pixels * c + i % c;
    i64 most = first;
    for (i64 p = 1; p < pixels; ++p) {
      const double a = value_of(x[first + p * c]), b = value_of(x[most]);
      if (a > b || (std::isnan(a) && !std::isnan(b))) most = first + p * c;
    }
    y[i] = x[most];
    slope[static_cast<std::size_t>(most)] = value_of(dy[i]);
  }
  const T *const px = x.data(), *const py = y.data(), *const pd = dy.data();
  in_every_order([&] {
    Array<T> of_mean(x.size()), of_max(x.size());
    run((std::string("global_average_pool_grad") + Stored<T>::name).c_str(), order + 1, 256, pd, of_mean.data(), n, pixels, c);
    compare("gradient of the mean", of_mean, share, 1e-6);
    run((std::string("global_max_pool_grad") + Stored<T>::name).c_str(), order + 1, 256, px, py, pd, of_max.data(), n, pixels, c);
    compare("gradient of the maximum", of_max, slope, 0);
  });
}

}  // namespace

int main() {
  windows_match<float>({1, 1, {1, 1, 1, 1, 0}, {1, 1, 1, 1, 0}, 0}, 0);
  windows_match<float>({2, 3, {8, 4, 2, 2, 0}, {6, 3, 2, 2, 0}, 0}, 0);    // side by side
  windows_match<float>({2, 5, {9, 5, 3, 2, 1}, {7, 4, 3, 2, 1}, 0}, 0);    // they overlap and reach over the border
  windows_match<float>({1, 4, {9, 5, 3, 2, 1}, {7, 4, 3, 2, 1}, 1}, 0);    // the padding counts; channels by packs
  windows_match<float>({1, 17, {11, 3, 2, 4, 0}, {10, 4, 1, 3, 0}, 0}, 0);  // between them are gaps
  windows_match<bf16>({2, 8, {9, 5, 3, 2, 1}, {7, 4, 3, 2, 1}, 0}, 0);
  windows_match<bf16>({1, 5, {7, 4, 3, 2, 1}, {5, 3, 3, 2, 1}, 1}, 0);
  windows_match<f16>({1, 16, {5, 3, 3, 2, 1}, {6, 3, 2, 2, 0}, 0}, 0);
  windows_match<f16>({1, 8, {5, 3, 3, 2, 1}, {6, 3, 2, 2, 0}, 0}, 1);  // x is not aligned
  whole_images_match<float>(2, 15, 3);
  whole_images_match<float>(1, 1, 1);
  whole_images_match<bf16>(3, 7, 5);
  whole_images_match<f16>(1, 9, 8);
  return result();
}
