package dev.crema.device.cuda.preset;

import dev.crema.device.cuda.calls.BlasCalls;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.bytedeco.cuda.cublas.cublasLtContext;
import org.bytedeco.cuda.cublas.cublasLtMatmulDescOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulHeuristicResult_t;
import org.bytedeco.cuda.cublas.cublasLtMatmulPreferenceOpaque_t;
import org.bytedeco.cuda.cublas.cublasLtMatrixLayoutOpaque_t;
import org.bytedeco.cuda.global.cublas;
import org.bytedeco.javacpp.IntPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** cuBLASLt. */
final class PresetBlas implements BlasCalls {
  private static final int PREFERENCE_WORKSPACE = 1;
  private static final int PREFERENCE_ALIGNMENT_A = 5; // then b, c and d

  private final Map<Long, cublasLtMatmulHeuristicResult_t> algorithms = new ConcurrentHashMap<>();
  private final AtomicLong nextAlgorithm = new AtomicLong(1);

  @Override
  public int cublasLtCreate(long[] handle) {
    cublasLtContext made = new cublasLtContext();
    int status = cublas.cublasLtCreate(made);
    handle[0] = made.address();
    return status;
  }

  @Override
  public int cublasLtDestroy(long handle) {
    return cublas.cublasLtDestroy(new cublasLtContext(new At(handle)));
  }

  @Override
  public int cublasLtMatmulDescCreate(long[] description, int computeType, int scaleType) {
    try (PointerPointer<Pointer> made = new PointerPointer<>(1L)) {
      int status = cublas.cublasLtMatmulDescCreate(made, computeType, scaleType);
      description[0] = status == 0 ? PresetDriver.address(made) : 0;
      return status;
    }
  }

  @Override
  public int cublasLtMatmulDescDestroy(long description) {
    return cublas.cublasLtMatmulDescDestroy(description(description));
  }

  private static cublasLtMatmulDescOpaque_t description(long at) {
    return new cublasLtMatmulDescOpaque_t(new At(at));
  }

  private static cublasLtMatrixLayoutOpaque_t layout(long at) {
    return new cublasLtMatrixLayoutOpaque_t(new At(at));
  }

  @Override
  public int cublasLtMatmulDescSetInt(long description, int attribute, int value) {
    try (IntPointer v = new IntPointer(1).put(value)) {
      return cublas.cublasLtMatmulDescSetAttribute(
          description(description), attribute, v, Integer.BYTES);
    }
  }

  @Override
  public int cublasLtMatmulDescSetLong(long description, int attribute, long value) {
    try (LongPointer v = new LongPointer(1).put(value)) {
      return cublas.cublasLtMatmulDescSetAttribute(
          description(description), attribute, v, Long.BYTES);
    }
  }

  @Override
  public int cublasLtMatrixLayoutCreate(
      long[] layout, int type, long rows, long columns, long leading) {
    try (PointerPointer<Pointer> made = new PointerPointer<>(1L)) {
      int status = cublas.cublasLtMatrixLayoutCreate(made, type, rows, columns, leading);
      layout[0] = status == 0 ? PresetDriver.address(made) : 0;
      return status;
    }
  }

  @Override
  public int cublasLtMatrixLayoutDestroy(long layout) {
    return cublas.cublasLtMatrixLayoutDestroy(layout(layout));
  }

  @Override
  public int cublasLtMatrixLayoutSetInt(long layout, int attribute, int value) {
    try (IntPointer v = new IntPointer(1).put(value)) {
      return cublas.cublasLtMatrixLayoutSetAttribute(layout(layout), attribute, v, Integer.BYTES);
    }
  }

  @Override
  public int cublasLtMatrixLayoutSetLong(long layout, int attribute, long value) {
    try (LongPointer v = new LongPointer(1).put(value)) {
      return cublas.cublasLtMatrixLayoutSetAttribute(layout(layout), attribute, v, Long.BYTES);
    }
  }

