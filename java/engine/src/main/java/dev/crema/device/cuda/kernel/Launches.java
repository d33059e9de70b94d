package dev.crema.device.cuda.kernel;

import java.util.Optional;

/** Takes what an instruction does on the device, in order. */
public interface Launches {
  /**
   * A kernel of Crema's own. A launch with an empty grid is left out.
   *
   * @param family its file {@code dev/crema/kernels/<family>.cu}
   * @param function its name there
   * @param sharedBytes of dynamic shared memory a block
   * @param arguments copied now
   */
  void launch(
      String family,
      String function,
      long gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int sharedBytes,
      Arguments arguments);

  /** As the other, in one dimension. */
  default void launch(
      String family,
      String function,
      long blocks,
      int threads,
      int sharedBytes,
      Arguments arguments) {
    launch(family, function, blocks, 1, 1, threads, 1, 1, sharedBytes, arguments);
  }

  /** As the other, of blocks of {@link Grid#THREADS} without dynamic shared memory. */
  default void launch(String family, String function, long blocks, Arguments arguments) {
    launch(family, function, blocks, Grid.THREADS, 0, arguments);
  }

  /**
   * Memory for the launches of this instruction, aligned to 256 bytes, with whatever stood there.
   *
   * @return its address on the device
   */
  long scratch(long bytes);

  /** Sets every byte. */
  void fill(long address, int value, long bytes);

  /** Copies within the device. */
  void copy(long to, long from, long bytes);

  /**
   * A matrix product by cuBLASLt.
   *
   * @throws dev.crema.CremaException if cuBLASLt has no algorithm for it
   */
  void product(Product product);

  /**
   * A matrix product by cuBLASLt, if that has an algorithm for it.
   *
   * @return whether it has one; else nothing was done
   */
  boolean productIfThere(Product product);

  /**
   * What one of several ways launches: the fastest, where the card has measured them, else the
   * first. An instruction asks once, and launches nothing else.
   */
  void oneOf(Ways ways);

  /**
   * A recurrent layer by cuDNN.
   *
   * @return empty if it has none of that form
   */
  Optional<RecurrentLayer> recurrent(Recurrence layer);

  /** A convolution or a gradient of one, by cuDNN. */
  void convolution(Convolution convolution);

  /**
   * A convolution that is not empty, if cuDNN has an algorithm for it.
   *
   * @return whether it has one; else nothing was done
   */
  boolean convolutionIfThere(Convolution convolution);

  /**
   * A convolution that adds a bias and applies what follows while it writes its result, where cuDNN
   * can.
   *
   * @param bias address of a number of y's type for each output
   * @param relu whether ReLU follows; else nothing does
   * @return whether it does; else it is to be launched
   */
  boolean convolution(Convolution convolution, long bias, boolean relu);

  /**
   * A graph of operations by cuDNN, if one of its engines computes it with results that repeat.
   *
   * @param addresses of its tensors in memory, in their order, aligned to 16 bytes
   * @return whether one does; else nothing was done
   */
  boolean graphIfThere(OperationGraph graph, long... addresses);
}
