package dev.crema.serving.monitoring;

import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.VersionStatus;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * What the last five minutes brought, second by second, for the page: requests, errors and
 * latencies of each model, and the last errors in words. Thread-safe.
 */
public final class Traffic implements ServingListener {
  /** Seconds that are remembered. */
  public static final int SECONDS = 300;

  private static final int MOST_ERRORS = 50;
  private static final int LONGEST_MESSAGE = 300;
  private static final String UNKNOWN = "";

  private final Map<String, OfModel> models = new ConcurrentHashMap<>();
  private final Deque<Failure> failures = new ArrayDeque<>();

  /**
   * A second.
   *
   * @param requests that were answered
   * @param errors requests that were refused or failed
   * @param p50 microseconds; NaN if none was answered, as the others
   */
  public record Second(long requests, long errors, double p50, double p90, double p99) {}

  /**
   * A request that was not answered.
   *
   * @param millis since 1970
   * @param model "" if there is none of the name that was asked for
   */
  public record Failure(long millis, String model, String protocol, String code, String message) {}

  private static final class OfModel {
    final LatencyCounts latencies = new LatencyCounts();
    final LongAdder errors = new LongAdder();
    final Second[] seconds = new Second[SECONDS];
    int next;
    long[] before = latencies.copy();
    long errorsBefore;

    /** Called by one thread at a time, as are those below. */
    void turn() {
      long[] now = latencies.copy();
      long errorsNow = errors.sum();
      seconds[next] =
          new Second(
              LatencyCounts.total(now) - LatencyCounts.total(before),
              errorsNow - errorsBefore,
              LatencyCounts.quantile(before, now, 0.5) / 1e3,
              LatencyCounts.quantile(before, now, 0.9) / 1e3,
              LatencyCounts.quantile(before, now, 0.99) / 1e3);
      next = (next + 1) % SECONDS;
      before = now;
      errorsBefore = errorsNow;
    }

    List<Second> all() {
      List<Second> list = new ArrayList<>(SECONDS);
      for (int i = 0; i < SECONDS; i++) {
        Second second = seconds[(next + i) % SECONDS];
        if (second != null) {
          list.add(second);
        }
      }
      return list;
    }
  }

  public Traffic() {
    models.put(UNKNOWN, new OfModel());
  }

  @Override
  public void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {
    OfModel model = models.get(response.model());
    if (model == null) {
      model = models.computeIfAbsent(response.model(), m -> new OfModel());
    }
    model.latencies.add(totalNanos);
  }

  @Override
  public void refused(InferenceRequest request, ServingException why, long totalNanos) {
    failed(request.model().name(), request.protocol(), why);
  }

  @Override
  public void malformed(String protocol, String model, ServingException why) {
    failed(model, protocol, why);
  }

  private void failed(String asked, String protocol, ServingException why) {
    String model = models.containsKey(asked) ? asked : UNKNOWN;
    models.get(model).errors.increment();
    String message = String.valueOf(why.getMessage());
    String cut =
        message.length() <= LONGEST_MESSAGE ? message : message.substring(0, LONGEST_MESSAGE) + "…";
    Failure failure =
        new Failure(System.currentTimeMillis(), model, protocol, why.code().name(), cut);
    synchronized (failures) {
      failures.addFirst(failure);
      if (failures.size() > MOST_ERRORS) {
        failures.removeLast();
      }
    }
  }

  @Override
  public void changed(VersionStatus status) {
    models.computeIfAbsent(status.model(), m -> new OfModel());
  }

  /** Ends a second; to be called once in each. */
  synchronized void turn() {
    models.values().forEach(OfModel::turn);
  }

  /** By model, the oldest second first; {@code ""} for requests to models that are not there. */
  public synchronized Map<String, List<Second>> seconds() {
    Map<String, List<Second>> all = new TreeMap<>();
    models.forEach((name, model) -> all.put(name, model.all()));
    return all;
  }

  /** The last requests that were not answered, the latest first. */
  public List<Failure> failures() {
    synchronized (failures) {
      return List.copyOf(failures);
    }
  }
}
