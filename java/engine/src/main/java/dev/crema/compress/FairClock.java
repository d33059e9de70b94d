package dev.crema.compress;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Times forms of a model between the original and itself: as far as it differs from itself the
 * machine is busy with something else.
 */
final class FairClock {
  /** Times, and sizes, that differ by less count as equal. */
  static final double SAME = 0.03;

  private static final int MOST_TIMINGS = 3;

  private final Compression settings;
  private final Examples examples;
  private double noisiest;

  FairClock(Compression settings, Examples examples) {
    this.settings = settings;
    this.examples = examples;
  }

  /**
   * How long candidates take.
   *
   * @param original nanoseconds of the original
   * @param ratios of each candidate to that
   * @param noise by which share the original differed from itself in the same rounds
   */
  record Timing(double original, double[] ratios, double noise) {}

  /** Runs the candidates in turns; again where the original differs from itself. */
  Timing time(List<Candidate> candidates, int batch) {
    List<Candidate> all = new ArrayList<>(candidates);
    Candidate same = Candidate.of("original", settings.model);
    all.add(0, same);
    all.add(same);
    int most = settings.target == Target.LATENCY ? MOST_TIMINGS : 1;
    Timing quietest = null;
    for (int i = 0; i < most && (quietest == null || quietest.noise > SAME); i++) {
      double[] nanos =
          settings.stopwatch.medians(
              all, batch, examples.choice(), settings.threads, settings.device);
      double first = nanos[0];
      double last = nanos[nanos.length - 1];
      double base = Math.sqrt(first * last);
      double noise = Math.max(first, last) / Math.min(first, last) - 1;
      if (quietest == null || noise < quietest.noise) {
        double[] ratios =
            Arrays.stream(nanos, 1, nanos.length - 1).map(each -> each / base).toArray();
        quietest = new Timing(base, ratios, noise);
      }
    }
    noisiest = Math.max(noisiest, quietest.noise);
    return quietest;
  }

  /** The noise of the worst timing. */
  double noisiest() {
    return noisiest;
  }
}
