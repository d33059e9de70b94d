package dev.crema.compress;

import dev.crema.nn.Model;

/**
 * A form of a model that a {@link CandidateSearch} tries. Closing it lets go of its model, unless
 * that is one of the best so far.
 */
final class Attempt implements AutoCloseable {
  private final String name;
  private Model model;
  private Figures figures;
  private double noise;
  private boolean accurate;
  private boolean finalist;
  private boolean inHand = true;
  private Trial.Outcome outcome;
  private String reason;

  Attempt(String name) {
    this.name = name;
  }

  String name() {
    return name;
  }

  /** Null if it could not be made. */
  Model model() {
    return model;
  }

  /** Gives it a model, which it owns from then on. */
  void made(Model value) {
    model = value;
  }

  /** Gives its model away. */
  Model take() {
    Model taken = model;
    model = null;
    return taken;
  }

  /** Null if it could not be made. */
  Figures figures() {
    return figures;
  }

  /** By which share the original differed from itself when this was timed. */
  double noise() {
    return noise;
  }

  void measured(Figures values, double noiseOfThem) {
    figures = values;
    noise = noiseOfThem;
  }

  /** Whether it could be made, and its accuracy is enough. */
  boolean isAccurate() {
    return accurate;
  }

  void setAccurate(boolean value) {
    accurate = value;
  }

  /** Whether it is accurate and better than the original. */
  boolean passed() {
    return outcome == Trial.Outcome.PASSED;
  }

  void end(Trial.Outcome what, String why) {
    outcome = what;
    reason = why;
  }

  /** Whether it passed and nothing was said of it yet. */
  boolean isUndecided() {
    return passed() && reason.isEmpty();
  }

  Trial trial() {
    return new Trial(name, figures, outcome, reason);
  }

  /** Keeps its model open, or no longer does. */
  void setFinalist(boolean value) {
    finalist = value;
    letGo();
  }

  private void letGo() {
    if (model != null && !inHand && !finalist) {
      model.close();
      model = null;
    }
  }

  @Override
  public void close() {
    inHand = false;
    letGo();
  }
}
