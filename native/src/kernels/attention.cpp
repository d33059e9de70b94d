// attention.cpp: scaled dot-product attention (Vaswani et al. 2017) and its gradient. Of the scores [t, s] only blocks of
// kQueries x kKeys are ever stored, in scratch memory that stays in the L2 cache; the maximum and the sum of a row are
// carried from block to block (Rabe and Staats 2021; Dao et al. 2022). The gradient computes the scores again.
// A score beyond a query's own place (causal) is left out where whole blocks of them are; within a block its weight is 0,
// which a NaN or an infinity among the values does not survive.
//
// Against transposes, products and a softmax that store the scores: two cores of Zen 3, heads of 64 numbers beside each other, the time of
// those over this, both in turns in one run (others drift by a tenth):
//   t = s                       32    64    128   197   512   1024
//   forward                     1.15  1.23  1.19  1.17  1.27  1.27
//   forward and backward        0.96  1.11  0.94  0.95  1.14  0.95
//   causal, forward             1.15  1.17  1.52  1.76  2.18  2.74
//   causal, forward, backward   0.89  1.12  1.15  1.14  1.94  1.88
#include "../gemm.h"
#include "../rows.h"

namespace crema {
namespace CREMA_ISA {
namespace {

constexpr int64_t kQueries = 96;  // whole tiles of a product's rows: 16 on AVX2, 7 on AVX-512
constexpr int64_t kKeys = 256;    // most of a block, so that no product is cut in its depth
constexpr int64_t kColumns = 32;  // of which blocks of keys are multiples: whole tiles of columns everywhere
constexpr int64_t kGrain = 65536;  // multiply-adds worth waking another thread for

int64_t up_to(int64_t n, int64_t multiple) { return (n + multiple - 1) / multiple * multiple; }
int64_t most_of(int64_t a, int64_t b) { return a > b ? a : b; }
int64_t least_of(int64_t a, int64_t b) { return a < b ? a : b; }

// q [heads / inner, t, inner, d], k [.., s, inner, d], v [.., s, inner, e]: heads lie `inner` beside each other, 1 where each head's rows are
// one after the other. ints: causal, bfloat16, whether the last axis but one is of heads. floats: scale.
struct Sizes {
  int64_t heads = 1, inner, t, s, d, e, key_blocks, keys, row, query_blocks, queries;
  bool causal, bf16;
  float scale;

  explicit Sizes(const Call& c) {
    const Tensor &q = c.in[0], &v = c.in[2];
    const int rows = q.rank - (c.ints[2] != 0 ? 3 : 2);
    inner = c.ints[2] != 0 ? q.dim[q.rank - 2] : 1;
    for (int i = 0; i < rows; ++i) heads *= q.dim[i];
    heads *= inner;
    t = q.dim[rows];
    d = q.last();
    s = v.dim[rows];
    e = v.last();
    key_blocks = (s + kKeys - 1) / kKeys;
    keys = s == 0 ? 0 : up_to((s + key_blocks - 1) / key_blocks, kColumns);
    row = keys + 16;  // rows of scores a power of two apart would fall on few places of the caches
    query_blocks = (t + kQueries - 1) / kQueries;
    queries = least_of(t, kQueries);
    causal = c.ints[0] != 0;
    bf16 = c.ints[1] != 0;
    scale = static_cast<float>(c.floats[0]);
  }
  // Where a head's `rows` rows of n floats begin; they are inner * n apart.
  template <typename T>
  T* of_head(T* x, int64_t head, int64_t rows, int64_t n) const {
    return x + (head / inner * rows * inner + head % inner) * n;
  }
  int64_t first_key(int64_t block) const { return least_of(block * keys, s); }
  int64_t first_query(int64_t block) const { return t * block / query_blocks; }
  // Of the keys of a block, those that the queries before `end` see, in whole tiles.
  int64_t seen(int64_t block, int64_t end) const {
    const int64_t from = first_key(block), n = first_key(block + 1) - from;
    return causal ? least_of(n, up_to(most_of(end - from, 0), kColumns)) : n;
  }
  // Of the keys from `from`, `n` of them, those that one query sees.
  int64_t seen_by(int64_t query, int64_t from, int64_t n) const {
    return causal ? least_of(n, most_of(query + 1 - from, 0)) : n;
  }
};

// Floats one after the other, each part 64-byte aligned: counted first, then given out.
class Parts {
 public:
  explicit Parts(float* memory = nullptr) : memory_(memory) {}
  float* take(int64_t floats) {
    float* const part = memory_ == nullptr ? nullptr : memory_ + taken_;
    taken_ += up_to(floats, 16);
    return part;
  }
  int64_t taken() const { return taken_; }

