// cuda_emulation.cpp: threads as fibers. A fiber runs until it waits (at a barrier, for its warp) or returns; then the
// scheduler takes another one that may run. Kernels hold nothing that must be destroyed, so that a launch that fails just
// leaves its fibers where they are.
#include "cuda_emulation.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <vector>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#define CREMA_ASAN 1
#else
#define CREMA_ASAN 0
#endif

#if !defined(__x86_64__)
#include <ucontext.h>
#endif

namespace crema_emulation {

Place here;

namespace {

constexpr int kWarp = 32;
constexpr int kMostThreads = 1024;
constexpr std::size_t kStack = CREMA_ASAN ? 256 << 10 : 64 << 10;
#if CREMA_ASAN
constexpr std::size_t kSwitchFrames = 4 << 10;
#endif
constexpr std::size_t kRedZone = 64;

#if defined(__x86_64__)
struct Context {
  void* stack = nullptr;
};
extern "C" void crema_emulation_switch(void** from, void* to);
asm(R"(
.text
.globl crema_emulation_switch
.type crema_emulation_switch, @function
crema_emulation_switch:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size crema_emulation_switch, .-crema_emulation_switch
)");
void begin(Context& c, char* stack, void (*entry)()) {
  // Six registers, the address to return to, and nothing to return to from there; the stack is aligned as after a call.
  void** top = reinterpret_cast<void**>(stack + kStack) - 2;
  *--top = nullptr;
  *--top = reinterpret_cast<void*>(entry);
  for (int i = 0; i < 6; ++i) *--top = nullptr;
  c.stack = top;
}
void change(Context& from, Context& to) { crema_emulation_switch(&from.stack, to.stack); }
#else
struct Context {
  ucontext_t context;
};
void begin(Context& c, char* stack, void (*entry)()) {
  getcontext(&c.context);
  c.context.uc_stack.ss_sp = stack;
  c.context.uc_stack.ss_size = kStack;
  c.context.uc_link = nullptr;
  makecontext(&c.context, entry, 0);
}
void change(Context& from, Context& to) { swapcontext(&from.context, &to.context); }
#endif

enum class State { kReady, kBarrier, kWarp, kDone };

struct Fiber {
  Context context;
  State state = State::kReady;
  const char* file = nullptr;  // where it waits
  int line = 0;
  std::uint64_t deposit = 0, result = 0;
  int source = 0;
};

// Lanes of a warp that wait for one another.
struct Group {
  Collective kind;
  unsigned mask, arrived;
  const char* file;
  int line;
};

struct Copy {
  void* to;
  const void* from;
  int bytes, there, group;
};

// Of a thread, in the order in which they were begun.
struct Copies {
  std::vector<Copy> waiting;
  int groups = 0;  // that were ended
};

struct SharedArray {
  const void* key;
  std::unique_ptr<char[]> memory;  // with red zones
  char* data;
  std::size_t bytes;
  bool used;
};

struct Machine {
  std::mutex one;
  std::vector<std::unique_ptr<char, decltype(&std::free)>> stacks;
  std::vector<Fiber> fibers;
  std::vector<std::vector<Group>> warps;
  const void* exchanged[kMostThreads] = {};
  std::vector<Copies> copies;
  std::vector<int> ready;
  std::vector<SharedArray> shared;
  std::unique_ptr<char[]> dynamic;
  Context scheduler;
  int current = 0, live = 0, threads = 0;
  std::uint64_t random = 0, seed = 0;
  const Kernel* kernel = nullptr;
  void** arguments = nullptr;
  char failure[512] = {};  // of a fiber
  std::string error;

