package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.eval.plot.Axes;
import dev.crema.eval.plot.Charts;
import dev.crema.eval.plot.Plot;
import dev.crema.eval.plot.Series;
import dev.crema.train.Evaluation;
import dev.crema.train.History;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The pictures that a training leaves beside its model. */
final class Results {
  private Results() {}

  /**
   * Writes the curves and, for a classifier, the confusion matrix.
   *
   * @param format svg or png
   */
  static List<Path> plot(
      Path folder, String title, History history, Evaluation evaluation, String format) {
    List<Path> files = new ArrayList<>();
    files.add(write(curves(title, history), folder.resolve("curves." + format)));
    if (evaluation != null && evaluation.classification() != null) {
      Plot confusion = Charts.confusion(title, evaluation.classification().confusion());
      files.add(write(confusion, folder.resolve("confusion." + format)));
    }
    return files;
  }

  /** Refuses, before a training, the name of a picture that could not be written after it. */
  static void requirePicture(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    if (!name.endsWith(".svg") && !name.endsWith(".png")) {
      throw new CremaException("A plot is an .svg or a .png file, got " + file);
    }
    if (name.endsWith(".png")) {
      Axes any = Axes.of("", "", "", Series.line("", new double[] {0, 1}));
      Plot.of("", any).toPng(); // refuses where there are no fonts
    }
  }

  /** Loss and the first metric over the epochs. */
  static Plot curves(String title, History history) {
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
    return Charts.trainingCurves(title, losses, metric, metrics);
  }

  private static Path write(Plot plot, Path file) {
    plot.write(file);
    return file;
  }
}