 private:
  float* memory_;
  int64_t taken_ = 0;
};

int64_t gemm_floats(int64_t m, int64_t n, int64_t k) { return (gemm_scratch(m, n, k) + 3) / 4; }

// c [m, n] (+)= op(a) op(b).
Gemm product(const Sizes& z, int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, bool trans_a, const float* b,
             int64_t ldb, bool trans_b, float* c, int64_t ldc, bool accumulate) {
  Gemm g;
  g.m = m;
  g.n = n;
  g.k = k;
  g.a = a;
  g.lda = lda;
  g.trans_a = trans_a;
  g.b = b;
  g.ldb = ldb;
  g.trans_b = trans_b;
  g.bf16 = z.bf16;
  g.c = c;
  g.ldc = ldc;
  g.accumulate = accumulate;
  return g;
}

void scaled(const float* x, float by, float* y, int64_t n) {
  const vec s = broadcast(by);
  each(x, y, n, [=](vec v) CREMA_LAMBDA { return v * s; });
}

// The queries [begin, end) of a head, scaled, one after the other.
void scaled_queries(const Sizes& z, const float* q, int64_t begin, int64_t end, float* to) {
  if (z.inner == 1) return scaled(q + begin * z.d, z.scale, to, (end - begin) * z.d);
  for (int64_t i = begin; i < end; ++i) scaled(q + i * z.inner * z.d, z.scale, to + (i - begin) * z.d, z.d);
}

void zero_rows(float* x, int64_t rows, int64_t n, int64_t step) {
  for (int64_t i = 0; i < rows; ++i) std::memset(x + i * step, 0, static_cast<size_t>(n) * sizeof(float));
}

// --- Forward -------------------------------------------------------------------------------------------------------------

struct Forward {
  float *packed_keys, *packed_values, *scores, *q, *most, *sum, *kept, *rest;
  int64_t keys_step, values_step;

