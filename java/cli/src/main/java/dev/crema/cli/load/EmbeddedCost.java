package dev.crema.cli.load;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.serving.Predictions;
import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.monitoring.Monitoring;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;

/**
 * What the serving layer adds to a prediction inside one's own process: {@link Predictions}, with
 * repository, batching and monitoring behind it, beside {@link Predictor}, both for one example on
 * one thread. No HTTP, no JSON.
 */
public final class EmbeddedCost {
  private static final int ROUNDS = 10;
  private static final float TOLERANCE = 1e-5f; // plans of two capacities may sum in two orders

  private EmbeddedCost() {}

  /**
   * Microseconds of a call.
   *
   * @param direct median of a predictor's
   * @param served median of the serving layer's
   */
  public record Result(
      int calls, double direct, double directP99, double served, double servedP99) {
    /** Of the median. */
    public double added() {
      return served - direct;
    }
  }

  /**
   * Measures both in turns, after as many calls for warming up.
   *
   * @param models folder with NAME/VERSION
   * @param calls of each
   * @throws CremaException if the two predict differently
   */
  public static Result measure(Path models, String name, int calls) {
    try (Monitoring monitoring = Monitoring.prometheus();
        ModelRepository repository =
            ModelRepository.of(models).listener(monitoring.listener()).open();
        BatchingInference inference = new BatchingInference(repository, monitoring.listener())) {
      monitoring.watch(repository);
      ModelReference reference = ModelReference.of(name);
      long version = repository.resolve(reference).version();
      Predictions served = new Predictions(repository, inference, reference);
      Path folder = models.resolve(name).resolve(Long.toString(version));
      try (Model model = Model.load(folder);
          Predictor direct = model.predictor(1)) {
        int size =
            Math.toIntExact(repository.signature(reference).inputs().get(0).elementsPerExample());
        float[] example = new float[size];
        Random random = new Random(1);
        for (int i = 0; i < size; i++) {
          example[i] = random.nextFloat();
        }
        return compare(direct, served, example, calls);
      }
    }
  }

  private static Result compare(Predictor direct, Predictions served, float[] example, int calls) {
    float[] expected = served.predict(example);
    float[] result = new float[expected.length];
    direct.predict(example, result);
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(result[i] - expected[i]) <= TOLERANCE * Math.max(1, Math.abs(expected[i])))) {
        throw new CremaException(
            "Output " + i + " is " + expected[i] + " by the serving layer, " + result[i] + " not");
      }
    }
    int round = Math.max(1, calls / ROUNDS);
    long[] ofDirect = new long[ROUNDS * round];
    long[] ofServed = new long[ROUNDS * round];
    for (int r = -ROUNDS; r < ROUNDS; r++) { // those below 0 warm up and are written over
      int at = Math.floorMod(r, ROUNDS) * round;
      for (int i = at; i < at + round; i++) {
        long start = System.nanoTime();
        direct.predict(example, result);
        ofDirect[i] = System.nanoTime() - start;
      }
      for (int i = at; i < at + round; i++) {
        long start = System.nanoTime();
        served.predict(example);
        ofServed[i] = System.nanoTime() - start;
      }
    }
    Arrays.sort(ofDirect);
    Arrays.sort(ofServed);
    return new Result(
        ofDirect.length,
        quantile(ofDirect, 0.5),
        quantile(ofDirect, 0.99),
        quantile(ofServed, 0.5),
        quantile(ofServed, 0.99));
  }

  private static double quantile(long[] sorted, double q) {
    return sorted[(int) (q * (sorted.length - 1))] / 1e3;
  }

  /**
   * Prints the result as JSON.
   *
   * @param arguments the folder of models, a model's name, calls
   */
  public static void main(String[] arguments) {
    Result result = measure(Path.of(arguments[0]), arguments[1], Integer.parseInt(arguments[2]));
    ObjectNode json =
        Json.mapper()
            .createObjectNode()
            .put("calls", result.calls())
            .put("direct_p50_us", result.direct())
            .put("direct_p99_us", result.directP99())
            .put("served_p50_us", result.served())
            .put("served_p99_us", result.servedP99())
            .put("added_p50_us", result.added());
    System.out.println(json);
  }
}
