package dev.crema.train;

import dev.crema.memory.Buffer;
import java.util.Locale;

/**
 * Ends a training when a metric has not improved for {@code patience} epochs, and puts the best
 * epoch's parameters and states back. Checkpoints hold the best epoch too.
 */
public final class EarlyStopping implements Callback {
  private final String metric;
  private final boolean maximise;
  private final int patience;
  private final double minDelta;
  private Buffer parameters;
  private Buffer state;
  private double best;
  private int bestEpoch;

  private EarlyStopping(String metric, boolean maximise, int patience, double minDelta) {
    if (patience < 1) {
      throw new IllegalArgumentException("Patience must be at least one epoch, got " + patience);
    }
    if (!(minDelta >= 0)) {
      throw new IllegalArgumentException("minDelta must be at least 0, got " + minDelta);
    }
    this.metric = metric;
    this.maximise = maximise;
    this.patience = patience;
    this.minDelta = minDelta;
  }

  /** Watches a metric that should fall, such as {@code val_loss}. */
  public static EarlyStopping minimise(String metric, int patience) {
    return new EarlyStopping(metric, false, patience, 0);
  }

  /** Watches a metric that should rise, such as {@code val_accuracy}. */
  public static EarlyStopping maximise(String metric, int patience) {
    return new EarlyStopping(metric, true, patience, 0);
  }

  /** A change of the metric counts only when it is larger than this. */
  public EarlyStopping minDelta(double delta) {
    return new EarlyStopping(metric, maximise, patience, delta);
  }

  @Override
  public String key() {
    return "EarlyStopping:" + metric;
  }

  @Override
  public void restore(Training training, CallbackState saved) {
    allocate(training);
    best = saved.number("best");
    bestEpoch = (int) saved.number("best_epoch");
    saved.read("parameters", parameters);
    saved.read("state", state);
  }

  @Override
  public void save(CallbackState to) {
    to.put("best", best);
    to.put("best_epoch", bestEpoch);
    to.put("parameters", parameters);
    to.put("state", state);
  }

  @Override
  public void onTrainingBegin(Training training) {
    if (parameters == null) {
      allocate(training);
      best = maximise ? Double.NEGATIVE_INFINITY : Double.POSITIVE_INFINITY;
      bestEpoch = training.history().epochs().size(); // patience begins here
    } else {
      stopWhenDue(training, training.history().last().epoch());
    }
  }

  private void allocate(Training training) {
    parameters = Buffer.allocate(training.model().parameters().byteSize());
    state = Buffer.allocate(training.model().state().byteSize());
  }

  @Override
  public void onEpochEnd(Training training, History.Epoch epoch) {
    double value = epoch.require(metric, "Early stopping");
    if (maximise ? value > best + minDelta : value < best - minDelta) {
      best = value;
      bestEpoch = epoch.epoch();
      copy(training.model().parameters(), parameters);
      copy(training.model().state(), state);
    } else {
      stopWhenDue(training, epoch.epoch());
    }
  }

  private void stopWhenDue(Training training, int epoch) {
    if (epoch - bestEpoch >= patience) {
      training.stop(
          String.format(
              Locale.ROOT, "%s has not improved since epoch %d (%.5g)", metric, bestEpoch, best));
    }
  }

  @Override
  public void onTrainingEnd(Training training) {
    if (parameters == null) {
      return;
    }
    if (!Double.isInfinite(best)) {
      copy(parameters, training.model().parameters());
      copy(state, training.model().state());
    }
    parameters.close();
    state.close();
    parameters = null;
    state = null;
  }

  private static void copy(Buffer from, Buffer to) {
    to.copyFrom(0, from, 0, from.byteSize());
  }
}
