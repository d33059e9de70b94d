// recurrent_test.cpp: a step of LSTM and of GRU against double, their gradients against central differences.
#include "check.h"

namespace {

using namespace crema_test;

template <typename T>
std::string named(const char* kernel) {
  return std::string(kernel) + Stored<T>::name;
}

double squash(double x) { return 1 / (1 + std::exp(-x)); }

// z: the four gates before their activation, then c of the step before. Gives h, then c.
Doubles lstm(const Doubles& z, i64 n, i64 u) {
  Doubles out(static_cast<std::size_t>(2 * n * u));
  for (i64 i = 0; i < n * u; ++i) {
    const i64 at = i / u * 4 * u + i % u;
    const double c = squash(z[at + u]) * z[4 * n * u + i] + squash(z[at]) * std::tanh(z[at + 2 * u]);
    out[i] = squash(z[at + 3 * u]) * std::tanh(c);
    out[n * u + i] = c;
  }
  return out;
}

template <typename A, typename B>
Doubles joined(const A& a, const B& b) {
  Doubles all = a.doubles();
  for (const double v : b.doubles()) all.push_back(v);
  return all;
}

// `first`: there is no step before, so that c and h begin as zeros. y's examples are farther apart than h's.
template <typename T>
void lstm_matches(i64 n, i64 u, bool first, bool last) {
  const i64 y_row = u + 3;
  Floats z = Floats::random(n * 4 * u, 1), before = Floats::random(n * u, 2);
  Array<T> dy = Array<T>::random(n * y_row, 3);
  Floats into_h = Floats::random(n * u, 4), into_c = Floats::random(n * u, 5);
  for (i64 i = 0; i < z.size(); ++i) z[i] *= 3;
  for (i64 i = 0; i < before.size() && first; ++i) before[i] = 0;
  const Doubles expected = lstm(joined(z, before), n, u);
  Doubles flow = joined(into_h, into_c);
  for (i64 i = 0; i < n * u && !last; ++i) flow[i] += value_of(dy[i / u * y_row + i % u]);
  const Doubles slope = differences([&](const Doubles& at) { return lstm(at, n, u); }, joined(z, before), flow);
  const float* const c_before = first ? nullptr : before.data();
  in_every_order([&] {
    Floats gates = z, c(n * u), dc = into_c;
    Array<T> h(n * u), y(n * y_row), dz(n * 4 * u);
    run(named<T>("lstm_cell").c_str(), order + 1, 256, gates.data(), c_before, c.data(), h.data(), y.data(), n, u, y_row);
    compare("h", h, Doubles(expected.begin(), expected.begin() + n * u), 2e-6);
    compare("c", c, Doubles(expected.begin() + n * u, expected.end()), 2e-6);
    for (i64 i = 0; i < n * y_row; ++i) {
      const bool there = i % y_row < u;
      const double stored = value_of(y[i]);
      CHECK(there ? stored == value_of(h[i / y_row * u + i % y_row]) : std::isnan(stored), "y, element %lld", i);
    }
    const float *const pg = gates.data(), *const pc = c.data(), *const ph = into_h.data();
    run(named<T>("lstm_cell_grad").c_str(), 1, 256, pg, c_before, pc, last ? nullptr : static_cast<const T*>(dy.data()), ph, dc.data(), dz.data(), n,
        u, y_row);
    compare("gradient of the gates", dz, Doubles(slope.begin(), slope.begin() + n * 4 * u), 2e-5);
    if (!first) compare("gradient of c before", dc, Doubles(slope.begin() + n * 4 * u, slope.end()), 2e-5);
  });
}

// a: x w + b; then h' u + c; then h'. Gives h.
Doubles gru(const Doubles& a, i64 n, i64 u) {
  Doubles out(static_cast<std::size_t>(n * u));
  for (i64 i = 0; i < n * u; ++i) {
    const i64 at = i / u * 3 * u + i % u, other = 3 * n * u + at;
    const double r = squash(a[at] + a[other]), z = squash(a[at + u] + a[other + u]);
    const double candidate = std::tanh(a[at + 2 * u] + r * a[other + 2 * u]);
    out[i] = (1 - z) * candidate + z * a[6 * n * u + i];
  }
  return out;
}

template <typename T>
void gru_matches(i64 n, i64 u, bool first, bool last) {
  const i64 y_row = 2 * u;
  Floats a = Floats::random(n * 3 * u, 1), b = Floats::random(n * 3 * u, 2), into_h = Floats::random(n * u, 5);
  Array<T> before = Array<T>::random(n * u, 3), dy = Array<T>::random(n * y_row, 4);
  for (i64 i = 0; i < before.size() && first; ++i) set(before[i], 0);
  Doubles all = joined(a, b);
  for (const double v : before.doubles()) all.push_back(v);
  const Doubles expected = gru(all, n, u);
  Doubles flow = into_h.doubles();
  for (i64 i = 0; i < n * u && !last; ++i) flow[i] += value_of(dy[i / u * y_row + i % u]);
  const Doubles slope = differences([&](const Doubles& at) { return gru(at, n, u); }, all, flow);
  in_every_order([&] {
    Floats gates = a, q(n * u), state(n * u), dh = into_h;
    Array<T> h(n * u), y(n * y_row), d(n * 3 * u), e(n * 3 * u);
    for (i64 i = 0; i < n * u; ++i) state[i] = static_cast<float>(value_of(before[i]));
    T* const to = std::is_same<T, float>::value ? reinterpret_cast<T*>(state.data()) : h.data();  // float32's may lie there
    run(named<T>("gru_cell").c_str(), order + 1, 256, gates.data(), static_cast<const float*>(b.data()), q.data(), state.data(), to,
        y.data(), n, u, y_row);
    for (i64 i = 0; i < n * u; ++i) {
      T rounded;
      set(rounded, state[i]);
      CHECK(value_of(to[i]) == value_of(rounded), "h, element %lld, is the rounded state", i);
    }
    compare("state", state, expected, 2e-6);
    for (i64 i = 0; i < n * y_row; ++i) {
      const bool there = i % y_row < u;
      const double stored = value_of(y[i]);
      CHECK(there ? stored == value_of(to[i / y_row * u + i % y_row]) : std::isnan(stored), "y, element %lld", i);
    }
    run(named<T>("gru_cell_grad").c_str(), 1, 256, static_cast<const float*>(gates.data()), static_cast<const float*>(q.data()),
        first ? nullptr : static_cast<const T*>(before.data()), last ? nullptr : static_cast<const T*>(dy.data()), dh.data(),
        d.data(), e.data(), n, u, y_row);
    compare("gradient of x w", d, Doubles(slope.begin(), slope.begin() + n * 3 * u), 2e-5);
    compare("gradient of h' u", e, Doubles(slope.begin() + n * 3 * u, slope.begin() + 2 * n * 3 * u), 2e-5);
    if (!first) compare("gradient of h before", dh, Doubles(slope.begin() + 2 * n * 3 * u, slope.end()), 2e-5);
  });
}

void ends_saturate_and_nan_stays() {
  const i64 u = 3;
  Floats gates(std::vector<float>{1e30f, -1e30f, 0, INFINITY, -INFINITY, 0, 1e30f, -1e30f, NAN, 100, -100, 0}), c(u), h(u), y(u);
  Floats before(std::vector<float>{2, 3, 4});
  run("lstm_cell_f32", 1, 256, gates.data(), static_cast<const float*>(before.data()), c.data(), h.data(), y.data(), i64{1}, u, u);
  CHECK(c[0] == 3 && c[1] == 0, "c is %g, %g", c[0], c[1]);
  CHECK(std::fabs(h[0] - std::tanh(3.0f)) < 1e-6 && h[1] == 0, "h is %g, %g", h[0], h[1]);
  CHECK(std::isnan(c[2]) && std::isnan(h[2]) && std::isnan(y[2]), "NaN becomes %g", h[2]);
}

// As recurrent_weights.cu has it.
struct Places {
  float *matrix[8], *bias[8];
};

// Into a library's order, and back.
void weights_go_there_and_back(i64 features, i64 units, i64 gates, bool biased) {
  const i64 width = gates * units;
  Floats w = Floats::random(features * width, 1), r = Floats::random(units * width, 2), b = Floats::random(width, 3),
         c = Floats::random(width, 4);
  const float *const pw = w.data(), *const pr = r.data(), *const pb = biased ? b.data() : nullptr, *const pc = biased ? c.data() : nullptr;
  in_every_order([&] {
    std::vector<Floats> matrices, biases;
    Places p = {};
    for (i64 g = 0; g < 2 * gates; ++g) {
      matrices.emplace_back(units * (g < gates ? features : units));
      biases.emplace_back(units);
    }
    for (std::size_t g = 0; g < matrices.size(); ++g) {
      p.matrix[g] = matrices[g].data();
      p.bias[g] = biases[g].data();
    }
    run("recurrent_weights_to", order + 1, 256, pw, pr, pb, pc, p, static_cast<int>(features), static_cast<int>(units), static_cast<int>(gates));
    for (i64 g = 0; g < 2 * gates; ++g) {
      const i64 inputs = g < gates ? features : units;
      const std::size_t at = static_cast<std::size_t>(g);
      for (i64 j = 0; j < units; ++j) {
        const i64 column = g % gates * units + j;
        for (i64 i = 0; i < inputs; ++i) {
          CHECK(matrices[at][j * inputs + i] == (g < gates ? w : r)[i * width + column], "gate %lld [%lld, %lld]", g, j, i);
        }
        CHECK(biases[at][j] == (biased ? (g < gates ? b : c)[column] : 0.0f), "gate %lld, bias %lld", g, j);
      }
    }
    Floats dw(features * width), dr(units * width), db(width), dc(width);
    run("recurrent_weights_from", 1, 256, p, dw.data(), dr.data(), db.data(), biased ? dc.data() : nullptr, static_cast<int>(features),
        static_cast<int>(units), static_cast<int>(gates));
    for (i64 i = 0; i < dw.size(); ++i) CHECK(dw[i] == w[i], "w %lld", i);
    for (i64 i = 0; i < dr.size(); ++i) CHECK(dr[i] == r[i], "r %lld", i);
    for (i64 i = 0; i < width && biased; ++i) CHECK(db[i] == b[i] && dc[i] == c[i], "biases %lld", i);
    for (i64 i = 0; i < width && !biased; ++i) CHECK(db[i] == 0 && std::isnan(dc[i]), "biases %lld", i);
  });
}

}  // namespace

int main() {
  weights_go_there_and_back(5, 3, 4, true);
  weights_go_there_and_back(1, 70, 3, false);
  weights_go_there_and_back(130, 1, 3, true);
  const i64 shapes[][2] = {{1, 1}, {1, 7}, {3, 5}, {2, 33}};
  for (const auto& s : shapes) {
    for (const bool first : {false, true}) {
      lstm_matches<float>(s[0], s[1], first, !first);
      gru_matches<float>(s[0], s[1], first, !first);
    }
  }
  lstm_matches<float>(2, 3, false, false);
  gru_matches<float>(2, 3, false, false);
  for (const bool first : {false, true}) {
    lstm_matches<bf16>(3, 5, first, !first);
    lstm_matches<f16>(2, 33, first, first);
    gru_matches<bf16>(3, 5, first, !first);
    gru_matches<f16>(2, 33, first, first);
  }
  ends_saturate_and_nan_stays();
  return result();
}
