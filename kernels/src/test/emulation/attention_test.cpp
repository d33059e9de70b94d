// attention_test.cpp: attention, by rows and by tiles of each size and type, against double; its gradient by the chain rule, which
// central differences check; what keys that are hidden hold.
#include "check.h"
#include "attention.cuh"

namespace {

using namespace crema_test;
using std::size_t;

struct Shape {
  i64 heads, t, s;
  int d, e, causal;
  i64 inner = 1;  // heads beside each other

  // Where row `row` of the rows of `of_head` a head lies, counted head by head.
  i64 place(i64 row, i64 of_head) const {
    const i64 head = row / of_head;
    return head / inner * inner * of_head + row % of_head * inner + head % inner;
  }
};

size_t at(i64 i) { return static_cast<size_t>(i); }

// Extents as the kernels take them: the struct of attention.cuh.
Extents extents(const Shape& z, float scale) { return {z.heads, z.t, z.s, static_cast<int>(z.inner), z.d, z.e, scale, z.causal, 0}; }

struct Result {
  Doubles y, lse, delta, dq, dk, dv;
};

Result reference(const Shape& z, double scale, const Doubles& q, const Doubles& k, const Doubles& v, const Doubles& dy) {
  Result r{Doubles(at(z.heads * z.t * z.e)), Doubles(at(z.heads * z.t)), Doubles(at(z.heads * z.t)), Doubles(q.size()), Doubles(k.size()),
           Doubles(v.size())};
  for (i64 counted = 0; counted < z.heads * z.t; ++counted) {
    const i64 row = z.place(counted, z.t), key0 = counted / z.t * z.s, seen = z.causal != 0 ? counted % z.t + 1 : z.s;
    const auto key = [&](i64 j) { return z.place(key0 + j, z.s); };
    Doubles w(at(seen));
    double most = -INFINITY, sum = 0;
    for (i64 j = 0; j < seen; ++j) {
      for (int p = 0; p < z.d; ++p) w[at(j)] += scale * q[at(row * z.d + p)] * k[at(key(j) * z.d + p)];
      most = std::fmax(most, w[at(j)]);
    }
    for (double& x : w) sum += x = std::exp(x - most);
    r.lse[at(row)] = most + std::log(sum);
    for (i64 j = 0; j < seen; ++j) {
      for (int c = 0; c < z.e; ++c) r.y[at(row * z.e + c)] += w[at(j)] / sum * v[at(key(j) * z.e + c)];
    }
    for (int c = 0; c < z.e; ++c) r.delta[at(row)] += r.y[at(row * z.e + c)] * dy[at(row * z.e + c)];
    for (i64 j = 0; j < seen; ++j) {
      double flow = 0;
      for (int c = 0; c < z.e; ++c) {
        flow += dy[at(row * z.e + c)] * v[at(key(j) * z.e + c)];
        r.dv[at(key(j) * z.e + c)] += w[at(j)] / sum * dy[at(row * z.e + c)];
      }
      const double slope = w[at(j)] / sum * (flow - r.delta[at(row)]) * scale;
      for (int p = 0; p < z.d; ++p) {
        r.dq[at(row * z.d + p)] += slope * k[at(key(j) * z.d + p)];
        r.dk[at(key(j) * z.d + p)] += slope * q[at(row * z.d + p)];
      }
    }
  }
  return r;
}

// How the kernels are launched: those of rows where D is 0.
template <typename T, int D>
struct Launch {
  template <Pass pass, typename... Args>
  static void run(const std::string& name, i64 blocks, int, Args... args) {
    using A = Attention<T, D, pass>;
    crema_test::run((name + "_" + std::to_string(D) + Stored<T>::name).c_str(), dim3{static_cast<unsigned>(blocks), 1, 1}, A::kThreads,
                    A::kBytes, args...);
  }
};
template <typename T>
struct Launch<T, 0> {
  template <Pass pass, typename... Args>
  static void run(const std::string& name, i64 blocks, int numbers, Args... args) {
    crema_test::run((name + Stored<T>::name).c_str(), dim3{static_cast<unsigned>(blocks), 1, 1}, kThreads, 8 * numbers, args...);
  }
};

template <typename T>
bool same_bits(Array<T>& a, Array<T>& b) {
  return std::memcmp(a.data(), b.data(), static_cast<size_t>(a.size()) * sizeof(T)) == 0;
}

template <typename T, int D>
void matches(const Shape& z, int shift, float size) {
  const float scale = 1.0f / std::sqrt(static_cast<float>(z.d));
  auto q = Array<T>::random(z.heads * z.t * z.d, 1, shift), k = Array<T>::random(z.heads * z.s * z.d, 2, shift);
  auto v = Array<T>::random(z.heads * z.s * z.e, 3), dy = Array<T>::random(z.heads * z.t * z.e, 4, shift);
  for (i64 i = 0; i < q.size(); ++i) set(q[i], static_cast<float>(value_of(q[i])) * size);
  const Result r = reference(z, scale, q.doubles(), k.doubles(), v.doubles(), dy.doubles());
  if (q.size() + k.size() < 60) {
    const auto y = [&](const Doubles& a, const Doubles& b, const Doubles& c) { return reference(z, scale, a, b, c, dy.doubles()).y; };
    const Doubles dq = differences([&](const Doubles& x) { return y(x, k.doubles(), v.doubles()); }, q.doubles(), dy.doubles());
    const Doubles dk = differences([&](const Doubles& x) { return y(q.doubles(), x, v.doubles()); }, k.doubles(), dy.doubles());
    const Doubles dv = differences([&](const Doubles& x) { return y(q.doubles(), k.doubles(), x); }, v.doubles(), dy.doubles());
    for (size_t i = 0; i < dq.size(); ++i) CHECK(std::fabs(dq[i] - r.dq[i]) < 1e-7, "dq");
    for (size_t i = 0; i < dk.size(); ++i) CHECK(std::fabs(dk[i] - r.dk[i]) < 1e-7, "dk");
    for (size_t i = 0; i < dv.size(); ++i) CHECK(std::fabs(dv[i] - r.dv[i]) < 1e-7, "dv");
  }
  // Weights, and what flows into scores, are rounded to the type stored: half an ulp of each, of sums that cancel in part.
  const double rounding = Stored<T>::rounding, grow = std::fmax(1.0f, size);
  const double forward = D != 0 && rounding > 0 ? rounding : 3e-6 * grow;
  const double backward = rounding > 0 ? 4 * rounding : 1e-5 * grow;
  std::vector<Array<T>> first;  // what the first order of threads gave
  in_every_order([&] {
    const i64 blocks = static_cast<i64>(order) + 1;
    const T *const pq = q.data(), *const pk = k.data(), *const pv = v.data(), *const pd = dy.data();
    Array<T> y(z.heads * z.t * z.e, shift), dq(q.size(), shift), dk(k.size()), dv(v.size(), shift);
    Floats lse(z.heads * z.t), delta(z.heads * z.t);
    using L = Launch<T, D>;
    const Extents x = extents(z, scale);
    L::template run<Pass::kForward>("attention", blocks, z.d + z.e, pq, pk, pv, y.data(), lse.data(), x);
    compare("y", y, r.y, forward);
    compare("lse", lse, r.lse, 3e-6 * grow);
    const T* const py = y.data();
    run((std::string("attention_delta") + Stored<T>::name).c_str(), blocks, kThreads, py, pd, delta.data(), z.heads * z.t, z.e);
    compare("delta", delta, r.delta, rounding > 0 ? 2 * rounding : 1e-5);
    const float *const pl = lse.data(), *const pm = delta.data();
    L::template run<Pass::kQueries>("attention_grad_queries", blocks, z.d + z.e, pq, pk, pv, pd, pl, pm, dq.data(), x);
    L::template run<Pass::kKeys>("attention_grad_keys", blocks, z.d + z.e, pq, pk, pv, pd, pl, pm, dk.data(), dv.data(), x);
    if (first.empty()) first = {y, dq, dk, dv};
    const bool same = same_bits(y, first[0]) && same_bits(dq, first[1]) && same_bits(dk, first[2]) && same_bits(dv, first[3]);
    CHECK(same, "another grid and order of threads give other bits");
    compare("dv", dv, r.dv, backward);
    if (z.s == 1) return;  // of one key, what flows into its score is rounding
    compare("dq", dq, r.dq, backward);
    compare("dk", dk, r.dk, backward);
  });
}

// A NaN in a query reaches its own row alone; a value's reaches every row that sees it.
template <typename T, int D>
void not_a_number_shows() {
  const Shape z = {1, 5, 40, 8, 8, 0};
  auto q = Array<T>::random(z.t * z.d, 1), k = Array<T>::random(z.s * z.d, 2), v = Array<T>::random(z.s * z.e, 3);
  Array<T> y(z.t * z.e);
  Floats lse(z.t);
  const Extents x = extents(z, 0.5f);
  const auto run = [&] {
    Launch<T, D>::template run<Pass::kForward>("attention", 1, z.d + z.e, static_cast<const T*>(q.data()), static_cast<const T*>(k.data()),
                                               static_cast<const T*>(v.data()), y.data(), lse.data(), x);
  };
  set(q[3 * z.d], NAN);
  run();
  for (i64 i = 0; i < y.size(); ++i) CHECK((i / z.e == 3) == std::isnan(value_of(y[i])), "element %d", static_cast<int>(i));
  set(q[3 * z.d], 1);
  set(v[35 * z.e + 2], INFINITY);
  run();
  for (i64 i = 0; i < y.size(); ++i) CHECK((i % z.e == 2) != std::isfinite(value_of(y[i])), "element %d", static_cast<int>(i));
}

// A first step of keys whose scores are all -infinity.
template <typename T, int D>
void scores_of_minus_infinity_have_no_weight() {
  const Shape z = {1, 1, 70, 1, 1, 0};
  Array<T> q(1), k(z.s), v = Array<T>::random(z.s, 3), y(1);
  Floats lse(1);
  set(q[0], 1);
  for (i64 i = 0; i < z.s; ++i) set(k[i], i < 66 ? -INFINITY : 1.0f);
  Launch<T, D>::template run<Pass::kForward>("attention", 1, 2, static_cast<const T*>(q.data()), static_cast<const T*>(k.data()),
                                             static_cast<const T*>(v.data()), y.data(), lse.data(), extents(z, 1));
  double mean = 0;
  for (i64 i = 66; i < z.s; ++i) mean += value_of(v[i]) / 4;
  compare("y", y, {mean}, 1e-6 + Stored<T>::rounding);
  compare("lse", lse, {1 + std::log(4.0)}, 1e-6);
}

template <typename T, int D>
void of_tiles() {
  matches<T, D>({1, 1, 1, 1, 1, 0}, 0, 1);
  matches<T, D>({2, 2, 3, 4, 3, 0}, 1, 1);
  matches<T, D>({1, 3, 3, 2, 2, 1}, 0, 1);
  matches<T, D>({1, 70, 130, 24, 32, 0}, 0, 1);
  matches<T, D>({2, 67, 67, 16, 7, 1}, 0, 1);
  matches<T, D>({6, 5, 9, 8, 16, 0, 3}, 0, 1);
  matches<T, D>({4, 35, 35, 6, 3, 1, 2}, 1, 1);
  matches<T, D>({1, 140, 140, 8, 16, 1}, 1, 1);
  if (D > 32) matches<T, D>({1, 20, 40, D, D - 8, 0}, 0, 1);
  not_a_number_shows<T, D>();
  scores_of_minus_infinity_have_no_weight<T, D>();
}

}  // namespace

