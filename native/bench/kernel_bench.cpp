// kernel_bench.cpp: single kernels against the limits of this machine, which are measured in the same run: fused
// multiply-adds of one core, and a triad over memory for what is bound by it. For work on kernels; the product's
// benchmarks are in bench/. Every figure is the best of many runs, so that other load on the machine matters little.
//
//   cmake -S native -B build -DCREMA_BENCH=ON && cmake --build build --target kernel_bench
//   build/kernel_bench [part of a name] [threads]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <functional>
#include <string>
#include <vector>

#include "../src/float_mode.h"
#include "../src/isa.h"
#include "../src/registry.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace {

using crema::Call;
using crema::Tensor;

// Seconds: of this thread's processor time for long work on one thread, which other load would interrupt. Short work
// finds a moment of its own.
bool processor_time = false;
double now() {
#if defined(CLOCK_THREAD_CPUTIME_ID)
  if (processor_time) {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
  }
#endif
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

// The least time of a call, in seconds; `seconds` are spent, at least five calls made.
double best_of(double seconds, const std::function<void()>& f) {
  double best = 1e9;
  const double end = now() + seconds;
  for (int i = 0; i < 5 || now() < end; ++i) {
    const double start = now();
    f();
    best = std::min(best, now() - start);
  }
  return best;
}

// What a core can do: 12 independent sums of multiply-adds, more than two units of latency 4 need; and a triad
// a = b + c / 2 of `n` floats that writes around the caches.
#if defined(__x86_64__)
#define CREMA_LIMITS(name, isa, prefix, type, width)                                                        \
  __attribute__((target(isa))) double chains_##name(int64_t n) {                                            \
    type s0 = prefix##_set1_ps(0.5f), f = s0;                                                               \
    type s1 = prefix##_add_ps(s0, f), s2 = prefix##_add_ps(s1, f), s3 = prefix##_add_ps(s2, f);             \
    type s4 = prefix##_add_ps(s3, f), s5 = prefix##_add_ps(s4, f), s6 = prefix##_add_ps(s5, f);             \
    type s7 = prefix##_add_ps(s6, f), s8 = prefix##_add_ps(s7, f), s9 = prefix##_add_ps(s8, f);             \
    type s10 = prefix##_add_ps(s9, f), s11 = prefix##_add_ps(s10, f);                                       \
    for (int64_t i = 0; i < n; ++i) {                                                                       \
      s0 = prefix##_fmadd_ps(s0, f, f), s1 = prefix##_fmadd_ps(s1, f, f), s2 = prefix##_fmadd_ps(s2, f, f); \
      s3 = prefix##_fmadd_ps(s3, f, f), s4 = prefix##_fmadd_ps(s4, f, f), s5 = prefix##_fmadd_ps(s5, f, f); \
      s6 = prefix##_fmadd_ps(s6, f, f), s7 = prefix##_fmadd_ps(s7, f, f), s8 = prefix##_fmadd_ps(s8, f, f); \
      s9 = prefix##_fmadd_ps(s9, f, f), s10 = prefix##_fmadd_ps(s10, f, f);                                 \
      s11 = prefix##_fmadd_ps(s11, f, f);                                                                   \
    }                                                                                                       \
    s0 = prefix##_add_ps(prefix##_add_ps(prefix##_add_ps(s0, s1), prefix##_add_ps(s2, s3)),                 \
                         prefix##_add_ps(prefix##_add_ps(s4, s5), prefix##_add_ps(s6, s7)));                \
    s0 = prefix##_add_ps(s0, prefix##_add_ps(prefix##_add_ps(s8, s9), prefix##_add_ps(s10, s11)));          \
    float sums[width];                                                                                      \
    prefix##_storeu_ps(sums, s0);                                                                           \
    return sums[0];                                                                                         \
  }                                                                                                         \
  __attribute__((target(isa))) void triad_##name(float* a, const float* b, const float* c, int64_t n) {     \
    const type f = prefix##_set1_ps(0.5f);                                                                  \
    for (int64_t i = 0; i < n; i += width) {                                                                \
      prefix##_stream_ps(a + i, prefix##_fmadd_ps(prefix##_load_ps(c + i), f, prefix##_load_ps(b + i)));    \
    }                                                                                                       \
  }
CREMA_LIMITS(avx512, "avx512f", _mm512, __m512, 16)
CREMA_LIMITS(avx2, "avx2,fma", _mm256, __m256, 8)
#endif

