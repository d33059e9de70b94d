package dev.crema.serving;

import com.linecorp.armeria.server.ServerBuilder;
import dev.crema.serving.grpc.GrpcEndpoint;
import dev.crema.serving.inference.Inference;
import dev.crema.serving.openapi.OpenApi;
import dev.crema.serving.openinference.InferenceService;
import dev.crema.serving.openinference.OpenInferenceRest;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.repository.Models;
import dev.crema.serving.tensorflow.ModelService;
import dev.crema.serving.tensorflow.PredictionService;
import dev.crema.serving.tensorflow.TensorFlowRest;
import java.util.List;

/**
 * All protocols on one port: TensorFlow Serving's and the Open Inference Protocol's, REST and gRPC,
 * with gRPC's reflection and health check and an OpenAPI document of the REST part.
 */
public final class Protocols implements Endpoint {
  private final List<Endpoint> endpoints;

  /**
   * @param models not closed here
   */
  public Protocols(Models models, Inference inference, ProtocolOptions options) {
    Calls calls = new Calls(models, inference, options);
    endpoints =
        List.of(
            new TensorFlowRest(calls),
            new OpenInferenceRest(calls),
            new GrpcEndpoint(
                calls,
                List.of(
                    new PredictionService(calls),
                    new ModelService(calls),
                    new InferenceService(calls))),
            new OpenApi(calls));
  }

  @Override
  public void addTo(ServerBuilder server) {
    endpoints.forEach(e -> e.addTo(server));
  }
}
