package dev.crema.bench;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;

/** The table: a row a work, with the limit's share, each peer's ratio, and the heap's bytes. */
final class Report {
  private final List<Work> works;
  private final int threads;
  private final Map<String, Map<String, List<Measurement>>> measured = new LinkedHashMap<>();
  private final Map<String, Map<String, String>> failures = new LinkedHashMap<>();

  Report(List<Work> works, int threads) {
    this.works = works;
    this.threads = threads;
  }

  void add(Measurement m) {
    measured
        .computeIfAbsent(m.work(), k -> new LinkedHashMap<>())
        .computeIfAbsent(m.engine(), k -> new ArrayList<>())
        .add(m);
  }

  void failed(Work work, Engine engine, String why) {
    failures.computeIfAbsent(work.name(), k -> new LinkedHashMap<>()).put(engine.name(), why);
  }

  /** Whether every pair gave a result. */
  boolean isComplete() {
    return failures.isEmpty();
  }

  private static double median(List<Measurement> rounds) {
    List<Double> all = new ArrayList<>();
    rounds.forEach(m -> all.addAll(m.nanos()));
    return Medians.of(all);
  }

  /** Largest over smallest median of a round. */
  private static double spread(List<Measurement> rounds) {
    List<Double> medians = rounds.stream().map(Measurement::median).toList();
    return Medians.most(medians) / Medians.least(medians);
  }

  /** Share of the limit that was measured in the same process, in percent. */
  private static double limitShare(List<Measurement> rounds) {
    return Medians.of(rounds.stream().map(m -> 100 * m.limitNanos() / m.median()).toList());
  }

  /** The peer's time over Crema's, the median of the rounds. */
  private static double ratio(List<Measurement> peer, List<Measurement> crema) {
    List<Double> ratios = new ArrayList<>();
    for (int i = 0; i < Math.min(peer.size(), crema.size()); i++) {
      ratios.add(peer.get(i).median() / crema.get(i).median());
    }
    return Medians.of(ratios);
  }

  static String time(double nanos) {
    if (nanos < 1e3) {
      return String.format(Locale.ROOT, "%.0f ns", nanos);
    }
    if (nanos < 1e6) {
      return String.format(Locale.ROOT, "%.3g µs", nanos / 1e3);
    }
    return nanos < 1e9
        ? String.format(Locale.ROOT, "%.3g ms", nanos / 1e6)
        : String.format(Locale.ROOT, "%.3g s", nanos / 1e9);
  }

  private List<String> peers() {
    TreeSet<String> names = new TreeSet<>();
    measured.values().forEach(m -> names.addAll(m.keySet()));
    failures.values().forEach(m -> names.addAll(m.keySet()));
    names.remove(Engines.CREMA);
    return List.copyOf(names);
  }

  /** Header and rows: work, Crema, limit, heap, then each peer as time and ratio. */
  List<List<String>> table() {
    List<String> peers = peers();
    List<List<String>> rows = new ArrayList<>();
    List<String> header = new ArrayList<>(List.of("work", "Crema", "of limit", "heap B"));
    header.addAll(peers);
    rows.add(header);
    for (Work work : works) {
      Map<String, List<Measurement>> engines = measured.getOrDefault(work.name(), Map.of());
      List<Measurement> crema = engines.get(Engines.CREMA);
      List<String> row = new ArrayList<>();
      row.add(work.name());
      if (crema == null) {
        row.addAll(List.of(failures(work, Engines.CREMA), "", ""));
      } else {
        row.add(time(median(crema)));
        row.add(String.format(Locale.ROOT, "%.0f %%", limitShare(crema)));
        double heap = Medians.of(crema.stream().map(Measurement::heapBytes).toList());
        row.add(String.format(Locale.ROOT, "%.1f", heap));
      }
      for (String peer : peers) {
        row.add(cell(work, peer, engines.get(peer), crema));
      }
      rows.add(row);
    }
    return rows;
  }

  private String cell(Work work, String peer, List<Measurement> m, List<Measurement> crema) {
    if (m == null) {
      return failures(work, peer);
    }
    String time = time(median(m));
    return crema == null ? time : String.format(Locale.ROOT, "%s (%.2f×)", time, ratio(m, crema));
  }

  private String failures(Work work, String engine) {
    return failures.getOrDefault(work.name(), Map.of()).containsKey(engine) ? "failed" : "";
  }

  /** What failed, a line each. */
  List<String> problems() {
    List<String> lines = new ArrayList<>();
    failures.forEach(
        (work, engines) ->
            engines.forEach((engine, why) -> lines.add(work + " in " + engine + ": " + why)));
    return lines;
  }

  /** The table for a README, and what stands behind it. */
  String markdown(Machine machine, String command) {
    StringBuilder text = new StringBuilder();
    text.append("Measured ").append(machine.date()).append(" on ").append(machine.processor());
    text.append(", ").append(threads).append(threads == 1 ? " thread" : " threads");
    text.append(", Java ").append(machine.java()).append(", by `").append(command).append("`.\n");
    text.append("Times are medians; behind a peer's time stands how many times Crema's that is. ");
    text.append("\"Of limit\": the time that the machine's arithmetic or memory, measured in the ");
    text.append("same process, would need, as a share of Crema's.\n\n");
    List<List<String>> rows = table();
    for (int i = 0; i < rows.size(); i++) {
      text.append("| ").append(String.join(" | ", rows.get(i))).append(" |\n");
      if (i == 0) {
        text.append("|---").append("|---:".repeat(rows.get(0).size() - 1)).append("|\n");
      }
    }
    versions().forEach((engine, v) -> text.append("\n- ").append(engine).append(": ").append(v));
    problems().forEach(line -> text.append("\n- failed: ").append(line));
    return text.append('\n').toString();
  }

  private Map<String, String> versions() {
    Map<String, String> versions = new LinkedHashMap<>();
    measured
        .values()
        .forEach(
            engines ->
                engines.forEach((name, m) -> versions.putIfAbsent(name, m.get(0).version())));
    return versions;
  }

  /** Everything that was measured. */
  ObjectNode json(Machine machine, String command) {
    ObjectNode document = Json.mapper().createObjectNode();
    document.set("machine", Json.mapper().valueToTree(machine));
    document.put("command", command).put("threads", threads);
    ArrayNode list = document.putArray("works");
    for (Work work : works) {
      ObjectNode node = list.addObject();
      node.put("name", work.name()).put("description", work.description());
      ObjectNode engines = node.putObject("engines");
      Map<String, List<Measurement>> all = measured.getOrDefault(work.name(), Map.of());
      all.forEach((engine, rounds) -> engines.set(engine, rounds(rounds, all.get(Engines.CREMA))));
      ObjectNode failed = node.putObject("failures");
      failures.getOrDefault(work.name(), Map.of()).forEach(failed::put);
    }
    return document;
  }

  private static ObjectNode rounds(List<Measurement> rounds, List<Measurement> crema) {
    ObjectNode node = Json.mapper().createObjectNode();
    node.put("median_ns", median(rounds));
    node.put("spread", spread(rounds));
    node.put("limit_percent", limitShare(rounds));
    node.put("heap_bytes", Medians.of(rounds.stream().map(Measurement::heapBytes).toList()));
    node.put("limit", rounds.get(rounds.size() - 1).limit());
    if (crema != null) {
      node.put("times_crema", ratio(rounds, crema));
    }
    ArrayNode times = node.putArray("rounds_ns");
    rounds.forEach(m -> times.add(Json.mapper().valueToTree(m.nanos())));
    return node;
  }
}
