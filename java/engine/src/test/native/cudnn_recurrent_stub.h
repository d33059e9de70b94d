// cudnn_recurrent_stub.h: a stand-in for cuDNN's recurrent layers, part of cuda_stub.cpp.
#pragma once

namespace {
// A recurrent layer by cuDNN's documented equations; weights lie gate by gate, matrices first.
struct Recurrent {
  bool lstm;
  int features, units;
  int gates() const { return lstm ? 4 : 3; }
  int inputs(int gate) const { return gate < gates() ? features : units; }
  int64_t matrix(int gate) const {
    return gate <= gates() ? int64_t{gate} * units * features : int64_t{gates()} * units * features + int64_t{gate - gates()} * units * units;
  }
  int64_t bias(int gate) const { return matrix(2 * gates()) + int64_t{gate} * units; }
  size_t weights() const { return 4 * (bias(0) + 2 * gates() * units); }
  size_t reserve(int n, int t) const { return size_t{4} * n * t * units * (3 * gates() + 1); }
};
struct Sequence {
  int t, n, width;
};
struct Passing {
  int what;  // 0: forward, 1: gradients of data, 2: of weights
  Recurrent of;
  int n, t;
  const float *x, *hx, *cx, *w, *dy, *dhy, *dcy;
  float *y, *hy, *cy, *dx, *dhx, *dcx, *dw, *kept;
};
double squash(double v) { return 1 / (1 + std::exp(-v)); }
void pass(void* with) {
  const Passing& p = *static_cast<Passing*>(with);
  const Recurrent& of = p.of;
  const int g = of.gates(), u = of.units, f = of.features;
  const int64_t all = int64_t{p.n} * p.t;
  // By step: activated gates, cells or the state's product, what flows into x's gates and into the state's.
  auto at = [&](int part, int s, int e, int gate, int j) -> float& {
    const int64_t row = int64_t{s} * p.n + e, before[] = {0, g, g + 1, 2 * g + 1};
    return p.kept[before[part] * all * u + (row * (part == 1 ? 1 : g) + gate) * u + j];
  };
  auto first = [&](const float* state, int e, int j) { return state ? double{state[e * u + j]} : 0.0; };
  auto h_before = [&](int s, int e, int j) { return s == 0 ? first(p.hx, e, j) : double{p.y[(int64_t{e} * p.t + s - 1) * u + j]}; };
  auto c_before = [&](int s, int e, int j) { return s == 0 ? first(p.cx, e, j) : double{at(1, s - 1, e, 0, j)}; };
  if (p.what == 2) {
    for (int gate = 0; gate < 2 * g; ++gate)
      for (int j = 0; j < u; ++j)
        for (int e = 0; e < p.n; ++e)
          for (int s = 0; s < p.t; ++s) {
            const bool own = gate < g;
            const float d = at(own ? 2 : 3, s, e, gate % g, j);
            for (int i = 0; i < of.inputs(gate); ++i) {
              p.dw[of.matrix(gate) + j * of.inputs(gate) + i] +=
                  static_cast<float>(d * (own ? double{p.x[(int64_t{e} * p.t + s) * f + i]} : h_before(s, e, i)));
            }
            p.dw[of.bias(gate) + j] += d;
          }
    return;
  }
  for (int e = 0; e < p.n && p.what == 0; ++e)
    for (int s = 0; s < p.t; ++s)
      for (int j = 0; j < u; ++j) {
        double a[4], r[4];
        for (int gate = 0; gate < 2 * g; ++gate) {
          double sum = p.w[of.bias(gate) + j];
          for (int i = 0; i < of.inputs(gate); ++i) {
            const double v = gate < g ? double{p.x[(int64_t{e} * p.t + s) * f + i]} : h_before(s, e, i);
            sum += v * p.w[of.matrix(gate) + j * of.inputs(gate) + i];
          }
          (gate < g ? a : r)[gate % g] = sum;
        }
        double now, keep;
        if (of.lstm) {
          for (int gate = 0; gate < 4; ++gate) a[gate] = gate == 2 ? std::tanh(a[2] + r[2]) : squash(a[gate] + r[gate]);
          keep = a[1] * c_before(s, e, j) + a[0] * a[2];
          now = a[3] * std::tanh(keep);
        } else {
          a[0] = squash(a[0] + r[0]), a[1] = squash(a[1] + r[1]), a[2] = std::tanh(a[2] + a[0] * r[2]);
          keep = r[2];
          now = (1 - a[1]) * a[2] + a[1] * h_before(s, e, j);
        }
        for (int gate = 0; gate < g; ++gate) at(0, s, e, gate, j) = static_cast<float>(a[gate]);
        at(1, s, e, 0, j) = static_cast<float>(keep);
        p.y[(int64_t{e} * p.t + s) * u + j] = static_cast<float>(now);
        if (s == p.t - 1 && p.hy) p.hy[e * u + j] = static_cast<float>(now);
        if (s == p.t - 1 && p.cy) p.cy[e * u + j] = static_cast<float>(keep);
      }
  for (int e = 0; e < p.n && p.what == 1; ++e) {
    std::vector<double> dh(u), dc(u);
    for (int j = 0; j < u; ++j) dh[j] = first(p.dhy, e, j), dc[j] = first(p.dcy, e, j);
    for (int s = p.t - 1; s >= 0; --s) {
      std::vector<double> dx(f), into(u);
      for (int j = 0; j < u; ++j) {
        const double flow = dh[j] + p.dy[(int64_t{e} * p.t + s) * u + j], keep = at(1, s, e, 0, j);
        double v[4], d[4], r[4];
        for (int gate = 0; gate < g; ++gate) v[gate] = at(0, s, e, gate, j);
        if (of.lstm) {
          const double squashed = std::tanh(keep), total = dc[j] + flow * v[3] * (1 - squashed * squashed);
          d[0] = total * v[2] * v[0] * (1 - v[0]), d[1] = total * c_before(s, e, j) * v[1] * (1 - v[1]);
          d[2] = total * v[0] * (1 - v[2] * v[2]), d[3] = flow * squashed * v[3] * (1 - v[3]);
          for (int gate = 0; gate < g; ++gate) r[gate] = d[gate];
          dc[j] = total * v[1];
        } else {
          d[2] = flow * (1 - v[1]) * (1 - v[2] * v[2]);
          r[1] = d[1] = flow * (h_before(s, e, j) - v[2]) * v[1] * (1 - v[1]);
          r[0] = d[0] = d[2] * keep * v[0] * (1 - v[0]);
          r[2] = d[2] * v[0];
          into[j] += flow * v[1];
        }
        for (int gate = 0; gate < g; ++gate) {
          at(2, s, e, gate, j) = static_cast<float>(d[gate]);
          at(3, s, e, gate, j) = static_cast<float>(r[gate]);
          for (int i = 0; i < f; ++i) dx[i] += d[gate] * p.w[of.matrix(gate) + j * f + i];
          for (int i = 0; i < u; ++i) into[i] += r[gate] * p.w[of.matrix(g + gate) + j * u + i];
        }
      }
      dh = into;
      for (int i = 0; i < f; ++i) p.dx[(int64_t{e} * p.t + s) * f + i] = static_cast<float>(dx[i]);
    }
    for (int j = 0; j < u && p.dhx; ++j) p.dhx[e * u + j] = static_cast<float>(dh[j]);
    for (int j = 0; j < u && p.dcx; ++j) p.dcx[e * u + j] = static_cast<float>(dc[j]);
  }
}
const float* in(const void* at) { return static_cast<const float*>(at); }
float* out(void* at) { return static_cast<float*>(at); }
bool fit(const Recurrent& of, const Sequence& x, const Sequence& y, void* h, void* c, size_t weights, int mode, size_t work, size_t reserve) {
  const Dims& state = *static_cast<Dims*>(h);
  return x.width == of.features && y.width == of.units && x.n == y.n && x.t == y.t && state.n == 1 && state.c == x.n &&
         state.h == of.units && (c == nullptr) != of.lstm && weights == of.weights() && work == (mode ? 256u : 128u) &&
         reserve == (mode ? of.reserve(x.n, x.t) : 0);
}
}  // namespace
API int cudnnSetTensorNdDescriptor(void* d, int type, int axes, const int* dims, const int* strides) {
  if (axes != 3 || type != 0 || strides[2] != 1 || strides[1] != dims[2] || strides[0] != dims[1] * dims[2]) return 2000;
  *static_cast<Dims*>(d) = Dims{dims[0], dims[1], dims[2], 1, Type::kFloat};
  return 0;
}
API int cudnnCreateDropoutDescriptor(void** d) { return *d = reinterpret_cast<void*>(0xD100), 0; }
API int cudnnDestroyDropoutDescriptor(void* d) { return d == reinterpret_cast<void*>(0xD100) ? 0 : 2000; }
API int cudnnSetDropoutDescriptor(void* d, void* handle, float p, void* states, size_t bytes, u64 seed) {
  return d == reinterpret_cast<void*>(0xD100) && handle && p == 0 && !states && !bytes && !seed ? 0 : 2000;
}
API int cudnnCreateRNNDescriptor(void** d) { return *d = new Recurrent{}, 0; }
API int cudnnDestroyRNNDescriptor(void* d) {
  delete static_cast<Recurrent*>(d);
  return 0;
}
API int cudnnSetRNNDescriptor_v8(void* d, int algo, int cell, int bias, int direction, int input, int type, int precision, int math,
                                 int features, int units, int projection, int layers, void* dropout, unsigned flags) {
  *static_cast<Recurrent*>(d) = Recurrent{cell == 2, features, units};
  return algo == 0 && (cell == 2 || cell == 3) && bias == 2 && direction == 0 && input == 0 && type == 0 && precision == 0 &&
                 (math == 0 || math == 3) && projection == units && layers == 1 && dropout == reinterpret_cast<void*>(0xD100) && flags == 1
             ? 0
             : 3000;
}
API int cudnnCreateRNNDataDescriptor(void** d) { return *d = new Sequence{}, 0; }
API int cudnnDestroyRNNDataDescriptor(void* d) {
  delete static_cast<Sequence*>(d);
  return 0;
}
API int cudnnSetRNNDataDescriptor(void* d, int type, int layout, int longest, int batch, int width, const int* lengths, void* fill) {
  *static_cast<Sequence*>(d) = Sequence{longest, batch, width};
  for (int i = 0; i < batch; ++i) {
    if (lengths[i] != longest) return 2000;
  }
  return type == 0 && layout == 2 && !fill ? 0 : 2000;
}
API int cudnnGetRNNTempSpaceSizes(void* handle, void* rnn, int mode, void* x, size_t* work, size_t* reserve) {
  const Sequence& of = *static_cast<Sequence*>(x);
  *work = mode ? 256 : 128;
  *reserve = mode ? static_cast<Recurrent*>(rnn)->reserve(of.n, of.t) : 0;
  return handle ? 0 : 2000;
}
API int cudnnGetRNNWeightSpaceSize(void* handle, void* rnn, size_t* bytes) {
  *bytes = static_cast<Recurrent*>(rnn)->weights();
  return handle ? 0 : 2000;
}
API int cudnnGetRNNWeightParams(void* handle, void* rnn, int layer, size_t bytes, const void* weights, int gate, void* dm, void** m,
                                void* db, void** b) {
  const Recurrent& of = *static_cast<Recurrent*>(rnn);
  if (!handle || layer != 0 || bytes != of.weights() || gate < 0 || gate >= 2 * of.gates() || !dm || !db || dm == db) return 2000;
  *m = const_cast<float*>(in(weights) + of.matrix(gate));
  *b = const_cast<float*>(in(weights) + of.bias(gate));
  return 0;
}
API int cudnnRNNForward(void*, void* rnn, int mode, const int* lengths, void* xd, const void* x, void* yd, void* y, void* hd, const void* hx,
                        void* hy, void* cd, const void* cx, void* cy, size_t weight_bytes, const void* weights, size_t work_bytes, void* work,
                        size_t reserve_bytes, void* reserve) {
  const Recurrent& of = *static_cast<Recurrent*>(rnn);
  const Sequence& d = *static_cast<Sequence*>(xd);
  if (lengths || !fit(of, d, *static_cast<Sequence*>(yd), hd, cd, weight_bytes, mode, work_bytes, reserve_bytes)) return 2000;
  std::memset(work, 0xFF, work_bytes);
  float* const kept = mode ? out(reserve) : new float[of.reserve(d.n, d.t) / 4];
  return stub_queue(dnn_stream, pass, new Passing{0, of, d.n, d.t, in(x), in(hx), in(cx), in(weights), nullptr, nullptr, nullptr, out(y),
                                                  out(hy), out(cy), nullptr, nullptr, nullptr, nullptr, kept});
}
API int cudnnRNNBackwardData_v8(void*, void* rnn, const int* lengths, void* yd, const void* y, const void* dy, void* xd, void* dx, void* hd,
                                const void* hx, const void* dhy, void* dhx, void* cd, const void* cx, const void* dcy, void* dcx,
                                size_t weight_bytes, const void* weights, size_t work_bytes, void* work, size_t reserve_bytes,
                                void* reserve) {
  const Recurrent& of = *static_cast<Recurrent*>(rnn);
  const Sequence& d = *static_cast<Sequence*>(xd);
  if (lengths || !fit(of, d, *static_cast<Sequence*>(yd), hd, cd, weight_bytes, 1, work_bytes, reserve_bytes)) return 2000;
  std::memset(work, 0xFF, work_bytes);
  return stub_queue(dnn_stream, pass, new Passing{1, of, d.n, d.t, nullptr, in(hx), in(cx), in(weights), in(dy), in(dhy), in(dcy),
                                                  const_cast<float*>(in(y)), nullptr, nullptr, out(dx), out(dhx), out(dcx), nullptr,
                                                  out(reserve)});
}
API int cudnnRNNBackwardWeights_v8(void*, void* rnn, int add, const int* lengths, void* xd, const void* x, void* hd, const void* hx, void* yd,
                                   const void* y, size_t weight_bytes, void* dweights, size_t work_bytes, void* work, size_t reserve_bytes,
                                   void* reserve) {
  const Recurrent& of = *static_cast<Recurrent*>(rnn);
  const Sequence& d = *static_cast<Sequence*>(xd);
  if (lengths || add != 0 ||
      !fit(of, d, *static_cast<Sequence*>(yd), hd, of.lstm ? hd : nullptr, weight_bytes, 1, work_bytes, reserve_bytes)) {
    return 2000;
  }
  std::memset(work, 0xFF, work_bytes);
  return stub_queue(dnn_stream, pass, new Passing{2, of, d.n, d.t, in(x), in(hx), nullptr, nullptr, nullptr, nullptr, nullptr,
                                                  const_cast<float*>(in(y)), nullptr, nullptr, nullptr, nullptr, nullptr, out(dweights),
                                                  out(reserve)});
}
