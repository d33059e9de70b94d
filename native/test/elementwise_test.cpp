// elementwise_test.cpp: broadcasting, chains, work in place and refused chains.
#include "run.h"

namespace {

using namespace crema_test;

int64_t op(const char* name) { return crema_elementwise(name); }

void inputs_broadcast(const std::vector<int64_t>& dims, const std::vector<int64_t>& a, const std::vector<int64_t>& b) {
  Array x = Array::random(a, 1), z = Array::random(b, 2);
  Array shape(dims);
  std::vector<double> expected;
  for (int64_t i = 0; i < shape.size(); ++i) {
    const auto at = [&](const std::vector<int64_t>& from) {
      int64_t rest = i, index = 0, stride = 1;
      for (size_t k = 0; k < dims.size(); ++k) {
        const int64_t extent = dims[dims.size() - 1 - k];
        if (k < from.size()) {
          const int64_t own = from[from.size() - 1 - k];
          index += (own == 1 ? 0 : rest % extent) * stride;
          stride *= own;
        }
        rest /= extent;
      }
      return index;
    };
    expected.push_back(static_cast<double>(x[at(a)] - z[at(b)]));
  }
  on_all([&](int level, int32_t threads) {
    Array y(dims);
    const std::string error =
        run(level, "elementwise", threads, {x.tensor(), z.tensor()}, {y.tensor()}, {1, op("sub"), 2, 0, 1, -1, 0});
    CHECK(error.empty(), "%s", error.c_str());
    CHECK(y.guarded(), "wrote behind the output");
    compare("broadcast", y, expected, 0);
  });
}

void a_chain_runs_its_steps_in_order() {
  Array x = Array::random({37, 90}, 1), bias = Array::random({90}, 2);
  std::vector<double> sums, results;
  for (int64_t i = 0; i < x.size(); ++i) {
    const double sum = static_cast<double>(x[i]) + static_cast<double>(bias[i % 90]);
    sums.push_back(sum);
    results.push_back((sum > 0 ? sum : 0.1 * sum) * 3 - 2);
  }
  on_all([&](int level, int32_t threads) {
    Array y({37, 90}), sum({37, 90});
    // registers: 0 x, 1 bias, 2 y, 3 sum, 4 temporary
    const std::string error = run(level, "elementwise", threads, {x.tensor(), bias.tensor()}, {y.tensor(), sum.tensor()},
                                  {3, op("add"), 3, 0, 1, -1, 0, op("leaky_relu"), 4, 3, -1, -1, 0, op("affine"), 2, 4, -1, -1, 1},
                                  {0.1, 3, -2});
    CHECK(error.empty(), "%s", error.c_str());
    compare("sum", sum, sums, 1e-7);
    compare("chain", y, results, 3e-7);
  });
}

void an_output_may_lie_over_an_input() {
  on_all([&](int level, int32_t threads) {
    Array x = Array::random({70001}, 1);
    std::vector<double> expected;
    for (int64_t i = 0; i < x.size(); ++i) expected.push_back(static_cast<double>(x[i]) * static_cast<double>(x[i]));
    run(level, "elementwise", threads, {x.tensor(), x.tensor()}, {x.tensor()}, {1, op("mul"), 2, 0, 1, -1, 0});
    compare("in place", x, expected, 1e-7);
  });
}

void malformed_chains_are_refused() {
  Array x({4}), y({4});
  const auto refused = [&](std::vector<int64_t> ints, const char* what) {
    const std::string error = run(0, "elementwise", 1, {x.tensor()}, {y.tensor()}, ints);
    CHECK(error.find(what) != std::string::npos, "'%s' instead of '%s'", error.c_str(), what);
  };
  refused({1, op("neg"), 1, 7, -1, -1, 0}, "reads a register");
  refused({1, op("add"), 1, 0, -1, -1, 0}, "reads a register");
  refused({1, op("neg"), 0, 0, -1, -1, 0}, "writes an input");
  refused({1, op("neg"), 24, 0, -1, -1, 0}, "too many registers");
  refused({1, 9999, 1, 0, -1, -1, 0}, "not known");
  refused({1, op("affine"), 1, 0, -1, -1, 5}, "parameter");
  refused({2, op("neg"), 1, 0, -1, -1, 0}, "wrong length");
}

void a_batch_of_nothing_does_nothing() {
  Array x(std::vector<int64_t>{0, 5}), bias({5}), y(std::vector<int64_t>{0, 5});
  on_all([&](int level, int32_t threads) {
    run(level, "elementwise", threads, {x.tensor(), bias.tensor()}, {y.tensor()}, {1, op("add"), 2, 0, 1, -1, 0});
    CHECK(y.guarded(), "wrote behind the output");
  });
}

}  // namespace

int main() {
  inputs_broadcast({5}, {5}, {5});
  inputs_broadcast({4, 10}, {4, 10}, {10});
  inputs_broadcast({4001, 10}, {4001, 10}, {10});
  inputs_broadcast({33, 1024}, {33, 1024}, {1024});
  inputs_broadcast({9, 5000}, {5000}, {9, 5000});
  inputs_broadcast({9, 5000}, {9, 1}, {9, 5000});
  inputs_broadcast({4001, 10}, {4001, 1}, {4001, 10});
  inputs_broadcast({300, 7, 3}, {300, 1, 3}, {1, 7, 1});
  inputs_broadcast({12, 7, 9, 31}, {7, 1, 31}, {12, 1, 9, 1});
  inputs_broadcast({6, 50, 70}, {1}, {6, 50, 70});
  inputs_broadcast({3, 4}, {3, 1}, {1, 4});
  a_chain_runs_its_steps_in_order();
  an_output_may_lie_over_an_input();
  malformed_chains_are_refused();
  a_batch_of_nothing_does_nothing();
  return result();
}
