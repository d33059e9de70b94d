// optimizer.h: what kernels that update parameters have in common. All tensors are flat float32 of the same length p.
//   in: parameters (written), gradients, moments (written) ..., hyper, scale (optional, one float),
//       mask (may be left out: 0 where a parameter is pruned, 1 where it is not)
//   hyper: learning rate, step t counted from 1 (as float), 1 - beta1^t, 1 - beta2^t
// A scale of NaN says that the step is left out: nothing changes.
// A gradient is multiplied by scale first; then comes L2 weight decay where the optimiser has it.
#pragma once

#include "vec.h"

namespace crema {
namespace CREMA_ISA {

// The mask of parameters, or null: all are kept.
template <int Moments>
const float* mask(const Call& c) {
  return c.ins > 4 + Moments && c.in[4 + Moments].present() ? c.in[4 + Moments].f32() : nullptr;
}

// Whether the step is left out.
inline bool is_skipped(const Tensor& scale) { return scale.present() && __builtin_isnan(scale.f32()[0]); }

template <int Moments>
const float* hyper(const Call& c) {
  return c.in[2 + Moments].f32();
}

inline float attribute(const Call& c, int i) { return static_cast<float>(c.floats[i]); }
// 1 - an attribute, rounded once: 1 - 0.999 in floats is off by 1e-5 of it, and a training's losses by 1e-4.
inline float rest_of(const Call& c, int i) { return static_cast<float>(1.0 - c.floats[i]); }

}  // namespace CREMA_ISA
}  // namespace crema
