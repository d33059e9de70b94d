package dev.crema.bench.serving;

import dev.crema.CremaException;
import dev.crema.bench.serving.LoadTest.Outcome;
import dev.crema.io.AtomicFiles;
import dev.crema.io.Content;
import dev.crema.nn.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;

/** Starts one server after another, compares its answer with Crema's own, and puts it to load. */
final class ServingBench {
  /** Of probabilities: text has all digits of a float, other engines sum in another order. */
  private static final double TOLERANCE = 1e-5;

  private final List<Server> servers;
  private final List<Server> batching;
  private final LoadTest load;
  private final Consumer<String> progress;
  private final List<ServingRow> rows = new ArrayList<>();
  private final Map<String, String> failures = new TreeMap<>();

  /**
   * @param servers measured on the small network
   * @param batching measured on the heavy one: with batches and without
   */
  ServingBench(
      List<Server> servers, List<Server> batching, LoadTest load, Consumer<String> progress) {
    this.servers = servers;
    this.batching = batching;
    this.load = load;
    this.progress = progress;
  }

  void run() {
    for (Server server : servers) {
      measure(server, ServedNetwork.SEED);
    }
    for (Server server : batching) {
      measure(server, ServedNetwork.HEAVY);
    }
  }

  List<ServingRow> rows() {
    return List.copyOf(rows);
  }

  /** Servers that could not be measured, and why. */
  Map<String, String> failures() {
    return failures;
  }

  private void measure(Server server, ServedNetwork network) {
    progress.accept(server.name() + ", " + network.name());
    try {
      Path folder = Files.createTempDirectory("crema-serving");
      try (RunningServer running = RunningServer.start(server, network, folder)) {
        requireEqual(server, network, running.predictions(network.body()));
        Path body = folder.resolve("body.json");
        AtomicFiles.write(body, Content.of(network.body()));
        Outcome most = load.most(running.predict(), body);
        Optional<Outcome> byWrk =
            network == ServedNetwork.SEED && Wrk.isThere()
                ? Optional.of(Wrk.most(running.predict(), network.body(), folder, load.again()))
                : Optional.empty();
        double half = half(server, Math.max(most.rate(), byWrk.map(Outcome::rate).orElse(0.0)));
        Outcome atHalf = load.again().at(running.predict(), body, half);
        add(server, network, ServingRow.REST, most, atHalf, running);
        byWrk.ifPresent(m -> add(server, network, ServingRow.WRK, m, atHalf, running));
        if (server instanceof CremaServer && network == ServedNetwork.SEED) {
          Outcome grpc = load.mostByGrpc(running.predict(), network.name());
          Outcome grpcAtHalf =
              load.again().byGrpcAt(running.predict(), network.name(), half(server, grpc.rate()));
          add(server, network, ServingRow.GRPC, grpc, grpcAtHalf, running);
        }
      } finally {
        TemporaryFolder.delete(folder);
      }
    } catch (IOException e) {
      failures.put(server.name(), "can't use the temporary folder: " + e.getMessage());
    } catch (CremaException e) {
      failures.put(server.name(), e.getMessage());
    }
  }

  /** Half of the most, but no more than half of the bar; the limit's is the server's before it. */
  private double half(Server server, double most) {
    return server instanceof Floor && !rows.isEmpty()
        ? rows.get(0).half().rate()
        : Math.min(most, ServingBars.RATE) / 2;
  }

  private void add(
      Server server,
      ServedNetwork network,
      String protocol,
      Outcome most,
      Outcome half,
      RunningServer running) {
    rows.add(new ServingRow(server, network, protocol, most, half, running.residentBytes()));
  }

  private static void requireEqual(Server server, ServedNetwork network, float[] got) {
    float[] expected;
    try (Model model = network.network().model()) {
      expected = model.predict(network.network().examples(1));
    }
    double difference = got.length == expected.length ? 0 : Double.POSITIVE_INFINITY;
    for (int i = 0; i < Math.min(got.length, expected.length); i++) {
      difference = Math.max(difference, Math.abs(got[i] - expected[i]));
    }
    if (!(difference <= TOLERANCE)) {
      throw new CremaException(
          server.name() + "'s answer differs from Crema's prediction by " + difference);
    }
  }
}
