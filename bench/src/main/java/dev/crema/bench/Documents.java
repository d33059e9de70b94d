package dev.crema.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.Collectors;

/** A report as Markdown, for a README, and as JSON, with everything that was measured. */
final class Documents {
  private Documents() {}

  static String markdown(Report report, Machine machine, String command) {
    StringBuilder text = new StringBuilder();
    text.append("Measured ").append(machine.date()).append(" on ").append(machine.processor());
    text.append(", ").append(threads(report.threads())).append(", Java ").append(machine.java());
    text.append(", by `").append(command).append("`.\n");
    text.append(
        "Engines take turns of a tenth of a second. Times are medians of the turns; behind ");
    text.append(
        "a peer's time stands how many times Crema's that is: the median of the turns' ratios ");
    text.append(
        "and their quartiles. \"Of limit\": the time that the machine's arithmetic or memory, ");
    text.append(
        "measured in the same process just before each turn, would need, as a share of Crema's.");
    if (report.threads().size() > 1) {
      text.append(" Peers, limit and heap are those on ")
          .append(threads(List.of(report.threads().get(0))));
      text.append(
          "; \"2 threads / 1 thread\": how many times as fast Crema is on two, and how many ");
      text.append("times as fast the limit.");
    }
    text.append("\n\n");
    table(text, report.table());
    report.versions().forEach((engine, v) -> line(text, engine + ": " + v));
    report.limits().forEach(limit -> line(text, "limit of " + limit));
    report.notReached().forEach(row -> line(text, "not reached: " + row));
    report.problems().forEach(problem -> line(text, "failed: " + problem));
    return text.append('\n').toString();
  }

  static String threads(List<Integer> counts) {
    String numbers = counts.stream().map(String::valueOf).collect(Collectors.joining(" and "));
    return numbers + (numbers.equals("1") ? " thread" : " threads");
  }

  private static void table(StringBuilder text, List<List<String>> rows) {
    for (int i = 0; i < rows.size(); i++) {
      text.append("| ").append(String.join(" | ", rows.get(i))).append(" |\n");
      if (i == 0) {
        text.append("|---").append("|---:".repeat(rows.get(0).size() - 2)).append("|---|\n");
      }
    }
  }

  private static void line(StringBuilder text, String line) {
    text.append("\n- ").append(line);
  }

  static ObjectNode json(Report report, Machine machine, String command) {
    ObjectNode document = Json.mapper().createObjectNode();
    document.set("machine", Json.mapper().valueToTree(machine));
    document.put("command", command);
    report.threads().forEach(document.putArray("threads")::add);
    ArrayNode works = document.putArray("works");
    report.rows().forEach(row -> works.add(row(report, row)));
    return document;
  }

  private static ObjectNode row(Report report, Row row) {
    ObjectNode node = Json.mapper().createObjectNode();
    node.put("name", row.work().name()).put("description", row.work().description());
    ArrayNode bars = node.putArray("bars");
    for (Bar.Verdict verdict : row.verdicts()) {
      ObjectNode bar = bars.addObject().put("bar", verdict.bar().text());
      if (verdict.measured()) {
        bar.put("got", verdict.got()).put("reached", verdict.reached());
      }
    }
    if (!row.limitedBy().isEmpty()) {
      node.put("limitedBy", row.limitedBy());
    }
    put(node, "times_best_peer", row.aheadOfBest());
    put(node, "two_threads_over_one", row.speedup());
    put(node, "limit_of_two_threads_over_one", row.limitSpeedup());
    node.set("engines", engines(row.first()));
    ObjectNode more = Json.mapper().createObjectNode();
    for (int count : report.threads().subList(1, report.threads().size())) {
      Measurements there = report.of(row.work().name(), count);
      more.set(Integer.toString(count), engines(there));
    }
    if (!more.isEmpty()) {
      node.set("more_threads", more);
    }
    ObjectNode failed = node.putObject("failures");
    report.failures(row.work()).forEach(failed::put);
    return node;
  }

  private static void put(ObjectNode node, String name, OptionalDouble value) {
    value.ifPresent(v -> node.put(name, v));
  }

  private static ObjectNode engines(Measurements all) {
    ObjectNode engines = Json.mapper().createObjectNode();
    for (String engine : all.engines()) {
      ObjectNode node = engines.putObject(engine);
      node.put("median_ns", all.median(engine));
      node.put("spread", all.spread(engine));
      if (!Double.isNaN(all.heapBytes(engine))) {
        node.put("heap_bytes", all.heapBytes(engine));
      }
      if (all.last(engine).hasLimit()) {
        node.put("limit_percent", all.limitShare(engine));
        node.put("limit", all.last(engine).limit());
      }
      if (all.has(Engines.CREMA)) {
        List<Double> ratios = all.ratios(engine, all, Engines.CREMA);
        node.put("times_crema", Medians.of(ratios));
        ArrayNode quartiles = node.putArray("times_crema_quartiles");
        quartiles.add(Medians.lowerQuartile(ratios)).add(Medians.upperQuartile(ratios));
      }
      ArrayNode times = node.putArray("rounds_ns");
      all.rounds(engine).forEach(m -> times.add(Json.mapper().valueToTree(m.nanos())));
    }
    return engines;
  }
}