  Forward(const Sizes& z, Parts& parts) {
    // Queries of one block read each key once: there the product itself packs.
    const bool packs = z.query_blocks > 1 && !z.bf16;
    keys_step = packs ? packed_floats(z.keys, z.d) : 0;
    values_step = packs ? packed_floats(z.e, z.keys) : 0;
    packed_keys = parts.take(z.key_blocks * keys_step);
    packed_values = parts.take(z.key_blocks * values_step);
    scores = parts.take(z.queries * z.row);
    q = parts.take(z.queries * z.d);
    most = parts.take(z.queries);
    sum = parts.take(z.queries);
    kept = parts.take(z.queries);
    rest = parts.take(most_of(gemm_floats(z.queries, z.keys, z.d), gemm_floats(z.queries, z.e, z.keys)));
  }
};

// The scores of Rows rows, `step` apart, become their exponentials; several rows at once, so that none waits for the maximum or the sum
// of another. `kept` is by what earlier sums are multiplied.
template <int Rows>
void next_scores(float* x, int64_t step, int64_t n, float* most, float* sum, float* kept) {
  vec largest[Rows], total[Rows], shift[Rows];
  for (vec& l : largest) l = broadcast(-INFINITY);
  const auto some_of = [=](int r, int64_t i) CREMA_LAMBDA {
    return n - i >= W ? load(x + r * step + i) : load_n(x + r * step + i, n - i, broadcast(-INFINITY));
  };
  for (int64_t i = 0; i < n; i += W) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) largest[r] = at_least(largest[r], some_of(r, i));
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) {
    const float here = hmax(largest[r]), before = most[r], now = here > before ? here : before;
    shift[r] = broadcast(now == -INFINITY ? 0.0f : now);
    kept[r] = before == -INFINITY ? 0.0f : before == now ? 1.0f : vexp_negative(broadcast(before - now))[0];
    if (now == INFINITY) kept[r] = NAN;  // as infinity minus infinity
    most[r] = now;
    total[r] = vec{};
  }
  for (int64_t i = 0; i < n; i += W) {
#pragma GCC unroll 4
    for (int r = 0; r < Rows; ++r) {
      const vec e = vexp_negative(some_of(r, i) - shift[r]);
      put(x + r * step + i, e, n - i);
      total[r] += e;
    }
  }
#pragma GCC unroll 4
  for (int r = 0; r < Rows; ++r) sum[r] = sum[r] * kept[r] + hsum(total[r]);
}

void pack(const Sizes& z, const Forward& f, const float* k, const float* v) {
  for (int64_t j = 0; j < z.key_blocks && f.keys_step > 0; ++j) {
    const int64_t from = z.first_key(j), n = z.first_key(j + 1) - from;
    const int64_t key = z.inner * z.d, value = z.inner * z.e;
    pack_weights(k + from * key, key, true, n, z.d, f.packed_keys + j * f.keys_step);
    pack_weights(v + from * value, value, false, z.e, n, f.packed_values + j * f.values_step);
  }
}

// y and the logarithms of the sums for the queries [begin, end) of a head.
void attend(const Sizes& z, const Forward& f, int64_t begin, int64_t end, const float* q, const float* k, const float* v,
            float* y, float* lse) {
  const int64_t rows = end - begin, key = z.inner * z.d, value = z.inner * z.e;
  char* const rest = reinterpret_cast<char*>(f.rest);
  scaled_queries(z, q, begin, end, f.q);
  for (int64_t r = 0; r < rows; ++r) {
    f.most[r] = -INFINITY;
    f.sum[r] = 0;
  }
  y += begin * value;
  for (int64_t j = 0; j < z.key_blocks; ++j) {
    const int64_t from = z.first_key(j), n = z.seen(j, end);
    if (n == 0) break;
    Gemm scores = product(z, rows, n, z.d, f.q, z.d, false, k + from * key, key, true, f.scores, z.row, false);
    if (f.keys_step > 0) scores.packed_b = f.packed_keys + j * f.keys_step;
    gemm(scores, rest);
    if (z.causal && from + n > begin + 1) {
      for (int64_t r = 0; r < rows; ++r) {
        for (int64_t i = z.seen_by(begin + r, from, n); i < n; ++i) f.scores[r * z.row + i] = -INFINITY;
      }
    }
    int64_t r = 0;
    for (; r + 4 <= rows; r += 4) next_scores<4>(f.scores + r * z.row, z.row, n, f.most + r, f.sum + r, f.kept + r);
    for (; r < rows; ++r) next_scores<1>(f.scores + r * z.row, z.row, n, f.most + r, f.sum + r, f.kept + r);
    for (r = 0; r < rows && j > 0; ++r) {
      if (f.kept[r] != 1.0f) scaled(y + r * value, f.kept[r], y + r * value, z.e);
    }
    Gemm mean = product(z, rows, z.e, n, f.scores, z.row, false, v + from * value, value, false, y, value, j > 0);
    if (f.values_step > 0 && from + n == z.first_key(j + 1)) mean.packed_b = f.packed_values + j * f.values_step;
    gemm(mean, rest);
  }
  for (int64_t r = 0; r < rows; ++r) scaled(y + r * value, 1.0f / f.sum[r], y + r * value, z.e);
  each(f.most, f.sum, f.sum, rows, [](vec most, vec sum) CREMA_LAMBDA { return most + vlog(sum); });
  for (int64_t r = 0; r < rows; ++r) lse[(begin + r) * z.inner] = f.sum[r];
}

int64_t forward_scratch(const Call& c) {
  Parts parts;
  const Forward one(Sizes(c), parts);
  return parts.taken() * 4 * c.threads;
}

// --- Gradient -----------------------------------------------------------------------------------------------------------

struct Backward {
  int64_t ranges;  // of key blocks of a head, one after the other, each with a sum of dq of its own
  float *packed_keys, *packed_values, *weights, *slopes, *q, *delta, *rest;
  bool packs;

