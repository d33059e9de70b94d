// registry.cpp: names to numbers to functions, for kernels and for element-wise operations.
#include "registry.h"

#include <array>
#include <cstring>
#include <vector>

#include "isa.h"

namespace crema {
namespace {

template <typename Entry>
struct Table {
  std::vector<const char*> names;
  std::vector<std::array<Entry, kLevels>> entries;

  int32_t find(const char* name) const {
    for (size_t i = 0; i < names.size(); ++i) {
      if (std::strcmp(names[i], name) == 0) return static_cast<int32_t>(i);
    }
    return -1;
  }

  Entry& at(int level, const char* name) {
    int32_t i = find(name);
    if (i < 0) {
      i = static_cast<int32_t>(names.size());
      names.push_back(name);
      entries.emplace_back();
    }
    return entries[static_cast<size_t>(i)][static_cast<size_t>(level)];
  }

  template <typename Present>
  Entry best(int level, int32_t number, Present present) const {
    if (number < 0 || number >= static_cast<int32_t>(names.size())) return Entry{};
    for (int l = level; l >= 0; l = isa_below(l)) {
      const Entry& entry = entries[static_cast<size_t>(number)][static_cast<size_t>(l)];
      if (present(entry)) return entry;
    }
    return Entry{};
  }
};

// Functions, not globals: registrations in other files run before this file's globals would exist. Never
// destroyed: a JVM may exit while daemon threads still predict.
Table<KernelEntry>& kernels() {
  static auto* const table = new Table<KernelEntry>();
  return *table;
}

Table<ElementwiseEntry>& elementwise() {
  static auto* const table = new Table<ElementwiseEntry>();
  return *table;
}

}  // namespace

void Call::fail(const char* format, ...) const {
  if (error[0] != 0) return;
  va_list arguments;
  va_start(arguments, format);
  std::vsnprintf(error, 256, format, arguments);
  va_end(arguments);
}

Registration::Registration(int level, const char* name, Kernel kernel, Scratch scratch) {
  kernels().at(level, name) = KernelEntry{kernel, scratch};
}

ElementwiseRegistration::ElementwiseRegistration(int level, const char* name, int arity,
                                                 Elementwise function) {
  elementwise().at(level, name) = ElementwiseEntry{function, arity};
}

int32_t kernel_count() { return static_cast<int32_t>(kernels().names.size()); }

KernelEntry kernel_entry(int level, int32_t kernel) {
  return kernels().best(level, kernel, [](const KernelEntry& e) { return e.kernel != nullptr; });
}

ElementwiseEntry elementwise_entry(int level, int32_t operation) {
  return elementwise().best(level, operation,
                            [](const ElementwiseEntry& e) { return e.function != nullptr; });
}

}  // namespace crema

extern "C" int32_t crema_kernel(const char* name) { return crema::kernels().find(name); }

extern "C" int32_t crema_elementwise(const char* name) { return crema::elementwise().find(name); }
