// emulation_jni.cpp: the emulation for Java's tests: dev.crema.device.cuda.EmulatedKernels.
#include <jni.h>

#include "cuda_emulation.h"

namespace {

std::string text(JNIEnv* env, jstring s) {
  const char* const chars = env->GetStringUTFChars(s, nullptr);
  std::string copy(chars);
  env->ReleaseStringUTFChars(s, chars);
  return copy;
}

}  // namespace

// Runs a kernel; `arguments` is the address of an array of addresses of its arguments, as cuLaunchKernel takes it. Returns
// what is wrong, or null.
extern "C" JNIEXPORT jstring JNICALL Java_dev_crema_device_cuda_EmulatedKernels_launch(
    JNIEnv* env, jclass, jstring kernel, jint grid_x, jint grid_y, jint grid_z, jint threads, jint shared_bytes,
    jlong arguments, jlong seed) {
  const std::string name = text(env, kernel);
  const std::string wrong = crema_emulation::launch(
      name.c_str(), {static_cast<unsigned>(grid_x), static_cast<unsigned>(grid_y), static_cast<unsigned>(grid_z)}, threads,
      shared_bytes, reinterpret_cast<void**>(arguments), static_cast<std::uint64_t>(seed));
  return wrong.empty() ? nullptr : env->NewStringUTF(wrong.c_str());
}

// Of the i-th kernel "name letters sizes": a letter a parameter (p pointer, l int64, i int32, f float, d double, s a struct)
// and the bytes of each; null past the last.
extern "C" JNIEXPORT jstring JNICALL Java_dev_crema_device_cuda_EmulatedKernels_describe(JNIEnv* env, jclass, jint i) {
  if (i < 0 || i >= crema_emulation::count()) return nullptr;
  const crema_emulation::Kernel& kernel = crema_emulation::at(i);
  std::string line = std::string(kernel.name) + ' ' + kernel.signature;
  for (int p = 0; p < kernel.parameters; ++p) line += ' ' + std::to_string(kernel.sizes[p]);
  return env->NewStringUTF(line.c_str());
}
