package dev.crema.bench;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Times JVMs from their start, or from an engine's first call, to the first prediction. Options of
 * the JVM are the default ones. The first start, which may extract natives, is not counted.
 */
final class Starts {
  /** A JVM that does nothing: the least that a start takes. */
  static final class Empty {
    private Empty() {}

    public static void main(String[] args) throws IOException {
      Files.write(Path.of(args[0]), List.of("done"));
    }
  }

  private record Started(long nanos, String version, float[] prediction) {
    static Started read(Path file) throws IOException {
      List<String> lines = Files.readAllLines(file);
      String[] words = lines.get(2).split(" ");
      float[] prediction = new float[words.length];
      for (int i = 0; i < words.length; i++) {
        prediction[i] = Float.parseFloat(words[i]);
      }
      return new Started(Long.parseLong(lines.get(0)), lines.get(1), prediction);
    }
  }

  private Starts() {}

  static Measurement measure(Work work, Engine engine, int threads, int count) {
    boolean process = ((Problem.Start) work.problem()).process();
    try {
      Path file = Files.createTempFile("crema-bench", ".given");
      try {
        Given.of(Network.SEED_MLP, 1).write(file);
        return measure(work.name(), engine, threads, count, process, file);
      } finally {
        Files.delete(file);
      }
    } catch (IOException e) {
      throw new CremaException("Can't write what is given: " + e.getMessage(), e);
    }
  }

  private static Measurement measure(
      String work, Engine engine, int threads, int count, boolean process, Path given) {
    List<String> arguments = List.of(engine.name(), Integer.toString(threads), given.toString());
    float[] expected = prediction(threads);
    List<Double> nanos = new ArrayList<>();
    List<Double> empty = new ArrayList<>();
    String version = "";
    for (int i = 0; i <= count; i++) {
      long before = System.nanoTime();
      if (process) {
        Child.run(engine, threads, List.of(), Empty.class, List.of(), Files::size);
      }
      long begin = System.nanoTime();
      Started started =
          Child.run(engine, threads, List.of(), Start.class, arguments, Started::read);
      long whole = System.nanoTime() - begin;
      Results.requireEqual(expected, started.prediction);
      version = started.version;
      if (i > 0) {
        nanos.add((double) (process ? whole : started.nanos));
        empty.add((double) (process ? begin - before : 0));
      }
    }
    String what = process ? "a JVM that does nothing" : "";
    return new Measurement(
        work, engine.name(), threads, nanos, Double.NaN, empty, what, false, version);
  }

  private static float[] prediction(int threads) {
    try (Task task =
        new CremaEngine(false).prepare(new Problem.Prediction(Network.SEED_MLP, 1), threads)) {
      return task.check();
    }
  }
}
