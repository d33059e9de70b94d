// cuda_stub.cpp: stand-ins for NVIDIA's libraries that compute on the host, so that a test can drive the JavaCPP preset
// itself: does every argument arrive where cuda.h, cublasLt.h, cudnn.h, nvrtc.h and nvml.h say, does every result come back?
// Built by CudaStubs, once for each library, with -DSTUB_CUDA, -DSTUB_CUBLASLT, -DSTUB_CUDNN, -DSTUB_NVRTC or -DSTUB_NVML; the others
// are empty. Memory of the card is memory of the host; what is queued runs at once, or is kept while its stream records.
//
// With -DSTUB_EMULATION the driver runs Crema's kernels, by the emulation of kernels/, instead of two of its own: then it is a card on
// which everything runs, slowly (bench/gpu/rehearse.sh).
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#if defined(STUB_EMULATION)
#include "cuda_emulation.h"
#endif

#define API extern "C" __attribute__((visibility("default")))
using u64 = unsigned long long;

namespace {
struct Graph {
  std::vector<std::function<void()>> work;
};
struct Stream {
  unsigned flags = 0;
  Graph* recording = nullptr;
};
// Numbers of the card in one of some types, as cuBLASLt and cuDNN take them; those of E4M3 are only read.
enum class Type { kFloat, kHalf, kBfloat, kFp8, kByte, kInt };
struct Numbers {
  char* at;
  Type type;
  int64_t bytes() const { return type == Type::kFloat || type == Type::kInt ? 4 : type == Type::kFp8 || type == Type::kByte ? 1 : 2; }
  Numbers from(int64_t i) const { return {at + i * bytes(), type}; }
  float get(int64_t i) const;
  void put(int64_t i, float value) const;
};
[[maybe_unused]] inline float Numbers::get(int64_t i) const {
  float value;
  if (type == Type::kFloat) {
    std::memcpy(&value, at + 4 * i, 4);
    return value;
  }
  if (type == Type::kFp8) {
    const int code = static_cast<unsigned char>(at[i]), exponent = code >> 3 & 15, fraction = code & 7;
    value = (code & 127) == 127 ? NAN : std::ldexp(static_cast<float>(exponent ? 8 + fraction : fraction), (exponent ? exponent : 1) - 10);
    return code >> 7 ? -value : value;
  }
  if (type == Type::kByte) return static_cast<signed char>(at[i]);
  uint16_t bits;
  std::memcpy(&bits, at + 2 * i, 2);
  if (type == Type::kHalf) {
    const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    value = exponent == 31 ? (mantissa ? NAN : INFINITY)
                           : std::ldexp(static_cast<float>(exponent ? 1024 + mantissa : mantissa), (exponent ? exponent : 1) - 25);
    return bits >> 15 ? -value : value;
  }
  const uint32_t word = static_cast<uint32_t>(bits) << 16;
  std::memcpy(&value, &word, 4);
  return value;
}
[[maybe_unused]] inline void Numbers::put(int64_t i, float value) const {
  if (type == Type::kFloat) {
    std::memcpy(at + 4 * i, &value, 4);
    return;
  }
  uint16_t bits;
  if (type == Type::kHalf) {
    const uint16_t sign = std::signbit(value) ? 0x8000 : 0;
    const float size = std::fabs(value);
    int exponent = 0;
    std::frexp(size, &exponent);
    if (std::isnan(value)) {
      bits = 0x7E00;
    } else if (size >= 65520) {
      bits = 0x7C00;
    } else if (size == 0 || exponent < -13) {
      bits = static_cast<uint16_t>(std::nearbyint(std::ldexp(size, 24)));  // half to even, as all is by default
    } else {
      bits = static_cast<uint16_t>((exponent + 13) * 1024 + std::nearbyint(std::ldexp(size, 11 - exponent)));
    }
    bits |= sign;
  } else {
    uint32_t word;
    std::memcpy(&word, &value, 4);
    bits = static_cast<uint16_t>(std::isnan(value) ? 0x7FC0 : (word + 0x7FFF + (word >> 16 & 1)) >> 16);
  }
  std::memcpy(at + 2 * i, &bits, 2);
}
}  // namespace

#if defined(STUB_CUDA)
namespace {
constexpr size_t kTotalBytes = size_t{3} << 32;
std::mutex memory;
std::map<u64, size_t> sizes;  // of what is allocated
size_t allocated = 0;
int invalid() { return 1; }
}  // namespace

