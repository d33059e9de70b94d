// vec_test.cpp: the functions of vec_math.h against double over their whole ranges, through the element-wise
// operations that are made of them. Errors are in ulp: units in the last place of the exact result.
#include <functional>

#include "run.h"

namespace {

using namespace crema_test;

constexpr float kSmallest = 1.17549435e-38f;  // smaller numbers count as zero

float flushed(float x) { return std::fabs(x) < kSmallest ? std::copysign(0.0f, x) : x; }

// Error of y in ulp; 0 where both are NaN or equal, infinite where only one is finite.
double ulp(float y, double exact) {
  if (std::isnan(exact)) return std::isnan(y) ? 0 : INFINITY;
  if (std::isnan(y)) return INFINITY;
  const float nearest = static_cast<float>(exact);
  if (std::isinf(nearest) || std::isinf(y)) return nearest == y ? 0 : std::fabs(exact) > 3.4028e38 ? 0.6 : INFINITY;
  if (std::fabs(static_cast<double>(y) - exact) <= 1.01 * kSmallest) return 0;
  int exponent;
  std::frexp(exact, &exponent);
  return std::fabs(static_cast<double>(y) - exact) / std::ldexp(1.0, exponent - 24);
}

void apply(int level, const char* name, const std::vector<float>& a, const std::vector<float>& b, std::vector<float>& y,
           const std::vector<float>& p = {0, 0, 0, 0}) {
  const crema::ElementwiseEntry e = crema::elementwise_entry(level, crema_elementwise(name));
  CHECK(e.function != nullptr, "no operation %s", name);
  y.assign(a.size(), NAN);
  const crema::FloatMode flush_denormals;
  e.function(a.data(), b.data(), b.data(), y.data(), static_cast<int64_t>(a.size()), p.data(),
             crema::Place::kNear);
}

// Bit patterns spread over all floats, and values between low and high densely.
std::vector<float> samples(float low, float high) {
  std::vector<float> x = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-45f, -1e-45f, kSmallest, -kSmallest, 3.4028235e38f,
                          -3.4028235e38f, 1.0f, -1.0f, 88.72f, 88.73f, -87.33f, -87.34f, -103.9f, -104.1f, 0.625f, 0.9f};
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 16411) {
    const uint32_t b = static_cast<uint32_t>(bits);
    float f;
    std::memcpy(&f, &b, 4);
    x.push_back(f);
  }
  for (int i = 0; i < 400000; ++i) x.push_back(low + (high - low) * static_cast<float>(i) / 400000.0f);
  return x;
}

void within(const char* name, double most, float low, float high, const std::function<double(double)>& exact) {
  const std::vector<float> x = samples(low, high);
  for (int level : levels()) {
    std::vector<float> y;
    apply(level, name, x, x, y, {1, 1, 1, 1});
    double worst = 0;
    float at = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double error = ulp(y[i], exact(flushed(x[i])));
      if (error > worst) {
        worst = error;
        at = x[i];
      }
    }
    CHECK(worst <= most, "%s at level %d is off by %.3f ulp at %.9g", name, level, worst, static_cast<double>(at));
    if (std::getenv("CREMA_TEST_VERBOSE") != nullptr) std::printf("%s level %d: %.3f ulp at %.9g\n", name, level, worst, static_cast<double>(at));
  }
}

void power_follows_ieee754() {
  std::vector<float> values = {0.0f, -0.0f, 1.0f, -1.0f, 2.0f, -2.0f, 0.5f, -0.5f, 3.0f, -3.0f, 1.5f, -1.5f, 10.0f,
                               -10.0f, 1e10f, -1e10f, 1e30f, -1e30f, 1e-30f, -1e-30f, INFINITY, -INFINITY, NAN,
                               16777215.0f, -16777215.0f, 16777216.0f, 8388607.5f, 8388609.0f, 33333332.0f, 0.99999994f, 1.0000001f, kSmallest};
  std::vector<float> a, b;
  for (float x : values) {
    for (float y : values) {
      a.push_back(x);
      b.push_back(y);
    }
  }
  Random random(4);
  for (int i = 0; i < 400000; ++i) {
    const float x = std::exp(8.0f * random.value());
    a.push_back(i % 4 == 0 ? -x : x);
    b.push_back(i % 4 == 0 ? static_cast<float>(random.below(41) - 20) : 12.0f * random.value());
  }
  for (int level : levels()) {
    std::vector<float> y;
    apply(level, "pow", a, b, y);
    for (size_t i = 0; i < a.size(); ++i) {
      const double exact = std::pow(static_cast<double>(a[i]), static_cast<double>(b[i]));
      const double error = ulp(y[i], exact);
      CHECK(error <= 1.0, "pow(%.9g, %.9g) at level %d is %.9g, not %.9g: %.2f ulp", static_cast<double>(a[i]),
            static_cast<double>(b[i]), level, static_cast<double>(y[i]), exact, error);
      CHECK(exact != 0 || std::signbit(y[i]) == std::signbit(exact), "sign of pow(%.9g, %.9g) at level %d",
            static_cast<double>(a[i]), static_cast<double>(b[i]), level);
    }
  }
}

