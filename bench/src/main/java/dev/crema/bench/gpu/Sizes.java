package dev.crema.bench.gpu;

/**
 * How big the works are.
 *
 * @param mlp widths of the wide MLP, inputs first, classes last
 * @param residualSide pixels of an image's side
 * @param width of the transformer block, which has {@code heads} heads
 * @param parameters that Adam updates
 * @param rows of {@code columns} numbers, of softmax and its kin
 * @param product extents of the square products that measure the card
 */
record Sizes(
    int seedBatch,
    int[] mlp,
    int mlpBatch,
    int lenetBatch,
    int residualSide,
    int residualClasses,
    int residualBatch,
    int width,
    int heads,
    int sequence,
    int blockBatch,
    int parameters,
    int rows,
    int columns,
    int product) {
  /** Those that the bars are set for. Softmax and its kin read 1 GiB and write as much. */
  static Sizes full() {
    int[] mlp = {4096, 8192, 8192, 4096};
    return new Sizes(
        32, mlp, 8192, 512, 224, 1000, 256, 1024, 16, 1024, 16, 100_000_000, 1 << 18, 1024, 8192);
  }

  /** Whether the bars are set for them. */
  boolean areFull() {
    return product == full().product;
  }

  /** The same works in a second, to see that they work. */
  static Sizes tiny() {
    int[] mlp = {16, 32, 32, 16};
    return new Sizes(32, mlp, 8, 4, 32, 10, 2, 16, 2, 8, 2, 10_000, 64, 32, 64);
  }
}
