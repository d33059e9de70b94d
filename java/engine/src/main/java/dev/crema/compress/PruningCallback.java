package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.train.Callback;
import dev.crema.train.CallbackState;
import dev.crema.train.Training;

/** {@link Pruner#during}. Between two prunings a step costs nothing here and allocates nothing. */
final class PruningCallback implements Callback {
  private static final String SETTINGS = "settings";

  private final Pruner pruner;
  private final SparsitySchedule schedule;
  private long last;

  PruningCallback(Pruner pruner, SparsitySchedule schedule) {
    this.pruner = pruner;
    this.schedule = schedule;
  }

  /** Gives all that will be pruned a mask, which prunes nothing yet, for the step to keep. */
  @Override
  public void onPrepare(Model model) {
    last = -1;
    for (Prunable target : pruner.targets(model)) {
      target.parameters().forEach(p -> mask(model, p));
      target.followers().keySet().forEach(p -> mask(model, p));
    }
  }

  private static void mask(Model model, Parameter p) {
    model.masks().set(p.path(), model.masks().get(p.path()));
  }

  @Override
  public void onTrainingBegin(Training training) {
    if (training.steps() == 0) {
      prune(training, 0);
    }
  }

  @Override
  public void onStepEnd(Training training, long step, float loss) {
    prune(training, step);
  }

  private void prune(Training training, long step) {
    if (step == last) {
      return; // gradients were accumulated: no update
    }
    last = step;
    if (schedule.prunesAt(step) && schedule.at(step) > 0) {
      pruner.prune(training.model(), schedule.at(step));
    }
  }

  @Override
  public String key() {
    return "Pruner";
  }

  @Override
  public void save(CallbackState state) {
    state.put(SETTINGS, settings());
    state.put("initial_sparsity", schedule.initial());
    state.put("sparsity", schedule.target());
    state.put("begin", schedule.begin());
    state.put("end", schedule.end());
    state.put("frequency", schedule.frequency());
  }

  @Override
  public void restore(Training training, CallbackState state) {
    SparsitySchedule saved =
        new SparsitySchedule(
            state.number("initial_sparsity"),
            state.number("sparsity"),
            (long) state.number("begin"),
            (long) state.number("end"),
            (long) state.number("frequency"));
    if (!saved.equals(schedule) || state.number(SETTINGS) != settings()) {
      throw new CremaException(
          "The checkpoint was pruned in another way: from "
              + saved
              + (saved.equals(schedule)
                  ? ", with another pattern, scope or other layers than " + pruner
                  : ", now " + schedule)
              + ". Use the same, or train without resuming.");
    }
    last = training.steps();
  }

  /** A number that differs where patterns, scopes and layers do. */
  private double settings() {
    return pruner.toString().hashCode();
  }
}
