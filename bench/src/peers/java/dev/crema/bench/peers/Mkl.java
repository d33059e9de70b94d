package dev.crema.bench.peers;

import dev.crema.bench.Data;
import dev.crema.bench.Engine;
import dev.crema.bench.Problem;
import dev.crema.bench.Task;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.mkl.global.mkl_rt;

/**
 * MKL's sparse products: the weights' columns as rows of a CSR matrix, with hints, optimised ahead.
 * Of several examples each feature stands for all of them side by side, in x and in the result,
 * which MKL multiplies several times as fast as examples one after the other.
 */
public final class Mkl implements Engine {
  private static final int PLAIN = mkl_rt.SPARSE_OPERATION_NON_TRANSPOSE;
  private static final int CALLS = 1_000_000; // that the hints announce

  @Override
  public String name() {
    return "mkl";
  }

  @Override
  public String version() {
    return "MKL 2025.3 (inspector-executor CSR)";
  }

  @Override
  public Map<String, String> environment() {
    return Map.of("MKL_THREADING_LAYER", "INTEL"); // the preset ships no sequential one
  }

  @Override
  public boolean supports(Problem problem) {
    return problem instanceof Problem.SparseMatMul;
  }

  @Override
  public Task prepare(Problem problem, int threads) {
    mkl_rt.MKL_Set_Dynamic(0);
    mkl_rt.MKL_Set_Num_Threads(threads);
    return new Product((Problem.SparseMatMul) problem);
  }

  private static void require(int status, String what) {
    if (status != mkl_rt.SPARSE_STATUS_SUCCESS) {
      throw new IllegalStateException(what + " gives status " + status);
    }
  }

  private static final class Product implements Task {
    private final int m;
    private final int n;
    private final int k;
    private final FloatPointer x;
    private final FloatPointer y;
    private final IntPointer starts;
    private final IntPointer rows;
    private final FloatPointer values;
    private final mkl_rt.sparse_matrix matrix = new mkl_rt.sparse_matrix();
    private final mkl_rt.matrix_descr description = new mkl_rt.matrix_descr();

    Product(Problem.SparseMatMul problem) {
      this.m = problem.of().m();
      this.n = problem.of().n();
      this.k = problem.of().k();
      this.x = new FloatPointer(transposed(Data.uniform(1, m * k), m, k));
      this.y = new FloatPointer((long) m * n);
      float[] weights = problem.weights();
      int[] start = new int[n + 1];
      int[] row = new int[k * n];
      float[] value = new float[k * n];
      int count = 0;
      for (int j = 0; j < n; j++) {
        for (int p = 0; p < k; p++) {
          if (weights[p * n + j] != 0) {
            row[count] = p;
            value[count++] = weights[p * n + j];
          }
        }
        start[j + 1] = count;
      }
      this.starts = new IntPointer(start);
      this.rows = new IntPointer(row);
      this.values = new FloatPointer(value);
      description.type(mkl_rt.SPARSE_MATRIX_TYPE_GENERAL);
      IntPointer ends = new IntPointer(starts).getPointer(1);
      require(
          mkl_rt.mkl_sparse_s_create_csr(
              matrix, mkl_rt.SPARSE_INDEX_BASE_ZERO, n, k, starts, ends, rows, values),
          "mkl_sparse_s_create_csr");
      // A hint that it has nothing for is no error that matters.
      if (m == 1) {
        mkl_rt.mkl_sparse_set_mv_hint(matrix, PLAIN, description, CALLS);
      } else {
        mkl_rt.mkl_sparse_set_mm_hint(
            matrix, PLAIN, description, mkl_rt.SPARSE_LAYOUT_ROW_MAJOR, m, CALLS);
      }
      require(mkl_rt.mkl_sparse_optimize(matrix), "mkl_sparse_optimize");
    }

    @Override
    public float[] check() {
      run();
      float[] result = new float[m * n];
      y.get(result);
      return transposed(result, n, m);
    }

    private static float[] transposed(float[] rows, int height, int width) {
      float[] columns = new float[rows.length];
      for (int i = 0; i < rows.length; i++) {
        columns[i % width * height + i / width] = rows[i];
      }
      return columns;
    }

    @Override
    public void run() {
      int status =
          m == 1
              ? mkl_rt.mkl_sparse_s_mv(PLAIN, 1, matrix, description, x, 0, y)
              : mkl_rt.mkl_sparse_s_mm(
                  PLAIN, 1, matrix, description, mkl_rt.SPARSE_LAYOUT_ROW_MAJOR, x, m, m, 0, y, m);
      require(status, "The product");
    }

    @Override
    public void close() {
      mkl_rt.mkl_sparse_destroy(matrix);
    }
  }
}