// Floating-point operations a second of one core.
double ceiling() {
  constexpr int64_t kSteps = 100000;
  volatile double sink = 0;
  int64_t width = 0;
  std::function<void()> f;
#if defined(__x86_64__)
  if (crema::isa_active() >= 3) {
    width = 16;
    f = [&] { sink = chains_avx512(kSteps); };
  } else if (crema::isa_active() >= 1) {
    width = 8;
    f = [&] { sink = chains_avx2(kSteps); };
  }
#endif
  if (width == 0) return NAN;
  return 2.0 * 12 * static_cast<double>(width * kSteps) / best_of(0.02, f);
}

float* memory(int64_t floats) {
  const int64_t address = crema_alloc(floats * 4);
  if (address == 0) std::abort();
  float* const p = reinterpret_cast<float*>(static_cast<intptr_t>(address));
  for (int64_t i = 0; i < floats; ++i) p[i] = static_cast<float>((i * 2654435761u >> 8) % 2001) * 1e-3f - 1.0f;
  return p;
}

// Bytes a second of the triad, counting three streams, and of a copy, counting two.
struct Bandwidth {
  double triad, copy;
};
Bandwidth bandwidth() {
  constexpr int64_t n = 16 << 20;
  static float *const a = memory(n), *const b = memory(n), *const c = memory(n);
  const double copy = best_of(0.2, [] { std::memcpy(a, b, n * 4); });
  double triad = best_of(0.2, [] {
#if defined(__x86_64__)
    if (crema::isa_active() >= 3) return triad_avx512(a, b, c, n);
    if (crema::isa_active() >= 1) return triad_avx2(a, b, c, n);
#endif
    for (int64_t i = 0; i < n; ++i) a[i] = b[i] + 0.5f * c[i];
  });
  return {12.0 * n / triad, 8.0 * n / copy};
}

using Dims = std::vector<int64_t>;

struct Work {
  std::string name, kernel;
  std::vector<Dims> in, out;  // no dims: absent; int32 labels are not needed here
  Dims ints;
  std::vector<double> floats;
  double operations;  // multiplications and additions, 0 if memory is the limit
  double bytes;       // that must be read and written
};

Tensor tensor(const Dims& dims) {
  Tensor t;
  if (dims.empty()) return t;
  t.type = CREMA_FLOAT32;
  t.rank = static_cast<int32_t>(dims.size());
  std::copy(dims.begin(), dims.end(), t.dim);
  t.data = memory(t.elements());
  return t;
}

// Leaves a tenth of the weights w [k, n], somewhere, and packs them into `packed` for products with m examples.
void thin_out(const Tensor& w, const Tensor& packed, int64_t m) {
  uint32_t random = 1;
  for (int64_t i = 0; i < w.elements(); ++i) {
    random = random * 1664525 + 1013904223;
    if (random >> 8 >= (1u << 24) / 10) w.f32()[i] = 0;
  }
  const Tensor in[] = {packed, w};
  Call c;
  c.in = in;
  c.ins = 2;
  c.ints = &m;
  c.int_count = 1;
  const crema::KernelEntry entry = crema::kernel_entry(crema::isa_active(), crema_kernel("pack_sparse"));
  std::vector<char> scratch(static_cast<size_t>(entry.scratch(c)));
  c.scratch = scratch.data();
  entry.kernel(c);
}

