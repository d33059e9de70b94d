// elementwise.cpp: a chain of element-wise operations in one pass over memory. The chain is a little
// program over registers; each step runs on a tile that stays in the L1 cache, so that a chain of ten
// operations reads and writes memory once. A single operation is a chain of one.
//
// Tensors: ins read with broadcasting to out[0]'s shape, one or more outs of that shape. In place allowed.
// ints: steps S, then S x (operation, destination, a, b, c, first parameter). A register is: an input
// (0 .. ins-1), an output (ins .. ins+outs-1) or a temporary (after those); -1 is no operand.
#include "../vec.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kTile = 1024;      // floats of a register: 16 registers fill half of a 128 KB L2 share, 8 an L1
constexpr int kMostRegisters = 24;   // ins + outs + temporaries; the fusion pass stays below
constexpr int64_t kGrain = 16384;    // elements worth waking another thread for

// How an input is read: walking out's elements in order, which of its elements comes next.
struct Access {
  enum Kind { kContiguous, kScalar, kGeneral } kind;
  int64_t stride[CREMA_MAX_RANK];  // per axis of out; 0 where broadcast
};

Access access_of(const Tensor& in, const Tensor& out) {
  Access a{Access::kContiguous, {}};
  const int64_t elements = in.elements();
  if (elements == out.elements()) return a;
  if (elements == 1) {
    a.kind = Access::kScalar;
    return a;
  }
  a.kind = Access::kGeneral;
  int64_t stride = 1;
  for (int axis = in.rank - 1; axis >= 0; --axis) {
    const int o = out.rank - in.rank + axis;
    a.stride[o] = in.dim[axis] == 1 ? 0 : stride;
    stride *= in.dim[axis];
  }
  return a;
}

// Copies out-elements [begin, begin + n) of a broadcast input into a tile.
void gather(const float* x, const Access& a, const Tensor& out, int64_t begin, int64_t n, float* tile) {
  const int last = out.rank - 1;
  int64_t index[CREMA_MAX_RANK];
  int64_t rest = begin, at = 0;
  for (int axis = last; axis >= 0; --axis) {
    index[axis] = rest % out.dim[axis];
    rest /= out.dim[axis];
    at += index[axis] * a.stride[axis];
  }
  while (n > 0) {
    int64_t run = out.dim[last] - index[last];
    if (run > n) run = n;
    if (a.stride[last] == 0) {
      const float value = x[at];
      for (int64_t i = 0; i < run; ++i) tile[i] = value;
    } else {
      std::memcpy(tile, x + at, static_cast<size_t>(run) * sizeof(float));
    }
    tile += run;
    n -= run;
    at += run * a.stride[last];
    index[last] += run;
    for (int axis = last; axis > 0 && index[axis] == out.dim[axis]; --axis) {
      at += a.stride[axis - 1] - index[axis] * a.stride[axis];
      index[axis] = 0;
      ++index[axis - 1];
    }
  }
}

int temporaries(const Call& c) {
  int most = 0;
  for (int64_t s = 0; s < c.ints[0]; ++s) {
    const int64_t destination = c.ints[1 + s * 6 + 1] - c.ins - c.outs + 1;
    if (destination > most) most = static_cast<int>(destination);
  }
  return most;
}

int64_t scratch(const Call& c) {
  return c.threads * (c.ins + temporaries(c)) * kTile * static_cast<int64_t>(sizeof(float));
}

}  // namespace

CREMA_KERNEL_SCRATCH(elementwise, scratch) {
  const Tensor& out = c.out[0];
  const int64_t elements = out.elements();
  const int64_t steps = c.ints[0];
  Access access[kMostRegisters];
  float parameters[kMostRegisters * 4];
  for (int i = 0; i < c.ins; ++i) access[i] = access_of(c.in[i], out);
  for (int i = 0; i < c.float_count; ++i) parameters[i] = static_cast<float>(c.floats[i]);
  const int temps = temporaries(c);

  parallel(c.threads, elements, kGrain, [&](int64_t begin, int64_t end, int64_t chunk) {
    float* const tiles =
        reinterpret_cast<float*>(c.scratch) + chunk * static_cast<int64_t>(c.ins + temps) * kTile;
    float* registers[kMostRegisters];
    for (int i = 0; i < c.ins; ++i) {
      if (access[i].kind != Access::kScalar) continue;
      registers[i] = tiles + i * kTile;
      const float value = c.in[i].f32()[0];
      for (int64_t k = 0; k < kTile; ++k) registers[i][k] = value;
    }
    for (int t = 0; t < temps; ++t) registers[c.ins + c.outs + t] = tiles + (c.ins + t) * kTile;
    for (int64_t at = begin; at < end; at += kTile) {
      const int64_t n = end - at < kTile ? end - at : kTile;
      for (int i = 0; i < c.ins; ++i) {
        if (access[i].kind == Access::kContiguous) {
          registers[i] = c.in[i].f32() + at;
        } else if (access[i].kind == Access::kGeneral) {
          registers[i] = tiles + i * kTile;
          gather(c.in[i].f32(), access[i], out, at, n, registers[i]);
        }
      }
      for (int o = 0; o < c.outs; ++o) registers[c.ins + o] = c.out[o].f32() + at;
      for (int64_t s = 0; s < steps; ++s) {
        const int64_t* step = c.ints + 1 + s * 6;
        const float* const none = registers[step[1]];
        elementwise_entry(CREMA_LEVEL, static_cast<int32_t>(step[0]))
            .function(step[2] < 0 ? none : registers[step[2]], step[3] < 0 ? none : registers[step[3]],
                      step[4] < 0 ? none : registers[step[4]], registers[step[1]], n, parameters + step[5]);
      }
    }
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
