// optimizer_test.cpp: updates against double, with and without a mask, a scale, and after an error; LAMB by tensors.
#include "check.h"

namespace {

using namespace crema_test;
typedef long long i64;
typedef unsigned long long u64;

struct Update {
  float* w;
  const float* g;
  float *m0, *m1;
  const float* mask;
  const float* hyper;
  const float* scale;
  const u64* errors;
  i64 n;
};

constexpr double kRate = 0.125, kStep = 3, kDecay = 0.25, kBeta1 = 0.875, kBeta2 = 0.96875, kEpsilon = 0.0078125;

// One parameter: f changes w and the moments.
using Rule = void (*)(double& w, double g, double& a, double& b);
void sgd(double& w, double g, double&, double&) { w -= kRate * (g + kDecay * w); }
void momentum(double& w, double g, double& v, double&) {
  v = kBeta1 * v + g + kDecay * w;
  w -= kRate * v;
}
void nesterov(double& w, double g, double& v, double&) {
  const double d = g + kDecay * w;
  v = kBeta1 * v + d;
  w -= kRate * (d + kBeta1 * v);
}
void adam_of(double& w, double g, double& m, double& v, bool decoupled) {
  const double d = decoupled ? g : g + kDecay * w;
  m = kBeta1 * m + (1 - kBeta1) * d;
  v = kBeta2 * v + (1 - kBeta2) * d * d;
  const double mh = m / (1 - std::pow(kBeta1, kStep)), vh = v / (1 - std::pow(kBeta2, kStep));
  w -= kRate * (mh / (std::sqrt(vh) + kEpsilon) + (decoupled ? kDecay * w : 0));
}
void adam(double& w, double g, double& m, double& v) { adam_of(w, g, m, v, false); }
void adamw(double& w, double g, double& m, double& v) { adam_of(w, g, m, v, true); }
void rmsprop(double& w, double g, double& v, double&) {
  const double d = g + kDecay * w;
  v = kBeta1 * v + (1 - kBeta1) * d * d;
  w -= kRate * d / (std::sqrt(v) + kEpsilon);
}
void adagrad(double& w, double g, double& v, double&) {
  const double d = g + kDecay * w;
  v += d * d;
  w -= kRate * d / (std::sqrt(v) + kEpsilon);
}
void lion(double& w, double g, double& m, double&) {
  const double u = kBeta1 * m + (1 - kBeta1) * g;
  w = w * (1 - kRate * kDecay) - kRate * (u > 0 ? 1 : u < 0 ? -1 : 0);
  m = kBeta2 * m + (1 - kBeta2) * g;
}

Floats hyper() {
  return Floats(std::vector<float>{static_cast<float>(kRate), static_cast<float>(kStep),
                                   static_cast<float>(1 - std::pow(kBeta1, kStep)), static_cast<float>(1 - std::pow(kBeta2, kStep))});
}

void launch(const char* name, const Update& u) {
  const float decay = kDecay, b1 = kBeta1, r1 = 1 - kBeta1, b2 = kBeta2, r2 = 1 - kBeta2, e = kEpsilon;
  const std::string kernel = name;
  if (kernel == "sgd") run(name, 2, 256, u, decay);
  if (kernel == "momentum") run(name, 2, 256, u, decay, b1, 0);
  if (kernel == "nesterov") run("momentum", 2, 256, u, decay, b1, 1);
  if (kernel == "adam") run(name, 2, 256, u, decay, b1, r1, b2, r2, e, 0);
  if (kernel == "adamw") run("adam", 2, 256, u, decay, b1, r1, b2, r2, e, 1);
  if (kernel == "rmsprop") run(name, 2, 256, u, decay, b1, r1, e);
  if (kernel == "adagrad") run(name, 2, 256, u, decay, e);
  if (kernel == "lion") run(name, 2, 256, u, decay, b1, r1, b2, r2);
}

void updates_match(const char* name, Rule rule, i64 n, int shift, bool masked, bool scaled) {
  Floats w = Floats::random(n, 1, shift), g = Floats::random(n, 2), a = Floats::random(n, 3), b = Floats::random(n, 4), mask(n);
  Floats h = hyper(), scale(std::vector<float>{0.5f});
  for (i64 i = 0; i < n; ++i) {
    a[i] = std::fabs(a[i]);
    b[i] = std::fabs(b[i]);
    mask[i] = i % 3 == 0 ? 0.0f : 1.0f;
  }
  Doubles ew = w.doubles(), ea = a.doubles(), eb = b.doubles();
  for (i64 i = 0; i < n; ++i) {
    rule(ew[i], g[i] * (scaled ? 0.5 : 1.0), ea[i], eb[i]);
    if (masked && mask[i] == 0) ew[i] = ea[i] = 0;
    if (masked && mask[i] == 0) eb[i] = 0;
  }
  const std::string kernel = name;
  in_every_order([&] {
    Floats aw = w, aa = a, ab = b;
    u64 errors = 1;
    Update u{aw.data(), g.data(), aa.data(), ab.data(), masked ? mask.data() : nullptr, h.data(), scaled ? scale.data() : nullptr,
             &errors, n};
    launch(name, u);
    for (i64 i = 0; i < n; ++i) CHECK(aw[i] == w[i] && aa[i] == a[i], "%s goes on after an error", name);
    errors = ~0ull;
    const float nan = NAN;
    u.scale = &nan;  // as loss scaling says that a gradient is not finite
    launch(name, u);
    CHECK(std::memcmp(aw.data(), w.data(), 4 * n) == 0 && std::memcmp(aa.data(), a.data(), 4 * n) == 0 &&
              std::memcmp(ab.data(), b.data(), 4 * n) == 0,
          "%s goes on with a scale of NaN", name);
    u.scale = scaled ? scale.data() : nullptr;
    launch(name, u);
    compare(name, aw, ew, 2e-6);
    if (kernel != "sgd") compare("first moment", aa, ea, 2e-6);
    if (kernel == "adam" || kernel == "adamw") compare("second moment", ab, eb, 2e-6);
  });
}

struct Tensors {
  i64 count, begin;
  i64 end[256];
};

void lamb_matches() {
  const i64 n = 700;
  Tensors tensors{3, 0, {1, 300, n}};
  Floats w = Floats::random(n, 1), g = Floats::random(n, 2), a = Floats::random(n, 3), b = Floats::random(n, 4), h = hyper();
  for (i64 i = 0; i < n; ++i) b[i] = std::fabs(b[i]);
  w[0] = 0;  // a tensor without a norm trusts its step
  Doubles ew = w.doubles(), step(ew.size());
  for (i64 i = 0; i < n; ++i) {
    const double m = kBeta1 * a[i] + (1 - kBeta1) * g[i], v = kBeta2 * b[i] + (1 - kBeta2) * g[i] * g[i];
    step[i] = (m / (1 - std::pow(kBeta1, kStep))) / (std::sqrt(v / (1 - std::pow(kBeta2, kStep))) + kEpsilon) + kDecay * ew[i];
  }
  for (i64 t = 0, begin = 0; t < 3; begin = tensors.end[t++]) {
    double of_w = 0, of_step = 0;
    for (i64 i = begin; i < tensors.end[t]; ++i) {
      of_w += ew[i] * ew[i];
      of_step += step[i] * step[i];
    }
    const double trust = of_w > 0 && of_step > 0 ? std::sqrt(of_w / of_step) : 1;
    for (i64 i = begin; i < tensors.end[t]; ++i) ew[i] -= kRate * trust * step[i];
  }
  in_every_order([&] {
    Floats aw = w, aa = a, ab = b, u(n);
    Array<double> sums(3 * 4 * 2);
    const float nan = NAN;
    for (const bool skipped : {true, false}) {
      const Update update{aw.data(), g.data(), aa.data(), ab.data(), nullptr, h.data(), skipped ? &nan : nullptr, nullptr, n};
      run("lamb_moments", 2, 256, update, u.data(), static_cast<float>(kDecay), static_cast<float>(kBeta1), static_cast<float>(1 - kBeta1),
          static_cast<float>(kBeta2), static_cast<float>(1 - kBeta2), static_cast<float>(kEpsilon));
      run("lamb_norms", dim3{4, 3, 1}, 256, 0, static_cast<const float*>(aw.data()), static_cast<const float*>(u.data()), tensors, i64{100},
          sums.data());
      run("lamb_apply", dim3{2, 2, 1}, 256, 0, update, static_cast<const float*>(u.data()), tensors, i64{4},
          static_cast<const double*>(sums.data()));
      if (!skipped) continue;
      CHECK(std::memcmp(aw.data(), w.data(), 4 * n) == 0 && aa[0] == a[0] && ab[0] == b[0],
            "lamb goes on with a scale of NaN");
    }
    compare("lamb", aw, ew, 2e-6);
  });
}

}  // namespace

int main() {
  const struct {
    const char* name;
    Rule rule;
  } rules[] = {{"sgd", sgd},   {"momentum", momentum}, {"nesterov", nesterov}, {"adam", adam},
               {"adamw", adamw}, {"rmsprop", rmsprop},   {"adagrad", adagrad},   {"lion", lion}};
  for (const auto& r : rules) {
    updates_match(r.name, r.rule, 1, 0, false, false);
    updates_match(r.name, r.rule, 1003, 0, true, true);
    updates_match(r.name, r.rule, 1001, 1, true, false);
    updates_match(r.name, r.rule, 2048, 0, false, true);
  }
  lamb_matches();
  return result();
}
