// int8_product.cpp: the product of bytes in tiles of registers over packed weights; x is packed too where a tile has
// more rows than a processor has pointers. Few rows: several sums an element hide the latency of an addition.
#include "../gemm_pack.h"
#include "../int8_amx.h"
#include "../int8_tile.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kBlockBytes = 384 << 10;               // of packed x: it stays in the L2 cache beside a panel
constexpr int64_t kAhead = 32;                           // steps between what is fetched and what is read
constexpr int64_t kGrain = 250000;                       // of float32's multiply-adds, worth handing over: 3 to 5 µs

template <int Rows, int Vectors>
CREMA_INLINE void end(const Int8Tile& t, const veci (&sum)[Rows][Vectors]) {
  if (t.row_scale != nullptr) {
    finish_rows<Rows, Vectors>(t, sum);
  } else {
    finish<Rows, Vectors>(t, sum);
  }
}

template <int Rows, int Vectors>
void packed_tile(const Int8Tile& t) {
  veci sum[Rows][Vectors] = {};
  const uint8_t* x = t.x;
  const int32_t* weights = t.weights;
  const int64_t steps = int8_steps(t.k);
  for (int64_t p = 0; p < steps; ++p) {
    step<Rows, Vectors>(sum, [&](int r) CREMA_LAMBDA { return spread_left(x + kSpread * kGroup * r); }, weights);
    for (int v = 0; v < Vectors; ++v) __builtin_prefetch(weights + kAhead * Vectors * W + v * W);
    x += kSpread * kGroup * Rows;
    weights += Vectors * W;
  }
  end<Rows, Vectors>(t, sum);
}

template <int Rows, int Vectors, int Chains>
void direct_tile(const Int8Tile& t) {
  veci sum[Chains][Rows][Vectors] = {};
  const uint8_t* x = t.x;
  const int32_t* weights = t.weights;
  const int64_t whole = t.k / kGroup;
  const auto at = [&](int c) CREMA_LAMBDA {
    step<Rows, Vectors>(sum[c], [&](int r) CREMA_LAMBDA { return left(group(x + r * t.ldx)); }, weights);
    for (int v = 0; v < Vectors; ++v) __builtin_prefetch(weights + kAhead * Vectors * W + v * W);
    x += kGroup;
    weights += Vectors * W;
  };
  int64_t p = 0;
  for (; p + Chains <= whole; p += Chains) {
#pragma GCC unroll 8
    for (int c = 0; c < Chains; ++c) at(c);
  }
  for (; p < whole; ++p) at(0);
  if (t.k % kGroup != 0) {
    int32_t groups[Rows] = {};
    for (int r = 0; r < Rows; ++r) std::memcpy(&groups[r], x + r * t.ldx, static_cast<size_t>(t.k % kGroup));
    step<Rows, Vectors>(sum[0], [&](int r) CREMA_LAMBDA { return left(groups[r]); }, weights);
  }
  for (int c = 1; c < Chains; ++c) {
#pragma GCC unroll 16
    for (int r = 0; r < Rows; ++r) {
      for (int v = 0; v < Vectors; ++v) sum[0][r][v] += sum[c][r][v];
    }
  }
  end<Rows, Vectors>(t, sum[0]);
}

using TileFunction = void (*)(const Int8Tile&);

template <int Rows, int Vectors>
TileFunction packed_function(int64_t rows) {
  if (rows == Rows) return packed_tile<Rows, Vectors>;
  if constexpr (Rows > 1) return packed_function<Rows - 1, Vectors>(rows);
  return nullptr;
}

template <int Rows, int Vectors>
TileFunction direct_function(int64_t rows) {
  constexpr int many = Rows >= 7 ? 1 : Rows >= 4 ? 2 : 4, few = Rows >= 4 ? 1 : Rows >= 2 ? 2 : 4;  // registers
  constexpr int chains = kInt8Rows < 6 ? 1 : kInt8Rows < 8 ? few : many;
  if (rows == Rows) return direct_tile<Rows, Vectors, chains>;
  if constexpr (Rows > 1) return direct_function<Rows - 1, Vectors>(rows);
  return nullptr;
}

