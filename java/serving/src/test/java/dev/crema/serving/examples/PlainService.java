package dev.crema.serving.examples;

import dev.crema.serving.ModelServer;
import dev.crema.serving.Protocols;
import dev.crema.serving.ServingListener;
import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.repository.ModelRepository;
import java.nio.file.Path;

/** A server inside any Java program. */
public final class PlainService {
  private PlainService() {}

  /** Serves the models of a folder; whoever calls this closes the server, and all with it. */
  public static ModelServer start(Path folder, int port) {
    ServingListener listener = new ServingListener() {};
    ModelRepository models = ModelRepository.of(folder).listener(listener).open();
    BatchingInference inference = new BatchingInference(models, listener);
    return ModelServer.builder(models)
        .port(port)
        .endpoint(new Protocols(models, inference, ProtocolOptions.DEFAULT))
        .closing(models)
        .closing(inference)
        .build()
        .start();
  }

  /** {@code java ... PlainService models 8501}. */
  public static void main(String[] args) {
    ModelServer server = start(Path.of(args[0]), Integer.parseInt(args[1]));
    Runtime.getRuntime().addShutdownHook(new Thread(server::close));
    System.out.println("Serving at " + server.uri());
  }
}
