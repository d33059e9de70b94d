// activation.cpp: activations and their gradients. A gradient takes the output (or the input where the
// output does not determine it) and dy.
#include "../elementwise.h"

namespace crema {
namespace CREMA_ISA {

// max(x, 0); NaN stays NaN.
CREMA_UNARY(relu, at_least(a, vec{}))
// (y, dy): dy where y > 0.
CREMA_BINARY(relu_grad, select(a > 0.0f, b, vec{}))

}  // namespace CREMA_ISA
}  // namespace crema
