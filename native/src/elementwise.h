// elementwise.h: how an element-wise operation is defined: its name and an expression on vectors.
// `p` are its parameters. The tail of a tensor is padded with zeros and not stored.
#pragma once

#include "vec.h"

#define CREMA_REGISTER_ELEMENTWISE(name, arity)                                                       \
  static const ::crema::ElementwiseRegistration registration_elementwise_##name(CREMA_LEVEL, #name,  \
                                                                                arity, elementwise_##name);

#define CREMA_UNARY(name, expression)                                                                 \
  static void elementwise_##name(const float* pa, const float*, const float*, float* py, int64_t n,  \
                                 const float* p) {                                                    \
    (void)p;                                                                                          \
    each(pa, py, n, [&](vec a) CREMA_LAMBDA { return expression; });                                  \
  }                                                                                                   \
  CREMA_REGISTER_ELEMENTWISE(name, 1)

#define CREMA_BINARY(name, expression)                                                                 \
  static void elementwise_##name(const float* pa, const float* pb, const float*, float* py, int64_t n, \
                                 const float* p) {                                                     \
    (void)p;                                                                                           \
    each(pa, pb, py, n, [&](vec a, vec b) CREMA_LAMBDA { return expression; });                        \
  }                                                                                                    \
  CREMA_REGISTER_ELEMENTWISE(name, 2)

#define CREMA_TERNARY(name, expression)                                                                   \
  static void elementwise_##name(const float* pa, const float* pb, const float* pc, float* py, int64_t n, \
                                 const float* p) {                                                        \
    (void)p;                                                                                              \
    each(pa, pb, pc, py, n, [&](vec a, vec b, vec c) CREMA_LAMBDA { return expression; });                \
  }                                                                                                       \
  CREMA_REGISTER_ELEMENTWISE(name, 3)

