// gemm_paths.h: the ways in which a product is computed, shared by the files gemm*.cpp. A path fixes the
// order of every sum; it is chosen from the sizes of the whole product, before threads share it, so
// that the thread count cannot change a bit.
#pragma once

#include "amx.h"
#include "gemm.h"

namespace crema {
namespace CREMA_ISA {

enum class Path {
  kBlocked,     // tiles of registers over packed or unpacked blocks
  kDeep,        // the same without a cut through k: few rows and packed weights
  kVector,      // few rows: B is read once, in the order in which it lies in memory
  kVectorNear,  // the same where B is small enough for the L2 cache
  kColumn,      // one column: as kVector, with A and B in each other's places
  kColumnNear
};

constexpr int64_t kVectorRows = 4;  // most rows of kVector
// Steps of k between two visits to C, and tiles of rows of A in the L2 cache meanwhile, beside a panel of B.
#if defined(__AVX512F__)
// 401 KB and 131 KB of 1 MB or more. On Zen 5, both in turns in one run, squares of 512 to 2048 take 2 to 6 % less than
// with 352 steps and 20 tiles, packed weights 4 %, 256x1024x1024 1 %.
constexpr int64_t kDepth = 1024;
constexpr int64_t kBlockTiles = 7;
#else
constexpr int64_t kDepth = 352;
constexpr int64_t kBlockTiles = 20;
#endif
constexpr int64_t kBlockPanels = 32;  // of B between two passes over A: up to 4 MB of the L3 cache
constexpr int64_t kStepsAhead = 96;   // of packed weights from memory, between what is fetched and what is read

Path path_of(const Gemm& g);
void gemm_on(Path path, const Gemm& g, char* scratch);

int64_t vector_scratch_floats(int64_t m, int64_t n, int64_t k);
bool is_near(const Gemm& g);
void vector_product(const Gemm& g, bool near, float* scratch);
void column_product(const Gemm& g, bool near, float* scratch);
void bf16_product(const Gemm& g, bool deep, float* scratch);
// Products of bfloat16 by AMX: how many blocks are packed at once, of how many floats at most; floats of packed panels of
// B that are kept for the next ones.
#if defined(__AMX_BF16__)
constexpr bool kBf16Tiles = true;
#else
constexpr bool kBf16Tiles = false;
#endif
constexpr int64_t kAmxBlocks = 8;
constexpr int64_t kAmxBlockFloats = 1 << 19;
constexpr int64_t kAmxPanelFloats = 1 << 21;
int64_t bf16_tiles_floats(int64_t m, int64_t n, int64_t k);

inline int64_t round_up_to(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }

}  // namespace CREMA_ISA
}  // namespace crema