// For the other libraries.
API int stub_queue(void* stream, void (*run)(void*), void* with) {
  if (stream == nullptr) return invalid();
  if (Graph* const recording = static_cast<Stream*>(stream)->recording) {
    recording->work.push_back([=] { run(with); });
  } else {
    run(with);
  }
  return 0;
}
static int queue(void* stream, std::function<void()> work) {
  if (stream == nullptr) return invalid();
  if (Graph* const recording = static_cast<Stream*>(stream)->recording) {
    recording->work.push_back(work);
  } else {
    work();
  }
  return 0;
}

API int cuInit(unsigned flags) { return flags == 0 ? 0 : invalid(); }
API int cuDriverGetVersion(int* version) {
  *version = 13020;
  return 0;
}
API int cuDeviceGetCount(int* count) {
  *count = 2;
  return 0;
}
API int cuDeviceGet(int* device, int ordinal) {
  *device = 70 + ordinal;
  return 0;
}
API int cuDeviceGetName(char* name, int length, int device) {
  if (device < 70 || length < 16) return invalid();
  std::strcpy(name, device == 70 ? "Stub card" : "Old stub card");
  return 0;
}
API int cuDeviceGetPCIBusId(char* id, int length, int device) {
  if (device < 70 || length < 13) return invalid();
  std::strcpy(id, device == 70 ? "0000:17:00.0" : "0000:18:00.0");
  return 0;
}
API int cuDeviceTotalMem_v2(size_t* bytes, int device) {
  *bytes = kTotalBytes;
  return device < 70;
}
API int cuDeviceGetAttribute(int* value, int attribute, int device) {
  *value = attribute == 75 ? (device == 70 ? 9 : 7) : attribute == 76 ? 0 : attribute == 97 ? 232448 : 1000 + attribute;
  return 0;
}
API int cuDevicePrimaryCtxRetain(void** context, int device) {
  *context = reinterpret_cast<void*>(static_cast<intptr_t>(0xC000 + device));
  return 0;
}
API int cuDevicePrimaryCtxRelease_v2(int device) { return device == 70 ? 0 : invalid(); }
API int cuCtxSetCurrent(void* context) { return context == reinterpret_cast<void*>(0xC000 + 70) ? 0 : 201; }
API int cuCtxSynchronize() { return 0; }
API int cuMemGetInfo_v2(size_t* free, size_t* total) {
  const std::lock_guard<std::mutex> held(memory);
  *free = kTotalBytes - allocated;
  *total = kTotalBytes;
  return 0;
}
API int cuMemAlloc_v2(u64* address, size_t bytes) {
  if (bytes > size_t{1} << 31) return 2;
  const std::lock_guard<std::mutex> held(memory);
  void* const made = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  std::memset(made, 0xFF, bytes);  // nobody may read what nobody wrote
  *address = reinterpret_cast<u64>(made);
  sizes[*address] = bytes;
  allocated += bytes;
  return 0;
}
API int cuMemFree_v2(u64 address) {
  const std::lock_guard<std::mutex> held(memory);
  const auto found = sizes.find(address);
  if (found == sizes.end()) return invalid();
  allocated -= found->second;
  sizes.erase(found);
  std::free(reinterpret_cast<void*>(address));
  return 0;
}
API int cuMemHostAlloc(void** address, size_t bytes, unsigned flags) {
  *address = std::aligned_alloc(256, (bytes + 255) / 256 * 256);
  return flags == 1 ? 0 : invalid();
}
API int cuMemFreeHost(void* address) {
  std::free(address);
  return 0;
}
API int cuMemcpyHtoDAsync_v2(u64 to, const void* from, size_t bytes, void* stream) {
  return queue(stream, [=] { std::memcpy(reinterpret_cast<void*>(to), from, bytes); });
}
API int cuMemcpyDtoHAsync_v2(void* to, u64 from, size_t bytes, void* stream) {
  return queue(stream, [=] { std::memcpy(to, reinterpret_cast<void*>(from), bytes); });
}
API int cuMemcpyDtoDAsync_v2(u64 to, u64 from, size_t bytes, void* stream) {
  return queue(stream, [=] { std::memcpy(reinterpret_cast<void*>(to), reinterpret_cast<void*>(from), bytes); });
}
API int cuMemsetD8Async(u64 to, unsigned char value, size_t bytes, void* stream) {
  return queue(stream, [=] { std::memset(reinterpret_cast<void*>(to), value, bytes); });
}
API int cuStreamCreate(void** stream, unsigned flags) {
  *stream = new Stream{flags};
  return flags == 1 ? 0 : invalid();
}
API int cuStreamDestroy_v2(void* stream) {
  delete static_cast<Stream*>(stream);
  return 0;
}
API int cuStreamSynchronize(void* stream) { return static_cast<Stream*>(stream)->flags == 1 ? 0 : invalid(); }
API int cuStreamBeginCapture_v2(void* stream, int mode) {
  if (stream == nullptr || mode != 1) return invalid();
  static_cast<Stream*>(stream)->recording = new Graph;
  return 0;
}
API int cuStreamEndCapture(void* stream, void** graph) {
  *graph = static_cast<Stream*>(stream)->recording;
  static_cast<Stream*>(stream)->recording = nullptr;
  return *graph != nullptr ? 0 : invalid();
}
API int cuGraphInstantiateWithFlags(void** executable, void* graph, u64 flags) {
  *executable = new Graph(*static_cast<Graph*>(graph));
  return flags == 0 ? 0 : invalid();
}
API int cuGraphLaunch(void* executable, void* stream) {
  return queue(stream, [=] {
    for (auto& work : static_cast<Graph*>(executable)->work) work();
  });
}
API int cuGraphExecDestroy(void* executable) {
  delete static_cast<Graph*>(executable);
  return 0;
}
API int cuGraphDestroy(void* graph) {
  delete static_cast<Graph*>(graph);
  return 0;
}
API int cuEventCreate(void** event, unsigned flags) {
  static intptr_t next = 0xE000;
  *event = reinterpret_cast<void*>(next++);
  return flags == 0 || flags == 2 ? 0 : invalid();
}
// What is queued has run.
API int cuEventSynchronize(void* event) { return event != nullptr ? 0 : invalid(); }
API int cuStreamWaitEvent(void* stream, void* event, unsigned flags) {
  return stream != nullptr && event != nullptr && flags == 0 ? 0 : invalid();
}
API int cuEventRecord(void* event, void* stream) { return event != nullptr && stream != nullptr ? 0 : invalid(); }
API int cuEventElapsedTime_v2(float* milliseconds, void* start, void* end) {
  *milliseconds = static_cast<float>(reinterpret_cast<intptr_t>(end) - reinterpret_cast<intptr_t>(start));
  return 0;
}
API int cuEventDestroy_v2(void*) { return 0; }
API int cuModuleLoadData(void** module, const void* image) {
  *module = reinterpret_cast<void*>(0x3000);
#if defined(STUB_EMULATION)
  const uint32_t fatbin = 0xBA55ED50;
  if (std::memcmp(image, &fatbin, 4) == 0) return 0;
#endif
  return std::memcmp(image, "cubin", 5) == 0 ? 0 : 200;
}
API int cuModuleUnload(void* module) { return module == reinterpret_cast<void*>(0x3000) ? 0 : invalid(); }
API int cuModuleGetFunction(void** function, void* module, const char* name) {
#if defined(STUB_EMULATION)
  if (crema_emulation::find(name) == nullptr) return 500;
#endif
  *function = new std::string(name);  // lives on, as a module's functions do
  return module == reinterpret_cast<void*>(0x3000) ? 0 : invalid();
}
API int cuFuncSetAttribute(void* function, int attribute, int) {
  return function != nullptr && attribute == 8 ? 0 : invalid();
}
#if defined(STUB_EMULATION)
API int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                       unsigned shared, void* stream, void** p, void** extra) {
  if (by != 1 || bz != 1 || extra != nullptr) return invalid();
  const crema_emulation::Kernel& kernel = *crema_emulation::find(static_cast<std::string*>(function)->c_str());
  auto values = std::make_shared<std::vector<std::vector<u64>>>();  // as they are now
  for (int i = 0; i < kernel.parameters; ++i) {
    values->emplace_back((kernel.sizes[i] + 7) / 8);
    std::memcpy(values->back().data(), p[i], kernel.sizes[i]);
  }
  return queue(stream, [=] {
    std::vector<void*> arguments;
    for (auto& value : *values) arguments.push_back(value.data());
    const std::string wrong = crema_emulation::launch(kernel.name, {gx, gy, gz}, bx, shared, arguments.data(), 7);
    if (wrong.empty()) return;
    std::fprintf(stderr, "%s: %s\n", kernel.name, wrong.c_str());
    std::abort();
  });
}
#else
// Two kernels: (float* y, const float* bias, i64 rows, i64 columns, int activation) and
// (const float* x, float* y, i64 rows, i64 columns).
API int cuLaunchKernel(void* function, unsigned gx, unsigned gy, unsigned gz, unsigned bx, unsigned by, unsigned bz,
                       unsigned shared, void* stream, void** p, void** extra) {
  if (gx < 1 || gy != 1 || gz != 1 || bx != 256 || by != 1 || bz != 1 || shared != 0 || extra != nullptr) return invalid();
  const std::string name = *static_cast<std::string*>(function);
  if (name == "bias_activation_f32") {
    float* y = *static_cast<float**>(p[0]);
    const float* bias = *static_cast<float**>(p[1]);
    const long long rows = *static_cast<long long*>(p[2]), columns = *static_cast<long long*>(p[3]);
    const int activation = *static_cast<int*>(p[4]);
    return queue(stream, [=] {
      for (long long i = 0; i < rows * columns; ++i) {
        const float v = y[i] + (bias == nullptr ? 0 : bias[i % columns]);
        y[i] = activation == 3 ? std::tanh(v) : activation == 0 ? v : NAN;
      }
    });
  }
  if (name == "transpose_filter_4") {
    const float* x = *static_cast<float**>(p[0]);
    float* y = *static_cast<float**>(p[1]);
    const long long rows = *static_cast<long long*>(p[2]), columns = *static_cast<long long*>(p[3]);
    return queue(stream, [=] {
      for (long long i = 0; i < rows; ++i)
        for (long long j = 0; j < columns; ++j) y[j * rows + i] = x[i * columns + j];
    });
  }
  return 500;
}
#endif
API int cuGetErrorName(int status, const char** text) {
  *text = status == 2 ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_OF_A_STUB";
  return 0;
}
API int cuGetErrorString(int, const char** text) {
  *text = "says the stub";
  return 0;
}
#endif

