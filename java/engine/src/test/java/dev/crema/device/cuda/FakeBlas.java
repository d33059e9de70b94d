package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.BlasCalls;
import java.nio.ByteBuffer;
import java.util.HashMap;
import java.util.Map;

/**
 * cuBLASLt of a {@link FakeCard}: products in columns by plain loops, as its documentation defines
 * them, in double.
 */
final class FakeBlas implements BlasCalls {
  private static final class Description {
    final Map<Integer, Long> attributes = new HashMap<>();
    boolean isWhole; // sums and factors are int32

    long get(int attribute, long otherwise) {
      return attributes.getOrDefault(attribute, otherwise);
    }
  }

  private record Layout(
      FakeNumbers.Type type, long rows, long columns, long leading, Description more) {}

  private static final int NOT_SUPPORTED = 15;

  private final FakeCard card;
  private final Map<Long, Description> descriptions = new HashMap<>();
  private final Map<Long, Layout> layouts = new HashMap<>();
  private final Map<Long, int[]> algorithms = new HashMap<>();

  FakeBlas(FakeCard card) {
    this.card = card;
  }

  @Override
  public int cublasLtCreate(long[] handle) {
    return made("blas", "cublasLtCreate", handle);
  }

  private int made(String kind, String call, long[] handle) {
    int status = card.call(call);
    if (status == 0) {
      handle[0] = card.make(kind);
    }
    return status;
  }

  private int gone(String kind, String call, long handle) {
    card.giveBack(kind, handle);
    return card.call(call);
  }

  @Override
  public int cublasLtDestroy(long handle) {
    return gone("blas", "cublasLtDestroy", handle);
  }

  @Override
  public int cublasLtMatmulDescCreate(long[] description, int computeType, int scaleType) {
    int status = made("description", "cublasLtMatmulDescCreate " + computeType, description);
    if (status == 0) {
      Description made = new Description();
      made.isWhole = computeType == 72; // CUBLAS_COMPUTE_32I
      if (scaleType != (made.isWhole ? 10 : 0)) {
        card.misuses.add("a description of " + computeType + " with the scale type " + scaleType);
      }
      descriptions.put(description[0], made);
    }
    return status;
  }

  @Override
  public int cublasLtMatmulDescDestroy(long description) {
    descriptions.remove(description);
    return gone("description", "cublasLtMatmulDescDestroy", description);
  }

  @Override
  public int cublasLtMatmulDescSetInt(long description, int attribute, int value) {
    descriptions.get(description).attributes.put(attribute, (long) value);
    return card.call("cublasLtMatmulDescSetAttribute");
  }

  @Override
  public int cublasLtMatmulDescSetLong(long description, int attribute, long value) {
    descriptions.get(description).attributes.put(attribute, value);
    return card.call("cublasLtMatmulDescSetAttribute");
  }

  @Override
  public int cublasLtMatrixLayoutCreate(
      long[] layout, int type, long rows, long columns, long leading) {
    if (leading < rows) {
      card.misuses.add("a layout of " + rows + " rows has the leading extent " + leading);
    }
    FakeNumbers.Type of = FakeNumbers.Type.ofBlas(type);
    String call = "cublasLtMatrixLayoutCreate " + of + " [" + rows + ", " + columns + "]";
    int status = made("layout", call + " of " + leading, layout);
    if (status == 0) {
      layouts.put(layout[0], new Layout(of, rows, columns, leading, new Description()));
    }
    return status;
  }

  @Override
  public int cublasLtMatrixLayoutDestroy(long layout) {
    layouts.remove(layout);
    return gone("layout", "cublasLtMatrixLayoutDestroy", layout);
  }

  @Override
  public int cublasLtMatrixLayoutSetInt(long layout, int attribute, int value) {
    layouts.get(layout).more().attributes.put(attribute, (long) value);
    return card.call("cublasLtMatrixLayoutSetAttribute");
  }

  @Override
  public int cublasLtMatrixLayoutSetLong(long layout, int attribute, long value) {
    layouts.get(layout).more().attributes.put(attribute, value);
    return card.call("cublasLtMatrixLayoutSetAttribute");
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
    card.require("blas", handle);
    FakeNumbers.Type type = layouts.get(a).type();
    if (type == FakeNumbers.Type.E4M3 || type == FakeNumbers.Type.BYTE) {
      boolean ofBytes = type == FakeNumbers.Type.BYTE;
      int products = ofBytes ? card.byteProducts : card.fp8Products;
      if (products == 0) {
        return card.call("cublasLtMatmulAlgoGetHeuristic of nothing");
      }
      if (products < 0
          || ofBytes != descriptions.get(description).isWhole
          || !isOfRows(description, a, b, d, alignments)) {
        int status = card.call("cublasLtMatmulAlgoGetHeuristic refused");
        return status == 0 ? NOT_SUPPORTED : status;
      }
    }
    int status = made("algorithm", "cublasLtMatmulAlgoGetHeuristic", algorithm);
    if (status == 0) {
      count[0] = 1;
      workspace[0] = 1 << 12;
      algorithms.put(algorithm[0], alignments.clone());
    }
    return status;
  }