  Backward(const Sizes& z, int32_t threads, Parts& parts) {
    ranges = z.heads == 0 ? 1 : most_of(1, least_of(z.key_blocks, (threads + z.heads - 1) / z.heads));
    packs = z.query_blocks > 1 && !z.bf16;
    packed_keys = parts.take(packs ? packed_floats(z.keys, z.d) : 0);
    packed_values = parts.take(packs ? packed_floats(z.keys, z.e) : 0);
    weights = parts.take(z.queries * z.row);
    slopes = parts.take(z.queries * z.row);
    q = parts.take(z.queries * z.d);
    delta = parts.take(z.t);
    const int64_t forth = most_of(gemm_floats(z.queries, z.keys, z.d), gemm_floats(z.queries, z.keys, z.e));
    const int64_t back = most_of(gemm_floats(z.keys, z.e, z.queries), gemm_floats(z.keys, z.d, z.queries));
    rest = parts.take(most_of(most_of(forth, back), gemm_floats(z.queries, z.d, z.keys)));
  }
};

// Of one row: the scores become weights, what flows into the weights becomes what flows into the scores.
void next_slopes(float* weights, float* slopes, float lse, float delta, int64_t seen, int64_t n) {
  const vec shift = broadcast(lse), mean = broadcast(delta);
  for (int64_t i = 0; i < seen; i += W) {
    const int64_t k = seen - i;
    const vec p = vexp_negative(at_most(some(weights + i, k) - shift, vec{}));
    put(slopes + i, p * (some(slopes + i, k) - mean), k);
    put(weights + i, p, k);
  }
  for (int64_t i = seen; i < n; ++i) weights[i] = slopes[i] = 0;
}

struct Head {
  const float *q, *k, *v, *y, *lse, *dy;
  float *dq, *dk, *dv;  // dq without the scale
};

// What the key blocks [first, last) of a head give: their dk and dv, and their share of dq.
void flow_back(const Sizes& z, const Backward& b, const Head& h, int64_t first, int64_t last) {
  char* const rest = reinterpret_cast<char*>(b.rest);
  const int64_t key = z.inner * z.d, value = z.inner * z.e;
  for (int64_t i = 0; i < z.t; ++i) {
    const float *const y = h.y + i * value, *const dy = h.dy + i * value;
    b.delta[i] = sum_of(z.e, [&](int64_t p, int64_t k) CREMA_LAMBDA { return some(y + p, k) * some(dy + p, k); });
  }
  for (int64_t j = first; j < last; ++j) {
    const int64_t from = z.first_key(j), whole = z.first_key(j + 1) - from;
    const float *const k = h.k + from * key, *const v = h.v + from * value;
    float *const dk = h.dk + from * key, *const dv = h.dv + from * value;
    if (b.packs) {
      pack_weights(k, key, true, whole, z.d, b.packed_keys);
      pack_weights(v, value, true, whole, z.e, b.packed_values);
    }
    bool any = false;
    for (int64_t i = 0; i < z.query_blocks; ++i) {
      const int64_t begin = z.first_query(i), rows = z.first_query(i + 1) - begin, n = z.seen(j, begin + rows);
      float* const dq = h.dq + begin * key;
      if (n == 0) {
        if (j == first) zero_rows(dq, rows, z.d, key);
        continue;
      }
      const float* const dy = h.dy + begin * value;
      scaled_queries(z, h.q, begin, begin + rows, b.q);
      Gemm scores = product(z, rows, n, z.d, b.q, z.d, false, k, key, true, b.weights, z.row, false);
      Gemm slopes = product(z, rows, n, z.e, dy, value, false, v, value, true, b.slopes, z.row, false);
      if (b.packs) {
        scores.packed_b = b.packed_keys;
        slopes.packed_b = b.packed_values;
      }
      gemm(scores, rest);
      gemm(slopes, rest);
      for (int64_t r = 0; r < rows; ++r) {
        next_slopes(b.weights + r * z.row, b.slopes + r * z.row, h.lse[(begin + r) * z.inner], b.delta[begin + r],
                    z.seen_by(begin + r, from, n), n);
      }
      if (!any && n < whole) {  // keys that only later queries see
        zero_rows(dk + n * key, whole - n, z.d, key);
        zero_rows(dv + n * value, whole - n, z.e, value);
      }
      gemm(product(z, n, z.e, rows, b.weights, z.row, true, dy, value, false, dv, value, any), rest);
      gemm(product(z, n, z.d, rows, b.slopes, z.row, true, b.q, z.d, false, dk, key, any), rest);
      gemm(product(z, rows, z.d, n, b.slopes, z.row, false, k, key, false, dq, key, j > first), rest);
      any = true;
    }
    if (!any) {
      zero_rows(dk, whole, z.d, key);
      zero_rows(dv, whole, z.e, value);
    }
  }
}

int64_t backward_scratch(const Call& c) {
  const Sizes z(c);
  Parts parts;
  const Backward one(z, c.threads, parts);
  return (parts.taken() * c.threads + (one.ranges - 1) * up_to(z.heads * z.t * z.d, 16)) * 4;
}

}  // namespace