#if defined(STUB_CUBLASLT)
API int stub_queue(void* stream, void (*run)(void*), void* with);
namespace {
struct Layout {
  Type type;
  int64_t rows, columns, leading;
  int32_t count = 1;
  int64_t stride = 0;
};
struct Description {
  bool whole;  // sums and factors are int32
  int32_t transpose_a = 0, transpose_b = 0, epilogue = 1;
  char* bias = nullptr;
};
struct Multiplication {
  Description d;
  char *a, *b, *c;
  Layout la, lb, lc;
  float alpha, beta;
};
double after(double sum, int32_t epilogue) {
  if ((epilogue & 2) && sum < 0) return 0;
  if (epilogue & 32) return 0.5 * sum * (1 + std::tanh(std::sqrt(2 / M_PI) * (sum + 0.044715 * sum * sum * sum)));
  return sum;
}
// Rows of signed bytes, summed in int32.
void multiply_bytes(const Multiplication& m) {
  for (int64_t column = 0; column < m.lc.columns; ++column) {
    for (int64_t row = 0; row < m.lc.rows; ++row) {
      const auto* const a = reinterpret_cast<const signed char*>(m.a) + row * m.la.leading;
      const auto* const b = reinterpret_cast<const signed char*>(m.b) + column * m.lb.leading;
      int32_t sum = 0;
      for (int64_t k = 0; k < m.la.rows; ++k) sum += a[k] * b[k];
      std::memcpy(m.c + 4 * (column * m.lc.leading + row), &sum, 4);
    }
  }
}
void multiply(void* of) {
  const Multiplication& m = *static_cast<Multiplication*>(of);
  if (m.d.whole) return multiply_bytes(m);
  const int64_t depth = m.d.transpose_a ? m.la.rows : m.la.columns;
  const Numbers bias{m.d.bias, m.lc.type};
  std::vector<double> left(depth * m.lc.rows), right(depth);  // read once
  for (int32_t i = 0; i < m.lc.count; ++i) {
    const Numbers a = Numbers{m.a, m.la.type}.from(i * m.la.stride);
    const Numbers b = Numbers{m.b, m.lb.type}.from(i * m.lb.stride);
    const Numbers c = Numbers{m.c, m.lc.type}.from(i * m.lc.stride);
    for (int64_t row = 0; row < m.lc.rows; ++row)
      for (int64_t k = 0; k < depth; ++k)
        left[row * depth + k] = a.get(m.d.transpose_a ? row * m.la.leading + k : k * m.la.leading + row);
    for (int64_t column = 0; column < m.lc.columns; ++column) {
      for (int64_t k = 0; k < depth; ++k)
        right[k] = b.get(m.d.transpose_b ? k * m.lb.leading + column : column * m.lb.leading + k);
      for (int64_t row = 0; row < m.lc.rows; ++row) {
        double sum = 0;
        for (int64_t k = 0; k < depth; ++k) sum += left[row * depth + k] * right[k];
        sum *= m.alpha;
        const int64_t to = column * m.lc.leading + row;
        if (m.beta != 0) sum += m.beta * c.get(to);
        if (m.d.epilogue & 4) sum += bias.get(row);
        c.put(to, static_cast<float>(after(sum, m.d.epilogue)));
      }
    }
  }
}
}  // namespace
API int cublasLtCreate(void** handle) {
  *handle = reinterpret_cast<void*>(0xB000);
  return 0;
}
API int cublasLtDestroy(void* handle) { return handle == reinterpret_cast<void*>(0xB000) ? 0 : 7; }
API int cublasLtMatmulDescCreate(void** d, int compute, int scale) {
  *d = new Description{compute == 72};
  return compute == 72 ? (scale == 10 ? 0 : 7) : (compute == 68 || compute == 75 || compute == 77) && scale == 0 ? 0 : 7;
}
API int cublasLtMatmulDescDestroy(void* d) {
  delete static_cast<Description*>(d);
  return 0;
}
API int cublasLtMatmulDescSetAttribute(void* of, int attribute, const void* value, size_t bytes) {
  Description& d = *static_cast<Description*>(of);
  if (attribute == 8 && bytes == 8) return std::memcpy(&d.bias, value, 8), 0;
  int32_t* const to = attribute == 3 ? &d.transpose_a : attribute == 4 ? &d.transpose_b : attribute == 7 ? &d.epilogue : nullptr;
  if (to == nullptr || bytes != 4) return 7;
  std::memcpy(to, value, 4);
  return 0;
}
API int cublasLtMatrixLayoutCreate(void** layout, int type, uint64_t rows, uint64_t columns, int64_t leading) {
  const Type of = type == 2    ? Type::kHalf
                  : type == 14 ? Type::kBfloat
                  : type == 28 ? Type::kFp8
                  : type == 3  ? Type::kByte
                  : type == 10 ? Type::kInt
                               : Type::kFloat;
  *layout = new Layout{of, static_cast<int64_t>(rows), static_cast<int64_t>(columns), leading};
  return type == 0 || of != Type::kFloat ? 0 : 7;
}
API int cublasLtMatrixLayoutDestroy(void* layout) {
  delete static_cast<Layout*>(layout);
  return 0;
}
API int cublasLtMatrixLayoutSetAttribute(void* of, int attribute, const void* value, size_t bytes) {
  Layout& l = *static_cast<Layout*>(of);
  if (attribute == 5 && bytes == 4) return std::memcpy(&l.count, value, 4), 0;
  if (attribute == 6 && bytes == 8) return std::memcpy(&l.stride, value, 8), 0;
  return 7;
}
API int cublasLtMatmulPreferenceCreate(void** preference) {
  *preference = reinterpret_cast<void*>(0xB100);
  return 0;
}
API int cublasLtMatmulPreferenceDestroy(void*) { return 0; }
API int cublasLtMatmulPreferenceSetAttribute(void*, int attribute, const void* value, size_t bytes) {
  const bool known = attribute == 1 ? bytes == 8 : attribute >= 5 && attribute <= 8 && bytes == 4;
  return known && *static_cast<const int32_t*>(value) > 0 ? 0 : 7;
}
namespace {
struct Algorithm {
  uint64_t data[8];
};
struct Heuristic {  // as cublasLt.h lays it out
  Algorithm algo;
  size_t workspace;
  int state;
  float waves;
  int reserved[4];
};
}  // namespace
API int cublasLtMatmulAlgoGetHeuristic(void* handle, void* d, void* a, void* b, void* c, void* e, void* preference,
                                       int requested, Heuristic* results, int* found) {
  if (handle == nullptr || !d || !a || !b || !c || !e || !preference || requested != 1) return 7;
  const Layout &la = *static_cast<Layout*>(a), &lb = *static_cast<Layout*>(b), &lc = *static_cast<Layout*>(c);
  const Description& of = *static_cast<Description*>(d);
  if (la.type == Type::kFp8 || la.type == Type::kByte || of.whole) {  // what cublasLtMatmul's documentation demands, or recommends
    const bool bytes = of.whole && la.type == Type::kByte && lc.type == Type::kInt;
    bool fits = lb.type == la.type && (bytes || (la.type == Type::kFp8 && lc.type == Type::kFloat)) && of.transpose_a == 1 &&
                of.transpose_b == 0 && of.epilogue == 1;
    for (const Layout* l : {&la, &lb, &lc}) fits = fits && l->rows % 16 == 0 && l->leading % 16 == 0;
    if (!fits) return 15;
  }
  *results = Heuristic{{{42, 1, 2, 3, 4, 5, 6, 7}}, 512, 0, 1.0f, {}};
  *found = 1;
  return 0;
}
API int cublasLtMatmul(void* handle, void* d, const void* alpha, const void* a, void* la, const void* b, void* lb,
                       const void* beta, const void* c, void* lc, void* e, void* le, const Algorithm* algo, void* workspace,
                       size_t bytes, void* stream) {
  if (handle != reinterpret_cast<void*>(0xB000) || c != e || lc != le || algo->data[0] != 42 || bytes != 512 || !workspace) {
    return 7;
  }
  const bool whole = static_cast<Description*>(d)->whole;
  int32_t one, zero;
  std::memcpy(&one, alpha, 4);
  std::memcpy(&zero, beta, 4);
  if (whole && (one != 1 || zero != 0)) return 7;
  std::memset(workspace, 0xFF, bytes);
  auto* m = new Multiplication{*static_cast<Description*>(d), static_cast<char*>(const_cast<void*>(a)),
                               static_cast<char*>(const_cast<void*>(b)), static_cast<char*>(e), *static_cast<Layout*>(la), *static_cast<Layout*>(lb),
                               *static_cast<Layout*>(lc), *static_cast<const float*>(alpha), *static_cast<const float*>(beta)};
  return stub_queue(stream, multiply, m);  // it may run again and again: kept
}
API size_t cublasLtGetVersion() { return 130200; }
API const char* cublasLtGetStatusName(int) { return "CUBLAS_STATUS_OF_A_STUB"; }
#endif

