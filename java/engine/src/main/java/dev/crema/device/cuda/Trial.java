package dev.crema.device.cuda;

import dev.crema.device.cuda.DeviceMemory.Piece;
import dev.crema.device.cuda.kernel.Ways;
import dev.crema.device.cuda.kernel.Ways.Way;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One trial of the ways to compute an instruction. First each is launched once, over what it must
 * not leave, and its outputs are compared with the others': what writes other bits than most is
 * dropped, or numbers that are not near those, and the log says so. So is what cuDNN refuses to run
 * though it has an algorithm. Then graphs of a few launches are timed in turns, as they will be
 * run, so that what the host takes to launch does not count, nor which of them the card's clocks
 * woke up for; of each the least time counts. Seven launches a way, one of hopeless ones.
 */
final class Trial implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Trial.class);
  private static final int ROUNDS = 3;
  private static final int LAUNCHES = 2; // of a graph
  private static final int POISON = 0xA5; // and the bytes after it
  private static final int NOT_KNOWN = -1; // what the right output is
  private static final int FAR = -2; // the number of an output that is not near the others'
  private static final int REFUSED = -3; // of none: the library had promised too much

  /** A way whose one launch takes so many times what the best does is not timed any further. */
  private static final double HOPELESS = 3;

  /** Nanoseconds by which a single launch may be too slow for reasons of the host. */
  private static final double NOISE = 100_000;

  /** Of the time of the first way: less is within what timings drift, and the rule stands. */
  private static final double GAIN = 0.97;

  /** A way with its scratch memory, the output that it wrote, and its times. */
  private static final class Runner {
    final Way way;
    final Recorder to;
    final Piece scratch; // null: it needs none
    int output; // its number; of a near way what it is near to
    double one; // nanoseconds of the first launch
    double least = Double.MAX_VALUE; // of a launch of a graph; all that counts
    long graph;

    Runner(Way way, Recorder to, Piece scratch) {
      this.way = way;
      this.to = to;
      this.scratch = scratch;
    }

    void launch() {
      to.begin(null, null);
      if (!way.launch(to)) {
        throw new IllegalStateException(way.kind() + " was there and is not any more");
      }
    }
  }

  private final CudaDevice device;
  private final Context context;
  private final boolean tf32;
  private final long stream;
  private final Ways ways;
  private final Outputs outputs;
  private final List<Runner> runners = new ArrayList<>();
  private boolean hasChanged; // variables, which are not restored yet
  private String kind; // that is tried

  Trial(CudaDevice device, boolean tf32, long stream, Ways ways) {
    this.device = device;
    this.context = device.context();
    this.tf32 = tf32;
    this.stream = stream;
    this.ways = ways;
    this.outputs = new Outputs(device, tf32, stream, ways);
  }

  /** Which kind was tried last. */
  String kind() {
    return kind;
  }

  /** Whether variables could not be given back what they held. */
  boolean hasChanged() {
    return hasChanged;
  }

  /** The kind of the fastest; empty where there is no memory to find out. */
  Optional<String> run() {
    if (!outputs.prepare()) {
      return Optional.empty();
    }
    hasChanged = true;
    for (Way way : ways.all()) {
      if (!way.isNear() && !tryOnce(way, NOT_KNOWN)) {
        return Optional.empty();
      }
    }
    int truth = truth();
    for (Way way : ways.all()) {
      if (way.isNear() && !tryOnce(way, truth)) {
        return Optional.empty();
      }
    }
    report(truth);
    List<Runner> honest = runners.stream().filter(r -> r.output == truth).toList();
    if (honest.isEmpty()) {
      return Optional.empty();
    }
    double best = honest.stream().mapToDouble(r -> r.one).min().orElseThrow();
    List<Runner> timed =
        honest.stream()
            .filter(r -> r.way == ways.first() || r.one <= HOPELESS * best + NOISE)
            .toList();
    time(timed);
    LOG.debug("{}: {}: {}", device.name(), ways.form(), shown());
    return Optional.of(fastest(timed).way.kind());
  }

  /**
   * False if there is no memory to compare its output with others.
   *
   * @param truth what it has to be near to; {@link #NOT_KNOWN}: it says with others what is right
   */
  private boolean tryOnce(Way way, int truth) {
    kind = way.kind();
    ScratchSize size = new ScratchSize(device, tf32);
    size.begin();
    if (!way.launch(size)) {
      return true; // there is no such way
    }
    Piece scratch = size.most() == 0 ? null : device.memory().allocateIfThere(size.most());
    if (scratch == null && size.most() > 0) {
      return true; // nor would a plan have room for it
    }
    long address = scratch == null ? 0 : scratch.address();
    Runner r = new Runner(way, new Recorder(device, tf32, stream, address, size.most()), scratch);
    runners.add(r);
    outputs.poison(POISON + runners.size());
    if (!measureOnce(r)) {
      r.output = REFUSED;
      return true;
    }
    if (truth == NOT_KNOWN) {
      r.output = outputs.number();
      return r.output >= 0;
    }
    r.output = outputs.isNear(truth) ? truth : FAR;
    return true;
  }

  /** False if cuDNN refuses to run what it has found an algorithm for: nothing was queued. */
  private boolean measureOnce(Runner r) {
    try {
      r.one = nanos(r::launch);
      return true;
    } catch (CudaException e) {
      if (!e.call().startsWith("cudnn") || !DnnStatus.isRefusal(e.status())) {
        throw e;
      }
      LOG.debug("{}: {} not by {}: {}", device.name(), ways.form(), kind, e.getMessage());
      return false;
    }
  }

  /** What most have written; of as many, what the earlier have. */
  private int truth() {
    int truth = 0;
    for (int i = 1; i < outputs.count(); i++) {
      truth = writers(i) > writers(truth) ? i : truth;
    }
    return truth;
  }

  private long writers(int output) {
    return runners.stream().filter(r -> r.output == output).count();
  }

  private void report(int truth) {
    List<String> liars = new ArrayList<>();
    List<String> honest = new ArrayList<>();
    for (Runner r : runners) {
      if (r.output != REFUSED) {
        (r.output == truth ? honest : liars).add(r.way.kind());
      }
    }
    liars.forEach(each -> device.choices().refuse(ways.form(), each));
    if (!liars.isEmpty()) {
      LOG.warn(
          "{}: {} on {} gives other results by {} than by {}; the former are not used. Please"
              + " report it with the output of \"crema devices\".",
          ways.call().instruction().where(),
          ways.form(),
          device.name(),
          String.join(", ", liars),
          String.join(", ", honest));
    }
  }

  private void time(List<Runner> timed) {
    for (Runner r : timed) {
      kind = r.way.kind();
      synchronized (context.recording()) {
        r.graph =
            Graphs.capture(
                context,
                device.memory(),
                stream,
                () -> {
                  for (int i = 0; i < LAUNCHES; i++) {
                    r.launch();
                  }
                });
      }
    }
    for (int round = 0; round < ROUNDS; round++) {
      for (Runner r : timed) {
        kind = r.way.kind();
        double all =
            nanos(
                () ->
                    context.check(context.calls().cuGraphLaunch(r.graph, stream), "cuGraphLaunch"));
        r.least = Math.min(r.least, all / LAUNCHES);
      }
    }
  }

  private double nanos(Runnable work) {
    try (Timeline times = new Timeline(context, 1)) {
      times.record(stream);
      work.run();
      times.record(stream);
      context.check(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
      return times.nanos()[0];
    }
  }

  private Runner fastest(List<Runner> timed) {
    Runner best = timed.get(0);
    for (Runner r : timed) {
      double needed = (best.way == ways.first() ? GAIN : 1) * best.least;
      best = r.least < needed ? r : best;
    }
    return best;
  }

  private String shown() {
    List<String> all = new ArrayList<>();
    for (Runner r : runners) {
      double nanos = Math.min(r.least, r.one); // 0: refused
      all.add(String.format(Locale.ROOT, "%s %.1f us", r.way.kind(), nanos / 1000));
    }
    return String.join(", ", all);
  }

  /**
   * Gives everything back; what is on its way is waited for.
   *
   * @throws CudaException if variables do not hold what they held before
   */
  @Override
  public void close() {
    try {
      if (hasChanged) {
        outputs.restore();
        hasChanged = false;
      }
    } finally {
      giveBack();
    }
  }

  private void giveBack() {
    context.quietly(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
    for (Runner r : runners) {
      if (r.graph != 0) {
        context.quietly(context.calls().cuGraphExecDestroy(r.graph), "cuGraphExecDestroy");
      }
      if (r.scratch != null) {
        r.scratch.close();
      }
    }
    outputs.close();
    device.memory().trim(); // of sizes that nobody may ask for again
  }
}
