package dev.crema.serving.monitoring;

import dev.crema.device.Device;
import dev.crema.nn.Model;
import dev.crema.serving.ModelServer;
import dev.crema.serving.Protocols;
import dev.crema.serving.batching.BatchingInference;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.page.OperationsPage;
import dev.crema.serving.protocol.ProtocolOptions;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.ModelRepository;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/** A server of the model of {@link Digits}, monitored, with the page. */
public final class ServedDigits implements AutoCloseable {
  public final Monitoring monitoring = Monitoring.prometheus();
  private final ModelRepository models;
  private final BatchingInference inference;
  private final ModelServer server;
  private final List<Digits.Labelled> digits = Digits.test(2000);
  private int asked;

  /**
   * @param folder to be filled
   */
  public ServedDigits(Path folder) throws IOException {
    Files.createDirectories(folder.resolve("digits"));
    try (Model model = Digits.trained()) {
      model.save(folder.resolve("digits").resolve("1"));
    }
    models =
        ModelRepository.of(folder)
            .device(Device.cpu())
            .listener(monitoring.listener())
            .pollInterval(Duration.ZERO)
            .open();
    monitoring.watch(models);
    inference = new BatchingInference(models, monitoring.listener());
    server =
        ModelServer.builder(models)
            .port(0)
            .endpoint(monitoring.endpoint())
            .endpoint(new OperationsPage(monitoring))
            .endpoint(
                new Protocols(
                    models, inference, ProtocolOptions.DEFAULT.withListener(monitoring.listener())))
            .closing(monitoring)
            .closing(models)
            .closing(inference)
            .build()
            .start();
    monitoring.drift().refresh();
  }

  public URI uri() {
    return server.uri();
  }

  private InferenceResponse infer(String id, String model, float[]... rows) {
    InferenceRequest request =
        new InferenceRequest(
            id,
            ModelReference.of(model),
            Map.of("x", Events.tensor(rows)),
            List.of(),
            InferenceRequest.NO_DEADLINE,
            0,
            "tfs-rest");
    InferenceResponse response;
    try {
      response = inference.infer(request).join();
    } catch (java.util.concurrent.CompletionException e) {
      throw e.getCause() instanceof ServingException s ? s : e;
    }
    monitoring.listener().serialised(request, response, 2_000);
    return response;
  }

  /** Asks so many questions, some of them wrong ones, and tells the truth about each answer. */
  public void ask(int times) {
    for (int i = 0; i < times; i++) {
      Digits.Labelled digit = digits.get(asked++ % digits.size());
      String id = "request-" + asked;
      infer(id, "digits", digit.pixels());
      monitoring
          .feedback()
          .take("digits", List.of(new Feedback.Truth(id, List.of(digit.label()), List.of())));
      if (asked % 50 == 0) {
        refused("digits", new float[] {1, 2, 3});
        refused("letters", digit.pixels());
      }
    }
  }

  /** Lets a truth about a number come, as of a regression: these answers are ten numbers. */
  public void number(double real) {
    infer("number", "digits", digits.get(0).pixels());
    double[] truth = new double[10];
    java.util.Arrays.fill(truth, real);
    monitoring
        .feedback()
        .take("digits", List.of(new Feedback.Truth("number", List.of(), List.of(truth))));
  }

  private void refused(String model, float[] row) {
    try {
      infer("", model, row);
    } catch (ServingException e) {
      return;
    }
    throw new AssertionError("was not refused");
  }

  @Override
  public void close() {
    server.close();
  }
}
