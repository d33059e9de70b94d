package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.compress.Candidate;
import dev.crema.compress.Comparison;
import dev.crema.compress.Distillation;
import dev.crema.compress.Figures;
import dev.crema.compress.Pruner;
import dev.crema.compress.Quantizer;
import dev.crema.compress.Scope;
import dev.crema.compress.SparsitySchedule;
import dev.crema.data.Mnist;
import dev.crema.nn.Activation;
import dev.crema.nn.Conv2d;
import dev.crema.nn.Dense;
import dev.crema.nn.Flatten;
import dev.crema.nn.MaxPool2d;
import dev.crema.nn.Model;
import dev.crema.nn.Padding;
import dev.crema.train.LearningRate;
import dev.crema.train.Optimizer;
import dev.crema.train.Trainer;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/** The part of the demo that makes its LeNet smaller: pruned, in int8, both, and as a student. */
final class DemoCompression {
  private static final double SPARSITY = 0.9;
  private static final int CALIBRATION = 1000;

  /** Of 6 and 16 channels: too few to gain from bytes, and 4 % of the weights. */
  private static final String[] CONVOLUTIONS = {"conv2d_1", "conv2d_2"};

  private static final int BATCH = 32;
  private static final double WEIGHT_DECAY = 0.05;
  private static final double PRUNING_RATE = 0.002; // half of what LeNet was trained with
  private static final double STUDENT_RATE = 0.004;

  private final CommonOptions common;
  private final Mnist digits;
  private final int epochs;

  DemoCompression(CommonOptions common, Mnist digits, int epochs) {
    this.common = common;
    this.digits = digits;
    this.epochs = epochs;
  }

  /**
   * Compresses a model in each way, saves the results beside it and shows all of them.
   *
   * @param lenet trained, with its preprocessing
   * @param out folder of all models
   */
  ObjectNode run(Model lenet, Path out) {
    Map<String, Model> all = new LinkedHashMap<>();
    try {
      all.put("lenet", lenet);
      say("Pruning: 90 % of the weights become 0 while it trains on");
      all.put("lenet-pruned", pruned(lenet));
      say("Quantization: the dense layers of both in int8, calibrated on 1,000 of the digits");
      all.put("lenet-int8", int8(lenet));
      all.put("lenet-pruned-int8", int8(all.get("lenet-pruned")));
      say("Distillation: a student of a sixth of the parameters learns from LeNet's answers");
      all.put("student", student(lenet));
      Comparison comparison =
          Comparison.of(
              digits.test(),
              common.threads(),
              common.device(),
              all.entrySet().stream()
                  .map(e -> Candidate.of(e.getKey(), e.getValue()))
                  .toArray(Candidate[]::new));
      common.text().printf("%n%s", comparison);
      return save(all, comparison, out);
    } finally {
      all.remove("lenet");
      all.values().forEach(Model::close);
    }
  }

  /** Leaves those in the folder that are not slower than what they were made of. */
  private ObjectNode save(Map<String, Model> all, Comparison comparison, Path out) {
    ObjectNode json = comparison.toJson();
    Figures before = comparison.models().get(0);
    for (Figures after : comparison.models()) {
      if (after == before) {
        continue;
      }
      String slower = Results.slower(before, after);
      if (slower == null) {
        Path folder = out.resolve(after.name());
        all.get(after.name()).save(folder);
        ((ObjectNode) json.get(after.name())).put("model", "" + folder);
        common.text().println("Model: " + folder);
      } else {
        common.text().println("Not kept: " + after.name() + " takes here " + slower + ".");
      }
    }
    return json;
  }

  private void say(String what) {
    common.text().printf("%n%s%n", what);
  }

  private Trainer trainer(Model model, double peak, LearningRate schedule) {
    return Trainer.of(model)
        .optimizer(Optimizer.adamW(peak, WEIGHT_DECAY))
        .schedule(schedule)
        .batchSize(BATCH)
        .epochs(epochs)
        .seed(common.seed())
        .threads(common.threads())
        .device(common.device())
        .validation(digits.test())
        .progress(true);
  }

  private Model pruned(Model lenet) {
    long steps = epochs * ((digits.train().size() + BATCH - 1) / BATCH);
    SparsitySchedule growth = SparsitySchedule.overTraining(SPARSITY / 2, SPARSITY, steps);
    Model model = lenet.copy();
    trainer(model, PRUNING_RATE, LearningRate.cosine(PRUNING_RATE, 0, 0))
        .callback(Pruner.magnitude().scope(Scope.GLOBAL).during(growth))
        .fit(digits.train());
    return model;
  }

  private Model int8(Model model) {
    return Quantizer.standard()
        .without(CONVOLUTIONS)
        .on(common.device())
        .quantize(model, digits.train().take(CALIBRATION));
  }

  private Model student(Model lenet) {
    Model student =
        Model.sequential(28, 28, 1)
            .add(Conv2d.of(4, 5, Activation.RELU).withPadding(Padding.SAME))
            .add(MaxPool2d.of(2))
            .add(Conv2d.of(8, 5, Activation.RELU))
            .add(MaxPool2d.of(2))
            .add(new Flatten())
            .add(Dense.of(48, Activation.RELU))
            .add(Dense.of(10, Activation.SOFTMAX))
            .build(common.seed());
    student.metadata().set("preprocessing", lenet.metadata().get("preprocessing").deepCopy());
    trainer(student, STUDENT_RATE, LearningRate.oneCycle(STUDENT_RATE, 0.2))
        .term(Distillation.from(lenet).temperature(4).alpha(0.1))
        .fit(digits.train());
    return student;
  }
}
