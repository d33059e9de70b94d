package dev.crema.bench.serving;

import dev.crema.CremaException;
import dev.crema.text.Table;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** {@code crema bench serving soak}. */
@Command(
    name = "soak",
    description = {
      "Loads `crema serve` for minutes while a new version of the model comes every second, one"
          + " request in twenty is malformed and twenty connections a second break off.",
      "Fails if an answer is wrong, an accepted request is lost, a malformed one gets anything but"
          + " a refusal, memory or threads of the server grow, or it does not stop cleanly."
    },
    mixinStandardHelpOptions = true)
final class SoakCommand implements Callable<Integer> {
  /** Growth that a garbage collector and caches explain, from the first quarter to the last. */
  private static final double GROWTH = 1.25;

  /** Bytes of some more plans, which are made when more requests meet than ever before. */
  private static final long PLANS = 1 << 20;

  private static final int MORE_THREADS = 8;

  @Option(
      names = "--seconds",
      defaultValue = "600",
      description = "How long (default: ${DEFAULT-VALUE}).")
  private int seconds;

  @Option(
      names = "--rate",
      defaultValue = "2000",
      description = "Requests a second (default: ${DEFAULT-VALUE}).")
  private double rate;

  @Option(
      names = "--queue",
      defaultValue = "64",
      description =
          "Examples that may wait: small, so that it is full now and then (default:"
              + " ${DEFAULT-VALUE}).")
  private int queue;

  /** A server's size at one time. */
  private record Size(long resident, long offHeap, int threads) {}

  @Override
  public Integer call() throws IOException {
    if (seconds < 8 || !(rate > 0)) {
      throw new CremaException("--seconds must be at least 8, --rate more than 0");
    }
    Path folder = Files.createTempDirectory("crema-soak");
    Server server =
        new CremaServer(
            ServingBars.CREMA,
            "--set",
            "models.poll=500ms",
            "--set",
            "models.defaults.batching.queue_capacity=" + queue);
    List<Size> sizes = new ArrayList<>();
    ScheduledExecutorService saver = Executors.newSingleThreadScheduledExecutor();
    try (RunningServer running = RunningServer.start(server, ServedNetwork.SEED, folder)) {
      SoakVersions versions =
          new SoakVersions(folder.resolve("models").resolve(ServedNetwork.SEED.name()));
      SoakTraffic traffic = new SoakTraffic(running.predict(), ServedNetwork.SEED.body(), versions);
      try (traffic) {
        saver.scheduleAtFixedRate(() -> next(versions), 1, 1, TimeUnit.SECONDS);
        traffic.start(rate);
        for (int s = 0; s < seconds; s++) {
          TimeUnit.SECONDS.sleep(1);
          sizes.add(new Size(running.residentBytes(), running.offHeapBytes(), running.threads()));
          if (s % 30 == 29) {
            System.err.println(
                s + 1 + " s: " + traffic.right + " right, " + versions.count() + " versions");
          }
        }
        saver.shutdown();
      }
      int exit = running.stop();
      return report(traffic, versions, sizes, exit);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CremaException("Interrupted", e);
    } finally {
      end(saver);
      TemporaryFolder.delete(folder);
    }
  }

  /** Returns when it saves nothing any more. */
  private static void end(ScheduledExecutorService saver) {
    saver.shutdown();
    try {
      saver.awaitTermination(10, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private static void next(SoakVersions versions) {
    try {
      versions.next();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static int report(SoakTraffic t, SoakVersions versions, List<Size> sizes, int exit) {
    Size before = largest(sizes.subList(sizes.size() / 8, sizes.size() / 4));
    Size after = largest(sizes.subList(sizes.size() - sizes.size() / 4, sizes.size()));
    System.out.print(
        Table.of("what", "count")
            .row("right answers", t.right.sum())
            .row("wrong answers", t.wrong.sum())
            .row("lost or failed", t.lost.sum())
            .row("told that the server is full", t.rejected.sum())
            .row("malformed, refused", t.refused.sum())
            .row("malformed, anything else", t.misjudged.sum())
            .row("connections broken off", t.broken.sum())
            .row("not sent, too many under way", t.notSent.sum())
            .row("versions", versions.count()));
    System.out.printf(
        "memory %,d MB -> %,d MB, off the heap %,d kB -> %,d kB, threads %d -> %d, exit code %d%n",
        before.resident() >> 20,
        after.resident() >> 20,
        before.offHeap() >> 10,
        after.offHeap() >> 10,
        before.threads(),
        after.threads(),
        exit);
    List<String> failures = new ArrayList<>();
    require(failures, t.right.sum() > 0, "nothing was answered");
    require(failures, t.wrong.sum() == 0, "wrong answers");
    require(failures, t.lost.sum() == 0, "lost requests");
    require(failures, t.misjudged.sum() == 0, "malformed requests that were not refused");
    require(failures, after.resident() <= GROWTH * before.resident(), "memory grows");
    require(failures, before.offHeap() > 0, "the server does not tell its memory off the heap");
    require(
        failures,
        after.offHeap() <= GROWTH * before.offHeap() + PLANS,
        "memory off the heap grows");
    require(failures, after.threads() <= before.threads() + MORE_THREADS, "threads grow");
    require(failures, exit == 0 || exit == 143, "the server did not stop cleanly");
    failures.forEach(f -> System.out.println("failed: " + f));
    if (!t.example().isEmpty()) {
      System.out.println("last of what went wrong: " + t.example());
    }
    return failures.isEmpty() ? 0 : 1;
  }

  private static void require(List<String> failures, boolean holds, String otherwise) {
    if (!holds) {
      failures.add(otherwise);
    }
  }

  private static Size largest(List<Size> sizes) {
    return new Size(
        sizes.stream().mapToLong(Size::resident).max().orElse(0),
        sizes.stream().mapToLong(Size::offHeap).max().orElse(0),
        sizes.stream().mapToInt(Size::threads).max().orElse(0));
  }
}