TileFunction function(bool direct, int64_t rows, int64_t columns) {
  if (direct) return columns > W ? direct_function<kDirectRows, 2>(rows) : direct_function<kDirectRows, 1>(rows);
  return columns > W ? packed_function<kInt8Rows, 2>(rows) : packed_function<kInt8Rows, 1>(rows);
}

// Rows of x as packed_tile reads them; what is behind the last byte is 0. Writes up to W groups more.
void pack_x(const uint8_t* x, int64_t ldx, int64_t rows, int64_t k, uint8_t* packed) {
  const int64_t whole = k / kGroup, step = kSpread * kGroup * rows;
  int64_t done = 0;
  if (W > 1 && rows <= W) {
    for (; done + W <= whole; done += W) {
      vec v[W];
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) {
        v[i] = vec{};
        if (i < rows) std::memcpy(&v[i], x + i * ldx + kGroup * done, sizeof(vec));
      }
      transpose(v);
#pragma GCC unroll 16
      for (int i = 0; i < W; ++i) {
        uint8_t groups[sizeof(vec)];
        std::memcpy(groups, &v[i], sizeof(vec));
        spread(groups, sizeof(vec), packed + (done + i) * step);
      }
    }
  }
  for (int64_t r = 0; r < rows; ++r, x += ldx) {
    uint8_t* y = packed + done * step + kSpread * kGroup * r;
    for (int64_t p = done; p < whole; ++p, y += step) spread(x + kGroup * p, kGroup, y);
    if (k > kGroup * whole) {
      std::memset(y, 0, kSpread * kGroup);
      spread(x + kGroup * whole, k - kGroup * whole, y);
    }
  }
}

int64_t tiles_of(int64_t m) { return (m + kInt8Rows - 1) / kInt8Rows; }

int64_t block_tiles(int64_t tiles, int64_t k) {
  const int64_t fit = kBlockBytes / (kSpread * kInt8Rows * kGroup * int8_steps(k < 1 ? 1 : k));
  return fit < 1 ? 1 : fit < tiles ? fit : tiles;
}

int64_t packed_bytes(int64_t m, int64_t k) {
  if (m <= kDirectRows) return 0;
  return (kSpread * kGroup * (block_tiles(tiles_of(m), k) * kInt8Rows * int8_steps(k) + W) + 63) / 64 * 64;
}

Int8Tile tile_of(const Int8Product& g) {
  Int8Tile t;
  t.k = g.k;
  t.ldx = g.ldx;
  t.ldy = g.ldy;
  t.zero_point = g.zero_point;
  t.relu = g.relu;
  return t;
}

// The outputs of rows from `row` on and that panel, and what belongs to the rows.
CREMA_INLINE void set_rows(Int8Tile& t, const Int8Product& g, int64_t row, int64_t j) {
  if (g.row_scale != nullptr) {
    t.row_scale = g.row_scale + row;
    t.row_zero = g.row_zero + row;
  }
  if (g.y != nullptr) t.y = g.y + row * g.ldy + j;
  if (g.q != nullptr) t.q = g.q + row * g.ldy + j;
}

void product(const Int8Product& g, char* scratch) {
  const bool direct = g.m <= kDirectRows;
  const int64_t tiles = direct ? 1 : tiles_of(g.m), block = direct ? 1 : block_tiles(tiles, g.k);
  const int64_t steps = int8_steps(g.k);
  const auto row_of = [&](int64_t tile) { return g.m * tile / tiles; };
  uint8_t* const packed = reinterpret_cast<uint8_t*>(scratch);
  Int8Tile t = tile_of(g);
  for (int64_t from = 0; from < tiles; from += block) {
    const int64_t to = from + block < tiles ? from + block : tiles;
    const auto place = [&](int64_t i) { return packed + (row_of(i) - row_of(from)) * kSpread * kGroup * steps; };
    for (int64_t i = from; !direct && i < to; ++i) {
      pack_x(g.x + row_of(i) * g.ldx, g.ldx, row_of(i + 1) - row_of(i), g.k, place(i));
    }
    for (int64_t j = 0; j < g.n; j += kPanel) {
      set_panel(t, g, steps, j);
      for (int64_t i = from; i < to; ++i) {
        const int64_t row = row_of(i);
        t.x = direct ? g.x : place(i);
        set_rows(t, g, row, j);
        function(direct, row_of(i + 1) - row, t.columns)(t);
      }
    }
  }
}