  /**
   * What the documentation of cublasLtMatmul demands of products of fp8, and recommends of those of
   * signed bytes.
   */
  private boolean isOfRows(long description, long a, long b, long d, int[] alignments) {
    Description desc = descriptions.get(description);
    boolean fits = desc.get(3, 0) == 1 && desc.get(4, 0) == 0 && desc.get(7, 1) == 1;
    for (long layout : new long[] {a, b, d}) {
      Layout l = layouts.get(layout);
      fits &= l.rows() % 16 == 0 && l.leading() % 16 == 0;
    }
    for (int alignment : alignments) {
      fits &= alignment >= 16;
    }
    return fits;
  }

  @Override
  public void destroyAlgorithm(long algorithm) {
    card.giveBack("algorithm", algorithm);
    algorithms.remove(algorithm);
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
    int[] alignments = algorithms.get(algorithm);
    if (a % alignments[0] != 0 || b % alignments[1] != 0 || d % alignments[3] != 0) {
      card.misuses.add("a product's operands are less aligned than its algorithm was found for");
    }
    if (workspace == 0) {
      card.misuses.add("a product without its workspace");
    }
    Description desc = new Description();
    desc.attributes.putAll(descriptions.get(description).attributes); // as they are now
    Layout la = layouts.get(layoutA);
    Layout lb = layouts.get(layoutB);
    Layout ld = layouts.get(layoutD);
    desc.isWhole = descriptions.get(description).isWhole;
    FakeNumbers.Type sums = desc.isWhole ? FakeNumbers.Type.INT : FakeNumbers.Type.FLOAT;
    boolean fits = la.type() == lb.type();
    if (!fits || ld.type() != sums && (desc.isWhole || ld.type() != la.type())) {
      card.misuses.add("a product of " + la.type() + " and " + lb.type() + " into " + ld.type());
    }
    if (alpha != (desc.isWhole ? 1 : Float.floatToRawIntBits(1))
        || desc.isWhole && (beta != 0 || la.type() != FakeNumbers.Type.BYTE)) {
      card.misuses.add("a product with factors of another type: " + alpha + ", " + beta);
    }
    float factor = Float.intBitsToFloat(beta);
    return card.fakeDriver()
        .queue(
            "cublasLtMatmul",
            stream,
            () -> {
              // The workspace is scribbled over: nothing else may rely on it.
              dev.crema.natives.Crema.crema_fill(workspace, 0xFF, workspaceBytes);
              for (long i = 0; i < ld.more().get(5, 1); i++) {
                multiply(
                    desc,
                    la,
                    a + la.type().bytes * i * la.more().get(6, 0),
                    lb,
                    b + lb.type().bytes * i * lb.more().get(6, 0),
                    factor,
                    ld,
                    d + ld.type().bytes * i * ld.more().get(6, 0));
              }
            });
  }

  private static void multiply(
      Description desc, Layout la, long a, Layout lb, long b, float beta, Layout ld, long d) {
    boolean transposeA = desc.get(3, 0) == 1;
    boolean transposeB = desc.get(4, 0) == 1;
    if (desc.isWhole) {
      multiply(la, a, lb, b, ld, d);
      return;
    }
    int epilogue = (int) desc.get(7, 1);
    FakeNumbers va = numbers(a, la);
    FakeNumbers vb = numbers(b, lb);
    FakeNumbers vd = numbers(d, ld);
    long depth = transposeA ? la.rows() : la.columns();
    FakeNumbers bias =
        (epilogue & 4) != 0 ? FakeNumbers.at(desc.get(8, 0), ld.type(), ld.rows()) : null;
    for (int column = 0; column < ld.columns(); column++) {
      for (int row = 0; row < ld.rows(); row++) {
        double sum = 0;
        for (int k = 0; k < depth; k++) {
          double x = va.get(at(la, transposeA ? k : row, transposeA ? row : k));
          double y = vb.get(at(lb, transposeB ? column : k, transposeB ? k : column));
          sum += x * y;
        }
        if (beta != 0) {
          sum += beta * vd.get(at(ld, row, column));
        }
        if (bias != null) {
          sum += bias.get(row);
        }
        if ((epilogue & 2) != 0) {
          sum = sum > 0 || Double.isNaN(sum) ? sum : 0;
        }
        if ((epilogue & 32) != 0) {
          double inner = Math.sqrt(2 / Math.PI) * (sum + 0.044715 * sum * sum * sum);
          sum = 0.5 * sum * (1 + Math.tanh(inner));
        }
        vd.put(at(ld, row, column), (float) sum);
      }
    }
  }

  /** Of rows of signed bytes, summed as int32 is. */
  private static void multiply(Layout la, long a, Layout lb, long b, Layout ld, long d) {
    ByteBuffer va = numbers(a, la).memory();
    ByteBuffer vb = numbers(b, lb).memory();
    ByteBuffer vd = numbers(d, ld).memory();
    for (int column = 0; column < ld.columns(); column++) {
      for (int row = 0; row < ld.rows(); row++) {
        int sum = 0;
        for (int k = 0; k < la.rows(); k++) {
          sum += va.get(at(la, k, row)) * vb.get(at(lb, k, column));
        }
        vd.putInt(4 * at(ld, row, column), sum);
      }
    }
  }

  private static int at(Layout layout, long row, long column) {
    return (int) (column * layout.leading() + row);
  }

  private static FakeNumbers numbers(long address, Layout layout) {
    long elements = (layout.columns() - 1) * layout.leading() + layout.rows();
    return FakeNumbers.at(address, layout.type(), elements);
  }

  @Override
  public long cublasLtGetVersion() {
    return 130200;
  }

  @Override
  public String statusName(int status) {
    return "CUBLAS_STATUS_" + status;
  }
}
