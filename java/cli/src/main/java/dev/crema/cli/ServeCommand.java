package dev.crema.cli;

import dev.crema.CremaException;
import dev.crema.serving.ModelServer;
import dev.crema.serving.config.Assembly;
import dev.crema.serving.config.Overrides;
import dev.crema.serving.config.ServerConfig;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import dev.crema.serving.tracing.Spans;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** Serves models until it is told to stop. */
@Command(
    name = "serve",
    description = {
      "Serves models over HTTP and gRPC, by TensorFlow Serving's protocol and the Open Inference"
          + " Protocol.",
      "Stops at SIGTERM or Ctrl-C when all running requests are answered (exit code 143 or 130)."
    },
    footer = "%nThe environment replaces settings, too: CREMA__LIMITS__IN_FLIGHT=100.",
    mixinStandardHelpOptions = true)
final class ServeCommand implements Callable<Integer> {
  private static final long MOST_SHOWN = 128; // numbers of an example, in a line for people

  @Option(
      names = "--models",
      paramLabel = "DIR",
      description = "Folder with NAME/VERSION/ or NAME/VERSION.zip (default: models).")
  private Path models;

  @Option(names = "--host", description = "Where to listen (default: 127.0.0.1).")
  private String host;

  @Option(names = "--port", description = "TCP port; 0 for any that is free (default: 8501).")
  private Integer port;

  @Option(
      names = "--max-batch",
      paramLabel = "N",
      description = "Examples that are computed together; 1 for no batching (default: 64).")
  private Integer maximumBatch;

  @Option(
      names = "--max-delay",
      paramLabel = "TIME",
      description = "How long a request may wait for others, as 2ms (default: 0s).")
  private String maximumDelay;

  @Option(names = "--config", paramLabel = "FILE", description = "Settings: server.yaml.")
  private Path config;

  @Option(
      names = "--set",
      paramLabel = "NAME=VALUE",
      description = "Any setting of server.yaml, as limits.in_flight=100.")
  private Map<String, String> settings = new LinkedHashMap<>();

  @Option(
      names = "--example-config",
      description = "Print a server.yaml with all settings, and end.")
  private boolean example;

  @Override
  public Integer call() throws InterruptedException {
    if (example) {
      System.out.print(example());
      return 0;
    }
    byDefault("io.netty.leakDetection.level", "disabled");
    byDefault("com.linecorp.armeria.defaultHttp1ConnectionCloseDelayMillis", "200");
    ServerConfig settings = read();
    CountDownLatch told = new CountDownLatch(1);
    CountDownLatch ended = new CountDownLatch(1);
    Thread stop =
        new Thread(
            () -> {
              told.countDown();
              await(ended);
            },
            "crema-stop");
    try (Spans spans = Spans.of(settings.tracing(), System.getenv());
        ModelServer server = Assembly.build(settings, spans.telemetry())) {
      Runtime.getRuntime().addShutdownHook(stop);
      server.start();
      print(server);
      told.await();
      System.err.println("crema: stopping; running requests are answered first");
    } finally {
      ended.countDown();
    }
    return 0;
  }

  /**
   * Netty would take the stack of every 128th buffer, to tell who loses buffers: some percent of
   * what a server does. Armeria would leave a connection of HTTP/1.1 open for three seconds behind
   * the answer that ends it, which clients that read to the end wait for; a fifth of a second is
   * enough for an answer to arrive that came before its request was read whole, which a reset would
   * take away. Whoever wants either gives the property himself.
   */
  private static void byDefault(String property, String value) {
    if (System.getProperty(property) == null) {
      System.setProperty(property, value);
    }
  }

  /** A signal's end of the JVM waits for this, so that requests are not cut off. */
  private static void await(CountDownLatch ended) {
    try {
      ended.await();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private ServerConfig read() {
    Map<String, String> flags = new LinkedHashMap<>(settings);
    if (models != null) {
      flags.put("models.root", "'" + models.toAbsolutePath().toString().replace("'", "''") + "'");
    }
    put(flags, "server.host", host);
    put(flags, "server.port", port);
    put(flags, "models.defaults.batching.maximum_batch", maximumBatch);
    put(flags, "models.defaults.batching.maximum_delay", maximumDelay);
    Overrides overrides = new Overrides(System.getenv(), flags);
    return config == null
        ? ServerConfig.byDefault(Path.of("").toAbsolutePath(), overrides)
        : ServerConfig.read(config, overrides);
  }

  private static void put(Map<String, String> flags, String name, Object value) {
    if (value != null) {
      flags.put(name, value.toString());
    }
  }

  private static void print(ModelServer server) {
    Models served = server.models();
    StringBuilder text = new StringBuilder();
    if (served.names().isEmpty()) {
      text.append("No models yet: put one into the folder as NAME/1/.\n");
    }
    String curl = "";
    for (String name : served.names()) {
      List<VersionStatus> versions = served.versions(name);
      text.append(
          versions.isEmpty()
              ? name + ": no version; put one into its folder as " + name + "/1/"
              : name
                  + ": "
                  + versions.stream().map(ServeCommand::text).collect(Collectors.joining("; ")));
      text.append('\n');
      if (curl.isEmpty()
          && versions.stream().anyMatch(v -> v.state() == VersionStatus.State.AVAILABLE)) {
        curl = curl(server, name);
      }
    }
    text.append(
        "Serving at "
            + server.uri()
            + "  (HTTP and gRPC; page at /, /metrics, /healthz, /readyz)\n");
    System.out.print(text + curl);
    System.out.flush();
  }

  private static String text(VersionStatus version) {
    String state = version.state().name().toLowerCase(java.util.Locale.ROOT);
    return "version "
        + version.version()
        + (version.labels().isEmpty() ? "" : " " + version.labels())
        + " "
        + state
        + (version.error().isEmpty() ? "" : " (" + version.error() + ")");
  }

  /** A request that works: with zeros where a line can hold them, else for what it takes. */
  private static String curl(ModelServer server, String name) {
    List<TensorSpec> inputs = server.models().signature(ModelReference.of(name)).inputs();
    if (inputs.size() != 1 || inputs.get(0).elementsPerExample() > MOST_SHOWN) {
      return "  curl " + server.uri() + "/v2/models/" + name + "    # what it takes and gives\n";
    }
    return "  curl -d '{\"instances\":"
        + Zeros.instances(inputs.get(0))
        + "}' "
        + server.uri()
        + "/v1/models/"
        + name
        + ":predict\n";
  }

  private static String example() {
    try (InputStream in = ServerConfig.class.getResourceAsStream("server.yaml")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new CremaException("The example can't be read: " + e.getMessage(), e);
    }
  }
}
