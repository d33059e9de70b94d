// arithmetic.cpp: element-wise arithmetic, comparisons (1 where true, 0 where false) and the functions of
// one number. NaN in gives NaN out, but for comparisons, which it makes false (not_equal: true).
#include "../elementwise.h"

namespace crema {
namespace CREMA_ISA {

CREMA_BINARY(add, a + b)
CREMA_BINARY(sub, a - b)
CREMA_BINARY(mul, a * b)
CREMA_BINARY(div, a / b)
CREMA_BINARY(maximum, vmax(a, b))
CREMA_BINARY(minimum, vmin(a, b))
CREMA_BINARY(pow, vpow(a, b))

CREMA_UNARY(copy, a)
CREMA_UNARY(neg, -a)
CREMA_UNARY(abs, vabs(a))
CREMA_UNARY(sign, select(a > 0.0f, broadcast(1.0f), select(a < 0.0f, broadcast(-1.0f), a)))
CREMA_UNARY(square, a* a)
CREMA_UNARY(sqrt, vsqrt(a))
CREMA_UNARY(rsqrt, 1.0f / vsqrt(a))
CREMA_UNARY(reciprocal, 1.0f / a)
CREMA_UNARY(exp, vexp(a))
CREMA_UNARY(log, vlog(a))
CREMA_LONG_UNARY(erf, verf(a))
// a * scale + shift
CREMA_UNARY(affine, a* p[0] + p[1])
// Between p[0] and p[1].
CREMA_UNARY(clip, at_most(at_least(a, broadcast(p[0])), broadcast(p[1])))
// (x, dy): dy where x is within [p[0], p[1]].
CREMA_BINARY(clip_grad, select((a >= p[0]) & (a <= p[1]), b, vec{}))
// What to multiply gradients of global norm a by, so that their norm is at most p[0].
CREMA_UNARY(clip_scale, select(a > p[0], p[0] / a, broadcast(1.0f)))

CREMA_BINARY(equal, one_if(a == b))
CREMA_BINARY(not_equal, one_if(a != b))
CREMA_BINARY(less, one_if(a < b))
CREMA_BINARY(less_equal, one_if(a <= b))
CREMA_BINARY(greater, one_if(a > b))
CREMA_BINARY(greater_equal, one_if(a >= b))
// (condition, yes, no): yes where condition is not 0.
CREMA_TERNARY(where, select(a != 0.0f, b, c))

}  // namespace CREMA_ISA
}  // namespace crema
