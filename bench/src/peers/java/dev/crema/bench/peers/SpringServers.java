package dev.crema.bench.peers;

import dev.crema.bench.Problem;
import dev.crema.bench.serving.CommandLineJar;
import dev.crema.bench.serving.ServedNetwork;
import dev.crema.bench.serving.Server;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Spring Boot over ONNX Runtime, alone and through DJL: {@code bench/serving-peers}. */
public final class SpringServers implements Server.Peers {
  @Override
  public List<Server> servers() {
    return List.of(
        new Spring("spring-onnxruntime", "Spring Boot 3.5.8, ONNX Runtime 1.29.0", "onnxruntime"),
        new Spring("spring-djl", "Spring Boot 3.5.8, DJL 0.36.0 over ONNX Runtime 1.29.0", "djl"));
  }

  private record Spring(String name, String version, String runtime) implements Server {
    @Override
    public List<String> command(ServedNetwork network, Path folder, int port) throws IOException {
      Path model = folder.resolve(network.name() + ".onnx");
      Problem.Prediction one = new Problem.Prediction(network.network(), 1);
      Files.write(model, OnnxModels.of(one).model());
      return CommandLineJar.java(
          List.of(),
          CommandLineJar.module("bench/serving-peers", "crema-serving-peers"),
          "dev.crema.bench.spring.PredictService",
          runtime,
          model.toString(),
          Integer.toString(port));
    }
  }
}
