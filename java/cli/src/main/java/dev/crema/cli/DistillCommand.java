package dev.crema.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.compress.Candidate;
import dev.crema.compress.Comparison;
import dev.crema.compress.Distillation;
import dev.crema.data.Dataset;
import dev.crema.eval.drift.Reference;
import dev.crema.graph.TensorType;
import dev.crema.io.Json;
import dev.crema.io.ModelArchive;
import dev.crema.memory.ElementType;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;
import dev.crema.train.History;
import dev.crema.train.Losses;
import dev.crema.train.TrainingReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains a small model to answer as a large one does. */
@Command(
    name = "distill",
    description = "Trains a small model, the student, to answer as saved larger ones do.",
    mixinStandardHelpOptions = true)
final class DistillCommand implements Callable<Integer> {
  @Mixin private CommonOptions common;
  @Mixin private ModelData modelData;
  @Mixin private FineTuning training;

  @Option(
      names = "--teacher",
      required = true,
      split = ",",
      description = "Folder or .zip of the teacher; several, with commas, count as their mean.")
  private List<Path> teacher;

  @Option(
      names = "--student",
      required = true,
      description =
          "seed-mlp, mlp:H1,H2,..., lenet, resnet18, resnet18-small, linear, or FILE.json.")
  private String student;

  @Option(
      names = "--temperature",
      defaultValue = "4",
      description = "What both models' logits are divided by (default: ${DEFAULT-VALUE}).")
  private double temperature;

  @Option(
      names = "--alpha",
      defaultValue = "0.1",
      description =
          "What the loss of the labels counts, from 0 to 1; the distance from the teacher counts"
              + " the rest (default: ${DEFAULT-VALUE}).")
  private double alpha;

  @Option(
      names = "--hint",
      split = ",",
      description =
          "Hidden layers that are to agree: STUDENT_LAYER=TEACHER_LAYER, each of weight 1.")
  private String[] hints = {};

  @Option(names = "--out", required = true, description = "Folder or .zip for the student.")
  private Path out;

  @Override
  public Integer call() {
    ModelArchive.requireReplaceable(out);
    if (training.epochs() == 0) {
      throw new CremaException("A student that is not trained learns nothing: --epochs 1 or more");
    }
    List<Model> teachers = new ArrayList<>();
    try {
      for (Path file : teacher) {
        teachers.add(Model.load(file));
        OneOutput.require(teachers.get(teachers.size() - 1).topology(), "" + file);
      }
      requireOnePreparation(teachers);
      Model first = teachers.get(0);
      ModelData.Parts parts = modelData.open(first, teacher.get(0), common.seed());
      try (Model trained = Model.of(topology(first, parts.train()), common.seed())) {
        for (String field : new String[] {"preprocessing", "loss", "label_smoothing"}) {
          if (first.metadata().has(field)) {
            trained.metadata().set(field, first.metadata().get(field).deepCopy());
          }
        }
        return distil(trained, teachers, parts);
      }
    } finally {
      teachers.forEach(Model::close);
    }
  }

  /** All teachers see the same numbers, and mean the same classes by their answers. */
  private void requireOnePreparation(List<Model> teachers) {
    JsonNode first = teachers.get(0).metadata().path("preprocessing");
    for (int i = 1; i < teachers.size(); i++) {
      if (!teachers.get(i).metadata().path("preprocessing").equals(first)) {
        throw new CremaException(
            "The teachers "
                + teacher.get(0)
                + " and "
                + teacher.get(i)
                + " were trained on data that was prepared in different ways, such as scaled by"
                + " other means or with other classes, so one of them would not understand what"
                + " the other reads. Train them on the same --data with the same --seed or the"
                + " same --validation.");
      }
    }
  }

  private int distil(Model trained, List<Model> teachers, ModelData.Parts parts) {
    Distillation distillation =
        Distillation.from(teachers.toArray(new Model[0])).temperature(temperature).alpha(alpha);
    for (String hint : hints) {
      int at = hint.indexOf('=');
      if (at < 0) {
        throw new CremaException("A hint is STUDENT_LAYER=TEACHER_LAYER, got '" + hint + "'");
      }
      distillation = distillation.hint(hint.substring(0, at), hint.substring(at + 1), 1);
    }
    common.text().println(trained.summary());
    common.text().println(parts.describe("Training on"));
    Model[] started = Stream.concat(Stream.of(trained), teachers.stream()).toArray(Model[]::new);
    History history =
        training
            .resumable(training.trainer(trained, parts.train(), common), out, started)
            .validation(parts.held())
            .term(distillation)
            .fit(parts.train());
    if (teachers.get(0).metadata().has(Reference.KEY)) {
      TrainingReference.store(
          trained, parts.train(), common.seed(), common.threads(), common.device());
    }
    Results.save(trained, out);
    FineTuning.forget(out);
    List<Candidate> all = new ArrayList<>();
    for (int i = 0; i < teachers.size(); i++) {
      String name = teachers.size() == 1 ? "teacher" : "teacher " + (i + 1);
      all.add(Candidate.of(name, teachers.get(i)));
    }
    all.add(Candidate.of("student", trained));
    Comparison comparison =
        Comparison.of(
            parts.held(), common.threads(), common.device(), all.toArray(new Candidate[0]));
    common.text().println(comparison);
    common.text().println("Model: " + out);
    ObjectNode document = Json.mapper().createObjectNode();
    document.put("model", out.toString());
    document.set("data", parts.toJson());
    document.set("history", history.toJson());
    document.setAll(comparison.toJson());
    return common.finish(document);
  }

  /** The student's, with the teacher's outputs. */
  private Topology topology(Model first, Dataset train) {
    TensorType output = first.topology().outputTypes().get(0);
    String loss = first.metadata().path("loss").asText("");
    boolean classes = train.target().type() == ElementType.INT32;
    BuiltIn.Output kind =
        !loss.isEmpty()
            ? Losses.of(loss).answers()
            : classes ? BuiltIn.Output.CLASSES : BuiltIn.Output.VALUES;
    long[] shape = train.inputs().get(0).shape().dims();
    int outputs = Math.toIntExact(output.elements().perExample());
    Topology topology = BuiltIn.topology(student, shape, kind, outputs);
    OneOutput.require(topology, student);
    return topology;
  }
}