  std::uint64_t draw() {  // splitmix64
    std::uint64_t z = (random += 0x9E3779B97F4A7C15ull);
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ull;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBull;
    return z ^ (z >> 31);
  }
};
Machine the_machine;  // no local static: asked for at every switch of fibers
Machine& machine() { return the_machine; }

#if CREMA_ASAN
struct HostStack {
  const void* bottom = nullptr;
  std::size_t size = 0;
} host;
#endif

void to_scheduler(bool for_ever) {
  Machine& m = machine();
  Fiber& f = m.fibers[m.current];
#if CREMA_ASAN
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(for_ever ? nullptr : &fake, host.bottom, host.size);
#endif
  change(f.context, m.scheduler);
#if CREMA_ASAN
  __sanitizer_finish_switch_fiber(fake, &host.bottom, &host.size);
#else
  (void)for_ever;
#endif
}

// From a fiber, whose stack is left as it is: nothing on it may own memory.
void fail(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(machine().failure, sizeof(machine().failure), format, arguments);
  va_end(arguments);
  to_scheduler(true);
  std::abort();
}

void entry() {
  Machine& m = machine();
#if CREMA_ASAN
  __sanitizer_finish_switch_fiber(nullptr, &host.bottom, &host.size);
#endif
  m.kernel->call(m.kernel->function, m.arguments);
  if (!m.copies[m.current].waiting.empty()) fail("kernel %s ends before copies have come that it has begun", m.kernel->name);
  m.fibers[m.current].state = State::kDone;
  to_scheduler(true);
  std::abort();  // never resumed
}

const char* base_name(const char* file) {
  const char* const slash = std::strrchr(file, '/');
  return slash == nullptr ? file : slash + 1;
}
std::string place(const char* file, int line) { return std::string(base_name(file)) + ":" + std::to_string(line); }

bool same(const char* file, int line, const char* other_file, int other_line) {
  return line == other_line && (file == other_file || std::strcmp(file, other_file) == 0);
}

// Runs fiber t until it waits or is done.
void resume(int t) {
  Machine& m = machine();
  m.current = t;
  here.thread = {static_cast<unsigned>(t), 0, 0};
#if CREMA_ASAN
  void* fake = nullptr;
  __sanitizer_start_switch_fiber(&fake, m.stacks[t].get(), kStack);
#endif
  change(m.scheduler, m.fibers[t].context);
#if CREMA_ASAN
  __sanitizer_finish_switch_fiber(fake, nullptr, nullptr);
#endif
}

int next_ready() {
  Machine& m = machine();
  if (m.seed > 1) std::swap(m.ready[m.draw() % m.ready.size()], m.ready.back());
  const int t = m.ready.back();
  m.ready.pop_back();
  return t;
}

void make_ready(int count, int first) {
  Machine& m = machine();
  for (int i = 0; i < count; ++i) m.ready.push_back(m.seed == 1 ? first + i : first + count - 1 - i);
}

std::string stuck() {
  Machine& m = machine();
  std::string text = std::string("kernel ") + m.kernel->name + " is stuck: ";
  for (int t = 0; t < m.threads; ++t) {
    const Fiber& f = m.fibers[t];
    if (f.state == State::kDone) continue;
    text += "thread " + std::to_string(t) + (f.state == State::kBarrier ? " waits at the barrier of " : " waits for its warp at ") +
            place(f.file, f.line) + "; ";
    if (text.size() > 400) break;
  }
  return text + std::to_string(m.threads - m.live) + " of " + std::to_string(m.threads) + " threads have left";
}

std::string release_barrier() {
  Machine& m = machine();
  int first = -1;
  for (int t = 0; t < m.threads; ++t) {
    const Fiber& f = m.fibers[t];
    if (f.state == State::kDone) continue;
    if (f.state != State::kBarrier) return stuck();
    if (first < 0) first = t;
    if (!same(f.file, f.line, m.fibers[first].file, m.fibers[first].line)) {
      return std::string("kernel ") + m.kernel->name + ": threads meet at different barriers, " +
             place(f.file, f.line) + " and " + place(m.fibers[first].file, m.fibers[first].line);
    }
  }
  for (int t = 0; t < m.threads; ++t) {
    const int u = m.seed == 1 ? t : m.threads - 1 - t;
    if (m.fibers[u].state != State::kBarrier) continue;
    m.fibers[u].state = State::kReady;
    m.ready.push_back(u);
  }
  return "";
}

void protect(char* memory, std::size_t bytes, std::size_t whole) {
#if CREMA_ASAN
  __asan_poison_memory_region(memory, kRedZone);
  __asan_poison_memory_region(memory + kRedZone + bytes, whole - kRedZone - bytes);
#else
  (void)memory;
  (void)bytes;
  (void)whole;
#endif
}
void unprotect(char* memory, std::size_t whole) {
#if CREMA_ASAN
  __asan_unpoison_memory_region(memory, whole);
#else
  (void)memory;
  (void)whole;
#endif
}

char* red_zoned(std::size_t bytes, std::unique_ptr<char[]>& memory) {
  const std::size_t whole = (bytes + 15) / 16 * 16 + 2 * kRedZone;
  memory.reset(new char[whole]);
  protect(memory.get(), bytes, whole);
  return memory.get() + kRedZone;
}
void free_red_zoned(std::size_t bytes, std::unique_ptr<char[]>& memory) {
  if (memory) unprotect(memory.get(), (bytes + 15) / 16 * 16 + 2 * kRedZone);
  memory.reset();
}

std::string run_block(int shared_bytes) {
  Machine& m = machine();
  for (SharedArray& s : m.shared) s.used = false;
  char* const dynamic = shared_bytes > 0 ? red_zoned(shared_bytes, m.dynamic) : nullptr;
  if (dynamic != nullptr) std::memset(dynamic, 0xFF, shared_bytes);
  m.ready.clear();
  for (int t = 0; t < m.threads; ++t) {
#if CREMA_ASAN
    // A fiber that came to its end has left nothing below the frames that switch; one that failed, anything.
    const std::size_t left = m.fibers[t].state == State::kDone ? kSwitchFrames : kStack;
    __asan_unpoison_memory_region(m.stacks[t].get() + kStack - left, left);
#endif
    m.fibers[t].state = State::kReady;
    begin(m.fibers[t].context, m.stacks[t].get(), entry);
  }
  for (auto& w : m.warps) w.clear();
  for (Copies& c : m.copies) c = Copies();
  make_ready(m.threads, 0);
  m.live = m.threads;
  while (m.live > 0 && m.error.empty()) {
    if (m.ready.empty()) {
      const std::string wrong = release_barrier();
      if (!wrong.empty()) {
        m.error = wrong;
        break;
      }
    }
    const int t = next_ready();
    resume(t);
    if (m.fibers[t].state == State::kDone) --m.live;
    if (m.failure[0] != 0) m.error = m.failure;
  }
  free_red_zoned(shared_bytes, m.dynamic);
  return m.error;
}

std::vector<Kernel>& kernels() {
  static std::vector<Kernel> all;
  return all;
}

}  // namespace

void add(const Kernel& kernel) { kernels().push_back(kernel); }
const Kernel* find(const char* name) {
  for (const Kernel& k : kernels()) {
    if (std::strcmp(k.name, name) == 0) return &k;
  }
  return nullptr;
}
int count() { return static_cast<int>(kernels().size()); }
const Kernel& at(int i) { return kernels()[i]; }

int lane() { return machine().current % kWarp; }

void barrier(const char* file, int line) {
  Fiber& f = machine().fibers[machine().current];
  f.state = State::kBarrier;
  f.file = file;
  f.line = line;
  to_scheduler(false);
}

std::uint64_t collective(Collective kind, unsigned mask, std::uint64_t value, int source, const char* file, int line) {
  Machine& m = machine();
  const int t = m.current, own = t % kWarp, first = t - own;
  Fiber& f = m.fibers[t];
  f.deposit = value;
  f.source = source;
  f.file = file;
  f.line = line;
  if ((mask >> own & 1) == 0) fail("lane %d is not in its own mask at %s:%d", own, base_name(file), line);
  auto& groups = m.warps[t / kWarp];
  std::size_t g = 0;
  while (g < groups.size() && groups[g].mask != mask) ++g;
  if (g == groups.size()) groups.push_back({kind, mask, 0, file, line});
  if (groups[g].kind != kind || !same(file, line, groups[g].file, groups[g].line)) {
    fail("lanes of a warp meet at different places, %s:%d and %s:%d", base_name(file), line, base_name(groups[g].file),
         groups[g].line);
  }
  groups[g].arrived |= 1u << own;
  if (groups[g].arrived != mask) {
    f.state = State::kWarp;
    to_scheduler(false);
    return f.result;
  }
  groups.erase(groups.begin() + static_cast<long>(g));
  if (kind == Collective::kExchange) {
    for (int i = 0; i < kWarp; ++i) m.exchanged[first + i] = reinterpret_cast<const void*>(m.fibers[first + i].deposit);
  }
  std::uint64_t ballot = 0;
  for (int i = 0; i < kWarp; ++i) {
    if ((mask >> i & 1) != 0 && m.fibers[first + i].deposit != 0) ballot |= 1ull << i;
  }
  for (int i = 0; i < kWarp; ++i) {
    const int l = m.seed == 1 ? i : kWarp - 1 - i;
    if ((mask >> l & 1) == 0) continue;
    Fiber& other = m.fibers[first + l];
    if (kind == Collective::kShuffle && (other.source < 0 || other.source >= kWarp || (mask >> other.source & 1) == 0)) {
      fail("lane %d reads lane %d, which is not in the mask, at %s:%d", l, other.source, base_name(file), line);
    }
    other.result = kind == Collective::kShuffle ? m.fibers[first + other.source].deposit : ballot;
    if (l == own) continue;
    other.state = State::kReady;
    m.ready.push_back(first + l);
  }
  return f.result;
}

const void* const* exchange(const void* mine, const char* file, int line) {
  collective(Collective::kExchange, ~0u, reinterpret_cast<std::uint64_t>(mine), 0, file, line);
  return machine().exchanged + machine().current / kWarp * kWarp;
}

namespace {
void make(const Copy& c) {
  std::memcpy(c.to, c.from, static_cast<std::size_t>(c.there));
  std::memset(static_cast<char*>(c.to) + c.there, 0, static_cast<std::size_t>(c.bytes - c.there));
}
}  // namespace

void copy_later(void* to, const void* from, int bytes, int there) {
  Machine& m = machine();
  for (const void* p : {static_cast<const void*>(to), from}) {
    if (reinterpret_cast<std::uintptr_t>(p) % static_cast<unsigned>(bytes) != 0) {
      fail("kernel %s copies %d bytes from or to %p", m.kernel->name, bytes, p);
    }
  }
  Copies& c = m.copies[m.current];
  const Copy copy = {to, from, bytes, there, c.groups};
  if (m.seed == 0 || (m.seed > 1 && m.draw() % 2 == 0)) {
    make(copy);
  } else {
    c.waiting.push_back(copy);
  }
}

void end_group() { ++machine().copies[machine().current].groups; }

void wait_for_all_but(int groups) {
  Copies& c = machine().copies[machine().current];
  std::size_t done = 0;
  while (done < c.waiting.size() && c.waiting[done].group < c.groups - groups) make(c.waiting[done++]);
  c.waiting.erase(c.waiting.begin(), c.waiting.begin() + static_cast<long>(done));
}

void* shared_memory(const void* key, std::size_t bytes, std::size_t) {
  for (SharedArray& s : machine().shared) {
    if (s.key != key) continue;
    if (!s.used) std::memset(s.data, 0xFF, s.bytes);
    s.used = true;
    return s.data;
  }
  SharedArray s{key, nullptr, nullptr, bytes, true};
  s.data = red_zoned(bytes, s.memory);
  std::memset(s.data, 0xFF, bytes);
  machine().shared.push_back(std::move(s));
  return machine().shared.back().data;
}

void* dynamic_shared_memory() {
  Machine& m = machine();
  if (!m.dynamic) fail("kernel %s was launched without the shared memory that it uses", m.kernel->name);
  return m.dynamic.get() + kRedZone;
}

std::string launch(const char* name, dim3 grid, int threads, int shared_bytes, void** arguments, std::uint64_t seed) {
  Machine& m = machine();
  const std::lock_guard<std::mutex> lock(m.one);
  const Kernel* const kernel = find(name);
  if (kernel == nullptr) return std::string("there is no kernel ") + name;
  if (threads < 1 || threads > kernel->most_threads || threads % kWarp != 0) {
    return std::string("kernel ") + name + " takes whole warps, " + std::to_string(kernel->most_threads) +
           " threads a block at most; it was launched with " + std::to_string(threads);
  }
  if (grid.x < 1 || grid.y < 1 || grid.z < 1 || grid.x > 0x7fffffffu || grid.y > 65535 || grid.z > 65535) {
    return std::string("kernel ") + name + " was launched with a grid that CUDA does not take: " + std::to_string(grid.x) +
           " x " + std::to_string(grid.y) + " x " + std::to_string(grid.z);
  }
  if (shared_bytes < 0 || shared_bytes > 99 << 10) {
    return std::string("kernel ") + name + " was launched with " + std::to_string(shared_bytes) +
           " bytes of shared memory; a block may ask for 99 KB on every card since 8.0";
  }
  while (static_cast<int>(m.stacks.size()) < threads) {
    m.stacks.emplace_back(static_cast<char*>(std::aligned_alloc(64, kStack)), &std::free);
  }
  m.fibers.resize(kMostThreads);
  m.warps.resize(kMostThreads / kWarp);
  m.copies.resize(kMostThreads);
  m.threads = threads;
  m.seed = m.random = seed;
  m.kernel = kernel;
  m.arguments = arguments;
  m.error.clear();
  m.failure[0] = 0;
  for (SharedArray& s : m.shared) free_red_zoned(s.bytes, s.memory);  // of a launch that failed
  m.shared.clear();
  here.threads = {static_cast<unsigned>(threads), 1, 1};
  here.blocks = grid;
  const std::uint64_t blocks = static_cast<std::uint64_t>(grid.x) * grid.y * grid.z;
  const std::uint64_t start = seed > 1 ? m.draw() % blocks : 0;
  for (std::uint64_t i = 0; i < blocks; ++i) {
    const std::uint64_t b = seed == 1 ? blocks - 1 - i : (i + start) % blocks;
    here.block = {static_cast<unsigned>(b % grid.x), static_cast<unsigned>(b / grid.x % grid.y),
                  static_cast<unsigned>(b / grid.x / grid.y)};
    std::string wrong = run_block(shared_bytes);
    if (!wrong.empty()) return wrong;
  }
  return "";
}

}  // namespace crema_emulation
