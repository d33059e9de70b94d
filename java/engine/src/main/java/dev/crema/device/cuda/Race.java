package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.cuda.DeviceMemory.Piece;
import dev.crema.device.cuda.kernel.Arguments;
import dev.crema.device.cuda.kernel.Call;
import dev.crema.device.cuda.kernel.Operand;
import dev.crema.device.cuda.kernel.Ways;
import dev.crema.device.cuda.kernel.Ways.Way;
import dev.crema.memory.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Which of several ways to compute an instruction is the fastest on this card: tried where the
 * instruction stands in a run, on the inputs that it has there, before it runs. Each way writes
 * over what it must not leave; those that write other bits than most are dropped, and the log says
 * so. Times are those of a graph of a few launches, as they will be run, so that what the host
 * takes to launch does not count.
 */
final class Race {
  private static final Logger LOG = LoggerFactory.getLogger(Race.class);
  private static final long COMPARED = 16 * 256; // bytes that a block compares at a time
  private static final long MOST_BLOCKS = 1023; // beside the first
  private static final int LAUNCHES = 3; // of a graph, which runs twice: once to warm up

  /** A way whose one launch takes so many times what the best does is not timed any further. */
  private static final double HOPELESS = 3;

  /** Nanoseconds by which a single launch may be too slow for reasons of the host. */
  private static final double NOISE = 100_000;

  /** Of the time of the first way: less is within what timings drift, and the rule stands. */
  private static final double GAIN = 0.97;

  private final CudaDevice device;
  private final Context context;
  private final boolean tf32;
  private final long stream;

  Race(CudaDevice device, boolean tf32, long stream) {
    this.device = device;
    this.context = device.context();
    this.tf32 = tf32;
    this.stream = stream;
  }

  /** A way that ran, with the output that it wrote and its time. */
  private record Runner(Way way, int output, double nanos) {}

