package dev.crema.cli;

import dev.crema.data.Dataset;
import dev.crema.serving.page.TrainingPage;
import dev.crema.train.History;
import dev.crema.train.Trainer;
import java.io.PrintStream;

/** A training with a page that shows it; apart, so that trainings do without the server's jars. */
final class WatchedTraining {
  private WatchedTraining() {}

  /**
   * @param port 0 for any that is free
   * @param run what the training is called
   * @param text where the page's address goes
   */
  static History fit(Trainer trainer, Dataset data, int port, String run, PrintStream text) {
    try (TrainingPage page = new TrainingPage(port, run)) {
      text.println("Watch: " + page.uri());
      page.callbacks().forEach(trainer::callback);
      return trainer.fit(data);
    }
  }
}
