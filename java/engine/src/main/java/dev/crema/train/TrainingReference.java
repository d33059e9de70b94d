package dev.crema.train;

import dev.crema.data.Dataset;
import dev.crema.data.Order;
import dev.crema.data.Preprocessing;
import dev.crema.data.TablePreprocessing;
import dev.crema.device.Device;
import dev.crema.eval.drift.Reference;
import dev.crema.eval.drift.ReferenceFormat;
import dev.crema.eval.drift.TensorSketch;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.nn.Topology;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Histograms of what a model learnt from and of what it says of that, for the monitoring of drift
 * where it is served.
 */
public final class TrainingReference {
  /** More examples say nothing more about ten bins. */
  private static final long MOST_EXAMPLES = 50_000;

  private static final int BATCH = 256;

  private final Model model;
  private final Dataset data;
  private final int[] places;
  private final List<Topology.InputSpec> inputs;
  private final List<ByteBuffer> slots = new ArrayList<>();
  private final List<TensorSketch> inputSketches = new ArrayList<>();
  private final List<OutputSketch> outputSketches = new ArrayList<>();
  private long examples;

  private TrainingReference(Model model, Dataset data, long seed) {
    this.model = model;
    this.data = data;
    this.places = Binding.inputs(model, data);
    this.inputs = model.topology().inputs();
    for (Dataset.Slot slot : data.inputs()) {
      slots.add(ByteBuffer.allocateDirect(slot.rowBytes() * BATCH).order(ByteOrder.nativeOrder()));
    }
    for (Topology.InputSpec input : inputs) {
      int width = Math.toIntExact(input.type().elements().perExample());
      inputSketches.add(new TensorSketch(input.name(), width, seed));
    }
    List<String> outputs = model.topology().outputs();
    List<Dataset.Slot> targets = data.targets();
    int[] targetOf =
        targets.size() == outputs.size() ? Binding.targets(outputs, targets) : new int[0];
    for (int i = 0; i < outputs.size(); i++) {
      TensorType type = model.topology().outputTypes().get(i);
      boolean classes = targetOf.length > 0 && targets.get(targetOf[i]).type() == ElementType.INT32;
      outputSketches.add(
          new OutputSketch(
              outputs.get(i),
              Math.toIntExact(type.elements().perExample()),
              classes ? data.classNames(targetOf[i]) : List.of(),
              seed));
    }
  }

  /**
   * Counts up to 50,000 examples, drawn by the seed, twice read.
   *
   * @param threads of the pool; 0 for all
   */
  public static Reference of(Model model, Dataset data, long seed, int threads, Device device) {
    Dataset some = data.sample(MOST_EXAMPLES, seed);
    return new TrainingReference(model, some, seed).count(threads, device);
  }

  /** As {@link #of}, and puts it into the model's metadata, to be saved with it. */
  public static void store(Model model, Dataset data, long seed, int threads, Device device) {
    Reference reference = of(model, data, seed, threads, device);
    model.metadata().set(Reference.KEY, ReferenceFormat.write(reference));
  }

  private Reference count(int threads, Device device) {
    List<Buffer> bound = new ArrayList<>();
    try (Predictor predictor = model.predictor(BATCH, threads, device)) {
      for (int i = 0; i < places.length; i++) {
        String name = inputs.get(i).name();
        if (predictor.plan().inputs().contains(name)) {
          bound.add(Buffer.wrap(slots.get(places[i])));
          predictor.bindInput(name, bound.get(bound.size() - 1));
        }
      }
      pass(predictor, false);
      examples = 0;
      pass(predictor, true);
    } finally {
      bound.forEach(Buffer::close);
    }
    List<Reference.Tensor> all = new ArrayList<>();
    for (TensorSketch sketch : inputSketches) {
      all.add(sketch.result(inputs.size() == 1 ? columns() : null));
    }
    return new Reference(examples, all, outputSketches.stream().map(OutputSketch::result).toList());
  }

  private void pass(Predictor predictor, boolean counts) {
    try (Dataset.Reader reader = data.reader(Order.sequential())) {
      for (int rows = reader.read(slots, BATCH); rows > 0; rows = reader.read(slots, BATCH)) {
        for (int i = 0; i < inputs.size(); i++) {
          Topology.InputSpec input = inputs.get(i);
          take(inputSketches.get(i), slots.get(places[i]), input.type(), rows, counts);
        }
        predictor.run(rows);
        for (int i = 0; i < outputSketches.size(); i++) {
          outputSketches.get(i).take(predictor.outputMemory(i).asFloatBuffer(), rows, counts);
        }
        examples += rows;
      }
    }
  }

  private static void take(
      TensorSketch sketch, ByteBuffer memory, TensorType type, int rows, boolean counts) {
    int width = Math.toIntExact(type.elements().perExample());
    boolean floats = type.element() == ElementType.FLOAT32; // the other is INT32: Dataset.Slot
    for (int row = 0; row < rows; row++) {
      int from = row * width;
      TensorSketch.Row values =
          floats
              ? at -> memory.getFloat(4 * (from + at))
              : at -> (float) memory.getInt(4 * (from + at));
      if (counts) {
        sketch.count(values);
      } else {
        sketch.look(values);
      }
    }
  }

  /** What the elements of a row of a table are called; null where it is no table. */
  private List<String> columns() {
    if (!model.metadata().has("preprocessing")
        || !(Preprocessing.fromJson(model.metadata().get("preprocessing"))
            instanceof TablePreprocessing table)) {
      return null;
    }
    List<String> names = new ArrayList<>();
    for (TablePreprocessing.Column column : table.columns()) {
      if (column instanceof TablePreprocessing.Categorical c) {
        c.categories().forEach(category -> names.add(c.name() + "=" + category));
        if (c.missing()) {
          names.add(c.name() + " missing");
        }
      } else {
        String name = column.name();
        IntStream.range(0, column.width())
            .mapToObj(i -> i == 0 ? name : name + "[" + i + "]")
            .forEach(names::add);
      }
    }
    return names.size() == inputs.get(0).type().elements().perExample() ? names : null;
  }
}
