package dev.crema.device.cuda.kernel;

/** What follows a product or a convolution that cannot apply it itself. */
final class BiasActivation {
  private static final int THREADS = 256;
  private static final int ELEMENTS = 4; // a thread

  private BiasActivation() {}

  /**
   * y = activation(y + bias), in place.
   *
   * @param bias address of a number, of y's type, for each element of y's last axis; 0 for none
   * @param activation number as FusedActivation's; 0 for none
   */
  static void launch(Launches to, Operand y, long bias, int activation) {
    if (bias == 0 && activation == 0) {
      return;
    }
    long blocks = (y.elements() + THREADS * ELEMENTS - 1) / (THREADS * ELEMENTS);
    to.launch(
        "bias_activation",
        Stored.name("bias_activation", y.type()),
        Math.min(blocks, 1 << 20),
        THREADS,
        0,
        Arguments.of()
            .pointer(y.address())
            .pointer(bias)
            .int64(y.rows())
            .int64(y.last())
            .int32(activation));
  }
}
