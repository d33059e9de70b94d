// differences.h: gradients of a double-precision reference by central differences.
#pragma once

#include <functional>

#include "check.h"

namespace crema_test {

using Values = std::vector<double>;
// Inputs to outputs; an empty vector is an absent input.
using Reference = std::function<std::vector<Values>(const std::vector<Values>&)>;

inline Values values_of(const Array& a) {
  Values v;
  for (int64_t i = 0; i < a.size(); ++i) v.push_back(a[i]);
  return v;
}

// Gradient of sum over outputs of output * flow in one input. An empty flow belongs to an output that is not used.
inline Values differences(const Reference& reference, std::vector<Values> in, size_t input,
                          const std::vector<Values>& flows) {
  const auto loss = [&] {
    const std::vector<Values> out = reference(in);
    double sum = 0;
    for (size_t o = 0; o < flows.size(); ++o) {
      for (size_t i = 0; i < flows[o].size(); ++i) sum += out[o][i] * flows[o][i];
    }
    return sum;
  };
  const double h = 1e-5;
  Values gradient;
  for (size_t i = 0; i < in[input].size(); ++i) {
    const double x = in[input][i];
    in[input][i] = x + h;
    const double above = loss();
    in[input][i] = x - h;
    const double below = loss();
    in[input][i] = x;
    gradient.push_back((above - below) / (2 * h));
  }
  return gradient;
}

}  // namespace crema_test