int main() {
  matches<float, 0>({2, 3, 5, 7, 4, 0}, 1, 1);
  matches<float, 0>({1, 5, 300, 130, 3, 0}, 0, 1);
  matches<float, 0>({1, 260, 260, 3, 5, 1}, 0, 1);
  matches<float, 0>({6, 5, 4, 3, 7, 0, 3}, 0, 1);
  matches<float, 0>({4, 6, 6, 2, 5, 1, 2}, 0, 1);
  matches<bf16, 0>({2, 6, 6, 9, 132, 1}, 0, 1);
  matches<f16, 0>({1, 4, 9, 140, 8, 0}, 1, 1);
  not_a_number_shows<float, 0>();
  scores_of_minus_infinity_have_no_weight<float, 0>();
  of_tiles<float, 64>();
  matches<float, 64>({1, 9, 50, 64, 64, 0}, 0, 40);  // scores whose exponentials alone would be infinite
  matches<float, 128>({1, 40, 40, 128, 100, 1}, 0, 1);
  of_tiles<bf16, 32>();
  of_tiles<f16, 32>();
  of_tiles<f16, 64>();
  matches<bf16, 64>({1, 66, 80, 64, 64, 0}, 0, 1);
  matches<bf16, 128>({1, 70, 70, 128, 72, 1}, 0, 1);
  matches<f16, 128>({2, 33, 50, 96, 128, 0}, 1, 1);
  return result();
}
