package dev.crema.device.cuda.kernel;

import java.util.Map;

/** Tensors in another type, many by one launch. */
final class CastKernels {
  private static final int MOST_TENSORS = 96; // as kMostTensors and kPiece of cast_all.cu
  private static final int PIECE = 8192;

  private CastKernels() {}

  static Map<String, Kernel> kernels() {
    return Map.of("cast_all", CastKernels::castAll);
  }

  private static void castAll(Call c, Launches to) {
    for (int first = 0; first < c.ins(); first += MOST_TENSORS) {
      int count = Math.min(MOST_TENSORS, c.ins() - first);
      long[] from = new long[count];
      long[] into = new long[count];
      long[] elements = new long[count];
      long[] end = new long[count];
      long pieces = 0;
      for (int i = 0; i < count; i++) {
        from[i] = c.address(first + i);
        into[i] = c.out(first + i).address();
        elements[i] = c.in(first + i).elements();
        pieces += (elements[i] + PIECE - 1) / PIECE;
        end[i] = pieces;
      }
      to.launch(
          "cast_all",
          Stored.name("cast_all", c.out(first).type()),
          Grid.ofBlocks(c, pieces),
          Grid.THREADS,
          0,
          Arguments.of()
              .struct(
                  new Struct()
                      .int64(count)
                      .int64s(from, MOST_TENSORS)
                      .int64s(into, MOST_TENSORS)
                      .int64s(elements, MOST_TENSORS)
                      .int64s(end, MOST_TENSORS)
                      .toBytes()));
    }
  }
}
