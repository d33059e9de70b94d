package dev.crema.cli.load;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import dev.crema.text.Table;
import java.util.Locale;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * What a load has shown.
 *
 * @param targetRate requests a second that should have been sent; 0 in a closed loop
 * @param seconds from the first that counts to the last answer
 * @param good requests that were answered as they should be
 * @param errors others, by code
 * @param latencies of all of them, in nanoseconds, each from when it should have been sent
 */
public record LoadResult(
    double targetRate, double seconds, long good, Map<String, Long> errors, Histogram latencies) {
  private static final double[] SHOWN = {50, 75, 90, 95, 99, 99.9, 99.99};
  private static final int WIDTH = 40;

  public long requests() {
    return latencies.getTotalCount();
  }

  /** Good answers a second. */
  public double achievedRate() {
    return good / seconds;
  }

  public boolean failed() {
    return !errors.isEmpty() || good == 0;
  }

  /** In milliseconds. */
  public double millis(double percentile) {
    return latencies.getValueAtPercentile(percentile) / 1e6;
  }

  public ObjectNode json() {
    ObjectNode json = Json.mapper().createObjectNode();
    json.put("requests", requests());
    ObjectNode byCode = json.putObject("errors");
    errors.forEach(byCode::put);
    json.put("achieved_rate", achievedRate());
    json.put("target_rate", targetRate);
    json.put("duration_seconds", seconds);
    ObjectNode latency = json.putObject("latency_us");
    latency.put("p50", micros(50));
    latency.put("p75", micros(75));
    latency.put("p90", micros(90));
    latency.put("p95", micros(95));
    latency.put("p99", micros(99));
    latency.put("p99_9", micros(99.9));
    latency.put("p99_99", micros(99.99));
    latency.put("max", latencies.getMaxValue() / 1e3);
    latency.put("mean", latencies.getMean() / 1e3);
    return json;
  }

  private double micros(double percentile) {
    return latencies.getValueAtPercentile(percentile) / 1e3;
  }

  /** A table, and bars whose length goes with the logarithm of the latency. */
  @Override
  public String toString() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%,d requests in %.1f s: %,.0f answered a second%s%n",
            requests(),
            seconds,
            achievedRate(),
            targetRate == 0
                ? ", as many as it could"
                : String.format(Locale.ROOT, " of %,.0f", targetRate)));
    errors.forEach(
        (code, n) -> text.append(String.format(Locale.ROOT, "%,d failed: %s%n", n, code)));
    Table table =
        Table.of("percentile", "ms", "").align(0, Table.Align.RIGHT).align(1, Table.Align.RIGHT);
    for (double percentile : SHOWN) {
      table.row(plain(percentile), ms(millis(percentile)), bar(millis(percentile)));
    }
    table.row("max", ms(latencies.getMaxValue() / 1e6), bar(latencies.getMaxValue() / 1e6));
    table.row("mean", ms(latencies.getMean() / 1e6), bar(latencies.getMean() / 1e6));
    return text.append(table).toString();
  }

  private static String plain(double percentile) {
    return percentile == Math.rint(percentile) ? "" + (int) percentile : "" + percentile;
  }

  private static String ms(double value) {
    return String.format(Locale.ROOT, value < 10 ? "%.3f" : "%.1f", value);
  }

  /** From a hundredth of a millisecond to a second and more. */
  private static String bar(double millis) {
    double decades = Math.log10(Math.max(millis, 0.01)) + 2;
    return "#".repeat((int) Math.max(1, Math.min(WIDTH, decades * WIDTH / 5)));
  }
}
