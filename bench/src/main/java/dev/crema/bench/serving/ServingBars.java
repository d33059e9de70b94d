package dev.crema.bench.serving;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What the server is held against, and what was measured. */
final class ServingBars {
  static final String CREMA = "crema";
  static final String UNBATCHED = "crema, no batches";
  static final double RATE = 20_000;
  private static final double P99_MILLIS = 5;
  private static final double TIMES_PEER = 3;
  private static final double TIMES_UNBATCHED = 3;
  private static final double MICROS_IN_MILLI = 1000;

  private final List<ServingRow> rows;

  ServingBars(List<ServingRow> rows) {
    this.rows = rows;
  }

  /** A line for each bar that could be measured: reached or not, and by how much. */
  List<String> verdicts() {
    List<String> lines = new ArrayList<>();
    Optional<ServingRow> seed = row(CREMA, ServedNetwork.SEED, ServingRow.REST);
    seed.ifPresent(
        r -> {
          double most =
              row(CREMA, ServedNetwork.SEED, ServingRow.WRK)
                  .map(w -> Math.max(w.most().rate(), r.most().rate()))
                  .orElse(r.most().rate());
          lines.add(line("requests a second by REST", most, RATE, true));
          double p99 = r.half().p99() / MICROS_IN_MILLI;
          String limit =
              rows.stream()
                  .filter(f -> f.server() instanceof Floor)
                  .findFirst()
                  .map(
                      f ->
                          String.format(
                              Locale.ROOT,
                              " (of a constant answer: %.3g)",
                              f.half().p99() / MICROS_IN_MILLI))
                  .orElse("");
          lines.add(line("p99 at half of REST's rate, ms" + limit, p99, P99_MILLIS, false));
          row(CREMA, ServedNetwork.SEED, ServingRow.GRPC)
              .ifPresent(
                  g ->
                      lines.add(
                          line("gRPC over REST", g.most().rate() / r.most().rate(), 1, true)));
          bestPeer()
              .ifPresent(
                  peer ->
                      lines.add(
                          line(
                              "times the best peer (" + peer.server().name() + ")",
                              r.most().rate() / peer.most().rate(),
                              TIMES_PEER,
                              true)));
        });
    Optional<ServingRow> batched = row(CREMA, ServedNetwork.HEAVY, ServingRow.REST);
    Optional<ServingRow> single = row(UNBATCHED, ServedNetwork.HEAVY, ServingRow.REST);
    if (batched.isPresent() && single.isPresent()) {
      double times = batched.get().most().rate() / single.get().most().rate();
      lines.add(line("batches over none, heavy network", times, TIMES_UNBATCHED, true));
    }
    return lines;
  }

  private Optional<ServingRow> row(String server, ServedNetwork network, String protocol) {
    return rows.stream()
        .filter(
            r ->
                r.server().name().equals(server)
                    && r.network() == network
                    && r.protocol().equals(protocol))
        .findFirst();
  }

  private Optional<ServingRow> bestPeer() {
    return rows.stream()
        .filter(r -> !(r.server() instanceof CremaServer) && !(r.server() instanceof Floor))
        .filter(r -> r.protocol().equals(ServingRow.REST))
        .max(Comparator.comparingDouble(r -> r.most().rate()));
  }

  private static String line(String what, double got, double bar, boolean atLeast) {
    boolean reached = atLeast ? got >= bar : got <= bar;
    return String.format(
        Locale.ROOT,
        "%s: %s %,.4g (bar: at %s %,.4g)",
        reached ? "reached" : "not reached",
        what,
        got,
        atLeast ? "least" : "most",
        bar);
  }
}
