// loss_elementwise.cpp: losses that treat each prediction alone, and their gradients in the prediction.
#include "../elementwise.h"

namespace crema {
namespace CREMA_ISA {

// Binary cross-entropy from a logit x and a target z: max(x, 0) - x z + log(1 + e^-|x|), which never overflows
// and keeps its digits where the prediction is right.
CREMA_BINARY(sigmoid_cross_entropy, at_least(a, vec{}) - a * b + vlog1p_unit(vexp(-vabs(a))))
// (x, z, dy)
CREMA_TERNARY(sigmoid_cross_entropy_grad, (vsigmoid(a) - b) * c)

// Binary cross-entropy from a probability q and a target z. Logarithms end at -100 and the slope's
// denominator at 1e-12, so that a wrong certainty costs much but not infinitely much.
CREMA_INLINE vec ended_log(vec x) { return at_least(vlog(x), broadcast(-100.0f)); }
CREMA_BINARY(binary_cross_entropy, -(b * ended_log(a) + (1.0f - b) * ended_log(1.0f - a)))
// (q, z, dy)
CREMA_TERNARY(binary_cross_entropy_grad, (a - b) / at_least(a*(1.0f - a), broadcast(1e-12f)) * c)

// Of a difference d: d^2 / 2 within p[0], linear beyond (Huber 1964).
CREMA_UNARY(huber, select(vabs(a) <= p[0], 0.5f * a * a, p[0] * (vabs(a) - 0.5f * p[0])))

// Term of the Kullback-Leibler divergence from a log-probability and a target probability z:
// z (log z - log q), 0 where z is 0.
CREMA_BINARY(kl_divergence, select(b > 0.0f, b*(vlog(b) - a), b * 0.0f))

}  // namespace CREMA_ISA
}  // namespace crema
