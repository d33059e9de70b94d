package dev.crema.train;

import dev.crema.nn.Model;

/** A training that is under way, as callbacks see it. */
public final class Training {
  private final Model model;
  private final int epochs;
  private final TrainingStep step;
  private final History history;
  private double learningRateFactor = 1;
  private long examples;
  private boolean stopping;
  private String stopReason;

  Training(Model model, int epochs, TrainingStep step, History history) {
    this.model = model;
    this.epochs = epochs;
    this.step = step;
    this.history = history;
  }

  public Model model() {
    return model;
  }

  /** How many epochs it will last unless something stops it. */
  public int epochs() {
    return epochs;
  }

  /** What the epochs so far gave. */
  public History history() {
    return history;
  }

  /** Steps taken so far, those before a resume included. */
  public long steps() {
    return step.steps();
  }

  /**
   * What the loss is multiplied by before gradients are computed; 1 where it is not scaled. On a
   * card it is copied back: ask now and then, not at each step.
   */
  public double lossScale() {
    return step.scaled() == null ? 1 : step.scaled().scale();
  }

  /** Examples seen since this call of fit began, repetitions included. */
  public long examples() {
    return examples;
  }

  /** Counts the examples of a step. */
  void took(int rows) {
    examples += rows;
  }

  /** What the schedule's learning rate is multiplied by; 1 at first. */
  public double learningRateFactor() {
    return learningRateFactor;
  }

  public void learningRateFactor(double factor) {
    if (!(factor > 0)) {
      throw new IllegalArgumentException("The factor must be positive, got " + factor);
    }
    learningRateFactor = factor;
  }

  /** Ends the training after this epoch. */
  public void stop(String reason) {
    stopping = true;
    stopReason = reason;
  }

  public boolean isStopping() {
    return stopping;
  }

  /** Why it was stopped early, or null. */
  public String stopReason() {
    return stopReason;
  }
}
