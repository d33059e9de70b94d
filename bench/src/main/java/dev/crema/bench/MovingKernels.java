package dev.crema.bench;

import dev.crema.graph.Node;
import dev.crema.graph.TensorType;
import dev.crema.op.Concat;
import dev.crema.op.Embedding;
import dev.crema.op.EmbeddingGrad;
import dev.crema.op.Gather;
import dev.crema.op.Pad;
import dev.crema.op.Slice;
import dev.crema.op.Split;
import dev.crema.op.Transpose;
import java.util.List;

/** What moves numbers without computing: transposing, joining, cutting, looking up. */
final class MovingKernels {
  private MovingKernels() {}

  static void addTo(KernelList list) {
    moving(list);
  }

  private static void moving(KernelList list) {
    list.matrix("transpose", new Transpose(List.of(1, 0)));
    list.add(
        "concat",
        "Two [4096, 1024] side by side",
        Limit.copy(4 * KernelList.MATRIX),
        in -> List.of(KernelList.matrix(in, 1).then(new Concat(1), KernelList.matrix(in, 2))));
    list.add(
        "split",
        "[4096, 1024] in two halves of columns",
        Limit.copy(2 * KernelList.MATRIX),
        in -> {
          Node half = KernelList.matrix(in, 1).then(Split.even(1, 2, KernelList.COLUMNS / 2));
          return List.of(half, half.application().output(1));
        });
    list.add(
        "slice",
        "Every other row of [4096, 1024]",
        Limit.copy(KernelList.MATRIX),
        in ->
            List.of(
                KernelList.matrix(in, 1)
                    .then(
                        new Slice(
                            List.of(0L, 0L),
                            List.of((long) KernelList.ROWS, (long) KernelList.COLUMNS),
                            List.of(2L, 1L)))));
    list.add(
        "pad",
        "[4096, 1024] with a frame of one zero",
        Limit.copy(2 * KernelList.MATRIX),
        in ->
            List.of(
                KernelList.matrix(in, 1)
                    .then(new Pad(List.of(1L, 1L), List.of(1L, 1L), Pad.Mode.VALUE, 0))));
    list.add(
        "gather",
        "4096 rows of [4096, 1024]",
        Limit.copy(2 * KernelList.MATRIX),
        in ->
            List.of(
                KernelList.matrix(in, 1)
                    .then(new Gather(0), in.indices(2, KernelList.ROWS, KernelList.ROWS))));
    list.add(
        "embedding",
        "4096 rows of 256 out of 30,000",
        Limit.copy(2.0 * 4 * KernelList.ROWS * 256),
        in ->
            List.of(
                in.indices(1, 30_000, KernelList.ROWS)
                    .then(new Embedding(), in.uniform(2, 30_000, 256))));
    list.add(
        "embedding-grad",
        "Its gradient in the table",
        Limit.copy(4.0 * 30_000 * 256 + 4.0 * KernelList.ROWS * 256),
        in ->
            List.of(
                in.indices(1, 30_000, KernelList.ROWS)
                    .then(
                        new EmbeddingGrad(Embedding.NONE, TensorType.of(30_000, 256)),
                        in.uniform(2, KernelList.ROWS, 256))));
  }
}
