package dev.crema.device.cuda.kernel;

/**
 * What cuDNN's normalisations with scale and shift share, whatever they go over. Those that write
 * where they read are ours.
 */
final class CudnnNorm {
  private CudnnNorm() {}

  /** Whether the gradient of a layer with scale and shift is asked for. */
  static boolean fitsGradient(Call c) {
    return c.has(1) && c.in(0).elements() > 0;
  }

  /** in: x, gamma, beta. out: y, mean, 1 / deviation. False if cuDNN has no engine for it. */
  static boolean forward(Call c, Launches to, OperationGraph graph) {
    long x = c.address(0);
    long y = c.out(0).address();
    return x != y
        && CudnnWay.graph(
            to, graph, x, c.address(1), c.address(2), y, c.out(1).address(), c.out(2).address());
  }

  /** in: x, gamma, mean, 1 / deviation, dy. out: dx, dgamma, dbeta. Likewise. */
  static boolean backward(Call c, Launches to, OperationGraph graph) {
    long x = c.address(0);
    long dy = c.address(4);
    long dx = c.out(0).address();
    return dx != x
        && dx != dy
        && CudnnWay.graph(
            to,
            graph,
            x,
            c.address(1),
            c.address(2),
            c.address(3),
            dy,
            dx,
            c.out(1).address(),
            c.out(2).address());
  }
}