double softplus(double x) { return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x)); }

// Where the exact function has an absolute error instead (cancellation by design), relative to 1.
void close_to(const char* name, double most, const std::function<double(double)>& exact) {
  std::vector<float> x;
  for (int i = -400000; i <= 400000; ++i) x.push_back(static_cast<float>(i) * 5e-5f);
  for (int level : levels()) {
    std::vector<float> y;
    apply(level, name, x, std::vector<float>(x.size(), 1.0f), y, {1, 1, 1, 1});
    double worst = 0;
    for (size_t i = 0; i < x.size(); ++i) {
      const double e = exact(x[i]);
      worst = std::fmax(worst, std::fabs(y[i] - e) / std::fmax(1.0, std::fabs(e)));
    }
    CHECK(worst <= most, "%s at level %d is off by %.3g", name, level, worst);
  }
}

// Where neither a table nor a power must show: 0, numbers so small that GELU is half of them, the largest, infinities
// and NaN.
void gelu_of_extremes() {
  const std::vector<float> x = {0.0f, 1e-20f, -1e-20f, 1e-3f, 15.0f, 3.4e38f, -3.4e38f, INFINITY, -INFINITY, NAN};
  const std::vector<double> exact = {0, 0.5e-20, -0.5e-20, 0.5003989e-3, 15, 3.4e38f, 0, INFINITY, 0, NAN};
  for (const char* name : {"gelu", "gelu_tanh"}) {
    for (int level : levels()) {
      std::vector<float> y;
      apply(level, name, x, x, y);
      for (size_t i = 0; i < x.size(); ++i) {
        const bool right = std::isnan(exact[i])   ? std::isnan(y[i])
                           : std::isinf(exact[i]) ? y[i] == exact[i]
                                                  : std::fabs(y[i] - exact[i]) <= 1e-6 * std::fabs(exact[i]) + 1e-27;
        CHECK(right, "%s(%g) at level %d is %.9g, not %.9g", name, static_cast<double>(x[i]), level,
              static_cast<double>(y[i]), exact[i]);
      }
    }
  }
}

}  // namespace

int main() {
  const double sqrt2 = std::sqrt(2.0), pi = std::acos(-1.0);
  within("exp", 1.2, -104, 90, [](double x) { return std::exp(x); });
  within("log", 1.1, 0.4f, 2.5f, [](double x) { return std::log(x); });
  within("tanh", 2.0, -10, 10, [](double x) { return std::tanh(x); });
  within("sigmoid", 3, -30, 30, [](double x) { return 1 / (1 + std::exp(-x)); });
  within("erf", 2.0, -5, 5, [](double x) { return std::erf(x); });
  within("softplus", 3.0, -30, 30, softplus);
  within("elu", 1.5, -20, 1, [](double x) { return x > 0 ? x : std::expm1(x); });
  within("sqrt", 0.6, 0, 4, [](double x) { return std::sqrt(x); });
  within("rsqrt", 1.6, 0, 4, [](double x) { return 1 / std::sqrt(x); });
  power_follows_ieee754();
  const auto phi = [=](double x) { return 0.5 * std::erfc(-x / sqrt2); };
  const auto density = [=](double x) { return std::exp(-x * x / 2) / std::sqrt(2 * pi); };
  close_to("gelu", 2e-7, [=](double x) { return x * phi(x); });
  close_to("gelu_grad", 3e-7, [=](double x) { return phi(x) + x * density(x); });
  const auto inner = [=](double x) { return std::sqrt(2 / pi) * (x + 0.044715 * x * x * x); };
  close_to("gelu_tanh", 3e-7, [=](double x) { return 0.5 * x * (1 + std::tanh(inner(x))); });
  close_to("gelu_tanh_grad", 1e-6, [=](double x) {
    const double t = std::tanh(inner(x));
    return 0.5 * (1 + t) + 0.5 * x * (1 - t * t) * std::sqrt(2 / pi) * (1 + 3 * 0.044715 * x * x);
  });
  gelu_of_extremes();
  close_to("silu", 2e-7, [](double x) { return x / (1 + std::exp(-x)); });
  close_to("silu_grad", 4e-7, [](double x) {
    const double s = 1 / (1 + std::exp(-x));
    return s + x * s * (1 - s);
  });
  return result();
}
