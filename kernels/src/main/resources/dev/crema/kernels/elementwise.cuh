// elementwise.cuh: every element-wise operation: its name, how many operands it has, and its expression in the operands
// a, b, c and the parameters p. They are those of native/src/kernels (activation, arithmetic, loss_elementwise,
// fake_quantize), with the same meaning: NaN in gives NaN out but for comparisons, gradients of ties go the same way. The
// place in this list is the operation's number: the Java list ElementwiseOperations has the same order.
#pragma once

#include "storage.cuh"

CREMA_DEVICE float one_if(bool condition) { return condition ? 1.0f : 0.0f; }
CREMA_DEVICE float sign_of(float x) { return x > 0.0f ? 1.0f : x < 0.0f ? -1.0f : x; }

constexpr float kSeluScale = 1.05070098735548f;
constexpr float kSeluAlpha = 1.67326324235438f;
constexpr float kGeluScale = 1.59576912160573f;  // 2 sqrt(2 / pi)

CREMA_DEVICE float sigmoid_of(float x) { return 1.0f / (1.0f + expf(-x)); }
CREMA_DEVICE float softplus_of(float x) { return at_least(x, 0.0f) + log1pf(expf(-fabsf(x))); }
CREMA_DEVICE float elu_of(float x, float alpha) { return x < 0.0f ? expm1f(x) * alpha : x; }
// Below -120, where the result is 0, x is cut: -infinity times 0 would be NaN. So below, for gelu.
CREMA_DEVICE float silu_of(float x) { return at_least(x, -120.0f) * sigmoid_of(x); }
CREMA_DEVICE float silu_slope(float x) {
  x = within(x, 80.0f);
  const float t = expf(-x), s = 1.0f / (1.0f + t);
  return s + x * s * (t * s);  // 1 - s = t s, without cancellation
}
// x Phi(x); erfc keeps the digits of the tail.
CREMA_DEVICE float gelu_of(float x) { return at_least(x, -15.0f) * (0.5f * erfcf(x * -0.707106781186547524f)); }
CREMA_DEVICE float gelu_slope(float x) {
  x = within(x, 15.0f);
  return 0.5f * erfcf(x * -0.707106781186547524f) + x * (expf(-0.5f * x * x) * 0.398942280401433f);
}
CREMA_DEVICE float gelu_tanh_of(float x) {
  return at_least(x, -15.0f) * sigmoid_of(x * (x * x * (0.044715f * kGeluScale) + kGeluScale));
}
CREMA_DEVICE float gelu_tanh_slope(float x) {
  x = within(x, 15.0f);
  const float z = x * x;
  const float t = expf(-within(x * (z * (0.044715f * kGeluScale) + kGeluScale), 80.0f)), s = 1.0f / (1.0f + t);
  return s + x * s * (t * s) * (z * (3 * 0.044715f * kGeluScale) + kGeluScale);
}
CREMA_DEVICE float hard_gate(float x) { return at_most(at_least(x * (1.0f / 6) + 0.5f, 0.0f), 1.0f); }
CREMA_DEVICE float hard_swish_slope(float x) { return x <= -3.0f ? 0.0f : x >= 3.0f ? 1.0f : x * (1.0f / 3) + 0.5f; }
CREMA_DEVICE float ended_log(float x) { return at_least(logf(x), -100.0f); }
CREMA_DEVICE float huber_of(float d, float delta) {
  const float a = fabsf(d);
  return a <= delta ? 0.5f * d * d : delta * (a - 0.5f * delta);
}

