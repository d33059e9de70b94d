package dev.crema.serving.monitoring;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import dev.crema.train.Callback;
import dev.crema.train.History;
import dev.crema.train.Training;
import java.util.Objects;

/**
 * Keeps the curves of a training for a page that shows them while it runs. Memory is bounded: of
 * many steps every second is left out, again and again. Thread-safe.
 */
public final class TrainingFeed implements Callback {
  private static final int MOST_POINTS = 1024;

  private final String run;
  private final Speed speed = new Speed();
  private final long[] steps = new long[MOST_POINTS];
  private final float[] losses = new float[MOST_POINTS];
  private ArrayNode epochs = Json.mapper().createArrayNode();
  private String state = "waiting";
  private String stopReason;
  private int lasting;
  private int points;
  private long every = 1;
  private long step;
  private double sum;
  private int summed;

  /**
   * @param run what the page calls it
   */
  public TrainingFeed(String run) {
    this.run = Objects.requireNonNull(run, "run");
  }

  @Override
  public synchronized void onTrainingBegin(Training training) {
    state = "running";
    lasting = training.epochs();
    step = training.steps();
    epochs = training.history().toJson();
    speed.begin(System.nanoTime());
  }

  /** Points are means of the steps between them. */
  @Override
  public synchronized void onStepEnd(Training training, long number, float loss) {
    step = number;
    speed.examples(training.examples(), System.nanoTime());
    sum += loss;
    summed++;
    if (summed < every) {
      return;
    }
    if (points == MOST_POINTS) {
      halve();
    }
    steps[points] = number;
    losses[points++] = (float) (sum / summed);
    sum = 0;
    summed = 0;
  }

  private void halve() {
    for (int i = 0; i < MOST_POINTS / 2; i++) {
      steps[i] = steps[2 * i + 1];
      losses[i] = (losses[2 * i] + losses[2 * i + 1]) / 2;
    }
    points = MOST_POINTS / 2;
    every *= 2;
  }

  @Override
  public synchronized void onEpochEnd(Training training, History.Epoch epoch) {
    History one = training.history();
    epochs = one.toJson();
  }

  @Override
  public synchronized void onTrainingEnd(Training training) {
    state =
        training.history().epochs().size() >= lasting || training.isStopping() ? "done" : "failed";
    stopReason = training.stopReason();
    speed.end();
  }

  /** What there is now. */
  public synchronized ObjectNode toJson() {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("run", run).put("state", state).put("epochs", lasting).put("step", step);
    json.put("stopReason", stopReason);
    json.put("examples", speed.examples());
    double rate = speed.perSecond();
    json.put("examplesPerSecond", Double.isNaN(rate) ? null : rate);
    json.set("history", epochs.deepCopy());
    ArrayNode curve = json.putArray("batches");
    for (int i = 0; i < points; i++) {
      curve.addArray().add(steps[i]).add(losses[i]);
    }
    return json;
  }
}