void run(const Work& w, int32_t threads) {
  const crema::KernelEntry entry = crema::kernel_entry(crema::isa_active(), crema_kernel(w.kernel.c_str()));
  if (entry.kernel == nullptr) {
    std::printf("no kernel %s\n", w.kernel.c_str());
    return;
  }
  std::vector<Tensor> in, out;
  for (const Dims& d : w.in) in.push_back(tensor(d));
  for (const Dims& d : w.out) out.push_back(tensor(d));
  if (w.kernel == "adam") {
    float* const hyper = in[4].f32();
    hyper[0] = 1e-3f;
    hyper[1] = 10;
    hyper[2] = 0.5f;
    hyper[3] = 0.01f;
    for (int64_t i = 0; i < in[3].elements(); ++i) in[3].f32()[i] = 0.25f;
  }
  if (w.kernel == "sparse_linear") thin_out(in[2], in[1], in[0].dim[0]);
  char error[256] = {};
  Call c;
  c.in = in.data();
  c.out = out.data();
  c.ins = static_cast<int32_t>(in.size());
  c.outs = static_cast<int32_t>(out.size());
  c.ints = w.ints.data();
  c.floats = w.floats.data();
  c.int_count = static_cast<int32_t>(w.ints.size());
  c.float_count = static_cast<int32_t>(w.floats.size());
  c.threads = threads;
  c.error = error;
  const int64_t bytes = entry.scratch == nullptr ? 0 : entry.scratch(c);
  const int64_t scratch = crema_alloc(bytes);
  c.scratch = reinterpret_cast<char*>(static_cast<intptr_t>(scratch));
  const crema::FloatMode flush_denormals;
  const double once = best_of(0, [&] { entry.kernel(c); });
  processor_time = threads == 1 && once > 1e-3;
  const int repeats = once > 2e-5 ? 1 : static_cast<int>(2e-5 / once) + 1;
  const double seconds = best_of(0.3,
                                 [&] {
                                   for (int i = 0; i < repeats; ++i) entry.kernel(c);
                                 }) /
                         repeats;
  processor_time = false;
  if (error[0] != 0) std::printf("%s: %s\n", w.name.c_str(), error);
  std::printf("%-34s %10.2f us", w.name.c_str(), seconds * 1e6);
  if (w.operations > 0) {
    const double rate = w.operations / seconds;
    std::printf("  %7.1f GFLOP/s  %5.1f %% of multiply-adds", rate * 1e-9, 100 * rate / ceiling() / threads);
  } else {
    const double rate = w.bytes / seconds;
    static const Bandwidth limit = bandwidth();
    std::printf("  %7.1f GB/s     %5.1f %% of triad (%.1f GB/s; copy %.1f)", rate * 1e-9, 100 * rate / limit.triad,
                limit.triad * 1e-9, limit.copy * 1e-9);
  }
  std::printf("\n");
  std::fflush(stdout);
  crema_free(scratch, bytes);
  for (const Tensor& t : in) crema_free(reinterpret_cast<intptr_t>(t.data), t.present() ? t.elements() * 4 : 0);
  for (const Tensor& t : out) crema_free(reinterpret_cast<intptr_t>(t.data), t.elements() * 4);
}

std::string shape(std::initializer_list<int64_t> dims) {
  std::string s;
  for (int64_t d : dims) s += (s.empty() ? "" : "x") + std::to_string(d);
  return s;
}

Work gemm(const std::string& what, int64_t m, int64_t n, int64_t k, bool ta = false, bool tb = false) {
  const std::string name = "gemm " + what + shape({m, n, k}) + (ta ? " tn" : tb ? " nt" : " nn");
  return {name,
          "gemm",
          {ta ? Dims{k, m} : Dims{m, k}, tb ? Dims{n, k} : Dims{k, n}, {}, {}},
          {{m, n}},
          {m, n, k, ta ? m : k, ta, tb ? k : n, tb, n, 0},
          {},
          2.0 * static_cast<double>(m * n * k),
          0};
}

// The same with B packed before.
Work packed_gemm(const std::string& what, int64_t m, int64_t n, int64_t k) {
  Work work = gemm(what, m, n, k);
  work.name += " packed";
  work.in.push_back({(n + 15) / 16 * 16 * k});
  return work;
}

// The same of operands rounded to bfloat16; may pass 100 % of the float32 multiply-adds.
Work bf16_gemm(Work work) {
  work.name += " bf16";
  work.ints.push_back(1);
  return work;
}

// A convolution with equal padding on all sides; `of`: conv2d, conv2d_input_grad or conv2d_weight_grad.
Work conv(const std::string& what, const std::string& of, int64_t n, int64_t side, int64_t in, int64_t kernel,
          int64_t out, int64_t pad, int64_t groups = 1, int64_t stride = 1, int64_t activation = 0) {
  const int64_t o = (side + 2 * pad - kernel) / stride + 1;
  const Dims x{n, side, side, in}, w{kernel, kernel, in / groups, out}, y{n, o, o, out}, b{out};
  Work work{what + " " + of,
            of,
            {},
            {},
            {stride, stride, 1, 1, pad, pad, groups, activation},
            {},
            2.0 * static_cast<double>(n * o * o * out * kernel * kernel * in / groups),
            0};
  if (of == "conv2d") {
    work.in = {x, w, b};
    work.out = {y};
  } else if (of == "conv2d_input_grad") {
    work.in = {y, w, {}};
    work.out = {x};
  } else {
    work.in = {x, y};
    work.out = {w, b};
  }
  return work;
}

Work memory_bound(const std::string& name, const std::string& kernel, std::vector<Dims> in, std::vector<Dims> out,
                  Dims ints, std::vector<double> floats, double floats_moved) {
  return {name, kernel, std::move(in), std::move(out), std::move(ints), std::move(floats), 0, 4 * floats_moved};
}

