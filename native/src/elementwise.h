// elementwise.h: how an element-wise operation is defined: its name and an expression on vectors.
// `p` are its parameters. The tail of a tensor is padded with zeros and not stored.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

constexpr int64_t kAhead = 2048;  // floats between what is fetched and what is read or written

// As `each`, four vectors at a time: their chains of dependent instructions run side by side (gelu and tanh: 1.2 times
// as fast on Zen 5, with the scheduling that native/CMakeLists.txt asks for). `compute(i)` gives the vector at i, which
// is fetched by `ahead(i)`; returns where the last whole four end.
template <Place To, typename Ahead, typename Compute>
CREMA_INLINE int64_t fours(float* y, int64_t n, const Ahead& ahead, const Compute& compute) {
  int64_t i = 0;
  for (; i + 4 * W <= n; i += 4 * W) {
    for (int k = 0; k < 4; ++k) {
      if (To != Place::kNear) ahead(i + k * W + kAhead);
      if (To == Place::kFar) fetch_to_write(y + i + k * W + kAhead);
    }
    const vec y0 = compute(i), y1 = compute(i + W), y2 = compute(i + 2 * W), y3 = compute(i + 3 * W);
    const auto to = [](float* p, vec v) CREMA_LAMBDA { To == Place::kPast ? stream(p, v) : store(p, v); };
    to(y + i, y0);
    to(y + i + W, y1);
    to(y + i + 2 * W, y2);
    to(y + i + 3 * W, y3);
  }
  return i;
}
template <typename Ahead, typename Compute>
CREMA_INLINE int64_t fours(Place place, float* y, int64_t n, const Ahead& ahead, const Compute& compute) {
  switch (place) {
    case Place::kNear:
      return fours<Place::kNear>(y, n, ahead, compute);
    case Place::kFar:
      return fours<Place::kFar>(y, n, ahead, compute);
    case Place::kPast:
      break;
  }
  return fours<Place::kPast>(y, n, ahead, compute);
}

template <typename F>
CREMA_INLINE void each_four(const float* a, float* y, int64_t n, Place place, const F& f) {
  const int64_t i = fours(
      place, y, n, [=](int64_t at) CREMA_LAMBDA { fetch(a + at); },
      [=](int64_t at) CREMA_LAMBDA { return f(load(a + at)); });
  each(a + i, y + i, n - i, f);
}
template <typename F>
CREMA_INLINE void each_four(const float* a, const float* b, float* y, int64_t n, Place place, const F& f) {
  const int64_t i = fours(
      place, y, n,
      [=](int64_t at) CREMA_LAMBDA {
        fetch(a + at);
        fetch(b + at);
      },
      [=](int64_t at) CREMA_LAMBDA { return f(load(a + at), load(b + at)); });
  each(a + i, b + i, y + i, n - i, f);
}

}  // namespace CREMA_ISA
}  // namespace crema

#define CREMA_REGISTER_ELEMENTWISE(name, arity)                                                       \
  static const ::crema::ElementwiseRegistration registration_elementwise_##name(CREMA_LEVEL, #name,  \
                                                                                arity, elementwise_##name);

#define CREMA_UNARY(name, expression) CREMA_UNARY_AT(name, place, expression)
// Of an expression so long that streaming its results gains nothing (gelu and tanh: 1.05 times the time).
#define CREMA_LONG_UNARY(name, expression) \
  CREMA_UNARY_AT(name, place == ::crema::Place::kPast ? ::crema::Place::kFar : place, expression)

#define CREMA_UNARY_AT(name, at, expression)                                                         \
  static void elementwise_##name(const float* pa, const float*, const float*, float* py, int64_t n, \
                                 const float* p, ::crema::Place place) {                            \
    (void)p;                                                                                         \
    each_four(pa, py, n, at, [=](vec a) CREMA_LAMBDA { return expression; });                        \
  }                                                                                                  \
  CREMA_REGISTER_ELEMENTWISE(name, 1)

#define CREMA_BINARY(name, expression)                                                                 \
  static void elementwise_##name(const float* pa, const float* pb, const float*, float* py, int64_t n, \
                                 const float* p, ::crema::Place place) {                               \
    (void)p;                                                                                           \
    each_four(pa, pb, py, n, place, [=](vec a, vec b) CREMA_LAMBDA { return expression; });            \
  }                                                                                                    \
  CREMA_REGISTER_ELEMENTWISE(name, 2)

#define CREMA_TERNARY(name, expression)                                                                   \
  static void elementwise_##name(const float* pa, const float* pb, const float* pc, float* py, int64_t n, \
                                 const float* p, ::crema::Place) {                                        \
    (void)p;                                                                                              \
    each(pa, pb, pc, py, n, [=](vec a, vec b, vec c) CREMA_LAMBDA { return expression; });                \
  }                                                                                                       \
  CREMA_REGISTER_ELEMENTWISE(name, 3)
