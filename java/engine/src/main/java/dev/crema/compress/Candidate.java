package dev.crema.compress;

import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.device.Device;
import dev.crema.graph.Storage;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.nn.Predictor;
import dev.crema.train.Evaluation;
import dev.crema.train.Evaluator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;

/** A form of a model that a {@link Comparison} measures. */
public interface Candidate {
  /** What tables call it. */
  String name();

  /** The model whose inputs {@link #predictor} takes. */
  Model model();

  /** How well it does on a dataset. */
  Evaluation evaluate(Dataset data, int threads, Device device);

  /** Bytes of its file: one {@code .zip} with topology, metadata and tensors, not compressed. */
  long fileBytes();

  /** Numbers that training changes. */
  long parameters();

  /** Those of {@link #parameters} that are not 0. */
  long nonZeros();

  /** Makes predictions; the caller closes it. */
  Predictor predictor(int capacity, int threads, Device device);

  /** A model as it is. Reads the model, which stays open and the caller's. */
  static Candidate of(String name, Model model) {
    Objects.requireNonNull(name, "name");
    Objects.requireNonNull(model, "model");
    return new OfModel(name, model);
  }

  /** {@link #of}. */
  record OfModel(String name, Model model) implements Candidate {
    @Override
    public Evaluation evaluate(Dataset data, int threads, Device device) {
      try (Evaluator evaluator = Evaluator.of(model, data, threads, device)) {
        return evaluator.evaluate(data);
      }
    }

    @Override
    public long fileBytes() {
      try {
        Path folder = Files.createTempDirectory("crema-size");
        Path file = folder.resolve("model.zip");
        try {
          model.save(file);
          return Files.size(file);
        } finally {
          Files.deleteIfExists(file);
          Files.delete(folder);
        }
      } catch (IOException e) {
        throw new CremaException(
            "The size of the model's file could not be measured in the folder for temporary files: "
                + e,
            e);
      }
    }

    @Override
    public long parameters() {
      return model.table().trainedElements();
    }

    @Override
    public long nonZeros() {
      long count = 0;
      for (Parameter p : model.table().all()) {
        if (p.storage().equals(Storage.PARAMETERS)) {
          for (float w : model.get(p.path())) {
            count += w != 0 ? 1 : 0;
          }
        }
      }
      return count;
    }

    @Override
    public Predictor predictor(int capacity, int threads, Device device) {
      return model.predictor(capacity, threads, device);
    }
  }
}
