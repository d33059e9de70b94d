package dev.crema.bench;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * The table: a row a work, with the limit's share, the heap's bytes, each peer's ratio, what two
 * threads bring, and the bars.
 */
final class Report {
  private final List<Work> works;
  private final List<Integer> threads;
  private final Map<String, Map<Integer, Measurements>> measured = new HashMap<>();
  private final Map<String, Map<String, String>> failures = new LinkedHashMap<>();

  /**
   * @param threads numbers of threads; peers are measured on the first of them
   */
  Report(List<Work> works, List<Integer> threads) {
    this.works = works;
    this.threads = List.copyOf(threads);
  }

  void add(Measurement m) {
    measured
        .computeIfAbsent(m.work(), k -> new HashMap<>())
        .computeIfAbsent(m.threads(), k -> new Measurements())
        .add(m);
  }

  void failed(Work work, Engine engine, String why) {
    failures.computeIfAbsent(work.name(), k -> new LinkedHashMap<>()).put(engine.name(), why);
  }

  /** Whether every pair gave a result. */
  boolean isComplete() {
    return failures.isEmpty();
  }

  /** What was measured of a work on that many threads; empty if nothing was. */
  Measurements of(String work, int count) {
    return measured.getOrDefault(work, Map.of()).getOrDefault(count, new Measurements());
  }

  List<Integer> threads() {
    return threads;
  }

  /** Why engines failed at a work, by their names. */
  Map<String, String> failures(Work work) {
    return failures.getOrDefault(work.name(), Map.of());
  }

  List<Row> rows() {
    return works.stream().map(work -> new Row(work, threads, this)).toList();
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
    rows().forEach(row -> names.addAll(row.first().engines()));
    failures.values().forEach(m -> names.addAll(m.keySet()));
    names.remove(Engines.CREMA);
    return List.copyOf(names);
  }

  /** Header and rows: work, Crema, limit, heap, threads, each peer as time and ratio, bars. */
  List<List<String>> table() {
    List<String> peers = peers();
    List<List<String>> table = new ArrayList<>();
    List<String> header = new ArrayList<>(List.of("work", "Crema", "of limit", "heap B"));
    if (threads.size() > 1) {
      header.add("2 threads / 1 thread");
    }
    header.addAll(peers);
    header.add("bars");
    table.add(header);
    for (Row row : rows()) {
      List<String> cells = new ArrayList<>();
      cells.add(row.work().name());
      cells.add(row.measured() ? time(row.nanos().getAsDouble()) : failure(row, Engines.CREMA));
      cells.add(cell("%.0f %%", row.limitShare()));
      cells.add(cell("%.1f", row.heapBytes()));
      if (threads.size() > 1) {
        cells.add(cell("%.2f×", row.speedup()) + cell(" (limit %.2f×)", row.limitSpeedup()));
      }
      peers.forEach(peer -> cells.add(peer(row, peer)));
      cells.add(row.verdicts().stream().map(Report::verdict).collect(Collectors.joining("; ")));
      table.add(cells);
    }
    return table;
  }

  private static String cell(String format, OptionalDouble value) {
    return value.isEmpty() ? "" : String.format(Locale.ROOT, format, value.getAsDouble());
  }

  private static String verdict(Bar.Verdict verdict) {
    if (!verdict.measured()) {
      return verdict.bar().text() + ": not measured";
    }
    String mark = verdict.reached() ? " ✓" : " ✗";
    return verdict.bar().text() + ": " + verdict.got() + mark;
  }

  private String peer(Row row, String peer) {
    if (!row.first().has(peer)) {
      return failure(row, peer);
    }
    String time = time(row.first().median(peer));
    if (!row.measured()) {
      return time;
    }
    List<Double> ratios = row.first().ratios(peer, row.first(), Engines.CREMA);
    return String.format(
        Locale.ROOT,
        "%s (%.2f×, %.2f to %.2f)",
        time,
        Medians.of(ratios),
        Medians.lowerQuartile(ratios),
        Medians.upperQuartile(ratios));
  }

  private String failure(Row row, String engine) {
    return failures(row.work()).containsKey(engine) ? "failed" : "";
  }

  /** What failed, a line each. */
  List<String> problems() {
    List<String> lines = new ArrayList<>();
    failures.forEach(
        (work, engines) ->
            engines.forEach((engine, why) -> lines.add(work + " in " + engine + ": " + why)));
    return lines;
  }

  /** The limits of the rows that have one, in words, a line each. */
  List<String> limits() {
    return rows().stream()
        .filter(Row::hasLimit)
        .map(row -> row.work().name() + ": " + row.first().last(Engines.CREMA).limit())
        .toList();
  }

  /** Rows that do not reach a bar, with what limits them, a line each. */
  List<String> notReached() {
    return rows().stream()
        .filter(row -> !row.limitedBy().isEmpty())
        .map(row -> row.work().name() + ": " + row.limitedBy())
        .toList();
  }

  /** Engines with their versions. */
  Map<String, String> versions() {
    Map<String, String> versions = new LinkedHashMap<>();
    for (Row row : rows()) {
      Measurements first = row.first();
      first.engines().forEach(e -> versions.putIfAbsent(e, first.last(e).version()));
    }
    return versions;
  }
}
