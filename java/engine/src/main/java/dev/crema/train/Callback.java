package dev.crema.train;

import dev.crema.nn.Model;

/** Something that happens during a training. Called on the training thread. */
public interface Callback {
  /**
   * Before the training step is prepared: parameters that are to be pruned while it lasts get their
   * masks here at the latest.
   */
  default void onPrepare(Model model) {}

  /** Before the first epoch (or the first after a resume); the history holds the epochs before. */
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

  /** What its state is found by in a checkpoint; of several with one key, the first has it. */
  default String key() {
    return getClass().getSimpleName();
  }

  /**
   * Puts what it remembers into a checkpoint, after {@link #onEpochEnd}, so that a resumed training
   * gives the same bits as one that never stopped. Nothing by default.
   */
  default void save(CallbackState state) {}

  /**
   * Takes back what {@link #save} put, before {@link #onTrainingBegin}. Not called where the
   * checkpoint has nothing of this {@link #key}.
   */
  default void restore(Training training, CallbackState state) {}
}
