// reduce_test.cpp: reductions of rows, pieces of rows and columns, and the norm of a buffer, against double.
#include "check.h"

namespace {

using namespace crema_test;
typedef long long i64;

struct Op {
  const char* name;
  double start;
  double (*map)(double);
  double (*join)(double, double);
};
double same(double x) { return x; }
double square(double x) { return x * x; }
double plus(double a, double b) { return a + b; }
double greater(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double smaller(double a, double b) { return std::isnan(a) || a < b ? a : b; }
const Op kOps[] = {{"sum", 0, same, plus},
                   {"sum_squares", 0, square, plus},
                   {"max", -INFINITY, same, greater},
                   {"min", INFINITY, same, smaller}};

template <typename T>
Doubles reference(const Op& op, const Array<T>& x, i64 outer, i64 n, i64 inner) {
  Doubles y(static_cast<std::size_t>(outer * inner), op.start);
  for (i64 i = 0; i < x.size(); ++i) {
    double& to = y[static_cast<std::size_t>(i / (n * inner) * inner + i % inner)];
    to = op.join(to, op.map(value_of(x[i])));
  }
  return y;
}

std::string kernel(const char* form, const char* op, const char* type) { return std::string(form) + op + type; }

template <typename T>
void rows_match(i64 outer, i64 n, int shift, bool nan) {
  Array<T> x = Array<T>::random(outer * n, 1, shift);
  const T* const px = x.data();
  if (nan) set(x[n / 2], NAN);
  for (const Op& op : kOps) {
    const Doubles expected = reference(op, x, outer, n, 1);
    in_every_order([&] {
      for (const char* form : {"reduce_rows_", "reduce_long_rows_"}) {
        Floats y(outer);
        run(kernel(form, op.name, Stored<T>::name).c_str(), order + 1, 256, px, y.data(), outer, n, 1.0f);
        compare(op.name, y, expected, 2e-6);
      }
      const i64 piece = n > 1000 ? 1024 : 64, pieces = (n + piece - 1) / piece;
      Floats partial(outer * pieces), y(outer);
      run(kernel("reduce_pieces_", op.name, Stored<T>::name).c_str(), 3, 256, px, partial.data(), outer, n, piece);
      const char* const later = std::strcmp(op.name, "sum_squares") == 0 ? "sum" : op.name;
      run(kernel("reduce_rows_", later, "_f32").c_str(), 2, 256, static_cast<const float*>(partial.data()), y.data(), outer, pieces,
          1.0f);
      compare("pieces", y, expected, 2e-6);
    });
  }
}

template <typename T>
void columns_match(i64 outer, i64 n, i64 inner, int shift) {
  Array<T> x = Array<T>::random(outer * n * inner, 2, shift);
  for (const Op& op : kOps) {
    Doubles expected = reference(op, x, outer, n, inner);
    const bool divided = std::strncmp(op.name, "sum", 3) == 0;
    for (double& e : expected) e /= divided ? 4 : 1;
    in_every_order([&] {
      for (i64 piece : {n, i64{7}}) {
        const i64 pieces = (n + piece - 1) / piece;
        Floats partial(outer * pieces * inner), y(outer * inner);
        const std::string name = kernel("reduce_columns_", op.name, Stored<T>::name);
        run(name.c_str(), order + 1, 256, static_cast<const T*>(x.data()), partial.data(), outer, n, inner, piece, 1.0f);
        const char* const later = std::strcmp(op.name, "sum_squares") == 0 ? "sum" : op.name;
        run(kernel("reduce_columns_", later, "_f32").c_str(), 2, 256, static_cast<const float*>(partial.data()), y.data(), outer,
            pieces, inner, pieces, 4.0f);
        compare(name.c_str(), y, expected, 2e-6);
      }
    });
  }
}

void the_grid_changes_no_bits() {
  const i64 n = 300;
  Floats x = Floats::random(3 * n * 37, 5), a(3 * 37), b(3 * 37);
  run("reduce_columns_sum_f32", 1, 256, static_cast<const float*>(x.data()), a.data(), i64{3}, n, i64{37}, n, 1.0f);
  run("reduce_columns_sum_f32", 50, 256, static_cast<const float*>(x.data()), b.data(), i64{3}, n, i64{37}, n, 1.0f);
  CHECK(std::memcmp(a.data(), b.data(), 3 * 37 * 4) == 0, "another grid gives other bits");
}

void alignment_changes_no_bits() {
  const i64 rows = 150, n = 40;
  Array<bf16> x = Array<bf16>::random(rows * n, 5), moved(rows * n, 3);
  for (i64 i = 0; i < x.size(); ++i) moved[i] = x[i];
  for (const char* form : {"reduce_columns_sum_bf16", "reduce_rows_sum_bf16"}) {
    const bool columns = form[7] == 'c';
    Floats a(columns ? n : rows), b(columns ? n : rows);
    for (Array<bf16>* in : {&x, &moved}) {
      float* const y = in == &x ? a.data() : b.data();
      const bf16* const px = in->data();
      if (columns) {
        run(form, 2, 256, px, y, i64{1}, rows, n, rows, 1.0f);
      } else {
        run(form, 2, 256, px, y, rows, n, 1.0f);
      }
    }
    CHECK(std::memcmp(a.data(), b.data(), static_cast<std::size_t>(a.size()) * 4) == 0, "%s: other bits where x is not aligned", form);
  }
}

void norms_do_not_overflow() {
  Floats x = Floats::random(40001, 3);
  for (i64 i = 0; i < x.size(); ++i) x[i] *= 1e30f;
  double sum = 0;
  for (i64 i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * x[i];
  in_every_order([&] {
    Array<double> sums(3);
    Floats y(1);
    run("global_norm_pieces", 2, 256, static_cast<const float*>(x.data()), sums.data(), x.size());
    run("global_norm_finish", 1, 1024, static_cast<const double*>(sums.data()), i64{3}, y.data());
    compare("norm", y, {std::sqrt(sum)}, 1e-7);
  });
}

void nothing_sums_to_the_start() {
  for (const Op& op : kOps) {
    Floats x(1), y(3);
    run(kernel("reduce_rows_", op.name, "_f32").c_str(), 1, 256, static_cast<const float*>(x.data()), y.data(), i64{3}, i64{0}, 1.0f);
    for (i64 i = 0; i < 3; ++i) CHECK(y[i] == op.start, "%s of nothing", op.name);
  }
}

}  // namespace

int main() {
  const i64 rows[][2] = {{1, 1}, {3, 17}, {5, 64}, {9, 129}, {2, 1024}, {1, 3001}};
  for (const auto& r : rows) {
    rows_match<float>(r[0], r[1], 0, r[0] > 2);
    if (r[1] % 4 == 0) rows_match<float>(r[0], r[1], 1, false);  // else no row is read by packs anyway
  }
  rows_match<float>(1, 33, 0, true);
  rows_match<bf16>(3, 17, 0, true);
  rows_match<bf16>(2, 1032, 1, false);
  rows_match<f16>(5, 264, 0, false);
  const i64 columns[][3] = {{1, 1, 1}, {2, 5, 3}, {1, 100, 17}, {3, 33, 32}, {2, 70, 65}, {1, 3, 200}};
  for (const auto& c : columns) columns_match<float>(c[0], c[1], c[2], 0);
  columns_match<bf16>(2, 70, 65, 0);
  columns_match<bf16>(1, 40, 64, 1);
  columns_match<f16>(3, 33, 264, 0);
  the_grid_changes_no_bits();
  alignment_changes_no_bits();
  norms_do_not_overflow();
  nothing_sums_to_the_start();
  return result();
}
