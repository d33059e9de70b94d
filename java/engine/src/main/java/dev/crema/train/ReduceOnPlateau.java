package dev.crema.train;

/** Multiplies the learning rate when a metric that should fall has not fallen for some epochs. */
public final class ReduceOnPlateau implements Callback {
  private final String metric;
  private final double factor;
  private final int patience;
  private double best = Double.POSITIVE_INFINITY;
  private int since;

  /**
   * @param factor to multiply with, in (0, 1)
   * @param patience epochs without a new minimum before that
   */
  public ReduceOnPlateau(String metric, double factor, int patience) {
    if (!(factor > 0 && factor < 1) || patience < 1) {
      throw new IllegalArgumentException(
          "Needs a factor in (0, 1) and a patience of at least 1, got " + factor + ", " + patience);
    }
    this.metric = metric;
    this.factor = factor;
    this.patience = patience;
  }

  @Override
  public void onEpochEnd(Training training, History.Epoch epoch) {
    double value = epoch.metric(metric);
    if (value < best) {
      best = value;
      since = 0;
    } else if (++since >= patience) {
      training.learningRateFactor(training.learningRateFactor() * factor);
      since = 0;
    }
  }
}
