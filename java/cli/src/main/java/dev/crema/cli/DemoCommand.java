package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.data.Mnist;
import dev.crema.device.Device;
import dev.crema.io.Json;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.train.Evaluation;
import dev.crema.train.Evaluator;
import dev.crema.train.History;
import dev.crema.train.LearningRate;
import dev.crema.train.Losses;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import dev.crema.train.TrainingReference;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains two networks on the digits that Crema ships, and makes one of them smaller. */
@Command(
    name = "demo",
    description =
        "Trains the seed network and LeNet on real digits (MNIST, shipped), then prunes, quantizes"
            + " and distils LeNet.",
    mixinStandardHelpOptions = true)
final class DemoCommand implements Callable<Integer> {
  /** Of one cycle; with it 8,000 digits and ten epochs are enough for 98 %. */
  private static final double LENET_RATE = 0.004;

  @Mixin private CommonOptions common;

  @Option(
      names = "--epochs",
      defaultValue = "10",
      description = "Of each training (default: ${DEFAULT-VALUE}).")
  private int epochs;

  @Option(
      names = "--out",
      defaultValue = "crema-out/demo",
      description = "Where models and curves go (default: ${DEFAULT-VALUE}).")
  private Path out;

  @Option(
      names = "--plot",
      defaultValue = "svg",
      description = "Format of the curves: svg or png (default: ${DEFAULT-VALUE}).")
  private String plot;

  @Option(
      names = "--no-compress",
      description = "Leave out what comes after the trainings: a smaller LeNet in four ways.")
  private boolean trainOnly;

  @Override
  public Integer call() {
    Results.requirePicture(out.resolve("curves." + plot));
    Device device = common.device();
    common.text().printf("On %s: %s%n", device.name(), device.description());
    Mnist digits = Examples.Digits.FULL.open();
    ObjectNode document = Json.mapper().createObjectNode();
    document.set(
        "seed_mlp",
        train(
            "seed-mlp",
            "The seed network, 100-64-64-10, on 10x10 digits",
            Optimizer.adam(0.001),
            LearningRate.constant(0.001),
            Examples.Digits.SMALL.open(),
            100));
    document.set(
        "lenet",
        train(
            "lenet",
            "LeNet on 28x28 digits",
            Optimizer.adamW(LENET_RATE, 0.05),
            LearningRate.oneCycle(LENET_RATE, 0.2),
            digits,
            28,
            28,
            1));
    if (!trainOnly) {
      try (Model lenet = Model.load(out.resolve("lenet"))) {
        document.set("compression", new DemoCompression(common, digits, epochs).run(lenet, out));
      }
    }
    common
        .text()
        .printf(
            "%nTry: crema evaluate --model %s --data %s%n",
            out.resolve("lenet"), Examples.Digits.FULL);
    return common.finish(document);
  }

  private ObjectNode train(
      String name,
      String title,
      Optimizer optimizer,
      LearningRate schedule,
      Mnist digits,
      long... shape) {
    common.text().printf("%n%s%n", title);
    try (Model model =
        Model.of(BuiltIn.topology(name, shape, BuiltIn.Output.CLASSES, 10), common.seed())) {
      model.metadata().set("preprocessing", Examples.Digits.preprocessing(digits).toJson());
      common.text().println(model.summary());
      long start = System.nanoTime();
      History history =
          Trainer.of(model)
              .loss(Losses.sparseCategoricalCrossentropy())
              .optimizer(optimizer)
              .schedule(schedule)
              .batchSize(32)
              .epochs(epochs)
              .seed(common.seed())
              .threads(common.threads())
              .device(common.device())
              .validation(digits.test())
              .progress(true)
              .fit(digits.train());
      double seconds = (System.nanoTime() - start) / 1e9;
      Path folder = out.resolve(name);
      try (Evaluator evaluator =
          Evaluator.of(model, digits.test(), common.threads(), common.device())) {
        Evaluation evaluation = evaluator.evaluate(digits.test());
        TrainingReference.store(
            model, digits.train(), common.seed(), common.threads(), common.device());
        model.save(folder);
        var files = Results.plot(folder, title, history, evaluation, plot);
        common.text().println(evaluation);
        common
            .text()
            .printf(
                Locale.ROOT,
                "%nTrained in %.1f s; test accuracy %.2f %%. Model: %s, curves: %s%n",
                seconds,
                100 * evaluation.classification().accuracy(),
                folder,
                files);
        ObjectNode result = Json.mapper().createObjectNode();
        result.put("seconds", seconds).put("model", folder.toString());
        result.set("history", history.toJson());
        result.set("test", evaluation.toJson());
        return result;
      }
    }
  }
}
