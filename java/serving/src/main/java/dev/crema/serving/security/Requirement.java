package dev.crema.serving.security;

import com.linecorp.armeria.common.HttpMethod;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.List;

/**
 * What a request needs, by its method and path. What is not known here below a protocol's paths
 * needs the most: something new is closed until it is written down. Elsewhere are endpoints that
 * whoever embeds the server has added, for all who may do something.
 */
public sealed interface Requirement {
  /** What paths of protocols and of what is beside them begin with. */
  List<String> OURS =
      List.of(
          "/v1",
          "/v2",
          "/api/",
          "/monitoring/",
          "/metrics",
          "/inference.",
          "/tensorflow.",
          "/grpc.");

  /** Anyone may: whether the server is alive. */
  record Nothing() implements Requirement {}

  /** To be somebody who may do something. */
  record Somebody() implements Requirement {}

  record Needs(Scope scope) implements Requirement {}

  /** Some model; {@link Guard#mayUse} looks at which when the message has been read. */
  record NeedsSome(Scope.Action action) implements Requirement {}

  /**
   * What a request needs.
   *
   * @param path without its query, percent-encoded as it came
   */
  static Requirement of(HttpMethod method, String path) {
    boolean reads =
        method == HttpMethod.GET || method == HttpMethod.HEAD || method == HttpMethod.OPTIONS;
    if (path.equals("/healthz")
        || path.equals("/readyz")
        || path.equals("/v2/health/live")
        || path.equals("/v2/health/ready")) {
      return new Nothing();
    }
    if (method == HttpMethod.POST) {
      Requirement grpc = grpc(path);
      return grpc != null ? grpc : post(path);
    }
    if (!reads) {
      return otherwise(path);
    }
    if (path.equals("/") || path.startsWith("/page/")) {
      return new Nothing(); // the page itself; what it shows comes from the paths below
    }
    if (path.equals("/metrics") || path.startsWith("/monitoring/") || path.startsWith("/api/")) {
      return new Needs(Scope.METRICS);
    }
    return path.startsWith("/v1/") || path.startsWith("/v2")
        ? new Needs(Scope.METADATA)
        : new Somebody();
  }

  private static Requirement post(String path) {
    if (path.equals("/v2/repository/index")) {
      return new Needs(Scope.METADATA);
    }
    if (path.startsWith("/v1/models/")) {
      int verb = path.lastIndexOf(':');
      String rest = verb < 0 ? "" : path.substring(verb + 1);
      switch (rest) {
        case "predict", "classify", "regress", "feedback" -> {
          return predict(path, "/v1/models/".length(), verb);
        }
        default -> {}
      }
    } else if (path.startsWith("/v2/models/") && path.endsWith("/infer")) {
      return predict(path, "/v2/models/".length(), path.length() - "/infer".length());
    }
    return otherwise(path);
  }

  private static Requirement otherwise(String path) {
    for (String ours : OURS) {
      if (path.startsWith(ours)) {
        return new Needs(Scope.ADMIN);
      }
    }
    return new Somebody();
  }

  /** The model is the segment of a path that begins there. */
  private static Requirement predict(String path, int from, int end) {
    int slash = path.indexOf('/', from);
    String segment = path.substring(from, slash < 0 || slash > end ? Math.max(from, end) : slash);
    try {
      String model =
          segment.indexOf('%') < 0
              ? segment
              : URLDecoder.decode(segment.replace("+", "%2B"), StandardCharsets.UTF_8);
      // A model that is called * would have everyone's scope.
      return model.isBlank() || model.equals("*")
          ? new Needs(Scope.ADMIN)
          : new Needs(Scope.predict(model));
    } catch (IllegalArgumentException e) {
      return new Needs(Scope.ADMIN);
    }
  }

  /** For {@code /package.Service/Method}; null if it is no service of ours. */
  private static Requirement grpc(String path) {
    return switch (path) {
      case "/inference.GRPCInferenceService/ServerLive",
          "/inference.GRPCInferenceService/ServerReady",
          "/grpc.health.v1.Health/Check",
          "/grpc.health.v1.Health/Watch" ->
          new Nothing();
      case "/inference.GRPCInferenceService/ModelInfer",
          "/inference.GRPCInferenceService/ModelStreamInfer",
          "/tensorflow.serving.PredictionService/Predict",
          "/tensorflow.serving.PredictionService/Classify",
          "/tensorflow.serving.PredictionService/Regress",
          "/tensorflow.serving.PredictionService/MultiInference" ->
          new NeedsSome(Scope.Action.PREDICT);
      case "/inference.GRPCInferenceService/ServerMetadata",
          "/inference.GRPCInferenceService/ModelReady",
          "/inference.GRPCInferenceService/ModelMetadata",
          "/inference.GRPCInferenceService/RepositoryIndex",
          "/tensorflow.serving.PredictionService/GetModelMetadata",
          "/tensorflow.serving.ModelService/GetModelStatus",
          "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
          "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo" ->
          new Needs(Scope.METADATA);
      default -> null;
    };
  }
}
