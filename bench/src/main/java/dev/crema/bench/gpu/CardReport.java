package dev.crema.bench.gpu;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.device.Device;
import dev.crema.io.Json;
import dev.crema.text.Table;
import java.time.LocalDate;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What was measured, as a document that peers.py joins PyTorch's figures to, and as a table. */
record CardReport(Device device, Sizes sizes, CardLimits limits, List<Row> rows) {
  private static final double MICRO = 1e6;
  private static final double GIGA = 1e9;
  private static final double TERA = 1e12;
  private static final int PERCENT = 100;

  /**
   * A work's figures.
   *
   * @param seconds of a run, round by round; empty if it failed
   * @param losses of the first steps
   * @param ways that the card has chosen for its layers, by measuring
   * @param failure null if there was none
   */
  record Row(
      CardWork work, List<Double> seconds, double[] losses, List<String> ways, String failure) {
    double median() {
      return CardTimer.median(seconds);
    }

    /** The work, and the kinds of ways, each with how many layers took it. */
    String description() {
      Map<String, Integer> kinds = new LinkedHashMap<>();
      ways.forEach(way -> kinds.merge(way.substring(way.lastIndexOf(' ') + 1), 1, Integer::sum));
      String all =
          kinds.entrySet().stream()
              .map(e -> (e.getValue() == 1 ? "" : e.getValue() + " × ") + e.getKey())
              .collect(Collectors.joining(", "));
      return work.description() + (ways.isEmpty() ? "" : "; the card chose " + all);
    }
  }

  boolean isComplete() {
    return rows.stream().allMatch(row -> row.failure() == null);
  }

  ObjectNode json() {
    ObjectNode document = Json.mapper().createObjectNode();
    document.put("date", LocalDate.now().toString());
    document.put("device", device.name()).put("description", device.description());
    document.put("full_size", sizes.areFull());
    document.set("sizes", Json.mapper().valueToTree(sizes));
    ObjectNode rates = document.putObject("limits").put("copy", limits.copy());
    limits.products().forEach((arithmetic, rate) -> rates.put(arithmetic.label(), rate));
    ArrayNode works = document.putArray("works");
    rows.forEach(row -> works.add(json(row)));
    return document;
  }

  private static ObjectNode json(Row row) {
    CardWork work = row.work();
    ObjectNode node = Json.mapper().createObjectNode();
    node.put("name", work.name()).put("description", row.description());
    if (work.bytes() > 0) {
      node.put("bytes", work.bytes());
    } else {
      node.put("flops", work.flops()).put("arithmetic", work.arithmetic().label());
    }
    ArrayNode bars = node.putArray("bars");
    work.bars().forEach(bar -> bars.add(bar.json()));
    if (row.failure() != null) {
      return node.put("failure", row.failure());
    }
    node.put("seconds", row.median());
    row.seconds().forEach(node.putArray("rounds")::add);
    if (!row.ways().isEmpty()) {
      row.ways().forEach(node.putArray("ways")::add);
    }
    if (row.losses().length > 0) {
      ArrayNode losses = node.putArray("losses");
      for (double loss : row.losses()) {
        losses.add(loss);
      }
    }
    return node;
  }

  /** For people: the limits, then a line a work. */
  String text() {
    StringBuilder text = new StringBuilder(device.description()).append('\n');
    text.append(
        String.format(
            Locale.ROOT,
            "Measured here: a copy %.0f GB/s; products, TFLOP/s: %s%n",
            limits.copy() / GIGA,
            Arrays.stream(Arithmetic.values())
                .map(a -> "%.3g in %s".formatted(limits.products().get(a) / TERA, a.label()))
                .collect(Collectors.joining(", "))));
    Table table = Table.of("work", "µs", "of limit", "what");
    for (Row row : rows) {
      if (row.failure() == null) {
        table.row(
            row.work().name(),
            String.format(Locale.ROOT, "%.1f", MICRO * row.median()),
            String.format(
                Locale.ROOT, "%.0f %%", PERCENT * limits.seconds(row.work()) / row.median()),
            row.description());
      } else {
        table.row(row.work().name(), "failed", "", row.failure());
      }
    }
    return text.append(table).toString();
  }
}
