// GRU against a double-precision loop over the equations, and its gradients against central differences of that
// loop: every optional input present and absent, vectors with tails, batches of none, one and many.
#include "../src/float_mode.h"
#include "differences.h"

using namespace crema_test;

namespace {

struct Sizes {
  int64_t n, t, features, units;
};

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// x, w, u, b, c, h0 -> y, last h
Reference reference(const Sizes& s) {
  return [s](const std::vector<Values>& in) {
    const int64_t u = s.units;
    Values y(static_cast<size_t>(s.n * s.t * u)), h(static_cast<size_t>(s.n * u));
    for (size_t i = 0; i < h.size() && !in[5].empty(); ++i) h[i] = in[5][i];
    Values from_x(static_cast<size_t>(3 * u)), from_h(from_x.size());
    for (int64_t e = 0; e < s.n; ++e) {
      double* const he = h.data() + e * u;
      for (int64_t step = 0; step < s.t; ++step) {
        for (int64_t j = 0; j < 3 * u; ++j) {
          double sum = in[3].empty() ? 0 : in[3][static_cast<size_t>(j)];
          for (int64_t f = 0; f < s.features; ++f) {
            sum += in[0][static_cast<size_t>((e * s.t + step) * s.features + f)] *
                   in[1][static_cast<size_t>(f * 3 * u + j)];
          }
          from_x[static_cast<size_t>(j)] = sum;
          sum = in[4].empty() ? 0 : in[4][static_cast<size_t>(j)];
          for (int64_t k = 0; k < u; ++k) sum += he[k] * in[2][static_cast<size_t>(k * 3 * u + j)];
          from_h[static_cast<size_t>(j)] = sum;
        }
        for (int64_t j = 0; j < u; ++j) {
          const double *const a = from_x.data() + j, *const b = from_h.data() + j;
          const double r = sigmoid(a[0] + b[0]), z = sigmoid(a[u] + b[u]), n = std::tanh(a[2 * u] + r * b[2 * u]);
          he[j] = (1 - z) * n + z * he[j];
          y[static_cast<size_t>((e * s.t + step) * u + j)] = he[j];
        }
      }
    }
    return std::vector<Values>{y, h};
  };
}

struct Outputs {
  std::vector<Array> arrays;
  std::vector<Array*> pointers() {
    std::vector<Array*> p;
    for (Array& a : arrays) p.push_back(&a);
    return p;
  }
};

// Optional inputs present: bit 0 bias, 1 recurrent bias, 2 h0; optional gradients: bit 3 dy, 4 last h.
void check(const Sizes& s, int present) {
  const int64_t u = s.units;
  Array x = Array::random({s.n, s.t, s.features}, 1), w = Array::random({s.features, 3 * u}, 2);
  Array r = Array::random({u, 3 * u}, 3), bias, recurrent_bias, h0, dy, dh;
  if (present & 1) bias = Array::random({3 * u}, 4);
  if (present & 2) recurrent_bias = Array::random({3 * u}, 5);
  if (present & 4) h0 = Array::random({s.n, u}, 6);
  if (present & 8) dy = Array::random({s.n, s.t, u}, 7);
  if (present & 16) dh = Array::random({s.n, u}, 8);
  std::vector<Values> in;
  for (const Array* a : {&x, &w, &r, &bias, &recurrent_bias, &h0}) in.push_back(values_of(*a));
  const std::vector<Values> flows = {values_of(dy), values_of(dh)};
  const Reference f = reference(s);
  const std::vector<Values> expected = f(in);
  std::vector<Values> gradients;
  for (size_t i = 0; i < 6; ++i) gradients.push_back(differences(f, in, i, flows));
  for (int level : levels()) {
    std::vector<Array> first;
    for (int threads : {1, 2, 3}) {
      Outputs out{{Array({s.n, s.t, u}), Array({s.n, u}), Array({s.n, s.t, 3 * u}), Array({s.n, s.t, u})}};
      Outputs grad{{Array({s.n, s.t, s.features}), Array({s.features, 3 * u}), Array({u, 3 * u}), Array({3 * u}),
                    Array({3 * u}), Array({s.n, u})}};
      call(level, "gru", threads, {&x, &w, &r, &bias, &recurrent_bias, &h0}, out.pointers(), {});
      call(level, "gru_grad", threads, {&x, &w, &r, &h0, &out.arrays[0], &out.arrays[2], &out.arrays[3], &dy, &dh},
           grad.pointers(), {});
      char name[120];
      for (size_t o = 0; o < 2; ++o) {
        std::snprintf(name, sizeof(name), "%s present %d output %d", crema_isa_name(level), present,
                      static_cast<int>(o));
        compare(name, out.arrays[o], expected[o], 3e-6);
      }
      for (size_t i = 0; i < 6; ++i) {
        if (gradients[i].empty()) continue;
        std::snprintf(name, sizeof(name), "%s present %d gradient %d", crema_isa_name(level), present,
                      static_cast<int>(i));
        compare(name, grad.arrays[i], gradients[i], 2e-5);
      }
      std::vector<Array> all = out.arrays;
      all.insert(all.end(), grad.arrays.begin(), grad.arrays.end());
      if (threads == 1) {
        first = all;
      } else {
        for (size_t i = 0; i < all.size(); ++i) {
          CHECK(same_bits(first[i], all[i]), "%d threads give other bits in array %d", threads, static_cast<int>(i));
        }
      }
    }
  }
}

// Enough work for the pool to share: the loop over steps runs on several threads.
void shared_by_threads(int64_t n) {
  const Sizes s{n, 19, 20, 70};
  const int64_t u = s.units;
  Array x = Array::random({s.n, s.t, s.features}, 1), w = Array::random({s.features, 3 * u}, 2);
  Array r = Array::random({u, 3 * u}, 3), none;
  for (int64_t i = 0; i < r.size(); ++i) r[i] *= 0.25f;  // large weights multiply rounding errors
  std::vector<Values> in;
  for (const Array* a : {&x, &w, &r, &none, &none, &none}) in.push_back(values_of(*a));
  const Values expected = reference(s)(in)[0];
  for (int level : levels()) {
    std::vector<Array> one;
    for (int threads : {1, 2, 4}) {
      Outputs out{{Array({s.n, s.t, u}), Array({s.n, u}), Array({s.n, s.t, 3 * u}), Array({s.n, s.t, u})}};
      call(level, "gru", threads, {&x, &w, &r, &none, &none, &none}, out.pointers(), {});
      compare("many threads", out.arrays[0], expected, 1e-5);
      if (threads == 1) one = out.arrays;
      CHECK(same_bits(one[0], out.arrays[0]), "%d threads give other bits", threads);
    }
  }
}

}  // namespace

int main() {
  const crema::FloatMode flush_denormals;  // as in a run of a plan; the pool's threads do too
  crema_set_threads(4);
  for (int present = 0; present < 32; ++present) check({2, 3, 3, 2}, present);
  for (int present : {8, 31}) {
    check({1, 1, 1, 1}, present);
    check({0, 3, 2, 2}, present);
    check({2, 0, 3, 2}, present);
    check({5, 2, 4, 17}, present);
    check({1, 4, 17, 3}, present);
    check({17, 3, 5, 18}, present);  // enough rows to multiply some steps at a time
    check({17, 18, 2, 3}, present);  // more steps than go together
    check({16, 17, 1, 3}, present);
  }
  shared_by_threads(9);
  shared_by_threads(40);
  return result();
}
