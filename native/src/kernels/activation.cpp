// activation.cpp: activations and their gradients. A gradient takes the output y (or the input x where the
// output does not determine it) and dy.
#include "../elementwise.h"
#include "../gelu.h"

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

CREMA_LONG_UNARY(tanh, vtanh(a))
// (y, dy)
CREMA_BINARY(tanh_grad, b*(1.0f - a * a))

CREMA_UNARY(softplus, vsoftplus(a))
// (x, dy)
CREMA_BINARY(softplus_grad, b* vsigmoid(a))

// x sigmoid(x)
CREMA_UNARY(silu, a* vsigmoid(a))
CREMA_INLINE vec silu_slope(vec x) {
  x = within(x, 80.0f);  // beyond, a gradient has reached its limit; inside, nothing is infinite
  const vec t = vexp(-x), s = 1.0f / (1.0f + t);
  return s + x * s * (t * s);  // 1 - s = t s, without cancellation
}
// (x, dy)
CREMA_BINARY(silu_grad, b* silu_slope(a))

CREMA_LONG_UNARY(gelu, vgelu(a))
// (x, dy)
CREMA_BINARY(gelu_grad, b* vgelu_slope(a))
CREMA_LONG_UNARY(gelu_tanh, vgelu_tanh(a))
// (x, dy)
CREMA_BINARY(gelu_tanh_grad, b* vgelu_tanh_slope(a))

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
