package dev.crema.train;

/**
 * Multiplies the learning rate when a metric that should fall has not fallen for some epochs.
 * Checkpoints hold its minimum and count.
 */
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
  public String key() {
    return "ReduceOnPlateau:" + metric;
  }

  @Override
  public void save(CallbackState state) {
    state.put("best", best);
    state.put("since", since);
  }

  @Override
  public void restore(Training training, CallbackState state) {
    best = state.number("best");
    since = (int) state.number("since");
  }

  @Override
  public void onEpochEnd(Training training, History.Epoch epoch) {
    double value = epoch.require(metric, "The reduction of the learning rate");
    if (value < best) {
      best = value;
      since = 0;
    } else if (++since >= patience) {
      training.learningRateFactor(training.learningRateFactor() * factor);
      since = 0;
    }
  }

  @Override
  public void onTrainingEnd(Training training) {
    best = Double.POSITIVE_INFINITY; // for another training
    since = 0;
  }
}