std::vector<Work> works() {
  std::vector<Work> all;
  // The seed network 100-64-64-10 at batch 32: forward, gradients.
  all.push_back(gemm("seed ", 32, 64, 100));
  all.push_back(gemm("seed ", 32, 64, 64));
  all.push_back(gemm("seed ", 32, 10, 64));
  all.push_back(gemm("seed ", 32, 64, 10, false, true));
  all.push_back(gemm("seed ", 32, 64, 64, false, true));
  all.push_back(gemm("seed ", 64, 10, 32, true));
  all.push_back(gemm("seed ", 64, 64, 32, true));
  all.push_back(gemm("seed ", 100, 64, 32, true));
  all.push_back(gemm("seed ", 1, 64, 100));
  all.push_back(gemm("seed ", 1, 64, 64));
  all.push_back(gemm("seed ", 1, 10, 64));
  // 784-1024-1024-10.
  for (int64_t m : {1, 8, 32, 256}) {
    all.push_back(gemm("mlp ", m, 1024, 784));
    all.push_back(gemm("mlp ", m, 1024, 1024));
    all.push_back(gemm("mlp ", m, 10, 1024));
    if (m > 1) all.push_back(packed_gemm("mlp ", m, 1024, 784));
    all.push_back(bf16_gemm(packed_gemm("mlp ", m, 1024, 1024)));
    if (m > 4) all.push_back(bf16_gemm(gemm("mlp ", m, 1024, 1024)));
    if (m > 1) all.push_back(packed_gemm("mlp ", m, 1024, 1024));
  }
  all.push_back(gemm("mlp ", 256, 1024, 1024, false, true));
  all.push_back(bf16_gemm(gemm("mlp ", 256, 1024, 1024, false, true)));
  all.push_back(bf16_gemm(gemm("mlp ", 1024, 1024, 256, true)));
  all.push_back(bf16_gemm(gemm("mlp ", 784, 1024, 256, true)));
  all.push_back(gemm("mlp ", 256, 1024, 10, false, true));
  all.push_back(gemm("mlp ", 1024, 1024, 256, true));
  all.push_back(gemm("mlp ", 784, 1024, 256, true));
  all.push_back(gemm("mlp ", 1024, 10, 256, true));
  for (int64_t n : {64, 96, 128, 192, 256, 384, 512, 768, 1024, 2048}) all.push_back(gemm("square ", n, n, n));
  for (bool t : {false, true}) all.push_back(gemm("square ", 1024, 1024, 1024, t, !t));
  for (const char* of : {"conv2d", "conv2d_input_grad", "conv2d_weight_grad"}) {
    all.push_back(conv("lenet 64x28x28x1-6 k5", of, 64, 28, 1, 5, 6, 2));
    all.push_back(conv("lenet 64x14x14x6-16 k5", of, 64, 14, 6, 5, 16, 0));
    all.push_back(conv("wide 64x28x28x1-32 k5", of, 64, 28, 1, 5, 32, 0));
    all.push_back(conv("wide 64x12x12x32-64 k5", of, 64, 12, 32, 5, 64, 0));
    all.push_back(conv("resnet 8x56x56x64-64 k3", of, 8, 56, 64, 3, 64, 1));
    all.push_back(conv("small 32x32x32x16-16 k3", of, 32, 32, 16, 3, 16, 1));
    all.push_back(conv("small 32x16x16x32-32 k3", of, 32, 16, 32, 3, 32, 1));
    all.push_back(conv("small 32x4x4x128-128 k3", of, 32, 4, 128, 3, 128, 1));
    all.push_back(conv("rgb 8x224x224x3-32 k3 s2", of, 8, 224, 3, 3, 32, 1, 1, 2));
    all.push_back(conv("grouped 8x28x28x128-128 k3 g32", of, 8, 28, 128, 3, 128, 1, 32));
    all.push_back(conv("depthwise 8x56x56x64 k3", of, 8, 56, 64, 3, 64, 1, 64));
    all.push_back(conv("pointwise 8x28x28x128-256", of, 8, 28, 128, 1, 256, 0));
  }
  for (int64_t m : {1, 4, 8, 32, 256}) {
    all.push_back({"sparse " + shape({m, 1024, 1024}) + " a tenth",
                   "sparse_linear",
                   {{m, 1024}, {1 << 20}, {1024, 1024}, {}},
                   {{m, 1024}},
                   {0},
                   {},
                   0.1 * 2.0 * static_cast<double>(m << 20),
                   0});
  }
  all.push_back(gemm("wide ", 64, 512, 1024));
  all.push_back(gemm("wide ", 64, 1024, 512, false, true));
  all.push_back(gemm("wide ", 1024, 512, 64, true));
  all.push_back(gemm("lenet ", 64, 120, 400));
  all.push_back(gemm("lenet ", 64, 84, 120));
  all.push_back(gemm("lenet ", 64, 10, 84));
  all.push_back(gemm("lenet ", 64, 400, 120, false, true));
  all.push_back(gemm("lenet ", 400, 120, 64, true));
  const Dims pool{2, 2, 2, 2, 0, 0, 0};
  for (int64_t c : {6, 16, 64}) {
    const Dims x{64, 28, 28, c}, y{64, 14, 14, c};
    const double n = static_cast<double>(64 * 28 * 28 * c);
    all.push_back(memory_bound("max_pool2d 64x28x28x" + std::to_string(c), "max_pool2d", {x}, {y}, pool, {}, 1.25 * n));
    all.push_back(memory_bound("max_pool2d_grad 64x28x28x" + std::to_string(c), "max_pool2d_grad", {x, y, y}, {x}, pool,
                               {}, 2.5 * n));
  }
  const Dims table{4096, 1024}, row{1024}, column{4096};
  const double n = 4096 * 1024;
  all.push_back(memory_bound("softmax 4096x1024", "softmax", {table}, {table}, {}, {}, 2 * n));
  all.push_back(memory_bound("softmax 8x1024 in cache", "softmax", {{8, 1024}}, {{8, 1024}}, {}, {}, 16384));
  all.push_back(memory_bound("log_softmax 4096x1024", "log_softmax", {table}, {table}, {}, {}, 2 * n));
  all.push_back(memory_bound("softmax_grad 4096x1024", "softmax_grad", {table, table}, {table}, {}, {}, 3 * n));
  all.push_back(memory_bound("layer_norm 4096x1024", "layer_norm", {table, row, row}, {table, column, column}, {},
                             {1e-5}, 2 * n));
  all.push_back(memory_bound("layer_norm_grad 4096x1024", "layer_norm_grad", {table, row, column, column, table},
                             {table, row, row}, {}, {}, 3 * n));
  for (const char* name : {"relu", "gelu", "gelu_tanh", "silu", "tanh", "sigmoid", "exp"}) {
    all.push_back(memory_bound(std::string(name) + " 4096x1024", "elementwise", {table}, {table},
                               {1, crema_elementwise(name), 1, 0, -1, -1, 0}, {}, 2 * n));
  }
  all.push_back(memory_bound("add bias 4096x1024", "elementwise", {table, row}, {table},
                             {1, crema_elementwise("add"), 2, 0, 1, -1, 0}, {}, 2 * n));
  all.push_back(memory_bound("reduce_sum rows 4096x1024", "reduce_sum", {table}, {row}, {0}, {}, n));
  all.push_back(memory_bound("reduce_sum rows 32x64", "reduce_sum", {{32, 64}}, {{64}}, {0}, {}, 32 * 64));
  for (int64_t p : {11274, 10000000}) {
    all.push_back(memory_bound("adam " + std::to_string(p), "adam", {{p}, {p}, {p}, {p}, {4}, {}}, {}, {0},
                               {0, 0.9, 0.999, 1e-8}, 7.0 * static_cast<double>(p)));
  }
  const int64_t b = 32, t = 64, f = 256, u = 256;
  const Dims x{b, t, f}, w{f, 4 * u}, r{u, 4 * u}, bias{4 * u}, y{b, t, u}, last{b, u}, gates{b, t, 4 * u};
  const double steps = 2.0 * static_cast<double>(b * t * (f + u) * 4 * u);
  all.push_back(
      {"lstm 256 units, 32x64 steps", "lstm", {x, w, r, bias, {}, {}}, {y, last, last, y, gates}, {}, {}, steps, 0});
  all.push_back({"lstm_grad",
                 "lstm_grad",
                 {x, w, r, {}, {}, y, y, gates, y, {}, {}},
                 {x, w, r, bias, last, last},
                 {},
                 {},
                 2 * steps,
                 0});
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string part = argc > 1 ? argv[1] : "";
  const int32_t threads = argc > 2 ? std::atoi(argv[2]) : 1;
  crema_set_threads(threads);
  std::printf("%s, %d thread(s); one core: %.1f GFLOP/s\n", crema_isa_name(crema_isa_active()), threads,
              ceiling() * 1e-9);
  for (const Work& w : works()) {
    if (w.name.find(part) != std::string::npos) run(w, threads);
  }
  return 0;
}
