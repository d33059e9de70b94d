// attention_test.cpp: attention against double, its gradient against central differences, on every instruction set; what a
// NaN or an infinity touches; what later keys do not touch.
#include "differences.h"
#include "run.h"

namespace {

using namespace crema_test;

struct Shape {
  int64_t heads, t, s, d, e;
  bool causal;
  int64_t inner = 0;  // heads beside each other; 0: none

  // Where row `row` of the rows of `of_head` a head lies, counted head by head.
  int64_t place(int64_t row, int64_t of_head) const {
    if (inner == 0) return row;
    const int64_t head = row / of_head;
    return head / inner * inner * of_head + row % of_head * inner + head % inner;
  }
  std::vector<int64_t> dims(int64_t rows, int64_t n) const {
    if (inner == 0) return {heads, rows, n};
    return {heads / inner, rows, inner, n};
  }
  std::vector<int64_t> sums() const {
    if (inner == 0) return {heads, t};
    return {heads / inner, t, inner};
  }
};

size_t at(int64_t i) { return static_cast<size_t>(i); }

// q, k, v to y and the logarithms of the sums.
std::vector<Values> reference(const Shape& z, double scale, const std::vector<Values>& in) {
  Values y(at(z.heads * z.t * z.e)), lse(at(z.heads * z.t));
  for (int64_t counted = 0; counted < z.heads * z.t; ++counted) {
    const int64_t row = z.place(counted, z.t), head = counted / z.t, seen = z.causal ? counted % z.t + 1 : z.s;
    Values w(at(seen));
    double most = -INFINITY, sum = 0;
    for (int64_t j = 0; j < seen; ++j) {
      for (int64_t p = 0; p < z.d; ++p) w[at(j)] += scale * in[0][at(row * z.d + p)] * in[1][at(z.place(head * z.s + j, z.s) * z.d + p)];
      most = std::fmax(most, w[at(j)]);
    }
    for (double& x : w) {
      x = std::exp(x - most);
      sum += x;
    }
    for (int64_t j = 0; j < seen; ++j) {
      for (int64_t c = 0; c < z.e; ++c) y[at(row * z.e + c)] += w[at(j)] / sum * in[2][at(z.place(head * z.s + j, z.s) * z.e + c)];
    }
    lse[at(row)] = most + std::log(sum);
  }
  return {y, lse};
}

// Its gradient by the chain rule: dq, dk, dv.
std::vector<Values> slopes(const Shape& z, double scale, const std::vector<Values>& in, const Values& dy) {
  std::vector<Values> d = {Values(in[0].size()), Values(in[1].size()), Values(in[2].size())};
  const std::vector<Values> out = reference(z, scale, in);
  for (int64_t counted = 0; counted < z.heads * z.t; ++counted) {
    const int64_t row = z.place(counted, z.t), head = counted / z.t, seen = z.causal ? counted % z.t + 1 : z.s;
    double delta = 0;
    for (int64_t c = 0; c < z.e; ++c) delta += out[0][at(row * z.e + c)] * dy[at(row * z.e + c)];
    for (int64_t j = 0; j < seen; ++j) {
      const int64_t key = z.place(head * z.s + j, z.s);
      double score = 0, flow = 0;
      for (int64_t p = 0; p < z.d; ++p) score += scale * in[0][at(row * z.d + p)] * in[1][at(key * z.d + p)];
      const double w = std::exp(score - out[1][at(row)]);
      for (int64_t c = 0; c < z.e; ++c) {
        flow += dy[at(row * z.e + c)] * in[2][at(key * z.e + c)];
        d[2][at(key * z.e + c)] += w * dy[at(row * z.e + c)];
      }
      const double slope = w * (flow - delta) * scale;
      for (int64_t p = 0; p < z.d; ++p) {
        d[0][at(row * z.d + p)] += slope * in[1][at(key * z.d + p)];
        d[1][at(key * z.d + p)] += slope * in[0][at(row * z.d + p)];
      }
    }
  }
  return d;
}

void matches(const Shape& z, double size) {
  const double scale = 1 / std::sqrt(static_cast<double>(z.d));
  Array q = Array::random(z.dims(z.t, z.d), 1), k = Array::random(z.dims(z.s, z.d), 2);
  Array v = Array::random(z.dims(z.s, z.e), 3), dy = Array::random(z.dims(z.t, z.e), 4);
  for (int64_t i = 0; i < q.size(); ++i) q[i] *= static_cast<float>(size);
  const std::vector<Values> in = {values_of(q), values_of(k), values_of(v)};
  const std::vector<Values> out = reference(z, scale, in), d = slopes(z, scale, in, values_of(dy));
  if (q.size() + k.size() < 100) {  // the chain rule itself
    for (size_t i = 0; i < 3; ++i) {
      const Values expected = differences([&](const std::vector<Values>& x) { return reference(z, scale, x); }, in, i,
                                          {values_of(dy), {}});
      for (size_t p = 0; p < expected.size(); ++p) CHECK(std::fabs(expected[p] - d[i][p]) < 1e-7, "slope %d", static_cast<int>(i));
    }
  }
  on_all([&](int level, int32_t threads) {
    for (int64_t bf16 = 0; bf16 < 2; ++bf16) {
      // bfloat16 factors are off by 2^-9, of which a score of `size` makes as many times more.
      const double tolerance = bf16 != 0 ? 0.02 * std::fmax(1, size) : 3e-6 * std::fmax(1, size);
      if (bf16 != 0 && size > 1) continue;
      Array y(dy.dims()), lse(z.sums()), dq(q.dims()), dk(k.dims()), dv(v.dims());
      call(level, "attention", threads, {&q, &k, &v}, {&y, &lse}, {z.causal, bf16, z.inner != 0}, {scale});
      compare("y", y, out[0], tolerance);
      compare("lse", lse, out[1], tolerance);
      call(level, "attention_grad", threads, {&q, &k, &v, &y, &lse, &dy}, {&dq, &dk, &dv}, {z.causal, bf16, z.inner != 0}, {scale});
      // One key: what flows into its score is the rounding that is left of 0.
      if (z.s > 1) compare("dq", dq, d[0], 3 * tolerance);
      if (z.s > 1) compare("dk", dk, d[1], 3 * tolerance);
      compare("dv", dv, d[2], 3 * tolerance);
    }
  });
}

// As of a softmax over the scores: a NaN reaches whoever looks at it, and so does an infinite score.
void what_is_not_finite_shows(int64_t t) {
  const int64_t d = 8;
  on_all([&](int level, int32_t threads) {
    for (const float bad : {NAN, INFINITY, -INFINITY}) {
      Array q = Array::random({1, t, d}, 1), k = Array::random({1, t, d}, 2), v = Array::random({1, t, d}, 3);
      Array y({1, t, d}), lse({1, t});
      q[(t - 1) * d] = bad;  // of the last query: some scores are +infinity, which NaN follows
      call(level, "attention", threads, {&q, &k, &v}, {&y, &lse}, {0, 0, 0}, {0.5});
      for (int64_t i = 0; i < t * d; ++i) CHECK((i < (t - 1) * d) == std::isfinite(y[i]), "q: element %d is %g", static_cast<int>(i), y[i]);
      q[(t - 1) * d] = 0;
      v[0] = bad;
      call(level, "attention", threads, {&q, &k, &v}, {&y, &lse}, {0, 0, 0}, {0.5});
      for (int64_t i = 0; i < t * d; ++i) CHECK((i % d != 0) == std::isfinite(y[i]), "v: element %d is %g", static_cast<int>(i), y[i]);
      Array dy = Array::random({1, t, d}, 4), dq({1, t, d}), dk({1, t, d}), dv({1, t, d});
      call(level, "attention_grad", threads, {&q, &k, &v, &y, &lse, &dy}, {&dq, &dk, &dv}, {0, 0, 0}, {0.5});
      for (int64_t i = 0; i < t * d; ++i) CHECK(!std::isfinite(dq[i]) && std::isfinite(dv[i]), "dq: element %d", static_cast<int>(i));
    }
  });
}

// Of scores of -infinity only the others count, wherever a block begins with nothing else.
void a_score_of_minus_infinity_has_no_weight(int64_t s) {
  Array q({1, 1, 1}), k({1, s, 1}), v = Array::random({1, s, 3}, 1);
  q[0] = 1;
  for (int64_t j = 0; j < s; ++j) k[j] = j + 1 < s ? -INFINITY : 2.0f;
  on_all([&](int level, int32_t threads) {
    Array y({1, 1, 3}), lse({1, 1});
    call(level, "attention", threads, {&q, &k, &v}, {&y, &lse}, {0, 0, 0}, {1});
    for (int64_t c = 0; c < 3; ++c) CHECK(std::fabs(y[c] - v[(s - 1) * 3 + c]) < 1e-6, "y is %g", y[c]);
    CHECK(std::fabs(lse[0] - 2) < 1e-6, "lse is %g", lse[0]);
  });
}

// Row blocks and threads change no bits of the forward pass.
void threads_change_nothing() {
  Array q = Array::random({3, 200, 16}, 1), k = Array::random({3, 200, 16}, 2), v = Array::random({3, 200, 16}, 3);
  for (int level : levels()) {
    Array one({3, 200, 16}), three({3, 200, 16}), lse({3, 200});
    call(level, "attention", 1, {&q, &k, &v}, {&one, &lse}, {1, 0, 0}, {0.25});
    call(level, "attention", 3, {&q, &k, &v}, {&three, &lse}, {1, 0, 0}, {0.25});
    CHECK(same_bits(one, three), "three threads give other bits at level %d", level);
  }
}

int64_t scratch_of(const char* name, int level, int64_t length) {
  const std::vector<int64_t> dims = {1, length, 16};
  const crema::Tensor x = tensor_of(nullptr, CREMA_FLOAT32, dims), sums = tensor_of(nullptr, CREMA_FLOAT32, {1, length});
  const crema::Tensor in[] = {x, x, x, x, sums, x}, out[] = {x, x, x};
  const int64_t ints[] = {1, 0, 0};
  const double floats[] = {0.25};
  crema::Call c;
  c.in = in;
  c.out = out;
  c.ints = ints;
  c.floats = floats;
  c.threads = 4;
  return crema::kernel_entry(level, crema_kernel(name)).scratch(c);
}

void scratch_memory_grows_with_the_length() {
  for (int level : levels()) {
    for (const char* name : {"attention", "attention_grad"}) {
      const int64_t small = scratch_of(name, level, 8192), great = scratch_of(name, level, 16384);
      CHECK(great <= 2 * small && great > small, "%s asks for %lld bytes, then %lld", name, static_cast<long long>(small),
            static_cast<long long>(great));
    }
  }
}

}  // namespace

int main() {
  const Shape shapes[] = {{1, 1, 1, 1, 1, false},     {2, 3, 5, 4, 2, false},      {2, 4, 4, 3, 5, true},
                          {3, 7, 17, 8, 1, false},    {1, 1, 300, 16, 16, false},  {2, 130, 70, 24, 8, false},
                          {2, 101, 101, 16, 20, true}, {1, 300, 300, 64, 64, true}, {1, 97, 520, 40, 33, false},
                          {1, 530, 530, 8, 8, true},
                          {6, 5, 7, 4, 6, false, 3},   {4, 3, 3, 2, 3, true, 2},    {2, 300, 300, 20, 12, true, 2},
                          {3, 100, 290, 16, 24, false, 3}};
  for (const Shape& z : shapes) matches(z, 1);
  matches({1, 100, 300, 64, 8, false}, 100);  // scores whose exponentials alone would be infinite
  what_is_not_finite_shows(5);
  what_is_not_finite_shows(300);
  a_score_of_minus_infinity_has_no_weight(4);
  a_score_of_minus_infinity_has_no_weight(600);
  threads_change_nothing();
  scratch_memory_grows_with_the_length();
  return result();
}
