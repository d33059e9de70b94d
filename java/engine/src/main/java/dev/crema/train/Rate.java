package dev.crema.train;

/** A learning rate by a formula that has a name. */
record Rate(String description, LearningRate formula) implements LearningRate {
  @Override
  public double at(long step, long total) {
    return formula.at(step, total);
  }
}
