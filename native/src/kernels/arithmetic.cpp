// arithmetic.cpp: element-wise arithmetic: add, sub, mul, div and the functions of one number.
#include "../elementwise.h"

namespace crema {
namespace CREMA_ISA {

CREMA_BINARY(add, a + b)
CREMA_BINARY(sub, a - b)
CREMA_BINARY(mul, a * b)
CREMA_BINARY(div, a / b)
CREMA_UNARY(copy, a)
CREMA_UNARY(neg, -a)
CREMA_UNARY(exp, vexp(a))
CREMA_UNARY(log, vlog(a))
CREMA_UNARY(sqrt, vsqrt(a))
// a * scale + shift
CREMA_UNARY(affine, a* p[0] + p[1])

}  // namespace CREMA_ISA
}  // namespace crema