// in: q [..., t, d], k [..., s, d], v [..., s, e]. out: y [..., t, e], the logarithms of the rows' sums [..., t].
// ints: causal, bfloat16, whether the last axis but one is of heads: q [..., t, heads, d]. floats: scale.
CREMA_KERNEL_SCRATCH(attention, forward_scratch) {
  const Sizes z(c);
  float *const y = c.out[0].f32(), *const lse = c.out[1].f32();
  if (z.s == 0) {
    std::memset(y, 0, static_cast<size_t>(c.out[0].elements()) * sizeof(float));
    std::memset(lse, 0xff, static_cast<size_t>(c.out[1].elements()) * sizeof(float));
    return;
  }
  Parts counted;
  const Forward sizes(z, counted);
  const int64_t work = z.queries * z.s * (z.d + z.e);
  parallel(c.threads, z.heads * z.query_blocks, kGrain / (work + 1) + 1, [&](int64_t begin, int64_t end, int64_t chunk) {
    Parts parts(reinterpret_cast<float*>(c.scratch) + chunk * counted.taken());
    const Forward f(z, parts);
    int64_t packed = -1;
    for (int64_t i = begin; i < end; ++i) {
      const int64_t head = i / z.query_blocks, place = i % z.query_blocks;
      // First, last, second, last but one: halves of them see as many keys where later queries see more.
      const int64_t block = !z.causal ? place : place % 2 == 0 ? place / 2 : z.query_blocks - 1 - place / 2;
      const float *const k = z.of_head(c.in[1].f32(), head, z.s, z.d), *const v = z.of_head(c.in[2].f32(), head, z.s, z.e);
      if (packed != head) pack(z, f, k, v);
      packed = head;
      attend(z, f, z.first_query(block), z.first_query(block + 1), z.of_head(c.in[0].f32(), head, z.t, z.d), k, v,
             z.of_head(y, head, z.t, z.e), z.of_head(lse, head, z.t, 1));
    }
  });
}

// in: q, k, v, y, the logarithms of the rows' sums, dy. out: dq, dk, dv. ints and floats as of attention.
CREMA_KERNEL_SCRATCH(attention_grad, backward_scratch) {
  const Sizes z(c);
  float* const dq = c.out[0].f32();
  const int64_t elements = c.out[0].elements();
  if (z.s == 0 || z.t == 0) {
    for (int i = 0; i < 3; ++i) std::memset(c.out[i].data, 0, static_cast<size_t>(c.out[i].elements()) * sizeof(float));
    return;
  }
  Parts counted;
  const Backward sizes(z, c.threads, counted);
  float* const scratch = reinterpret_cast<float*>(c.scratch);
  float* const partial = scratch + counted.taken() * c.threads;
  const int64_t step = up_to(elements, 16), work = z.t * z.s * (z.d + z.e);
  const int64_t ranges = sizes.ranges;
  const auto share = [&](int64_t range) { return range == 0 ? dq : partial + (range - 1) * step; };
  parallel(c.threads, z.heads * ranges, kGrain / (work + 1) + 1, [&](int64_t begin, int64_t end, int64_t chunk) {
    Parts parts(scratch + chunk * counted.taken());
    const Backward b(z, c.threads, parts);
    for (int64_t i = begin; i < end; ++i) {
      const int64_t head = i / ranges, range = i % ranges;
      Head h;
      h.q = z.of_head(c.in[0].f32(), head, z.t, z.d);
      h.k = z.of_head(c.in[1].f32(), head, z.s, z.d);
      h.v = z.of_head(c.in[2].f32(), head, z.s, z.e);
      h.y = z.of_head(c.in[3].f32(), head, z.t, z.e);
      h.lse = z.of_head(c.in[4].f32(), head, z.t, 1);
      h.dy = z.of_head(c.in[5].f32(), head, z.t, z.e);
      h.dq = z.of_head(share(range), head, z.t, z.d);
      h.dk = z.of_head(c.out[1].f32(), head, z.s, z.d);
      h.dv = z.of_head(c.out[2].f32(), head, z.s, z.e);
      flow_back(z, b, h, z.key_blocks * range / ranges, z.key_blocks * (range + 1) / ranges);
    }
  });
  parallel(c.threads, elements, kGrain, [&](int64_t begin, int64_t end, int64_t) {
    float* const x = dq + begin;
    for (int64_t r = 1; r < ranges; ++r) {
      each(x, share(r) + begin, x, end - begin, [](vec a, vec b) CREMA_LAMBDA { return a + b; });
    }
    scaled(x, z.scale, x, end - begin);
  });
}

}  // namespace CREMA_ISA
}  // namespace crema
