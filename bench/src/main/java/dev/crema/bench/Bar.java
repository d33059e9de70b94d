package dev.crema.bench;

import dev.crema.natives.Crema;
import java.util.Locale;
import java.util.OptionalDouble;

/** What a row is to reach. */
sealed interface Bar {
  /** The bar in words. */
  String text();

  /** Whether figures reach it; of figures that were not measured there is no verdict. */
  Verdict judge(Row row);

  /**
   * A bar held against a row.
   *
   * @param got in words; null if that was not measured
   * @param reached false if that was not measured
   */
  record Verdict(Bar bar, String got, boolean reached) {
    boolean measured() {
      return got != null;
    }
  }

  private static Verdict atLeast(Bar bar, double least, OptionalDouble value, String format) {
    return value.isEmpty()
        ? new Verdict(bar, null, false)
        : new Verdict(
            bar,
            String.format(Locale.ROOT, format, value.getAsDouble()),
            value.getAsDouble() >= least);
  }

  private static String number(double value) {
    return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
  }

  /** So many times as fast as the fastest peer. */
  record AheadOfBest(double times) implements Bar {
    @Override
    public String text() {
      return times == 1 ? "ahead of the best peer" : number(times) + "× the best peer";
    }

    @Override
    public Verdict judge(Row row) {
      return atLeast(this, times, row.aheadOfBest(), "%.2f×");
    }
  }

  /** So many times as fast as one engine. */
  record AheadOf(double times, String engine) implements Bar {
    @Override
    public String text() {
      return times == 1 ? "ahead of " + engine : number(times) + "× " + engine;
    }

    @Override
    public Verdict judge(Row row) {
      return atLeast(this, times, row.aheadOf(engine), "%.2f×");
    }
  }

  /** So many percent of what the machine allows. */
  record OfLimit(double percent) implements Bar {
    @Override
    public String text() {
      return number(percent) + " % of the limit";
    }

    @Override
    public Verdict judge(Row row) {
      return atLeast(this, percent, row.limitShare(), "%.0f %%");
    }
  }

  /**
   * So many percent of what products of bytes reach in vectors (VNNI), as the issue that set it
   * meant, where tiles (AMX) raise the machine's limit; measured when it is judged first. Of the
   * limit where there are no such products.
   */
  record OfVectors(double percent) implements Bar {
    private static final class Rate {
      static final double FLOPS = Crema.crema_probe("int8_vectors", 4096, 1);
    }

    @Override
    public String text() {
      return number(percent) + " % of VNNI's limit";
    }

    @Override
    public Verdict judge(Row row) {
      OptionalDouble nanos = row.nanos();
      if (nanos.isPresent() && Rate.FLOPS > 0) {
        double share = row.work().limit().flops() / nanos.getAsDouble() * 1e11 / Rate.FLOPS;
        return atLeast(this, percent, OptionalDouble.of(share), "%.0f %%");
      }
      return atLeast(this, percent, row.limitShare(), "%.0f %% of the limit");
    }
  }

  /** As fast as the fastest peer, or so near to the limit that nothing is left to gain. */
  record AheadOfBestOrOfLimit(double percent) implements Bar {
    @Override
    public String text() {
      return "ahead of the best peer, or " + number(percent) + " % of the limit";
    }

    @Override
    public Verdict judge(Row row) {
      Verdict limit = new OfLimit(percent).judge(row);
      Verdict peer = new AheadOfBest(1).judge(row);
      Verdict shown = peer.measured() && !limit.reached() ? peer : limit;
      boolean decided = peer.measured() || limit.reached();
      return new Verdict(this, decided ? shown.got() : null, shown.reached());
    }
  }

  /** At most so long. */
  record Within(double nanos) implements Bar {
    @Override
    public String text() {
      return "at most " + Report.time(nanos);
    }

    @Override
    public Verdict judge(Row row) {
      OptionalDouble got = row.nanos();
      return got.isEmpty()
          ? new Verdict(this, null, false)
          : new Verdict(this, Report.time(got.getAsDouble()), got.getAsDouble() <= nanos);
    }
  }

  /** So many times as fast as Crema does another work. */
  record AheadOfWork(double times, String work) implements Bar {
    @Override
    public String text() {
      return number(times) + "× " + work;
    }

    @Override
    public Verdict judge(Row row) {
      return atLeast(this, times, row.aheadOfWork(work), "%.2f×");
    }
  }

  /** Nothing is allocated on the Java heap. */
  record NoHeap() implements Bar {
    private static final double HALF_A_BYTE = 0.5;

    @Override
    public String text() {
      return "0 bytes of heap";
    }

    @Override
    public Verdict judge(Row row) {
      OptionalDouble got = row.heapBytes();
      return got.isEmpty()
          ? new Verdict(this, null, false)
          : new Verdict(
              this,
              String.format(Locale.ROOT, "%.0f B", got.getAsDouble()),
              got.getAsDouble() < HALF_A_BYTE);
    }
  }

  /** Two threads against one. */
  record Speedup(double times) implements Bar {
    @Override
    public String text() {
      return number(times) + "× on 2 threads";
    }

    @Override
    public Verdict judge(Row row) {
      return atLeast(this, times, row.speedup(), "%.2f×");
    }
  }

  /** Two threads take no longer than one: 3 % more is what two runs of one thing differ by. */
  record NotSlower() implements Bar {
    private static final double LEAST = 0.97;

    @Override
    public String text() {
      return "never slower on 2 threads";
    }

    @Override
    public Verdict judge(Row row) {
      return atLeast(this, LEAST, row.speedup(), "%.2f×");
    }
  }
}
