// nvrtc_test.cpp: that NVRTC compiles every family of kernels, as the engine does where a jar has no fat binary for a card: the source as a
// string, its headers by name, nothing of the host. No card and no driver is needed, but NVIDIA's libnvrtc.so.13: looked for where
// CREMA_CUDA_PATH says (also as pip unpacks its wheel), where the loader looks, and in CUDA's usual folders. Without it the test is skipped
// and says so.
//
//   nvrtc_test FOLDER_OF_KERNELS [family ...]
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <vector>

namespace {

namespace fs = std::filesystem;
constexpr int kSkipped = 77;
constexpr char kLibrary[] = "libnvrtc.so.13";

typedef struct Program* Handle;

// NVRTC's functions, by their names.
struct Nvrtc {
  void* library = nullptr;
  int (*version)(int*, int*);
  int (*create)(Handle*, const char*, const char*, int, const char* const*, const char* const*);
  int (*compile)(Handle, int, const char* const*);
  int (*destroy)(Handle*);
  int (*log_size)(Handle, std::size_t*);
  int (*log)(Handle, char*);
  int (*ptx_size)(Handle, std::size_t*);

  template <typename F>
  void bind(const char* name, F& function) {
    function = reinterpret_cast<F>(dlsym(library, name));
    if (function != nullptr) return;
    std::printf("%s has no %s\n", kLibrary, name);
    std::exit(1);
  }
  void bind_all() {
    bind("nvrtcVersion", version);
    bind("nvrtcCreateProgram", create);
    bind("nvrtcCompileProgram", compile);
    bind("nvrtcDestroyProgram", destroy);
    bind("nvrtcGetProgramLogSize", log_size);
    bind("nvrtcGetProgramLog", log);
    bind("nvrtcGetPTXSize", ptx_size);
  }
};

std::vector<fs::path> folders() {
  std::vector<fs::path> all;
  for (const char* variable : {"CREMA_CUDA_PATH", "CUDA_HOME", "CUDA_PATH"}) {
    const char* const value = std::getenv(variable);
    std::istringstream list(value == nullptr ? "" : value);
    for (std::string one; std::getline(list, one, ':');) {
      const fs::path folder = one;
      all.insert(all.end(), {folder, folder / "lib64", folder / "lib"});
      std::error_code none;
      for (const auto& part : fs::directory_iterator(folder / "nvidia", none)) all.push_back(part.path() / "lib");
    }
  }
  all.insert(all.end(), {"/usr/local/cuda/lib64", "/usr/lib/x86_64-linux-gnu"});
  return all;
}

// NVRTC opens its builtins by their name alone: unless they are on the loader's path, they must be open before.
void open_builtins(const fs::path& folder) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    if (entry.path().filename().string().rfind("libnvrtc-builtins.so.13", 0) == 0) dlopen(entry.path().c_str(), RTLD_NOW);
  }
}

void* open_library() {
  void* library = dlopen(kLibrary, RTLD_NOW);
  for (const fs::path& folder : folders()) {
    if (library != nullptr) break;
    library = dlopen((folder / kLibrary).c_str(), RTLD_NOW);
    if (library != nullptr) open_builtins(folder);
  }
  return library;
}

std::string text_of(const fs::path& file) {
  std::ifstream in(file);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

bool compiles(const Nvrtc& nvrtc, const fs::path& file, const std::vector<std::string>& names, const std::vector<std::string>& headers) {
  std::vector<const char*> n, h;
  for (std::size_t i = 0; i < names.size(); ++i) {
    n.push_back(names[i].c_str());
    h.push_back(headers[i].c_str());
  }
  const auto begin = std::chrono::steady_clock::now();
  Handle program = nullptr;
  const std::string source = text_of(file);
  const std::string name = file.filename().string();
  if (source.empty() || nvrtc.create(&program, source.c_str(), name.c_str(), static_cast<int>(n.size()), h.data(), n.data()) != 0) {
    std::printf("%s cannot be read, or NVRTC takes no program\n", name.c_str());
    return false;
  }
  // KernelCompiler's, but to PTX: from there on it is nvcc's way.
  const char* const options[] = {"--gpu-architecture=compute_90", "--std=c++17", "--device-as-default-execution-space"};
  const int status = nvrtc.compile(program, 3, options);
  std::size_t size = 0, ptx = 0;
  nvrtc.log_size(program, &size);
  std::string log(size, '\0');
  if (size > 1) nvrtc.log(program, log.data());
  if (status == 0) nvrtc.ptx_size(program, &ptx);
  nvrtc.destroy(&program);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const bool silent = log.find("warning") == std::string::npos;
  std::printf("%-24s %6.2f s %9zu bytes of PTX\n", name.c_str(), seconds, ptx);
  if (status != 0 || !silent) std::printf("status %d\n%s\n", status, log.c_str());
  return status == 0 && silent && ptx > 1;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 2) {
    std::printf("nvrtc_test FOLDER_OF_KERNELS [family ...]\n");
    return 1;
  }
  Nvrtc nvrtc;
  nvrtc.library = open_library();
  if (nvrtc.library == nullptr) {
    std::printf("Skipped: no %s (CUDA 13). Install it, or name its folder in CREMA_CUDA_PATH.\n", kLibrary);
    return kSkipped;
  }
  nvrtc.bind_all();
  int major = 0, minor = 0;
  nvrtc.version(&major, &minor);
  std::printf("NVRTC %d.%d\n", major, minor);
  std::vector<fs::path> families;
  std::vector<std::string> names, headers;
  for (const auto& entry : fs::directory_iterator(arguments[1])) {
    const fs::path& file = entry.path();
    if (file.extension() == ".cuh") {
      names.push_back(file.filename().string());
      headers.push_back(text_of(file));
    }
    const bool asked = count == 2 || std::any_of(arguments + 2, arguments + count, [&](const char* a) { return file.stem() == a; });
    if (file.extension() == ".cu" && asked) families.push_back(file);
  }
  std::sort(families.begin(), families.end());
  int failures = families.empty() ? 1 : 0;
  for (const fs::path& file : families) failures += compiles(nvrtc, file, names, headers) ? 0 : 1;
  std::printf("%zu families, %d do not compile\n", families.size(), failures);
  return failures == 0 ? 0 : 1;
}
