package dev.crema.device.cuda.kernel;

/**
 * A recurrent layer of cuDNN's. It has the weights of all gates in a space of its own order. What
 * its methods do on the device is queued.
 */
public interface RecurrentLayer {
  /** Of a space of weights, or of their gradients. */
  long weightBytes();

  /**
   * @param training whether gradients follow
   */
  long workspaceBytes(boolean training);

  /** What a forward pass keeps for gradients. */
  long reserveBytes();

  /**
   * Where in a space of weights those of each gate lie: the addresses of matrices, [units,
   * features] of x's gates (i, f, g, o; or r, z, n), then [units, units] of the state's; then of as
   * many biases [units].
   *
   * @param weights address of the space
   */
  long[] places(long weights);

  /** y, and the last states, from x and the first states. */
  void forward(Pass pass);

  /**
   * Gradients, after a forward pass with a reserve; those of the weights are added to what stands
   * there.
   */
  void gradients(Pass pass, Slopes slopes);

  /**
   * The memory of a forward pass.
   *
   * @param h0 address of the first h; 0: zeros, as of c0
   * @param h where the last h goes; 0: nowhere, as of c
   * @param reserve 0: no gradients follow
   */
  record Pass(
      long x,
      long h0,
      long c0,
      long y,
      long h,
      long c,
      long weights,
      long workspace,
      long reserve) {}

  /**
   * The memory of gradients.
   *
   * @param dh what flows into the last h; 0: nothing, as of dc
   */
  record Slopes(long dy, long dh, long dc, long dx, long dh0, long dc0, long dWeights) {}
}
