package dev.crema.train;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import dev.crema.data.Datasets;
import dev.crema.data.IndexedDataset;
import dev.crema.eval.plot.Axes;
import dev.crema.eval.plot.Plot;
import dev.crema.eval.plot.Series;
import dev.crema.io.AtomicFiles;
import dev.crema.io.Content;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/**
 * A process on whose disk small files fit and files of more than a megabyte don't: FOLDER, and
 * "disk" if the whole disk is as small, so that it can be filled. It ends with an error if anything
 * is written in part, or lost, or refused without a reason.
 */
final class FullDiskProcess {
  private static final String FULL = "(?s).*(No space left on device|File too large).*";
  private static final int MUCH = 2 << 20;

  private final Path folder;

  private FullDiskProcess(Path folder) {
    this.folder = folder;
  }

  public static void main(String[] arguments) throws IOException {
    FullDiskProcess process = new FullDiskProcess(Path.of(arguments[0]));
    process.modelsStayWhole();
    process.resultsStayWhole();
    if (arguments[1].equals("disk")) {
      process.plotsStayWhole();
      process.checkpointsStayWhole();
      process.logsKeepTheirLines();
    }
    System.out.println("all stayed whole");
  }

  private static void refused(Path file, ThrowingCallable write) {
    assertThatThrownBy(write)
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(file.toString())
        .hasMessageMatching(FULL);
  }

  private static Model model(int features, int units) {
    return Model.sequential(features).dense(units, Activation.RELU).dense(1).build(3);
  }

  private void assertThatThereAreOnly(Path... files) throws IOException {
    try (Stream<Path> all = Files.list(folder)) {
      assertThat(all).containsExactlyInAnyOrder(files);
    }
  }

  private void modelsStayWhole() throws IOException {
    Path asFolder = folder.resolve("model");
    Path asZip = folder.resolve("model.zip");
    float[] example = {1, 2, 3, 4};
    float[] expected;
    try (Model small = model(4, 3);
        Model big = model(400, 1000)) {
      expected = small.predict(example);
      for (Path target : List.of(asFolder, asZip)) {
        small.save(target);
        refused(target, () -> big.save(target));
        refused(target, () -> big.save(target)); // nothing of the first try is in the way
      }
    }
    for (Path target : List.of(asFolder, asZip)) {
      try (Model old = Model.load(target)) {
        assertThat(old.predict(example)).containsExactly(expected);
      }
    }
    assertThatThereAreOnly(asFolder, asZip);
  }

  private void resultsStayWhole() throws IOException {
    Path csv = folder.resolve("predictions.csv");
    AtomicFiles.write(csv, Content.of("old\n"));
    refused(csv, () -> AtomicFiles.write(csv, Content.of("1,2\n".repeat(MUCH / 4))));
    assertThat(csv).hasContent("old\n");
    assertThatThereAreOnly(folder.resolve("model"), folder.resolve("model.zip"), csv);
  }

  private void plotsStayWhole() throws IOException {
    Path svg = folder.resolve("curves.svg");
    Axes axes = Axes.of("", "x", "y", Series.line("s", new double[] {0, 1}));
    Plot.of("old", axes).write(svg);
    byte[] before = Files.readAllBytes(svg);
    Path filler = fill();
    refused(svg, () -> Plot.of("new", axes).write(svg));
    Files.delete(filler);
    assertThat(svg).hasBinaryContent(before);
  }

  private static IndexedDataset data() {
    float[][] x = new float[32][4];
    float[][] y = new float[32][1];
    for (int i = 0; i < 32; i++) {
      x[i][i % 4] = i;
      y[i][0] = i % 4;
    }
    return Datasets.regression(x, y);
  }

  private Path fill() {
    Path filler = folder.resolve("filler");
    byte[] block = new byte[1 << 12];
    try (OutputStream out = Files.newOutputStream(filler)) {
      while (true) {
        out.write(block);
      }
    } catch (IOException full) {
      return filler;
    }
  }

  private void checkpointsStayWhole() throws IOException {
    Path checkpoint = folder.resolve("run.checkpoint");
    try (Model model = model(4, 3)) {
      Trainer.of(model).epochs(2).checkpoint(checkpoint).fit(data());
    }
    Path filler = fill();
    try (Model model = model(4, 3)) {
      Trainer more = Trainer.of(model).epochs(4).checkpoint(checkpoint).resume(true);
      refused(checkpoint, () -> more.fit(data()));
    }
    Files.delete(filler);
    try (Model model = model(4, 3)) {
      History history = Trainer.of(model).epochs(4).checkpoint(checkpoint).resume(true).fit(data());
      assertThat(history.epochs()).as("two of the checkpoint, two more").hasSize(4);
    }
  }

  private void logsKeepTheirLines() throws IOException {
    for (String name : List.of("log.csv", "log.jsonl")) {
      Path log = folder.resolve(name);
      Callback full =
          new Callback() {
            @Override
            public void onEpochEnd(Training now, History.Epoch epoch) {
              if (epoch.epoch() == 3) {
                fill();
              }
            }
          };
      try (Model model = model(4, 3)) {
        Trainer training = Trainer.of(model).epochs(500).callback(EpochLog.of(log)).callback(full);
        refused(log, () -> training.fit(data()));
      }
      Files.delete(folder.resolve("filler"));
      List<String> lines = Files.readAllLines(log);
      assertThat(lines).hasSizeGreaterThan(4);
      for (String line : lines.subList(1, lines.size())) {
        assertThat(commas(line)).isEqualTo(commas(lines.get(1)));
      }
    }
  }

  private static long commas(String line) {
    return line.chars().filter(c -> c == ',').count();
  }
}
