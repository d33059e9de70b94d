package dev.crema.bench.spring;

import java.nio.file.Path;
import java.util.Map;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.ConfigurableApplicationContext;
import org.springframework.context.annotation.Bean;
import org.springframework.web.bind.annotation.PathVariable;
import org.springframework.web.bind.annotation.PostMapping;
import org.springframework.web.bind.annotation.RequestBody;
import org.springframework.web.bind.annotation.RestController;

/**
 * {@code PredictService RUNTIME MODEL.onnx PORT}, where RUNTIME is {@code onnxruntime} or {@code
 * djl}: takes TensorFlow Serving's row format. Prints {@code ready} when it answers.
 */
@SpringBootApplication(proxyBeanMethods = false)
public class PredictService {
  /** The body of a request, as Jackson binds it. */
  public record Request(float[][] instances) {}

  /** The body of an answer. */
  public record Response(float[][] predictions) {}

  /** The one route. */
  @RestController
  public static class Routes {
    private final Runtime runtime;

    Routes(Runtime runtime) {
      this.runtime = runtime;
    }

    @PostMapping("/v1/models/{model}:predict")
    public Response predict(@PathVariable("model") String model, @RequestBody Request request)
        throws Exception {
      return new Response(runtime.predict(request.instances()));
    }
  }

  /** What computes. */
  public interface Runtime {
    /** Rows in, rows out; by many threads at once. */
    float[][] predict(float[][] examples) throws Exception;

    /** Spring calls it at the end. */
    void close() throws Exception;
  }

  @Bean
  Runtime runtime(org.springframework.core.env.Environment environment) throws Exception {
    Path model = Path.of(environment.getRequiredProperty("model"));
    String name = environment.getRequiredProperty("runtime");
    return name.equals("djl") ? new DjlRuntime(model) : new OnnxRuntime(model);
  }

  @SuppressWarnings("resource") // lives until the process is stopped
  public static void main(String[] args) {
    SpringApplication application = new SpringApplication(PredictService.class);
    application.setDefaultProperties(
        Map.of(
            "runtime", args[0],
            "model", args[1],
            "server.port", args[2],
            "server.address", "127.0.0.1",
            "spring.main.banner-mode", "off"));
    ConfigurableApplicationContext running = application.run();
    if (running.isActive()) {
      System.out.println("ready");
    }
  }
}
