// Kernels that take and put rows by index, and those that give indices, at every level and on 1 and 3
// threads. Gradients must have the same bits whatever the thread count.
#include "typed_call.h"

using check::Array;
using check::Floats;
using Ints = Array<int32_t>;
using Dims = std::vector<int64_t>;

namespace {

int level;
int32_t threads;

template <typename Index>
void gathers(int32_t index_type, const Dims& before, int64_t bound, const Dims& after, const Dims& index_dims) {
  Dims x_dims = before, y_dims = before;
  x_dims.push_back(bound);
  x_dims.insert(x_dims.end(), after.begin(), after.end());
  y_dims.insert(y_dims.end(), index_dims.begin(), index_dims.end());
  y_dims.insert(y_dims.end(), after.begin(), after.end());
  Floats x(CREMA_FLOAT32, x_dims), y(CREMA_FLOAT32, y_dims), dy(CREMA_FLOAT32, y_dims), dx(CREMA_FLOAT32, x_dims);
  Array<Index> index(index_type, index_dims);
  x.random(1, -1, 1);
  dy.random(2, -1, 1);
  index.random(3, 0, static_cast<double>(bound));
  const int64_t axis = static_cast<int64_t>(before.size());
  CHECK(check::run(level, "gather", {x.tensor, index.tensor}, {y.tensor}, {axis}, {}, threads).empty());
  int64_t outer = 1, inner = 1;
  for (int64_t d : before) outer *= d;
  for (int64_t d : after) inner *= d;
  std::vector<float> flow(x.values.size(), 0.0f);
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t i = 0; i < index.size(); ++i) {
      for (int64_t k = 0; k < inner; ++k) {
        const int64_t from = (o * bound + static_cast<int64_t>(index[i])) * inner + k;
        const int64_t to = (o * index.size() + i) * inner + k;
        CHECK(y[to] == x[from]);
        flow[static_cast<size_t>(from)] += dy[to];
      }
    }
  }
  CHECK(check::run(level, "gather_grad", {index.tensor, dy.tensor}, {dx.tensor}, {axis}, {}, threads).empty());
  CHECK(dx.values == flow);
}

void embeddings() {
  for (int64_t d : {1, 7, 64, 300}) {
    for (int64_t count : {1, 40, 3000}) {
      Floats table(CREMA_FLOAT32, {50, d}), y(CREMA_FLOAT32, {count, d}), dy(CREMA_FLOAT32, {count, d}),
          dtable(CREMA_FLOAT32, {50, d});
      Ints ids(CREMA_INT32, {count});
      table.random(1, -1, 1);
      dy.random(2, -1, 1);
      ids.random(3, 0, 50);
      for (int64_t padding : {-1, 4}) {
        CHECK(check::run(level, "embedding", {ids.tensor, table.tensor}, {y.tensor}, {padding}, {}, threads).empty());
        CHECK(check::run(level, "embedding_grad", {ids.tensor, dy.tensor}, {dtable.tensor}, {padding}, {}, threads)
                  .empty());
        std::vector<float> flow(table.values.size(), 0.0f);
        for (int64_t i = 0; i < count * d; ++i) {
          const int64_t id = ids[i / d];
          CHECK(y[i] == (id == padding ? 0.0f : table[id * d + i % d]));
          if (id != padding) flow[static_cast<size_t>(id * d + i % d)] += dy[i];
        }
        CHECK(dtable.values == flow);
      }
    }
  }
}

void bad_indices() {
  Floats x(CREMA_FLOAT32, {5, 3}), y(CREMA_FLOAT32, {4, 3}), dx(CREMA_FLOAT32, {5, 3});
  Ints ids(CREMA_INT32, {4});
  x.random(1, -1, 1);
  y.random(1, -1, 1);
  for (int32_t bad : {-1, 5, INT32_MAX, INT32_MIN}) {
    ids.random(1, 0, 5);
    ids[2] = bad;
    const std::string message = "index " + std::to_string(bad) + " at position 2 is outside [0, 5)";
    CHECK(check::run(level, "gather", {x.tensor, ids.tensor}, {y.tensor}, {0}, {}, threads) == message);
    CHECK(check::run(level, "gather_grad", {ids.tensor, y.tensor}, {dx.tensor}, {0}, {}, threads) == message);
    CHECK(check::run(level, "embedding", {ids.tensor, x.tensor}, {y.tensor}, {-1}, {}, threads) == message);
    CHECK(check::run(level, "embedding_grad", {ids.tensor, y.tensor}, {dx.tensor}, {-1}, {}, threads) == message);
  }
}

