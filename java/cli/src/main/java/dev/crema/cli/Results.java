package dev.crema.cli;

import dev.crema.eval.plot.Charts;
import dev.crema.eval.plot.Plot;
import dev.crema.eval.plot.Series;
import dev.crema.train.Evaluation;
import dev.crema.train.History;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The pictures that a training leaves beside its model. */
final class Results {
  private Results() {}

  /** Writes {@code curves.svg} and, for a classifier, {@code confusion.svg}. */
  static List<Path> plot(Path folder, String title, History history, Evaluation evaluation) {
    List<Path> files = new ArrayList<>();
    List<Series> losses = new ArrayList<>();
    losses.add(Series.line("train", history.series("loss")));
    boolean validated = history.last().metrics().containsKey("val_loss");
    if (validated) {
      losses.add(Series.line("validation", history.series("val_loss")));
    }
    String metric = history.last().metrics().containsKey("val_mae") ? "mae" : "accuracy";
    List<Series> metrics = new ArrayList<>();
    if (history.last().metrics().containsKey(metric)) {
      metrics.add(Series.line("train", history.series(metric)));
    }
    if (history.last().metrics().containsKey("val_" + metric)) {
      metrics.add(Series.line("validation", history.series("val_" + metric)));
    }
    Plot curves = Charts.trainingCurves(title, losses, metric, metrics);
    files.add(write(curves, folder.resolve("curves.svg")));
    if (evaluation != null && evaluation.classification() != null) {
      Plot confusion = Charts.confusion(title, evaluation.classification().confusion());
      files.add(write(confusion, folder.resolve("confusion.svg")));
    }
    return files;
  }

  private static Path write(Plot plot, Path file) {
    plot.write(file);
    return file;
  }
}