// X(name, operands, expression)
#define CREMA_ELEMENTWISE_OPERATIONS(X)                                                                         \
  X(add, 2, a + b)                                                                                              \
  X(sub, 2, a - b)                                                                                              \
  X(mul, 2, a * b)                                                                                              \
  X(div, 2, a / b)                                                                                              \
  X(maximum, 2, greater_of(a, b))                                                                               \
  X(minimum, 2, smaller_of(a, b))                                                                               \
  X(pow, 2, powf(a, b))                                                                                         \
  X(copy, 1, a)                                                                                                 \
  X(neg, 1, -a)                                                                                                 \
  X(abs, 1, fabsf(a))                                                                                           \
  X(sign, 1, sign_of(a))                                                                                        \
  X(square, 1, a * a)                                                                                           \
  X(sqrt, 1, sqrtf(a))                                                                                          \
  X(rsqrt, 1, 1.0f / sqrtf(a))                                                                                  \
  X(reciprocal, 1, 1.0f / a)                                                                                    \
  X(exp, 1, expf(a))                                                                                            \
  X(log, 1, logf(a))                                                                                            \
  X(erf, 1, erff(a))                                                                                            \
  /* scale, shift */                                                                                            \
  X(affine, 1, a * p[0] + p[1])                                                                                 \
  /* lowest, highest */                                                                                         \
  X(clip, 1, at_most(at_least(a, p[0]), p[1]))                                                                  \
  /* (x, dy) */                                                                                                 \
  X(clip_grad, 2, a >= p[0] && a <= p[1] ? b : 0.0f)                                                            \
  /* of a global norm: what to multiply gradients by */                                                         \
  X(clip_scale, 1, a > p[0] ? p[0] / a : 1.0f)                                                                  \
  X(equal, 2, one_if(a == b))                                                                                   \
  X(not_equal, 2, one_if(a != b))                                                                               \
  X(less, 2, one_if(a < b))                                                                                     \
  X(less_equal, 2, one_if(a <= b))                                                                              \
  X(greater, 2, one_if(a > b))                                                                                  \
  X(greater_equal, 2, one_if(a >= b))                                                                           \
  X(where, 3, a != 0.0f ? b : c)                                                                                \
  X(relu, 1, at_least(a, 0.0f))                                                                                 \
  /* gradients of activations: (y, dy), or (x, dy) where y does not determine them */                           \
  X(relu_grad, 2, a > 0.0f ? b : 0.0f)                                                                          \
  X(leaky_relu, 1, a < 0.0f ? a * p[0] : a)                                                                     \
  X(leaky_relu_grad, 2, a > 0.0f ? b : b * p[0]) /* (x, dy) */                                                  \
  X(elu, 1, elu_of(a, p[0]))                                                                                    \
  X(elu_grad, 2, a > 0.0f ? b : b * (a + p[0]))                                                                 \
  X(selu, 1, a < 0.0f ? expm1f(a) * (kSeluScale * kSeluAlpha) : a * kSeluScale)                                 \
  X(selu_grad, 2, b * (a > 0.0f ? kSeluScale : a + kSeluScale * kSeluAlpha))                                    \
  X(sigmoid, 1, sigmoid_of(a))                                                                                  \
  X(sigmoid_grad, 2, b * (a * (1.0f - a)))                                                                      \
  X(tanh, 1, tanhf(a))                                                                                          \
  X(tanh_grad, 2, b * (1.0f - a * a))                                                                           \
  X(softplus, 1, softplus_of(a))                                                                                \
  X(softplus_grad, 2, b * sigmoid_of(a)) /* (x, dy) */                                                          \
  X(silu, 1, silu_of(a))                                                                                        \
  X(silu_grad, 2, b * silu_slope(a)) /* (x, dy) */                                                              \
  X(gelu, 1, gelu_of(a))                                                                                        \
  X(gelu_grad, 2, b * gelu_slope(a)) /* (x, dy) */                                                              \
  X(gelu_tanh, 1, gelu_tanh_of(a))                                                                              \
  X(gelu_tanh_grad, 2, b * gelu_tanh_slope(a)) /* (x, dy) */                                                    \
  X(hard_sigmoid, 1, hard_gate(a))                                                                              \
  X(hard_sigmoid_grad, 2, a > 0.0f && a < 1.0f ? b * (1.0f / 6) : 0.0f)                                         \
  X(hard_swish, 1, a * hard_gate(a))                                                                            \
  X(hard_swish_grad, 2, b * hard_swish_slope(a)) /* (x, dy) */                                                  \
  /* logit, target; (logit, target, dy) */                                                                      \
  X(sigmoid_cross_entropy, 2, at_least(a, 0.0f) - a * b + log1pf(expf(-fabsf(a))))                              \
  X(sigmoid_cross_entropy_grad, 3, (sigmoid_of(a) - b) * c)                                                     \
  /* probability, target; (probability, target, dy) */                                                          \
  X(binary_cross_entropy, 2, -(b * ended_log(a) + (1.0f - b) * ended_log(1.0f - a)))                            \
  X(binary_cross_entropy_grad, 3, (a - b) / at_least(a * (1.0f - a), 1e-12f) * c)                               \
  X(huber, 1, huber_of(a, p[0]))                                                                                \
  /* log-probability, target probability */                                                                     \
  X(kl_divergence, 2, b > 0.0f ? b * (logf(b) - a) : b * 0.0f)                                                  \
  /* scale, lowest and highest multiple of it */                                                                \
  X(fake_quantize, 1, rintf(at_most(at_least(a / p[0], p[1]), p[2])) * p[0])                                    \
  X(fake_quantize_grad, 2, rintf(a / p[0]) >= p[1] && rintf(a / p[0]) <= p[2] ? b : 0.0f) /* (x, dy) */

// Those that have a kernel of their own for operands of any types; the others are done by chains, whose speed is near theirs where
// memory is the limit.
#define CREMA_MIXED_OPERATIONS(X)                                                                                         \
  X(add) X(sub) X(mul) X(copy) X(affine) X(relu) X(relu_grad) X(leaky_relu) X(leaky_relu_grad) X(sigmoid) X(sigmoid_grad) \
  X(tanh) X(tanh_grad) X(silu) X(silu_grad) X(gelu) X(gelu_grad) X(gelu_tanh) X(gelu_tanh_grad)

#define CREMA_NUMBER(name, operands, ...) kOperation_##name,
enum Operation : int { CREMA_ELEMENTWISE_OPERATIONS(CREMA_NUMBER) kOperations };
#undef CREMA_NUMBER

// operation_NAME()(a, b, c, p)
#define CREMA_FUNCTION(name, operands, ...)                                                                       \
  struct operation_##name {                                                                                       \
    static constexpr int kOperands = operands;                                                                    \
    CREMA_DEVICE_METHOD float operator()(float a, float b, float c, const float* p) const {                       \
      (void)a, (void)b, (void)c, (void)p;                                                                         \
      return __VA_ARGS__;                                                                                         \
    }                                                                                                             \
  };
CREMA_ELEMENTWISE_OPERATIONS(CREMA_FUNCTION)
#undef CREMA_FUNCTION

template <typename F>
CREMA_DEVICE float4 each_of_four(F f, float4 a, float4 b, float4 c, const float* p) {
  return make_float4(f(a.x, b.x, c.x, p), f(a.y, b.y, c.y, p), f(a.z, b.z, c.z, p), f(a.w, b.w, c.w, p));
}