bool greater(float a, float b) { return a > b || (std::isnan(a) && !std::isnan(b)); }

void arg_maxima(int64_t outer, int64_t n, int64_t inner, int nans) {
  Floats x(CREMA_FLOAT32, {outer, n, inner});
  Ints y(CREMA_INT32, {outer, inner});
  x.random(5, -3, 3);
  for (float& v : x.values) v = std::round(v);  // many are equal
  for (int i = 0; i < nans; ++i) x[(i * 7919 + 3) % x.size()] = NAN;
  if (nans == 0) x[0] = -INFINITY;
  CHECK(check::run(level, "arg_max", {x.tensor}, {y.tensor}, {1}, {}, threads).empty());
  for (int64_t o = 0; o < outer; ++o) {
    for (int64_t k = 0; k < inner; ++k) {
      int64_t best = 0;
      for (int64_t i = 1; i < n; ++i) {
        if (greater(x[(o * n + i) * inner + k], x[(o * n + best) * inner + k])) best = i;
      }
      CHECK(y[o * inner + k] == best);
    }
  }
}

void top_ks(int64_t rows, int64_t n, int64_t k, int nans) {
  Floats x(CREMA_FLOAT32, {rows, n}), values(CREMA_FLOAT32, {rows, k}), dy(CREMA_FLOAT32, {rows, k}),
      dx(CREMA_FLOAT32, {rows, n});
  Ints where(CREMA_INT32, {rows, k});
  x.random(6, -9, 9);
  for (float& v : x.values) v = std::round(v);
  for (int i = 0; i < nans; ++i) x[(i * 7919 + 3) % x.size()] = NAN;
  dy.random(7, -1, 1);
  CHECK(check::run(level, "top_k", {x.tensor}, {values.tensor, where.tensor}, {}, {}, threads).empty());
  CHECK(check::run(level, "top_k_grad", {where.tensor, dy.tensor}, {dx.tensor}, {}, {}, threads).empty());
  for (int64_t r = 0; r < rows; ++r) {
    std::vector<bool> taken(static_cast<size_t>(n), false);
    std::vector<float> flow(static_cast<size_t>(n), 0.0f);
    for (int64_t j = 0; j < k; ++j) {
      int64_t best = -1;
      for (int64_t i = 0; i < n; ++i) {
        if (!taken[static_cast<size_t>(i)] && (best < 0 || greater(x[r * n + i], x[r * n + best]))) best = i;
      }
      taken[static_cast<size_t>(best)] = true;
      flow[static_cast<size_t>(best)] = dy[r * k + j];
      CHECK(where[r * k + j] == best);
      CHECK(std::memcmp(&values[r * k + j], &x[r * n + best], 4) == 0);
    }
    for (int64_t i = 0; i < n; ++i) CHECK(dx[r * n + i] == flow[static_cast<size_t>(i)]);
  }
}

}  // namespace

int main() {
  crema_set_threads(3);
  for (int l : check::levels()) {
    level = l;
    for (threads = 1; threads <= 3; threads += 2) {
      gathers<int32_t>(CREMA_INT32, {}, 9, {5}, {7});
      gathers<int64_t>(CREMA_INT64, {3}, 9, {5}, {7, 2});
      gathers<int32_t>(CREMA_INT32, {4, 2}, 11, {}, {6});
      gathers<int32_t>(CREMA_INT32, {2}, 11, {100}, {900});
      gathers<int32_t>(CREMA_INT32, {3}, 1000, {3}, {9000});
      gathers<int32_t>(CREMA_INT32, {}, 9, {5}, {0});
      embeddings();
      bad_indices();
      for (int64_t n : {1, 2, 15, 16, 17, 100}) {
        for (int64_t inner : {1, 3, 16, 37}) {
          arg_maxima(3, n, inner, 0);
          arg_maxima(3, n, inner, 5);
        }
        for (int64_t k : {int64_t{1}, (n + 1) / 2, n}) {
          top_ks(4, n, k, 0);
          top_ks(4, n, k, 3);
        }
      }
      arg_maxima(2000, 100, 1, 9);
      top_ks(500, 64, 5, 9);
    }
  }
  return check::result();
}
