package dev.crema.cli.load;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;

/**
 * Sends requests at the times of a schedule, whether or not those before were answered (open loop),
 * and measures each from the time at which it should have been sent: when the server stalls, those
 * that could not be sent count too (no coordinated omission). With a rate of 0 each lane sends its
 * next request when it has its answer (closed loop): for the most that a server can do, not for its
 * latencies.
 */
public final class Load implements Lanes.Answered {
  private static final Duration GRACE = Duration.ofSeconds(10);

  private static final long LONGEST_NANOS = TimeUnit.MINUTES.toNanos(10);

  /**
   * What to do.
   *
   * @param rate requests a second; 0 for a closed loop
   * @param poisson whether arrivals are at random, else evenly spaced
   */
  public record Plan(
      double rate, boolean poisson, double warmUpSeconds, double seconds, long seed) {
    public Plan withRate(double other) {
      return new Plan(other, poisson, warmUpSeconds, seconds, seed);
    }
  }

  private final Lanes lanes;
  private final Plan plan;
  private final Duration grace;
  private final Histogram latencies = new Histogram(LONGEST_NANOS, 3);
  private final Map<Integer, Long> codes = new TreeMap<>();
  private final ArrayDeque<Integer> free = new ArrayDeque<>();
  private final long[] scheduled;
  private final boolean[] busy;
  private final SplittableRandom random;
  private final CompletableFuture<LoadResult> result = new CompletableFuture<>();
  private long origin; // of the schedule
  private long begin; // of what is measured
  private long end;
  private long next;
  private double nextExact;
  private long lastAnswer;
  private int running;
  private boolean pumping;
  private boolean timerSet;

  private Load(Lanes lanes, Plan plan, Duration grace) {
    this.lanes = lanes;
    this.plan = plan;
    this.grace = grace;
    this.scheduled = new long[lanes.count()];
    this.busy = new boolean[lanes.count()];
    this.random = new SplittableRandom(plan.seed());
  }

  /** Runs a plan to its end. */
  public static LoadResult run(Lanes lanes, Plan plan) {
    return run(lanes, plan, GRACE);
  }

  /**
   * @param grace how long answers are waited for after the last request should have been sent
   */
  static LoadResult run(Lanes lanes, Plan plan, Duration grace) {
    Load load = new Load(lanes, plan, grace);
    lanes.eventLoop().execute(load::start);
    return load.result.join();
  }

  private void start() {
    long now = System.nanoTime();
    begin = now + (long) (plan.warmUpSeconds() * 1e9);
    end = begin + (long) (plan.seconds() * 1e9);
    next = now;
    nextExact = 0;
    lastAnswer = begin;
    for (int i = 0; i < lanes.count(); i++) {
      free.add(i);
    }
    lanes.eventLoop().schedule(this::giveUp, end + grace.toNanos() - now, TimeUnit.NANOSECONDS);
    origin = now;
    pump();
  }

  /** Sends what is due on lanes that are free; comes back when the next is due. */
  private void pump() {
    if (pumping) {
      return;
    }
    pumping = true;
    long now = System.nanoTime();
    while (next < end && !free.isEmpty() && (plan.rate() == 0 || next <= now)) {
      int lane = free.poll();
      scheduled[lane] = plan.rate() == 0 ? now : next;
      busy[lane] = true;
      running++;
      advance(now);
      lanes.send(lane, this);
      now = System.nanoTime();
    }
    pumping = false;
    if (next >= end && running == 0) {
      finish();
    } else if (next < end && !free.isEmpty() && !timerSet) {
      timerSet = true;
      lanes.eventLoop().schedule(this::timer, next - now, TimeUnit.NANOSECONDS);
    }
  }

  private void timer() {
    timerSet = false;
    pump();
  }

  private void advance(long now) {
    if (plan.rate() == 0) {
      next = now;
      return;
    }
    double gap = 1e9 / plan.rate();
    nextExact += plan.poisson() ? -gap * Math.log(1 - random.nextDouble()) : gap;
    next = origin + (long) nextExact;
  }

  @Override
  public void answered(int lane, int code, boolean ready) {
    if (!busy[lane] || result.isDone()) {
      return;
    }
    long now = System.nanoTime();
    busy[lane] = false;
    running--;
    record(scheduled[lane], now, code);
    if (ready) {
      ready(lane);
    } else if (next >= end && running == 0) {
      finish();
    }
  }

  @Override
  public void ready(int lane) {
    if (result.isDone() || busy[lane]) {
      return;
    }
    free.add(lane);
    pump();
  }

  private void record(long from, long now, int code) {
    if (from < begin) {
      return;
    }
    latencies.recordValue(Math.min(Math.max(1, now - from), LONGEST_NANOS));
    codes.merge(code, 1L, Long::sum);
    lastAnswer = now;
  }

  /** The server does not answer any more: what is missing counts with the time it has waited. */
  private void giveUp() {
    if (result.isDone()) {
      return;
    }
    long now = System.nanoTime();
    for (int i = 0; i < busy.length; i++) {
      if (busy[i]) {
        record(Math.max(begin, scheduled[i]), now, Lanes.NO_CONNECTION);
      }
    }
    while (plan.rate() != 0 && next < end) {
      record(next, now, Lanes.NO_CONNECTION);
      advance(now);
    }
    finish();
  }

  private void finish() {
    if (!result.isDone()) {
      double seconds = Math.max(end, lastAnswer) - begin;
      Map<String, Long> errors = new TreeMap<>();
      long good = 0;
      for (Map.Entry<Integer, Long> e : codes.entrySet()) {
        if (lanes.isGood(e.getKey())) {
          good += e.getValue();
        } else {
          errors.put(lanes.name(e.getKey()), e.getValue());
        }
      }
      result.complete(new LoadResult(plan.rate(), seconds / 1e9, good, errors, latencies));
    }
  }
}
