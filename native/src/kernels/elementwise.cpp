// elementwise.cpp: a chain of element-wise operations in one pass over memory. The chain is a little
// program over registers; each step runs on a tile that stays in the L1 cache, so that a chain of ten
// operations reads and writes memory once. A single operation is a chain of one.
//
// Tensors: ins read with broadcasting to out[0]'s shape, one or more outs of that shape. An output may lie
// over an input of its shape if the step that writes it is the last to read that input.
// ints: steps S, then S x (operation, destination, a, b, c, first parameter). A register is: an input
// (0 .. ins-1), an output (ins .. ins+outs-1) or a temporary (after those); -1 is no operand.
#include "../vec.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kTile = 1024;       // floats of a register: 8 registers fill an L1 cache
constexpr int kMostRegisters = 24;    // ins + outs + temporaries; Fused.MAX_REGISTERS
constexpr int kMostSteps = 96;        // MAX_PARAMETERS are four a register
constexpr int kMostParameters = 4 * kMostRegisters;
constexpr int kStepParameters = 4;    // the most that an operation reads
constexpr int64_t kGrain = 16384;     // elements worth waking another thread for
constexpr int64_t kStepWords = 6;

// How an input is read when out is walked in order.
struct Access {
  enum Kind {
    kContiguous,
    kScalar,
    kPeriodic,  // repeats as a whole: a bias over rows
    kGeneral
  } kind = kContiguous;
  int64_t period = 1;
  int rank = 0;  // axes of out that do not matter to this input are merged
  int64_t dim[CREMA_MAX_RANK];
  int64_t stride[CREMA_MAX_RANK];  // 0 where broadcast
};

Access access_of(const Tensor& in, const Tensor& out) {
  Access a;
  const int64_t elements = in.elements();
  if (elements == out.elements()) return a;
  if (elements == 1) {
    a.kind = Access::kScalar;
    return a;
  }
  int64_t stride = 1;
  int64_t strides[CREMA_MAX_RANK] = {};
  for (int axis = in.rank - 1; axis >= 0; --axis) {
    strides[out.rank - in.rank + axis] = in.dim[axis] == 1 ? 0 : stride;
    stride *= in.dim[axis];
  }
  for (int axis = 0; axis < out.rank; ++axis) {
    if (out.dim[axis] == 1) continue;
    const bool repeats = strides[axis] == 0;
    if (a.rank > 0 && repeats == (a.stride[a.rank - 1] == 0)) {
      a.dim[a.rank - 1] *= out.dim[axis];
      a.stride[a.rank - 1] = strides[axis];
    } else {
      a.dim[a.rank] = out.dim[axis];
      a.stride[a.rank++] = strides[axis];
    }
  }
  a.kind = a.rank == 2 && a.stride[0] == 0 ? Access::kPeriodic : Access::kGeneral;
  a.period = elements;
  return a;
}

// Copies out-elements [begin, begin + n) of a broadcast input into a tile.
void gather(const float* x, const Access& a, int64_t begin, int64_t n, float* tile) {
  const int last = a.rank - 1;
  int64_t index[CREMA_MAX_RANK];
  int64_t rest = begin, at = 0;
  for (int axis = last; axis >= 0; --axis) {
    index[axis] = rest % a.dim[axis];
    rest /= a.dim[axis];
    at += index[axis] * a.stride[axis];
  }
  while (n > 0) {
    int64_t run = a.dim[last] - index[last];
    if (run > n) run = n;
    if (a.stride[last] == 0) {
      const float value = x[at];
      for (int64_t i = 0; i < run; ++i) tile[i] = value;
    } else {
      for (int64_t i = 0; i < run; ++i) tile[i] = x[at + i];
    }
    tile += run;
    n -= run;
    at += run * a.stride[last];
    index[last] += run;
    for (int axis = last; axis > 0 && index[axis] == a.dim[axis]; --axis) {
      at += a.stride[axis - 1] - index[axis] * a.stride[axis];
      index[axis] = 0;
      ++index[axis - 1];
    }
  }
}

// The registers that the steps use, ins and outs among them; one more than there can be if a step asks for that.
int64_t register_count(const Call& c) {
  int64_t most = c.ins + c.outs;
  for (int64_t s = 0; s < c.ints[0]; ++s) {
    const int64_t destination = c.ints[1 + s * kStepWords + 1];
    if (destination >= most) most = destination < kMostRegisters ? destination + 1 : kMostRegisters + 1;
  }
  return most;
}

// What is wrong with the chain; null if nothing.
const char* problem(const Call& c) {
  if (c.outs < 1) return "a chain of element-wise operations has no output";
  for (int i = 0; i < c.ins; ++i) {
    if (!c.in[i].present()) return "a chain of element-wise operations lacks an input";
  }
  if (c.int_count < 1 || c.ints[0] < 1 || c.ints[0] > kMostSteps || c.int_count != 1 + c.ints[0] * kStepWords) {
    return "a chain of element-wise operations has the wrong length";
  }
  const int64_t registers = register_count(c);
  if (registers > kMostRegisters) return "a chain of element-wise operations has too many registers";
  if (c.float_count > kMostParameters) return "a chain of element-wise operations has too many parameters";
  for (int64_t s = 0; s < c.ints[0]; ++s) {
    const int64_t* step = c.ints + 1 + s * kStepWords;
    const ElementwiseEntry entry = elementwise_entry(CREMA_LEVEL, static_cast<int32_t>(step[0]));
    if (entry.function == nullptr) return "a chain has an operation that is not known here";
    if (step[1] < c.ins) return "a chain of element-wise operations writes an input";
    for (int i = 0; i < 3; ++i) {
      if (step[2 + i] < (i < entry.arity ? 0 : -1) || step[2 + i] >= registers) {
        return "a chain of element-wise operations reads a register that is not there";
      }
    }
    if (step[5] < 0 || step[5] > c.float_count) return "a chain reads a parameter that is not there";
  }
  return nullptr;
}

