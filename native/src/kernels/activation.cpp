// activation.cpp: activations and their gradients. A gradient takes the output y (or the input x where the
// output does not determine it) and dy.
#include "../elementwise.h"

namespace crema {
namespace CREMA_ISA {

// max(x, 0); NaN stays NaN.
CREMA_UNARY(relu, at_least(a, vec{}))
// (y, dy)
CREMA_BINARY(relu_grad, select(a > 0.0f, b, vec{}))

// x, or p[0] x where x is negative.
CREMA_UNARY(leaky_relu, select(a < 0.0f, a* p[0], a))
// (x, dy)
CREMA_BINARY(leaky_relu_grad, select(a > 0.0f, b, b* p[0]))

// x, or p[0] (e^x - 1) where x is negative.
CREMA_UNARY(elu, select(a < 0.0f, vexpm1_negative(a) * p[0], a))
// (y, dy)
CREMA_BINARY(elu_grad, select(a > 0.0f, b, b*(a + p[0])))

// Scaled so that activations keep mean 0 and variance 1 (Klambauer et al. 2017).
constexpr float kSeluScale = 1.05070098735548f;
constexpr float kSeluAlpha = 1.67326324235438f;
CREMA_UNARY(selu, select(a < 0.0f, vexpm1_negative(a) * (kSeluScale * kSeluAlpha), a* kSeluScale))
// (y, dy)
CREMA_BINARY(selu_grad, b* select(a > 0.0f, broadcast(kSeluScale), a + kSeluScale * kSeluAlpha))

CREMA_UNARY(sigmoid, vsigmoid(a))
// (y, dy)
CREMA_BINARY(sigmoid_grad, b*(a*(1.0f - a)))

CREMA_UNARY(tanh, vtanh(a))
// (y, dy)
CREMA_BINARY(tanh_grad, b*(1.0f - a * a))

CREMA_UNARY(softplus, vsoftplus(a))
// (x, dy)
CREMA_BINARY(softplus_grad, b* vsigmoid(a))

// Beyond these a gradient has reached its limit; inside them nothing is infinite.
CREMA_INLINE vec within(vec x, float limit) { return at_most(at_least(x, broadcast(-limit)), broadcast(limit)); }

// x sigmoid(x)
CREMA_UNARY(silu, a* vsigmoid(a))
CREMA_INLINE vec silu_slope(vec x) {
  x = within(x, 80.0f);
  const vec t = vexp(-x), s = 1.0f / (1.0f + t);
  return s + x * s * (t * s);  // 1 - s = t s, without cancellation
}
// (x, dy)
CREMA_BINARY(silu_grad, b* silu_slope(a))

// x Phi(x), Phi the distribution function of the normal distribution.
CREMA_INLINE vec gelu_exact(vec x) {
  const vec tail = normal_tail(vabs(x)).tail;
  return x * select(x > 0.0f, 1.0f - tail, tail);
}
CREMA_INLINE vec gelu_slope(vec x) {
  x = within(x, 15.0f);
  const NormalTail n = normal_tail(vabs(x));
  return select(x > 0.0f, 1.0f - n.tail, n.tail) + x * n.gauss * 0.398942280401433f;
}
CREMA_UNARY(gelu, gelu_exact(a))
// (x, dy)
CREMA_BINARY(gelu_grad, b* gelu_slope(a))

// x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) / 2, which is x sigmoid(2 sqrt(2 / pi) (...)).
constexpr float kGeluScale = 1.59576912160573f;
CREMA_INLINE vec gelu_by_tanh(vec x) { return x * vsigmoid(x * (x * x * (0.044715f * kGeluScale) + kGeluScale)); }
CREMA_INLINE vec gelu_tanh_slope(vec x) {
  x = within(x, 15.0f);
  const vec z = x * x;
  const vec t = vexp(-within(x * (z * (0.044715f * kGeluScale) + kGeluScale), 80.0f)), s = 1.0f / (1.0f + t);
  return s + x * s * (t * s) * (z * (3 * 0.044715f * kGeluScale) + kGeluScale);
}
CREMA_UNARY(gelu_tanh, gelu_by_tanh(a))
// (x, dy)
CREMA_BINARY(gelu_tanh_grad, b* gelu_tanh_slope(a))

// 0 below -3, 1 above 3, linear between.
CREMA_INLINE vec hard_gate(vec x) {
  return at_most(at_least(x * (1.0f / 6) + 0.5f, vec{}), broadcast(1.0f));
}
CREMA_UNARY(hard_sigmoid, hard_gate(a))
// (y, dy)
CREMA_BINARY(hard_sigmoid_grad, select((a > 0.0f) & (a < 1.0f), b*(1.0f / 6), vec{}))
CREMA_UNARY(hard_swish, a* hard_gate(a))
// (x, dy)
CREMA_BINARY(hard_swish_grad,
             b* select(a <= -3.0f, vec{}, select(a >= 3.0f, broadcast(1.0f), a*(1.0f / 3) + 0.5f)))

}  // namespace CREMA_ISA
}  // namespace crema