#if defined(STUB_CUDNN)
API int stub_queue(void* stream, void (*run)(void*), void* with);
namespace {
struct Dims {
  int n, c, h, w;
  Type type;
};
struct Window {
  int pad_h, pad_w, stride_h, stride_w, dilation_h, dilation_w, groups, math;
};
struct Convolving {
  int direction;
  Numbers x, f, y;
  Dims dx, df, dy;
  Window w;
  Numbers bias;  // at nullptr: none
  bool relu;
};
void* dnn_stream = nullptr;
void convolve(void* of) {
  const Convolving& v = *static_cast<Convolving*>(of);
  const Dims &x = v.dx, &f = v.df, &y = v.dy;
  const Dims& to = v.direction == 0 ? y : v.direction == 1 ? x : f;
  auto count = [](const Dims& d) { return int64_t{1} * d.n * d.c * d.h * d.w; };
  auto read = [&](const Numbers& numbers, const Dims& d) {
    std::vector<double> all(count(d));
    for (int64_t i = 0; &d != &to && i < count(d); ++i) all[i] = numbers.get(i);
    return all;
  };
  std::vector<double> vx = read(v.x, x), vf = read(v.f, f), vy = read(v.y, y);  // what is computed begins as zeros
  for (int n = 0; n < x.n; ++n)
    for (int i = 0; i < y.h; ++i)
      for (int j = 0; j < y.w; ++j)
        for (int o = 0; o < f.n; ++o)
          for (int r = 0; r < f.h; ++r)
            for (int s = 0; s < f.w; ++s) {
              const int row = i * v.w.stride_h - v.w.pad_h + r * v.w.dilation_h;
              const int column = j * v.w.stride_w - v.w.pad_w + s * v.w.dilation_w;
              if (row < 0 || row >= x.h || column < 0 || column >= x.w) continue;
              double* const ax = &vx[((int64_t{n} * x.h + row) * x.w + column) * x.c + o / (f.n / v.w.groups) * f.c];
              double* const af = &vf[((int64_t{o} * f.h + r) * f.w + s) * f.c];
              double& ay = vy[((int64_t{n} * y.h + i) * y.w + j) * y.c + o];
              if (v.direction == 0)
                for (int k = 0; k < f.c; ++k) ay += ax[k] * af[k];
              if (v.direction == 1)
                for (int k = 0; k < f.c; ++k) ax[k] += ay * af[k];
              if (v.direction == 2)
                for (int k = 0; k < f.c; ++k) af[k] += ax[k] * ay;
            }
  const std::vector<double>& sums = v.direction == 0 ? vy : v.direction == 1 ? vx : vf;
  const Numbers& result = v.direction == 0 ? v.y : v.direction == 1 ? v.x : v.f;
  for (int64_t i = 0; i < count(to); ++i) {
    const double sum = v.bias.at == nullptr ? sums[i] : sums[i] + v.bias.get(i % y.c);
    result.put(i, static_cast<float>(v.relu && sum < 0 ? 0 : sum));
  }
}
struct Performance {  // as cudnn.h lays it out
  int algorithm, status;
  float time;
  size_t memory;
  int determinism, math;
  int reserved[3];
};
int propose(int requested, int* found, Performance* all) {
  if (requested < 2) return 2000;
  all[0] = Performance{0, 0, 1, 0, 0, 3, {}};
  all[1] = Performance{1, 0, 2, 64, 1, 3, {}};
  *found = 2;
  return 0;
}
int run(int direction, const void* alpha, const void* beta, void* dx, const void* x, void* df, const void* f, void* w, int algo,
        void* workspace, size_t bytes, void* dy, const void* y, const void* bias = nullptr, bool relu = false) {
  if (*static_cast<const float*>(alpha) != 1 || *static_cast<const float*>(beta) != 0 || algo != 1 || bytes != 64 || !workspace) {
    return 2000;
  }
  const auto of = [](const void* at, void* d) { return Numbers{static_cast<char*>(const_cast<void*>(at)), static_cast<Dims*>(d)->type}; };
  auto* v = new Convolving{direction, of(x, dx), of(f, df), of(y, dy), *static_cast<Dims*>(dx), *static_cast<Dims*>(df),
                           *static_cast<Dims*>(dy), *static_cast<Window*>(w), of(bias, dy), relu};
  return stub_queue(dnn_stream, convolve, v);
}
}  // namespace
static Type dnn_type(int type) { return type == 2 ? Type::kHalf : type == 3 ? Type::kByte : type == 9 ? Type::kBfloat : Type::kFloat; }
static bool is_dnn_type(int type) { return type == 0 || type == 2 || type == 3 || type == 9; }
API int cudnnCreate(void** handle) {
  *handle = reinterpret_cast<void*>(0xD000);
  return 0;
}
API int cudnnDestroy(void* handle) { return handle == reinterpret_cast<void*>(0xD000) ? 0 : 2000; }
API int cudnnSetStream(void*, void* stream) {
  dnn_stream = stream;
  return 0;
}
API int cudnnCreateTensorDescriptor(void** d) {
  *d = new Dims;
  return 0;
}
API int cudnnDestroyTensorDescriptor(void* d) {
  delete static_cast<Dims*>(d);
  return 0;
}
API int cudnnSetTensor4dDescriptor(void* d, int format, int type, int n, int c, int h, int w) {
  *static_cast<Dims*>(d) = Dims{n, c, h, w, dnn_type(type)};
  return format == 1 && is_dnn_type(type) ? 0 : 2000;
}
API int cudnnCreateFilterDescriptor(void** d) {
  *d = new Dims;
  return 0;
}
API int cudnnDestroyFilterDescriptor(void* d) {
  delete static_cast<Dims*>(d);
  return 0;
}
API int cudnnSetFilter4dDescriptor(void* d, int type, int format, int k, int c, int h, int w) {
  *static_cast<Dims*>(d) = Dims{k, c, h, w, dnn_type(type)};
  return format == 1 && is_dnn_type(type) ? 0 : 2000;
}
API int cudnnCreateConvolutionDescriptor(void** d) {
  *d = new Window;
  return 0;
}
API int cudnnDestroyConvolutionDescriptor(void* d) {
  delete static_cast<Window*>(d);
  return 0;
}
API int cudnnSetConvolution2dDescriptor(void* d, int pad_h, int pad_w, int u, int v, int dilation_h, int dilation_w, int mode,
                                        int type) {
  *static_cast<Window*>(d) = Window{pad_h, pad_w, u, v, dilation_h, dilation_w, 1, 0};
  return mode == 1 && (type == 0 || type == 4) ? 0 : 2000;
}
API int cudnnSetConvolutionGroupCount(void* d, int groups) {
  static_cast<Window*>(d)->groups = groups;
  return 0;
}
API int cudnnSetConvolutionMathType(void* d, int math) {
  static_cast<Window*>(d)->math = math;
  return math == 0 || math == 1 || math == 3 ? 0 : 2000;
}
API int cudnnGetConvolutionForwardAlgorithm_v7(void*, void*, void*, void*, void*, int requested, int* found, Performance* all) {
  return propose(requested, found, all);
}
API int cudnnGetConvolutionBackwardDataAlgorithm_v7(void*, void*, void*, void*, void*, int requested, int* found,
                                                    Performance* all) {
  return propose(requested, found, all);
}
API int cudnnGetConvolutionBackwardFilterAlgorithm_v7(void*, void*, void*, void*, void*, int requested, int* found,
                                                      Performance* all) {
  return propose(requested, found, all);
}
API int cudnnCreateActivationDescriptor(void** d) {
  *d = new int(-1);
  return 0;
}
API int cudnnDestroyActivationDescriptor(void* d) {
  delete static_cast<int*>(d);
  return 0;
}
API int cudnnSetActivationDescriptor(void* d, int mode, int nan, double) {
  *static_cast<int*>(d) = mode;
  return nan == 1 ? 0 : 2000;
}
API int cudnnConvolutionBiasActivationForward(void*, const void* alpha, void* dx, const void* x, void* df, const void* f, void* w,
                                              int algo, void* workspace, size_t bytes, const void* zero, void* dz, const void* z,
                                              void* db, const void* bias, void* activation, void* dy, void* y) {
  const int mode = *static_cast<int*>(activation);
  if (dz != dy || z != y || static_cast<Dims*>(db)->c != static_cast<Dims*>(dy)->c || (mode != 1 && mode != 5)) return 2000;
  return run(0, alpha, zero, dx, x, df, f, w, algo, workspace, bytes, dy, y, bias, mode == 1);
}
API int cudnnConvolutionForward(void*, const void* alpha, void* dx, const void* x, void* df, const void* f, void* w, int algo,
                                void* workspace, size_t bytes, const void* beta, void* dy, void* y) {
  return run(0, alpha, beta, dx, x, df, f, w, algo, workspace, bytes, dy, y);
}
API int cudnnConvolutionBackwardData(void*, const void* alpha, void* df, const void* f, void* dy, const void* y, void* w,
                                     int algo, void* workspace, size_t bytes, const void* beta, void* dx, void* x) {
  return run(1, alpha, beta, dx, x, df, f, w, algo, workspace, bytes, dy, y);
}
API int cudnnConvolutionBackwardFilter(void*, const void* alpha, void* dx, const void* x, void* dy, const void* y, void* w,
                                       int algo, void* workspace, size_t bytes, const void* beta, void* df, void* f) {
  return run(2, alpha, beta, dx, x, df, f, w, algo, workspace, bytes, dy, y);
}
#include "cudnn_graph_stub.h"
#include "cudnn_recurrent_stub.h"
API size_t cudnnGetVersion() { return 91900; }
API size_t cudnnGetCudartVersion() { return 13020; }
API const char* cudnnGetErrorString(int) { return "CUDNN_STATUS_OF_A_STUB"; }
#endif

