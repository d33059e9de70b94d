package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.compress.Figures;
import dev.crema.eval.plot.Axes;
import dev.crema.eval.plot.Charts;
import dev.crema.eval.plot.Plot;
import dev.crema.eval.plot.Series;
import dev.crema.nn.Model;
import dev.crema.train.Evaluation;
import dev.crema.train.History;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What commands make of their results: models, pictures, and what is to be said of figures. */
final class Results {
  /** What two measurements of one model may differ by while the machine does other things too. */
  private static final double NOISE = 1.1;

  private Results() {}

  /**
   * Saves what a command took minutes or hours to make. Where that fails, as on a full disk, it
   * goes to the folder for temporary files instead.
   *
   * @throws CremaException if it is not in {@code out}, and where it is
   */
  static void save(Model model, Path out) {
    try {
      model.save(out);
    } catch (CremaException e) {
      throw new CremaException(e.getMessage() + ". " + rescue(model, out.getFileName()), e);
    }
  }

  private static String rescue(Model model, Path name) {
    try {
      Path instead = Files.createTempDirectory("crema-").resolve(name);
      model.save(instead);
      return "So that it is not lost, the model was saved in " + instead + " instead.";
    } catch (CremaException | IOException e) {
      return "Nor can it be saved elsewhere: " + e.getMessage();
    }
  }

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

  /**
   * Refuses, before a training, the name of a picture that could not be written after it, and makes
   * its folder.
   */
  static void requirePicture(Path file) {
    String name = file.toString().toLowerCase(Locale.ROOT);
    if (!name.endsWith(".svg") && !name.endsWith(".png")) {
      throw new CremaException("A plot is an .svg or a .png file, got " + file);
    }
    if (name.endsWith(".png")) {
      Axes any = Axes.of("", "", "", Series.line("", new double[] {0, 1}));
      Plot.of("", any).toPng(); // refuses where there are no fonts
    }
    Path folder = file.toAbsolutePath().getParent();
    try {
      if (!Files.isDirectory(folder)) { // a link to one is fine
        Files.createDirectories(folder);
      }
    } catch (IOException e) {
      throw new CremaException("The plot " + file + " cannot be written: no folder " + folder, e);
    }
    if (!Files.isWritable(folder) || Files.isDirectory(file)) {
      throw new CremaException(
          "The plot "
              + file
              + " cannot be written: "
              + (Files.isDirectory(file) ? "it is a folder" : folder + " does not let you"));
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

  /** How much slower a model is than another, at batch 1 and 32; null if it is not. */
  static String slower(Figures before, Figures after) {
    List<String> batches = new ArrayList<>();
    if (after.nanosOf1() > before.nanosOf1() * NOISE) {
      batches.add(factor(after.nanosOf1() / before.nanosOf1(), "one example"));
    }
    if (after.nanosOf32() > before.nanosOf32() * NOISE) {
      batches.add(factor(after.nanosOf32() / before.nanosOf32(), "a batch of 32"));
    }
    return batches.isEmpty() ? null : String.join(" and ", batches);
  }

  private static String factor(double factor, String what) {
    return String.format(Locale.ROOT, "%.2f times as long for %s", factor, what);
  }
}
