package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.cli.load.GrpcLanes;
import dev.crema.cli.load.HttpLanes;
import dev.crema.cli.load.Inputs;
import dev.crema.cli.load.Lanes;
import dev.crema.cli.load.Load;
import dev.crema.cli.load.LoadResult;
import dev.crema.cli.load.Search;
import dev.crema.cli.load.Target;
import dev.crema.cli.load.Trust;
import dev.crema.io.Json;
import io.netty.handler.ssl.SslContext;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures a server under load. */
@Command(
    name = "load-test",
    description = {
      "Sends requests to a server at a steady rate, whether or not it keeps up, and measures each"
          + " from the time at which it should have been sent.",
      "Asks the server what the model takes and makes up inputs, unless --body gives a request."
    },
    footer = "%nExit codes: 0 all were answered, 1 some were not, 2 wrong use.",
    mixinStandardHelpOptions = true)
final class LoadTestCommand implements Callable<Integer> {
  @Parameters(
      paramLabel = "URL",
      description =
          "http://HOST:PORT/v1/models/NAME:predict or .../v2/models/NAME/infer, or"
              + " http://HOST:PORT with --model.")
  private String url;

  @Option(
      names = "--model",
      paramLabel = "NAME",
      description = "Which model, if the URL is the server's.")
  private String model;

  @Option(
      names = "--protocol",
      description =
          "tensorflow, open_inference, tensorflow_grpc or open_inference_grpc (default: that of the"
              + " URL, or tensorflow).")
  private Target.Protocol protocol;

  @Option(
      names = "--rate",
      defaultValue = "1000",
      description = "Requests a second (default: ${DEFAULT-VALUE}).")
  private double rate;

  @Option(
      names = "--duration",
      defaultValue = "10",
      paramLabel = "SECONDS",
      description = "How long it is measured (default: ${DEFAULT-VALUE}).")
  private double duration;

  @Option(
      names = "--warm-up",
      defaultValue = "2",
      paramLabel = "SECONDS",
      description = "How long before that is not measured (default: ${DEFAULT-VALUE}).")
  private double warmUp;

  @Option(
      names = "--connections",
      defaultValue = "32",
      description = "Most requests at once (default: ${DEFAULT-VALUE}).")
  private int connections;

  @Option(
      names = "--batch",
      defaultValue = "1",
      description = "Examples in a request (default: ${DEFAULT-VALUE}).")
  private int batch;

  @Option(names = "--body", paramLabel = "FILE", description = "The body of the request; for REST.")
  private Path body;

  @Option(
      names = "--header",
      paramLabel = "NAME=VALUE",
      description = "Sent with each request, as X-API-Key=crema_...")
  private Map<String, String> headers = new LinkedHashMap<>();

  @Option(
      names = "--ca",
      paramLabel = "FILE",
      description = "Certificates of the authorities to trust, PEM; for HTTPS.")
  private Path authority;

  @Option(names = "--poisson", description = "Requests come at random, not evenly spaced.")
  private boolean poisson;

  @Option(
      names = "--closed",
      description =
          "Each connection sends when it has its answer: the most that the server can do. Its latencies are not those of clients who come on their own.")
  private boolean closed;

  @Option(
      names = "--find-max",
      description =
          "Raises the rate until the 99th percentile passes --p99, and says how far it got.")
  private boolean findMax;

  @Option(
      names = "--p99",
      defaultValue = "5",
      paramLabel = "MS",
      description = "Limit for --find-max (default: ${DEFAULT-VALUE}).")
  private double p99;

  @Option(
      names = "--seed",
      defaultValue = "42",
      description = "Of made up inputs and random times (default: ${DEFAULT-VALUE}).")
  private long seed;

  @Option(
      names = "--json",
      description =
          "Write one JSON document to standard output, everything else to standard error.")
  private boolean json;

  @CommandLine.Spec private CommandLine.Model.CommandSpec spec;

  @Override
  public Integer call() {
    Target target = target();
    PrintStream text = json ? System.err : System.out;
    try (Lanes lanes = lanes(target)) {
      Load.Plan plan = new Load.Plan(closed ? 0 : rate, poisson, warmUp, duration, seed);
      text.println(
          target.protocol().name().toLowerCase(Locale.ROOT)
              + " "
              + target.uri()
              + ", "
              + connections
              + " connections");
      if (findMax) {
        return findMax(lanes, plan, text);
      }
      LoadResult result = Load.run(lanes, plan);
      text.print(result);
      write(result.json());
      return result.failed() ? 1 : 0;
    }
  }

  private int findMax(Lanes lanes, Load.Plan plan, PrintStream text) {
    ArrayNode steps = Json.mapper().createArrayNode();
    LoadResult best =
        Search.highestRate(
            plan.rate(),
            p99,
            next -> {
              LoadResult step = Load.run(lanes, plan.withRate(next));
              steps.add(step.json());
              text.printf(
                  Locale.ROOT,
                  "%,10.0f a second: %,10.0f answered, 99%% within %.3f ms%s%n",
                  step.targetRate(),
                  step.achievedRate(),
                  step.millis(99),
                  step.errors().isEmpty() ? "" : ", failed: " + step.errors());
              return step;
            });
    ObjectNode document =
        best == null ? Json.mapper().createObjectNode().put("requests", 0) : best.json();
    document.set("steps", steps);
    if (best == null) {
      text.println("Not even the lowest rate was answered within " + p99 + " ms");
    } else {
      text.printf(Locale.ROOT, "%nThe most with 99%% within %s ms:%n%s", p99, best);
    }
    write(document);
    return best == null ? 1 : 0;
  }

  private void write(ObjectNode document) {
    if (json) {
      System.out.println(new String(Json.bytes(document), StandardCharsets.UTF_8));
    }
  }

  private Target target() {
    require(
        rate > 0 && duration > 0 && warmUp >= 0,
        "--rate and --duration must be more than 0, --warm-up not less");
    require(connections >= 1 && connections <= 10_000, "--connections must be from 1 to 10000");
    require(batch >= 1, "--batch must be at least 1");
    require(!(closed && findMax), "--find-max has no effect with --closed");
    try {
      Target target = Target.of(url, protocol, model);
      require(body == null || !target.protocol().isGrpc(), "--body is for REST");
      return target;
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  private void require(boolean condition, String message) {
    if (!condition) {
      throw new CommandLine.ParameterException(spec.commandLine(), message);
    }
  }

  private Lanes lanes(Target target) {
    Trust trust = Trust.of(authority);
    byte[] request = request(target, trust);
    SslContext tls = trust.context(target);
    return switch (target.protocol()) {
      case TENSORFLOW, OPEN_INFERENCE -> new HttpLanes(target, request, headers, connections, tls);
      case TENSORFLOW_GRPC ->
          new GrpcLanes(
              target,
              "/tensorflow.serving.PredictionService/Predict",
              request,
              headers,
              connections,
              tls);
      case OPEN_INFERENCE_GRPC ->
          new GrpcLanes(
              target,
              "/inference.GRPCInferenceService/ModelInfer",
              request,
              headers,
              connections,
              tls);
    };
  }

  private byte[] request(Target target, Trust trust) {
    if (body == null) {
      return Inputs.generate(target, trust.client(), headers, batch, seed);
    }
    try {
      return Files.readAllBytes(body);
    } catch (IOException e) {
      throw new CremaException("Can't read " + body + ": " + e.getMessage(), e);
    }
  }
}
