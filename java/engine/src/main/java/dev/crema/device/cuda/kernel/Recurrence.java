package dev.crema.device.cuda.kernel;

/**
 * A recurrent layer of float32 over x [n, t, features], of one direction, with a bias beside x and
 * one beside the state.
 *
 * @param lstm else it is a GRU whose reset gate acts behind the recurrent product
 */
public record Recurrence(boolean lstm, int n, int t, int features, int units) {
  /** Gates of x, and as many of the state before. */
  public int gates() {
    return lstm ? 4 : 3;
  }
}
