// Kernels that move elements, against loops that follow the definition, at every level and on 1 to 3
// threads: exact equality.
#include "typed_call.h"

using check::Array;
using check::Floats;
using Dims = std::vector<int64_t>;

namespace {

int level;
int32_t threads;

int64_t product(const Dims& d) {
  int64_t n = 1;
  for (int64_t e : d) n *= e;
  return n;
}

Dims index_of(int64_t i, const Dims& d) {
  Dims index(d.size());
  for (size_t a = d.size(); a-- > 0;) {
    index[a] = i % d[a];
    i /= d[a];
  }
  return index;
}

int64_t offset_of(const Dims& index, const Dims& d) {
  int64_t at = 0;
  for (size_t a = 0; a < d.size(); ++a) at = at * d[a] + index[a];
  return at;
}

template <typename T>
void transpose(int32_t type, const Dims& dims, const Dims& permutation) {
  Dims out;
  for (int64_t p : permutation) out.push_back(dims[static_cast<size_t>(p)]);
  Array<T> x(type, dims), y(type, out);
  x.random(1, -100, 100);
  CHECK(check::run(level, "transpose", {x.tensor}, {y.tensor}, permutation, {}, threads).empty());
  for (int64_t i = 0; i < y.size(); ++i) {
    const Dims at = index_of(i, out);
    Dims from(dims.size());
    for (size_t a = 0; a < dims.size(); ++a) from[static_cast<size_t>(permutation[a])] = at[a];
    CHECK_MESSAGE(y[i] == x[offset_of(from, dims)], "element %lld", static_cast<long long>(i));
  }
}

void transposes() {
  for (int64_t rows : {1, 3, 8, 16, 17, 63, 64, 65, 200}) {
    for (int64_t columns : {1, 5, 15, 16, 33, 64, 130}) {
      transpose<float>(CREMA_FLOAT32, {rows, columns}, {1, 0});
      transpose<float>(CREMA_FLOAT32, {3, rows, columns}, {0, 2, 1});
      transpose<float>(CREMA_FLOAT32, {rows, 3, columns}, {1, 0, 2});
      transpose<float>(CREMA_FLOAT32, {rows, 3, columns}, {2, 1, 0});
    }
  }
  transpose<float>(CREMA_FLOAT32, {2, 3, 4, 5}, {0, 2, 1, 3});
  transpose<float>(CREMA_FLOAT32, {2, 3, 4, 5}, {0, 3, 1, 2});
  transpose<float>(CREMA_FLOAT32, {2, 3, 4, 5}, {3, 2, 1, 0});
  transpose<float>(CREMA_FLOAT32, {2, 17, 1, 33}, {3, 2, 0, 1});
  transpose<float>(CREMA_FLOAT32, {2, 3, 2, 3, 2, 3, 2, 3}, {7, 0, 6, 1, 5, 2, 4, 3});
  transpose<float>(CREMA_FLOAT32, {1, 1}, {1, 0});
  transpose<float>(CREMA_FLOAT32, {}, {});
  transpose<float>(CREMA_FLOAT32, {0, 7}, {1, 0});
  transpose<int64_t>(CREMA_INT64, {19, 70}, {1, 0});
  transpose<int16_t>(CREMA_BFLOAT16, {19, 70}, {1, 0});
  transpose<uint8_t>(CREMA_UINT8, {2, 19, 70}, {2, 0, 1});
}

template <typename T>
void concat_and_split(int32_t type, const Dims& before, const Dims& extents, const Dims& after) {
  const int64_t axis = static_cast<int64_t>(before.size());
  auto shape = [&](int64_t extent) {
    Dims d = before;
    d.push_back(extent);
    d.insert(d.end(), after.begin(), after.end());
    return d;
  };
  int64_t total = 0;
  std::vector<std::unique_ptr<Array<T>>> parts, back;
  std::vector<crema::Tensor> in, out;
  for (int64_t e : extents) {
    parts.push_back(std::make_unique<Array<T>>(type, shape(e)));
    back.push_back(std::make_unique<Array<T>>(type, shape(e)));
    parts.back()->random(static_cast<uint64_t>(7 + total), -100, 100);
    in.push_back(parts.back()->tensor);
    out.push_back(back.back()->tensor);
    total += e;
  }
  Array<T> y(type, shape(total));
  CHECK(check::run(level, "concat", in, {y.tensor}, {axis}, {}, threads).empty());
  const int64_t inner = product(after), outer = product(before);
  int64_t at = 0;
  for (size_t p = 0; p < parts.size(); ++p) {
    for (int64_t o = 0; o < outer; ++o) {
      for (int64_t i = 0; i < extents[p] * inner; ++i) {
        CHECK(y[(o * total + at) * inner + i] == (*parts[p])[o * extents[p] * inner + i]);
      }
    }
    at += extents[p];
  }
  CHECK(check::run(level, "split", {y.tensor}, out, {axis}, {}, threads).empty());
  for (size_t p = 0; p < parts.size(); ++p) CHECK(parts[p]->values == back[p]->values);
}

void slices() {
  const Dims dims = {4, 9, 11}, begin = {1, 0, 2}, step = {2, 1, 3}, out = {2, 9, 3};
  Floats x(CREMA_FLOAT32, dims), y(CREMA_FLOAT32, out), dx(CREMA_FLOAT32, dims);
  x.random(3, -1, 1);
  Dims ints = begin;
  ints.insert(ints.end(), step.begin(), step.end());
  CHECK(check::run(level, "slice", {x.tensor}, {y.tensor}, ints, {}, threads).empty());
  std::vector<float> expected(x.values.size(), 0.0f);
  for (int64_t i = 0; i < y.size(); ++i) {
    Dims at = index_of(i, out);
    for (size_t a = 0; a < at.size(); ++a) at[a] = begin[a] + at[a] * step[a];
    CHECK(y[i] == x[offset_of(at, dims)]);
    expected[static_cast<size_t>(offset_of(at, dims))] = y[i];
  }
  CHECK(check::run(level, "slice_grad", {y.tensor}, {dx.tensor}, ints, {}, threads).empty());
  CHECK(dx.values == expected);
}

void pads() {
  const Dims dims = {3, 5, 7}, before = {0, 2, 4}, out = {3, 8, 12};
  for (int64_t mode = 0; mode < 3; ++mode) {
    Floats x(CREMA_FLOAT32, dims), y(CREMA_FLOAT32, out), dy(CREMA_FLOAT32, out), dx(CREMA_FLOAT32, dims);
    x.random(4, -1, 1);
    dy.random(5, -1, 1);
    CHECK(check::run(level, "pad", {x.tensor}, {y.tensor}, {mode, 0, 2, 4}, {2.5}, threads).empty());
    std::vector<double> flow(x.values.size(), 0.0);
    for (int64_t i = 0; i < y.size(); ++i) {
      Dims at = index_of(i, out);
      bool inside = true;
      for (size_t a = 0; a < at.size(); ++a) {
        int64_t p = at[a] - before[a];
        inside &= p >= 0 && p < dims[a];
        if (mode == 1) p = p < 0 ? -p : p >= dims[a] ? 2 * dims[a] - 2 - p : p;
        if (mode == 2) p = p < 0 ? 0 : p >= dims[a] ? dims[a] - 1 : p;
        at[a] = p;
      }
      if (mode == 0 && !inside) {
        CHECK(y[i] == 2.5f);
      } else {
        CHECK(y[i] == x[offset_of(at, dims)]);
        flow[static_cast<size_t>(offset_of(at, dims))] += dy[i];
      }
    }
    if (mode == 0) continue;
    CHECK(check::run(level, "pad_grad", {dy.tensor}, {dx.tensor}, {mode, 0, 2, 4}, {0}, threads).empty());
    for (int64_t i = 0; i < dx.size(); ++i) CHECK(std::fabs(dx[i] - flow[static_cast<size_t>(i)]) < 1e-5);
  }
}

void assigns() {
  Floats x(CREMA_FLOAT32, {100003}), y(CREMA_FLOAT32, {100003});
  x.random(8, -1, 1);
  CHECK(check::run(level, "assign", {y.tensor, x.tensor}, {}, {0}, {}, threads).empty());
  CHECK(x.values == y.values);
  CHECK(check::run(level, "assign", {y.tensor, x.tensor}, {}, {1}, {}, threads).empty());
  for (int64_t i = 0; i < y.size(); ++i) CHECK(y[i] == x[i] + x[i]);
  // Overlapping parts of one storage, both ways.
  for (int64_t accumulate = 0; accumulate < 2; ++accumulate) {
    for (int64_t shift : {-3, 3}) {
      Floats storage(CREMA_FLOAT32, {60});
      storage.random(9, -1, 1);
      const std::vector<float> old = storage.values;
      crema::Tensor to = storage.tensor, from = storage.tensor;
      to.dim[0] = from.dim[0] = 50;
      to.data = storage.values.data() + 5;
      from.data = storage.values.data() + 5 + shift;
      CHECK(check::run(level, "assign", {to, from}, {}, {accumulate}, {}, threads).empty());
      for (int64_t i = 0; i < 50; ++i) {
        const float value = old[static_cast<size_t>(5 + shift + i)];
        CHECK(storage[5 + i] == (accumulate != 0 ? old[static_cast<size_t>(5 + i)] + value : value));
      }
    }
  }
}

}  // namespace

int main() {
  crema_set_threads(3);
  for (int l : check::levels()) {
    level = l;
    for (threads = 1; threads <= 3; threads += 2) {
      transposes();
      concat_and_split<float>(CREMA_FLOAT32, {5}, {1, 3, 17}, {});
      concat_and_split<float>(CREMA_FLOAT32, {}, {2, 1, 4}, {3, 5});
      concat_and_split<float>(CREMA_FLOAT32, {}, {30000, 1, 40000}, {});
      concat_and_split<float>(CREMA_FLOAT32, {300}, {100, 400}, {2});
      concat_and_split<uint8_t>(CREMA_UINT8, {4, 3}, {2, 2}, {5});
      concat_and_split<int64_t>(CREMA_INT64, {0}, {2, 2}, {5});
      slices();
      pads();
      assigns();
    }
  }
  return check::result();
}