// Where the step's operands and its result lie; what another step reads after this one is never written past the caches.
Place place_of_step(const Call& c, const Access* access, int64_t s) {
  const int64_t* const step = c.ints + 1 + s * kStepWords;
  const int64_t destination = step[1], elements = c.out[0].elements();
  bool memory = destination < c.ins + c.outs;
  for (int i = 2; i < 5; ++i) {
    memory = memory || (step[i] >= 0 && step[i] < c.ins && access[step[i]].kind == Access::kContiguous);
  }
  if (!memory || elements < kFarFloats) return Place::kNear;
  if (destination >= c.ins + c.outs || elements < kPastFloats) return Place::kFar;
  for (int i = 0; i < c.ins; ++i) {
    if (c.in[i].data == c.out[destination - c.ins].data) return Place::kFar;  // in place: its lines are here
  }
  for (int64_t later = s + 1; later < c.ints[0]; ++later) {
    const int64_t* const reads = c.ints + 1 + later * kStepWords + 2;
    if (reads[0] == destination || reads[1] == destination || reads[2] == destination) return Place::kFar;
  }
  return Place::kPast;
}

int64_t scratch(const Call& c) {
  if (problem(c) != nullptr) return 0;
  const int64_t temporaries = register_count(c) - c.ins - c.outs;
  return c.threads * (2 * c.ins + temporaries) * kTile * static_cast<int64_t>(sizeof(float));
}

}  // namespace

CREMA_KERNEL_SCRATCH(elementwise, scratch) {
  const char* const wrong = problem(c);
  if (wrong != nullptr) {
    c.fail("%s", wrong);
    return;
  }
  const Tensor& out = c.out[0];
  const int64_t elements = out.elements();
  if (elements == 0) return;
  const int64_t steps = c.ints[0];
  const int temporaries = static_cast<int>(register_count(c)) - c.ins - c.outs;
  Access access[kMostRegisters];
  float parameters[kMostParameters + kStepParameters] = {};
  Elementwise functions[kMostSteps];
  Place places[kMostSteps];
  for (int i = 0; i < c.ins; ++i) access[i] = access_of(c.in[i], out);
  for (int i = 0; i < c.float_count; ++i) parameters[i] = static_cast<float>(c.floats[i]);
  for (int64_t s = 0; s < steps; ++s) {
    functions[s] = elementwise_entry(CREMA_LEVEL, static_cast<int32_t>(c.ints[1 + s * kStepWords])).function;
    places[s] = place_of_step(c, access, s);
  }

  parallel(c.threads, elements, kGrain, [&](int64_t begin, int64_t end, int64_t chunk) {
    float* const tiles = reinterpret_cast<float*>(c.scratch) + chunk * (2 * c.ins + temporaries) * kTile;
    const int64_t length = end - begin < kTile ? end - begin : kTile;
    float* registers[kMostRegisters];
    for (int i = 0; i < c.ins; ++i) {
      float* const tile = tiles + 2 * i * kTile;
      const float* const x = c.in[i].f32();
      registers[i] = tile;
      if (access[i].kind == Access::kScalar) {
        const float value = x[0];
        for (int64_t k = 0; k < length; ++k) tile[k] = value;
      } else if (access[i].kind == Access::kPeriodic && access[i].period <= kTile) {
        // Repeated once, so that any offset within the period is a tile.
        const int64_t period = access[i].period, filled = length + period - 1;
        for (int64_t k = 0, phase = 0; k < filled; ++k) {
          tile[k] = x[phase];
          if (++phase == period) phase = 0;
        }
      }
    }
    for (int t = 0; t < temporaries; ++t) registers[c.ins + c.outs + t] = tiles + (2 * c.ins + t) * kTile;
    for (int64_t at = begin; at < end; at += kTile) {
      const int64_t n = end - at < kTile ? end - at : kTile;
      for (int i = 0; i < c.ins; ++i) {
        float* const tile = tiles + 2 * i * kTile;
        switch (access[i].kind) {
          case Access::kContiguous:
            registers[i] = c.in[i].f32() + at;
            break;
          case Access::kScalar:
            break;
          case Access::kPeriodic: {
            const int64_t period = access[i].period, phase = at % period;
            if (period <= kTile) {
              registers[i] = tile + phase;
            } else if (phase + n <= period) {
              registers[i] = c.in[i].f32() + phase;
            } else {
              registers[i] = tile;
              gather(c.in[i].f32(), access[i], at, n, tile);
            }
            break;
          }
          case Access::kGeneral:
            gather(c.in[i].f32(), access[i], at, n, tile);
            break;
        }
      }
      for (int o = 0; o < c.outs; ++o) registers[c.ins + o] = c.out[o].f32() + at;
      for (int64_t s = 0; s < steps; ++s) {
        const int64_t* step = c.ints + 1 + s * kStepWords;
        float* const y = registers[step[1]];
        const Place place = places[s] == Place::kPast && !is_aligned(y) ? Place::kFar : places[s];
        functions[s](step[2] < 0 ? y : registers[step[2]], step[3] < 0 ? y : registers[step[3]],
                     step[4] < 0 ? y : registers[step[4]], y, n, parameters + step[5], place);
      }
    }
    streamed();  // once: waiting for every tile's would cost more than streaming gains
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
