package dev.crema.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalDouble;

/**
 * A work with its figures. Peers, limit and heap are those of the first number of threads.
 *
 * @param threads the numbers of threads, the first first
 */
record Row(Work work, List<Integer> threads, Report report) {
  private static final int TWO = 2;

  Measurements first() {
    return report.of(work.name(), threads.get(0));
  }

  boolean measured() {
    return first().has(Engines.CREMA);
  }

  OptionalDouble nanos() {
    return measured() ? OptionalDouble.of(first().median(Engines.CREMA)) : OptionalDouble.empty();
  }

  OptionalDouble limitShare() {
    return measured() && hasLimit()
        ? OptionalDouble.of(first().limitShare(Engines.CREMA))
        : OptionalDouble.empty();
  }

  boolean hasLimit() {
    return measured() && first().last(Engines.CREMA).hasLimit();
  }

  OptionalDouble heapBytes() {
    double bytes = measured() ? first().heapBytes(Engines.CREMA) : Double.NaN;
    return Double.isNaN(bytes) ? OptionalDouble.empty() : OptionalDouble.of(bytes);
  }

  /** An engine's time over Crema's. */
  OptionalDouble aheadOf(String engine) {
    return measured() && first().has(engine)
        ? OptionalDouble.of(first().ratio(engine, first(), Engines.CREMA))
        : OptionalDouble.empty();
  }

  /**
   * The fastest peer's time over Crema's. With products by OpenBLAS, Crema is a peer in products
   * only: elsewhere that is Crema's own work.
   */
  OptionalDouble aheadOfBest() {
    boolean product = work.problem() instanceof Problem.MatMul;
    return first().engines().stream()
        .filter(engine -> !engine.equals(Engines.CREMA))
        .filter(engine -> product || !engine.equals(Engines.CREMA_OPENBLAS))
        .map(this::aheadOf)
        .flatMapToDouble(OptionalDouble::stream)
        .min();
  }

  /** The time of another of Crema's works over this one's. */
  OptionalDouble aheadOfWork(String other) {
    Measurements there = report.of(other, threads.get(0));
    return measured() && there.has(Engines.CREMA)
        ? OptionalDouble.of(there.ratio(Engines.CREMA, first(), Engines.CREMA))
        : OptionalDouble.empty();
  }

  /** Crema's time on one thread over that on two. */
  OptionalDouble speedup() {
    return onTwo()
        ? OptionalDouble.of(one().ratio(Engines.CREMA, two(), Engines.CREMA))
        : OptionalDouble.empty();
  }

  /** The same of the machine's limit. */
  OptionalDouble limitSpeedup() {
    return onTwo() && hasLimit() && one().last(Engines.CREMA).hasLimit()
        ? OptionalDouble.of(one().limitRatio(Engines.CREMA, two()))
        : OptionalDouble.empty();
  }

  private Measurements one() {
    return report.of(work.name(), 1);
  }

  private Measurements two() {
    return report.of(work.name(), TWO);
  }

  private boolean onTwo() {
    return one().has(Engines.CREMA) && two().has(Engines.CREMA);
  }

  /** The bars, those of the threads among them if there were two. */
  List<Bar.Verdict> verdicts() {
    List<Bar> bars = new ArrayList<>(Bars.of(work));
    if (speedup().isPresent()) {
      boolean arithmetic = one().last(Engines.CREMA).arithmetic();
      bars.add(Bars.onTwoThreads(arithmetic));
    }
    return bars.stream().map(bar -> bar.judge(this)).toList();
  }

  /** What keeps Crema from a bar; empty if every bar that was measured is reached. */
  String limitedBy() {
    List<String> reasons = new ArrayList<>();
    for (Bar.Verdict verdict : verdicts()) {
      if (verdict.measured() && !verdict.reached()) {
        String reason = Bars.limitedBy(work, verdict.bar(), limitSpeedup());
        if (!reasons.contains(reason)) {
          reasons.add(reason);
        }
      }
    }
    return String.join("; ", reasons);
  }
}
