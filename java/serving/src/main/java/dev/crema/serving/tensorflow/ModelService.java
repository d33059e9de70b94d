package dev.crema.serving.tensorflow;

import com.linecorp.armeria.server.ServiceRequestContext;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.protocol.Calls;
import dev.crema.serving.protocol.Failures;
import dev.crema.serving.protocols.tensorflow.serving.GetModelStatusRequest;
import dev.crema.serving.protocols.tensorflow.serving.GetModelStatusResponse;
import dev.crema.serving.protocols.tensorflow.serving.ModelConfig;
import dev.crema.serving.protocols.tensorflow.serving.ModelServerConfig;
import dev.crema.serving.protocols.tensorflow.serving.ModelServiceGrpc;
import dev.crema.serving.protocols.tensorflow.serving.ReloadConfigRequest;
import dev.crema.serving.protocols.tensorflow.serving.ReloadConfigResponse;
import dev.crema.serving.protocols.tensorflow.serving.StatusProto;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import io.grpc.stub.StreamObserver;
import java.util.LinkedHashSet;
import java.util.Set;
import java.util.stream.Collectors;

/** TensorFlow Serving's gRPC service for the states of models. Thread-safe. */
public final class ModelService extends ModelServiceGrpc.ModelServiceImplBase {
  private final Calls calls;

  public ModelService(Calls calls) {
    this.calls = calls;
  }

  @Override
  public void getModelStatus(
      GetModelStatusRequest request, StreamObserver<GetModelStatusResponse> observer) {
    try {
      ModelReference model = ModelSpecs.reference(request.getModelSpec());
      observer.onNext(ModelDocuments.status(VersionQuery.versions(calls.models(), model)));
      observer.onCompleted();
    } catch (RuntimeException e) {
      observer.onError(Failures.grpc(e));
    }
  }

  /**
   * Loads the models that are named and takes all others out of service. Which models there are, in
   * which folder, with which version policy and labels, is the server's own configuration: a
   * client's {@code base_path} is not looked at, and a policy or labels are refused.
   */
  @Override
  public void handleReloadConfigRequest(
      ReloadConfigRequest request, StreamObserver<ReloadConfigResponse> observer) {
    Set<String> wanted = new LinkedHashSet<>();
    try {
      calls.checkAdmin(
          ServiceRequestContext.current(),
          request.getConfig().getModelConfigList().getConfigList().stream()
              .map(ModelConfig::getName)
              .collect(Collectors.joining(", ", "serve only [", "]")));
      if (request.getConfig().getConfigCase() != ModelServerConfig.ConfigCase.MODEL_CONFIG_LIST) {
        throw ServingException.invalidArgument(
            "ReloadConfigRequest must have a config with a model_config_list");
      }
      Set<String> known = Set.copyOf(calls.models().names());
      for (ModelConfig config : request.getConfig().getModelConfigList().getConfigList()) {
        check(config, known);
        if (!wanted.add(config.getName())) {
          throw ServingException.invalidArgument(
              "Model '" + config.getName() + "' is configured twice");
        }
      }
    } catch (RuntimeException e) {
      observer.onError(Failures.grpc(e));
      return;
    }
    ServiceRequestContext.current()
        .blockingTaskExecutor()
        .execute(
            () -> {
              try {
                reload(wanted);
                observer.onNext(
                    ReloadConfigResponse.newBuilder()
                        .setStatus(StatusProto.getDefaultInstance())
                        .build());
                observer.onCompleted();
              } catch (RuntimeException e) {
                observer.onError(Failures.grpc(e));
              }
            });
  }

  private static void check(ModelConfig config, Set<String> known) {
    if (!known.contains(config.getName())) {
      throw ServingException.notFound(
          "There is no model '" + config.getName() + "' in this server's repository");
    }
    if (config.hasModelVersionPolicy() || config.getVersionLabelsCount() > 0) {
      throw new ServingException(
          ServingException.Code.UNIMPLEMENTED,
          "Version policy and labels of model '"
              + config.getName()
              + "' are set in the server's configuration, not by clients");
    }
  }

  private void reload(Set<String> wanted) {
    Models models = calls.models();
    wanted.forEach(models::load);
    for (String name : models.names()) {
      if (!wanted.contains(name)) {
        models.unload(name);
      }
    }
  }
}
