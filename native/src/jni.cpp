// jni.cpp: what JavaCPP's glue leaves to us. The glue's own JNI_OnLoad is renamed by the build: it would
// initialise JavaCPP's Loader and Pointer, which takes a quarter of a second and which no function here needs.
#include <jni.h>

#include <cstdint>
#include <cstring>
#include <string>

#include "../include/crema.h"
#include "blas.h"

extern "C" {

// The glue's renamed functions refer to these.
jint JNI_OnLoad_jnijavacpp(JavaVM*, void*) { return JNI_VERSION_1_6; }
void JNI_OnUnload_jnijavacpp(JavaVM*, void*) {}

JNIEXPORT jint JNICALL JNI_OnLoad(JavaVM*, void*) { return JNI_VERSION_1_6; }

JNIEXPORT jobject JNICALL Java_dev_crema_natives_Memory_view(JNIEnv* env, jclass, jlong address, jlong bytes) {
  return env->NewDirectByteBuffer(reinterpret_cast<void*>(static_cast<intptr_t>(address)), bytes);
}

JNIEXPORT jlong JNICALL Java_dev_crema_natives_Memory_address(JNIEnv* env, jclass, jobject buffer) {
  return static_cast<jlong>(reinterpret_cast<intptr_t>(env->GetDirectBufferAddress(buffer)));
}

JNIEXPORT jstring JNICALL Java_dev_crema_natives_NativeLibrary_forceIsa(JNIEnv* env, jclass, jstring name) {
  if (name == nullptr) return nullptr;
  const char* text = env->GetStringUTFChars(name, nullptr);
  if (text == nullptr) return nullptr;  // an OutOfMemoryError is pending
  std::string supported;
  bool done = false;
  for (int32_t level = 0; crema_isa_name(level) != nullptr; ++level) {
    if (crema_isa_supported(level) == 0) continue;
    if (std::strcmp(crema_isa_name(level), text) == 0) done = crema_isa_force(level) == CREMA_OK;
    supported += supported.empty() ? "" : ", ";
    supported += crema_isa_name(level);
  }
  env->ReleaseStringUTFChars(name, text);
  return done ? nullptr : env->NewStringUTF(supported.c_str());
}

JNIEXPORT void JNICALL Java_dev_crema_natives_NativeLibrary_setThreads(JNIEnv*, jclass, jint threads) {
  crema_set_threads(threads);
}

JNIEXPORT jstring JNICALL Java_dev_crema_natives_OpenBlas_core(JNIEnv* env, jclass) {
  return env->NewStringUTF(crema::blas_core());
}

JNIEXPORT void JNICALL Java_dev_crema_natives_OpenBlas_multiply(JNIEnv*, jclass, jint m, jint n, jint k, jlong a,
                                                                jlong b, jlong c) {
  const auto at = [](jlong address) { return reinterpret_cast<float*>(static_cast<intptr_t>(address)); };
  crema::blas_sgemm()(101, 111, 111, m, n, k, 1.0f, at(a), k, at(b), n, 0.0f, at(c), n);
}

}  // extern "C"