#if defined(__AMX_INT8__)
void tiles_product(const Int8Product& g) {
  const int64_t steps = int8_steps(g.k), near = int8_near_columns(g.k);
  Int8Amx amx(g.k);
  Int8Tile t = tile_of(g);
  for (int64_t from = 0; from < g.n; from += near) {
    const int64_t to = from + near < g.n ? from + near : g.n;
    for (int64_t i = 0; i < g.m; i += kAmxBlockRows) {
      amx.rows(g.x + i * g.ldx, g.ldx, g.m - i < kAmxBlockRows ? g.m - i : kAmxBlockRows);
      for (int64_t j = from; j < to; j += kPanel) {
        set_panel(t, g, steps, j);
        set_rows(t, g, i, j);
        amx.block(t);
      }
    }
  }
}
#else
void tiles_product(const Int8Product&) {}
#endif

}  // namespace

int64_t int8_scratch(int64_t m, int64_t n, int64_t k, int32_t threads) {
  return int8_in_tiles(m, n, k) ? 0 : threads * packed_bytes(m, k);
}

// Each thread takes a range of rows or of columns.
void int8_product(const Int8Product& g, char* scratch, int32_t threads) {
  if (g.m <= 0 || g.n <= 0) return;
  const bool amx = int8_in_tiles(g.m, g.n, g.k);
  const int64_t unit_rows = amx ? kAmxBlockRows : kInt8Rows, row_units = (g.m + unit_rows - 1) / unit_rows;
  const int64_t panels = (g.n + kPanel - 1) / kPanel, bytes = packed_bytes(g.m, g.k);
  const bool rows = g.m > kDirectRows && row_units >= panels;
  const int64_t unit = rows ? unit_rows : kPanel, work = unit * (rows ? g.n : g.m) * (g.k < 1 ? 1 : g.k);
  parallel(threads, rows ? row_units : panels, (kGrain * (amx ? kAmxFaster : kInt8Faster) + work - 1) / work,
           [&](int64_t begin, int64_t end, int64_t chunk) {
             Int8Product part = g;
             const int64_t from = begin * unit;
             if (rows) {
               part.m = (end * unit < g.m ? end * unit : g.m) - from;
               part.x += from * g.ldx;
               if (g.row_scale != nullptr) {
                 part.row_scale += from;
                 part.row_zero += from;
               }
             } else {
               part.n = (end * unit < g.n ? end * unit : g.n) - from;
               part.weights += from * int8_steps(g.k);
               part.offset += from;
               part.scale += from;
               if (g.bias != nullptr) part.bias += from;
             }
             const int64_t at = rows ? from * g.ldy : from;
             if (g.y != nullptr) part.y += at;
             if (g.q != nullptr) part.q += at;
             amx ? tiles_product(part) : product(part, scratch + chunk * bytes);
           });
}

void pack_int8(const int8_t* w, int64_t n, int64_t k, int32_t* packed, int32_t* columns) {
  const int64_t steps = int8_steps(k);
  int8_t* const bytes = reinterpret_cast<int8_t*>(packed);
  for (int64_t j = 0; j < n; j += kPanel) {
    const int64_t width = (((n - j < kPanel ? n - j : kPanel) + W - 1) / W) * W;
    for (int64_t c = 0; c < width; ++c) {
      int32_t sum = 0;
      for (int64_t p = 0; p < steps; ++p) {
        int8_t* const to = bytes + kGroup * (j * steps + p * width + c / W * W);
        for (int64_t i = 0; i < kGroup; ++i) {
          const int64_t row = kGroup * p + i;
          const int8_t value = row < k && j + c < n ? w[row * n + j + c] : 0;
          sum += value;
          to[place(c % W, i)] = value;
        }
      }
      if (j + c < n) columns[j + c] = sum;
    }
  }
}

}  // namespace CREMA_ISA
}  // namespace crema
