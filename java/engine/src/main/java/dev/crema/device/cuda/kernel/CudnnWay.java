package dev.crema.device.cuda.kernel;

import dev.crema.device.cuda.kernel.Ways.Way;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Predicate;
import java.util.stream.LongStream;

/** Instructions that Crema's kernels compute, and graphs of cuDNN's, too, nearly alike. */
final class CudnnWay {
  /** The first cuDNN for CUDA 13, as that numbers itself. */
  static final long LEAST = 91200;

  private static final long ALIGNMENT = 16;

  private CudnnWay() {}

  /**
   * Ours, or cuDNN's where the card has found that to be faster.
   *
   * @param form all that the time depends on
   * @param theirs false if cuDNN has nothing for it
   */
  static void either(
      Call c, Launches to, String form, Consumer<Launches> ours, Predicate<Launches> theirs) {
    to.oneOf(ways(c, form, "own", ours, theirs));
  }

  /**
   * The two.
   *
   * @param own what ours is called
   */
  static Ways ways(
      Call c, String form, String own, Consumer<Launches> ours, Predicate<Launches> theirs) {
    Way exact =
        new Way(
            own,
            launches -> {
              ours.accept(launches);
              return true;
            });
    return new Ways(c, form, List.of(exact, Way.near("cudnn", theirs)));
  }

  /** A graph whose tensors cuDNN reads 16 bytes at a time; false if it has no engine for it. */
  static boolean graph(Launches to, OperationGraph graph, long... addresses) {
    return LongStream.of(addresses).allMatch(at -> at % ALIGNMENT == 0)
        && to.graphIfThere(graph, addresses);
  }
}
