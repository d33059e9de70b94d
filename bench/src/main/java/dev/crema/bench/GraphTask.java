package dev.crema.bench;

import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A graph of ops as a plan of Crema, its inputs filled once. */
final class GraphTask implements Task {
  /** Adds ops to a graph and says which results are wanted, the one to be compared first. */
  interface Builder {
    List<Node> build(Inputs in);
  }

  /** Gives a graph its inputs, with their values. */
  static final class Inputs {
    private final Graph graph = new Graph();
    private final Map<String, float[]> floats = new LinkedHashMap<>();
    private final Map<String, int[]> ints = new LinkedHashMap<>();
    private final Map<Storage, float[]> storages = new LinkedHashMap<>();

    Graph graph() {
      return graph;
    }

    Node floats(float[] values, long... dims) {
      String name = "floats" + floats.size();
      floats.put(name, values);
      return graph.input(name, TensorType.of(dims));
    }

    Node uniform(long seed, long... dims) {
      return floats(Data.uniform(seed, elements(dims)), dims);
    }

    Node weights(long seed, int fan, long... dims) {
      return floats(Data.weights(seed, elements(dims), fan), dims);
    }

    Node indices(long seed, int bound, long... dims) {
      String name = "ints" + ints.size();
      ints.put(name, Data.indices(seed, elements(dims), bound));
      return graph.input(name, TensorType.of(ElementType.INT32, dims));
    }

    /** What an op writes to. */
    Node stored(Storage storage, float[] values) {
      storages.put(storage, values);
      return graph.variable(storage.name(), storage, 0, TensorType.of(values.length));
    }

    private static int elements(long... dims) {
      long n = 1;
      for (long d : dims) {
        n = Math.multiplyExact(n, d);
      }
      return Math.toIntExact(n);
    }
  }

  private final Plan plan;
  private final FloatBuffer compared;
  private final Map<Storage, Buffer> storages = new LinkedHashMap<>();

  GraphTask(Builder builder, int threads) {
    Inputs in = new Inputs();
    List<Node> outputs = builder.build(in);
    Plan.Builder b = Plan.of(in.graph).outputs(outputs.toArray(new Node[0])).threads(threads);
    in.storages.forEach(
        (storage, values) -> {
          Buffer buffer = Buffer.allocate(4L * values.length);
          buffer.floats().put(values);
          storages.put(storage, buffer);
          b.storage(storage, buffer);
        });
    this.plan = b.build();
    Set<String> used = plan.inputs();
    in.floats.forEach((name, values) -> fill(used, name, values.length).floats().put(values));
    in.ints.forEach((name, values) -> fill(used, name, values.length).ints().put(values));
    this.compared = plan.output(outputs.get(0)).asFloatBuffer();
  }

  private Buffer fill(Set<String> used, String name, int elements) {
    if (!used.contains(name)) {
      throw new IllegalStateException("Nothing reads the input " + name);
    }
    Buffer buffer = plan.input(name);
    if (buffer.byteSize() != 4L * elements) {
      throw new IllegalStateException(name + " has " + buffer.byteSize() + " bytes");
    }
    return buffer;
  }

  @Override
  public float[] check() {
    run();
    float[] values = new float[compared.capacity()];
    compared.get(0, values);
    return values;
  }

  @Override
  public void run() {
    plan.run(1);
  }

  @Override
  public void close() {
    plan.close();
    storages.values().forEach(Buffer::close);
  }
}
