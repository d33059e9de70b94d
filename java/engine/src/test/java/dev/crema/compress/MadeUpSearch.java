package dev.crema.compress;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.device.Device;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A model, candidates and a clock made for tests of what a search keeps. */
abstract class MadeUpSearch {
  /** Nanoseconds of each candidate by its name, at batch 1 and 32; of others 1,000 and 10,000. */
  static final class FakeClock implements Stopwatch {
    private final Map<String, double[]> times = new HashMap<>();

    FakeClock with(String name, double one, double batch) {
      times.put(name, new double[] {one, batch});
      return this;
    }

    @Override
    public double[] medians(
        List<Candidate> candidates, int batch, Dataset data, int threads, Device device) {
      return candidates.stream()
          .mapToDouble(
              c -> times.getOrDefault(c.name(), new double[] {1000, 10_000})[batch == 1 ? 0 : 1])
          .toArray();
    }
  }

  final FakeClock clock = new FakeClock();
  final List<Model> made = new ArrayList<>();
  Model model;

  /** Class 1 where x0 + x1 is more than 0; the other inputs count nothing. */
  @BeforeEach
  void makeAModel() {
    model = Model.sequential(4).dense(2, Activation.SOFTMAX).build(1);
    model.set("dense_1/kernel", new float[] {-1, 1, -1, 1, 0, 0, 0, 0});
  }

  @AfterEach
  void close() {
    model.close();
    made.forEach(Model::close);
  }

  /** Examples of which only one of the first two inputs is not 0. */
  static Dataset data(int rows, int input, long seed) {
    Random random = new Random(seed);
    float[][] x = new float[rows][4];
    int[] y = new int[rows];
    for (int i = 0; i < rows; i++) {
      x[i][input] = (float) random.nextGaussian();
      x[i][2] = (float) random.nextGaussian();
      y[i] = x[i][input] > 0 ? 1 : 0;
    }
    return Datasets.of(x, y);
  }

  Compression search(Strategy strategy) {
    Compression compression =
        Compression.optimize(model, data(100, 0, 1))
            .validation(data(400, 0, 2))
            .threads(1)
            .device(Device.cpu());
    compression.stopwatch = clock;
    compression.strategy = strategy;
    return compression;
  }

  /** A copy that weighs an input otherwise. */
  Supplier<Model> weighing(int input, float weight) {
    return () -> {
      Model copy = model.copy();
      made.add(copy);
      float[] kernel = copy.get("dense_1/kernel");
      kernel[2 * input] = -weight;
      kernel[2 * input + 1] = weight;
      copy.set("dense_1/kernel", kernel);
      return copy;
    };
  }

  static void attempt(CandidateSearch search, String name, Supplier<Model> maker) {
    search.attempt(name, maker).close();
  }

  static Trial trial(CompressionResult result, String name) {
    return result.trials().stream().filter(t -> t.name().equals(name)).findFirst().orElseThrow();
  }

  void requireClosed(int of) {
    assertThatThrownBy(() -> made.get(of).parameters()).isInstanceOf(IllegalStateException.class);
  }
}