  @Override
  public int cublasLtMatmulAlgoGetHeuristic(
      long handle,
      long description,
      long a,
      long b,
      long c,
      long d,
      long most,
      int[] alignments,
      long[] algorithm,
      int[] count,
      long[] workspace) {
    try (PointerPointer<Pointer> made = new PointerPointer<>(1L)) {
      int status = cublas.cublasLtMatmulPreferenceCreate(made);
      if (status != 0) {
        return status;
      }
      cublasLtMatmulPreferenceOpaque_t preference =
          new cublasLtMatmulPreferenceOpaque_t(new At(PresetDriver.address(made)));
      try {
        status = prefer(preference, most, alignments);
        return status != 0
            ? status
            : find(handle, description, a, b, c, d, preference, algorithm, count, workspace);
      } finally {
        cublas.cublasLtMatmulPreferenceDestroy(preference);
      }
    }
  }

  private static int prefer(
      cublasLtMatmulPreferenceOpaque_t preference, long most, int[] alignments) {
    try (LongPointer bytes = new LongPointer(1).put(most);
        IntPointer alignment = new IntPointer(1)) {
      int status =
          cublas.cublasLtMatmulPreferenceSetAttribute(
              preference, PREFERENCE_WORKSPACE, bytes, Long.BYTES);
      for (int i = 0; i < alignments.length && status == 0; i++) {
        status =
            cublas.cublasLtMatmulPreferenceSetAttribute(
                preference,
                PREFERENCE_ALIGNMENT_A + i,
                alignment.put(alignments[i]),
                Integer.BYTES);
      }
      return status;
    }
  }

  private int find(
      long handle,
      long description,
      long a,
      long b,
      long c,
      long d,
      cublasLtMatmulPreferenceOpaque_t preference,
      long[] algorithm,
      int[] count,
      long[] workspace) {
    cublasLtMatmulHeuristicResult_t result = new cublasLtMatmulHeuristicResult_t();
    int status =
        cublas.cublasLtMatmulAlgoGetHeuristic(
            new cublasLtContext(new At(handle)),
            description(description),
            layout(a),
            layout(b),
            layout(c),
            layout(d),
            preference,
            1,
            result,
            count);
    if (status == 0 && count[0] > 0) {
      status = result.state();
    }
    if (status != 0 || count[0] == 0) {
      result.close();
      return status;
    }
    workspace[0] = result.workspaceSize();
    algorithm[0] = nextAlgorithm.getAndIncrement();
    algorithms.put(algorithm[0], result);
    return 0;
  }

  @Override
  public void destroyAlgorithm(long algorithm) {
    cublasLtMatmulHeuristicResult_t result = algorithms.remove(algorithm);
    if (result != null) {
      result.close();
    }
  }

  @Override
  public int cublasLtMatmul(
      long handle,
      long description,
      int alpha,
      long a,
      long layoutA,
      long b,
      long layoutB,
      int beta,
      long c,
      long layoutC,
      long d,
      long layoutD,
      long algorithm,
      long workspace,
      long workspaceBytes,
      long stream) {
    try (IntPointer one = new IntPointer(1).put(alpha);
        IntPointer two = new IntPointer(1).put(beta)) {
      return cublas.cublasLtMatmul(
          new cublasLtContext(new At(handle)),
          description(description),
          one,
          new At(a),
          layout(layoutA),
          new At(b),
          layout(layoutB),
          two,
          new At(c),
          layout(layoutC),
          new At(d),
          layout(layoutD),
          algorithms.get(algorithm).algo(),
          new At(workspace),
          workspaceBytes,
          new At.Stream().set(stream));
    }
  }

  @Override
  public long cublasLtGetVersion() {
    return cublas.cublasLtGetVersion();
  }

  @Override
  public String statusName(int status) {
    return cublas.cublasLtGetStatusName(status).getString();
  }
}
