package dev.crema.serving.repository;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.ArrayPreprocessing;
import dev.crema.data.Preprocessing;
import dev.crema.data.TablePreprocessing;
import dev.crema.graph.Dim;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;

/** Reads what a model takes and gives from its topology and from what was saved with it. */
final class ModelSignature {
  private static final String PREPROCESSING = "preprocessing";

  private ModelSignature() {}

  /**
   * @throws CremaException if a model like this can't be served
   */
  static Signature of(Model model, Optional<Preprocessing> preprocessing) {
    Topology topology = model.topology();
    List<TensorSpec> inputs = new ArrayList<>();
    topology.inputs().forEach(input -> inputs.add(spec(input.name(), input.type())));
    List<TensorType> types = topology.outputTypes();
    List<TensorSpec> outputs = new ArrayList<>();
    if (new LinkedHashSet<>(topology.outputs()).size() < types.size()) {
      throw new CremaException("Two outputs have one name: " + topology.outputs());
    }
    for (int i = 0; i < types.size(); i++) {
      outputs.add(spec(topology.outputs().get(i), types.get(i)));
    }
    List<String> labels =
        preprocessing
            .map(Preprocessing::classNames)
            .filter(names -> fit(names, outputs.get(0).shape()))
            .orElse(List.of());
    return new Signature(
        inputs, outputs, labels, columns(inputs, preprocessing), pixelScale(inputs, preprocessing));
  }

  /** 1 where no bytes were learnt from. */
  private static double pixelScale(List<TensorSpec> inputs, Optional<Preprocessing> preprocessing) {
    return preprocessing.orElse(null) instanceof ArrayPreprocessing array
            && inputs.size() == 1
            && inputs.get(0).type() == ElementType.FLOAT32
        ? array.scale()
        : 1;
  }

  /** One output for each class, or the probability of the second of two. */
  private static boolean fit(List<String> labels, List<Long> shape) {
    long last = shape.size() < 2 ? 0 : shape.get(shape.size() - 1);
    return last == labels.size() || labels.size() == 2 && last == 1;
  }

  /** What must be done with raw values first, if that was saved with the model. */
  static Optional<Preprocessing> preprocessing(ObjectNode metadata) {
    return metadata.has(PREPROCESSING)
        ? Optional.of(Preprocessing.fromJson(metadata.get(PREPROCESSING)))
        : Optional.empty();
  }

  private static TensorSpec spec(String name, TensorType type) {
    if (type.rank() == 0 || !type.dim(0).equals(Dim.BATCH)) {
      throw new CremaException("'" + name + "' is " + type + "; served are [n, ...]");
    }
    List<Long> shape = new ArrayList<>();
    shape.add(-1L);
    for (int i = 1; i < type.rank(); i++) {
      shape.add(type.extent(i));
    }
    return new TensorSpec(name, type.element(), shape);
  }

  private static List<ColumnSpec> columns(
      List<TensorSpec> inputs, Optional<Preprocessing> preprocessing) {
    List<ColumnSpec> columns = new ArrayList<>();
    if (preprocessing.orElse(null) instanceof TablePreprocessing table && inputs.size() == 1) {
      if (inputs.get(0).type() != ElementType.FLOAT32
          || inputs.get(0).elementsPerExample() != table.width()) {
        throw new CremaException(
            "The preprocessing makes rows of "
                + table.width()
                + " values, but the model takes "
                + inputs.get(0));
      }
      for (TablePreprocessing.Column column : table.columns()) {
        if (column instanceof TablePreprocessing.Numeric) {
          columns.add(new ColumnSpec(column.name(), ColumnSpec.Kind.NUMERIC, List.of()));
        } else if (column instanceof TablePreprocessing.Date) {
          columns.add(new ColumnSpec(column.name(), ColumnSpec.Kind.DATE, List.of()));
        } else if (column instanceof TablePreprocessing.Categorical c) {
          columns.add(new ColumnSpec(c.name(), ColumnSpec.Kind.CATEGORICAL, c.categories()));
        }
      }
    }
    return columns;
  }
}
