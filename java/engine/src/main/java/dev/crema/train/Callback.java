package dev.crema.train;

/** Something that happens during a training. Called on the training thread. */
public interface Callback {
  /** Before the first epoch (or the first after a resume). */
  default void onTrainingBegin(Training training) {}

  /**
   * After a step.
   *
   * @param loss of its batch
   */
  default void onStepEnd(Training training, long step, float loss) {}

  /** After an epoch, its validation included. {@link Training#stop} ends the training here. */
  default void onEpochEnd(Training training, History.Epoch epoch) {}

  /** At the end, also after an exception. */
  default void onTrainingEnd(Training training) {}
}