  /**
   * Tries the ways unless that was done before, and keeps the fastest for later plans. Leaves the
   * output with whatever stands there. A failure that leaves the device usable is borne: then the
   * first way counts.
   */
  void run(Ways ways) {
    if (ways.all().size() < 2 || !mayRepeat(ways.call())) {
      return;
    }
    synchronized (device.choices().racing()) {
      if (device.choices().of(ways.form()) != null) {
        return;
      }
      Trial trial = new Trial(ways);
      try (trial) {
        trial.run();
      } catch (CremaException e) {
        context.quietly(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
        if (context.hasFailed() && e instanceof CudaException broken) {
          throw broken.at(ways.form() + ", tried by " + trial.kind);
        }
        LOG.warn(
            "{}: {} on {} is computed by {}, since the ways to compute it could not be timed: {}",
            ways.call().instruction().where(),
            ways.form(),
            device.name(),
            ways.first().kind(),
            e.getMessage());
        device.choices().put(ways.form(), ways.first().kind());
      }
    }
  }

  /** Whether the output is no input's memory. */
  private static boolean mayRepeat(Call call) {
    Operand y = call.out(0);
    for (int i = 0; i < call.ins(); i++) {
      Operand x = call.in(i);
      if (x != null
          && x.address() < y.address() + y.bytes()
          && y.address() < x.address() + x.bytes()) {
        return false;
      }
    }
    return y.bytes() > 0;
  }

  /** One trial with its memory. */
  private final class Trial implements AutoCloseable {
    private final Ways ways;
    private final Operand y;
    private final List<Piece> outputs = new ArrayList<>(); // the different ones that were written
    private final List<Runner> runners = new ArrayList<>();
    private Piece difference; // where the first one stands, on the card
    private Buffer word; // and here
    private String kind; // that is tried

    Trial(Ways ways) {
      this.ways = ways;
      this.y = ways.call().out(0);
    }

    void run() {
      difference = device.memory().allocateIfThere(Long.BYTES);
      if (difference == null) {
        return;
      }
      word = device.hostMemory(Long.BYTES, "The place of a difference");
      double best = Double.MAX_VALUE;
      for (Way way : ways.all()) {
        kind = way.kind();
        ScratchSize size = new ScratchSize(device, tf32);
        size.begin();
        if (!way.launch(size)) {
          continue;
        }
        Piece scratch = size.most() == 0 ? null : device.memory().allocateIfThere(size.most());
        if (scratch == null && size.most() > 0) {
          continue; // nor would a plan have room for it
        }
        try {
          Recorder to =
              new Recorder(
                  device, tf32, stream, scratch == null ? 0 : scratch.address(), size.most());
          Runner runner = time(way, to, best);
          if (runner == null) {
            return; // no room to compare: another time
          }
          runners.add(runner);
          best = Math.min(best, runner.nanos());
        } finally {
          if (scratch != null) {
            scratch.close();
          }
        }
      }
      choose();
    }

    /** Null if there is no memory to compare it with others. */
    private Runner time(Way way, Recorder to, double best) {
      // Another byte each time: nobody may find what the one before has left.
      to.fill(y.address(), 0xA5 + runners.size(), y.bytes());
      double one = nanos(() -> launch(way, to));
      int output = output();
      if (output < 0) {
        return null;
      }
      if (one > HOPELESS * best + NOISE) {
        return new Runner(way, output, one);
      }
      long graph;
      synchronized (context.recording()) {
        graph =
            Graphs.capture(
                context,
                device.memory(),
                stream,
                () -> {
                  for (int i = 0; i < LAUNCHES; i++) {
                    launch(way, to);
                  }
                });
      }
      try {
        double nanos = Double.MAX_VALUE;
        for (int round = 0; round < 2; round++) {
          double all =
              nanos(
                  () ->
                      context.check(context.calls().cuGraphLaunch(graph, stream), "cuGraphLaunch"));
          nanos = Math.min(nanos, all / LAUNCHES);
        }
        return new Runner(way, output, nanos);
      } finally {
        context.quietly(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
        context.quietly(context.calls().cuGraphExecDestroy(graph), "cuGraphExecDestroy");
      }
    }

    private void launch(Way way, Recorder to) {
      to.begin(null, null);
      if (!way.launch(to)) {
        throw new IllegalStateException(way.kind() + " was there and is not any more");
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

    /** Which of the different outputs was written now; -1 if there is no room to keep it. */
    private int output() {
      for (int i = 0; i < outputs.size(); i++) {
        if (isSame(outputs.get(i))) {
          return i;
        }
      }
      Piece copy = device.memory().allocateIfThere(y.bytes());
      if (copy == null) {
        return -1;
      }
      outputs.add(copy);
      Recorder to = new Recorder(device, tf32, stream, 0, 0);
      to.copy(copy.address(), y.address(), y.bytes());
      return outputs.size() - 1;
    }

    private boolean isSame(Piece other) {
      Recorder to = new Recorder(device, tf32, stream, 0, 0);
      to.fill(difference.address(), 0xFF, Long.BYTES);
      to.launch(
          "compare",
          "first_difference",
          1 + Math.min(MOST_BLOCKS, y.bytes() / COMPARED),
          Arguments.of()
              .pointer(y.address())
              .pointer(other.address())
              .int64(y.bytes())
              .pointer(difference.address()));
      context.check(
          context
              .calls()
              .cuMemcpyDtoHAsync(word.address(), difference.address(), Long.BYTES, stream),
          "cuMemcpyDtoHAsync");
      context.check(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
      return word.borrow(0, Long.BYTES).getLong(0) == -1;
    }

    private void choose() {
      int truth = 0; // what most have written; of two, what the first has
      for (int i = 1; i < outputs.size(); i++) {
        truth = count(i) > count(truth) ? i : truth;
      }
      Runner best = null;
      List<String> liars = new ArrayList<>();
      List<String> honest = new ArrayList<>();
      for (Runner r : runners) {
        if (r.output() != truth) {
          liars.add(r.way().kind());
          device.choices().refuse(ways.form(), r.way().kind());
          continue;
        }
        honest.add(r.way().kind());
        boolean isFirst = best == null;
        double needed = isFirst ? 0 : (best.way() == ways.first() ? GAIN : 1) * best.nanos();
        best = isFirst || r.nanos() < needed ? r : best;
      }
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
      LOG.debug("{}: {} by {}: {}", device.name(), ways.form(), best.way().kind(), shown());
      device.choices().put(ways.form(), best.way().kind());
    }

    private long count(int output) {
      return runners.stream().filter(r -> r.output() == output).count();
    }

    private String shown() {
      List<String> all = new ArrayList<>();
      for (Runner r : runners) {
        all.add(String.format(Locale.ROOT, "%s %.1f us", r.way().kind(), r.nanos() / 1000));
      }
      return String.join(", ", all);
    }

    @Override
    public void close() {
      context.quietly(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
      outputs.forEach(Piece::close);
      if (difference != null) {
        difference.close();
      }
      if (word != null) {
        word.close();
      }
      device.memory().trim(); // of sizes that nobody may ask for again
    }
  }
}