#if defined(STUB_NVRTC)
namespace {
struct Program {
  std::string source;
  std::map<std::string, std::string> headers;
  bool compiled = false;
};
}  // namespace
API int nvrtcVersion(int* major, int* minor) {
  *major = 13;
  *minor = 2;
  return 0;
}
API int nvrtcCreateProgram(void** program, const char* source, const char* name, int count, const char* const* headers,
                           const char* const* names) {
  auto* p = new Program{source, {}};
  for (int i = 0; i < count; ++i) p->headers[names[i]] = headers[i];
  *program = p;
  return std::strstr(name, ".cu") != nullptr ? 0 : 3;
}
API int nvrtcCompileProgram(void* program, int count, const char* const* options) {
  auto* p = static_cast<Program*>(program);
  bool architecture = false;
  for (int i = 0; i < count; ++i) architecture |= std::strcmp(options[i], "--gpu-architecture=sm_90") == 0;
  // Some families declare all their kernels by macros of a header.
  p->compiled = architecture && p->source.find("CREMA_") != std::string::npos &&
                p->headers["common.cuh"].find("CREMA_KERNEL") != std::string::npos;
  return p->compiled ? 0 : 6;
}
API int nvrtcDestroyProgram(void** program) {
  delete static_cast<Program*>(*program);
  return 0;
}
API int nvrtcGetProgramLogSize(void*, size_t* bytes) {
  *bytes = 9;
  return 0;
}
API int nvrtcGetProgramLog(void*, char* log) {
  std::strcpy(log, "a bad l.");
  return 0;
}
API int nvrtcGetCUBINSize(void*, size_t* bytes) {
  *bytes = 5;
  return 0;
}
API int nvrtcGetCUBIN(void* program, char* code) {
  std::memcpy(code, static_cast<Program*>(program)->compiled ? "cubin" : "?????", 5);
  return 0;
}
API const char* nvrtcGetErrorString(int) { return "NVRTC_ERROR_OF_A_STUB"; }
#endif

#if defined(STUB_NVML)
static int card;
static bool begun = false;
API int nvmlInit_v2() {
  begun = true;
  return 0;
}
API int nvmlSystemGetDriverVersion(char* text, unsigned length) {
  return begun ? std::snprintf(text, length, "580.65.06") != 9 : 1;
}
API int nvmlDeviceGetHandleByPciBusId_v2(const char* id, void** device) {
  *device = &card;
  return begun && std::strcmp(id, "0000:17:00.0") == 0 ? 0 : 6;
}
struct Utilization {
  unsigned gpu, memory;
};
API int nvmlDeviceGetUtilizationRates(void* device, Utilization* rates) {
  *rates = {37, 99};
  return device == &card ? 0 : 2;
}
API const char* nvmlErrorString(int) { return "NVML_ERROR_OF_A_STUB"; }
#endif
