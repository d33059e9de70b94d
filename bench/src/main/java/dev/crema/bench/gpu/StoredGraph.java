package dev.crema.bench.gpu;

import dev.crema.device.Device;
import dev.crema.graph.Application;
import dev.crema.graph.Assign;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.plan.Plan;
import java.nio.FloatBuffer;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/**
 * A graph whose tensors all lie in storages, so that a device with memory of its own keeps them
 * there: a run copies nothing to it and nothing back.
 */
final class StoredGraph implements CardTask {
  private static final int PIECE = 1 << 24; // numbers of a view
  private static final int MOST_LOOKED_AT = 1 << 16;
  private static final long MEASURED = 1; // sections of the plan
  private static final long BEFORE = 2;

  /** Adds ops; what is to be kept of them is stored. */
  interface Builder {
    void build(Tensors tensors);
  }

  /** Gives a graph its tensors, and takes its results. */
  static final class Tensors {
    private final Graph graph = new Graph();
    private final Map<Storage, Buffer> storages = new LinkedHashMap<>();
    private final Set<Application> before = new HashSet<>();
    private Storage looked; // at, the first result

    Graph graph() {
      return graph;
    }

    /** Uniform in [-scale, scale). */
    Node uniform(double scale, long... dims) {
      Node node = zeros(dims);
      int number = storages.size();
      fill(buffer(number - 1), new SplittableRandom(number), scale);
      return node;
    }

    Node zeros(long... dims) {
      TensorType type = TensorType.of(dims);
      return stored(new Storage("tensor" + storages.size(), ElementType.FLOAT32), type);
    }

    /** In a storage that ops know by its name. */
    Node stored(Storage storage, TensorType type) {
      long bytes = type.at(1).byteSize(type.element());
      storages.put(storage, Buffer.allocate(bytes, storage.name()));
      return graph.variable(storage.name(), storage, 0, type);
    }

    /** Any bytes, of whose bits those of a mask can be 1. */
    Node bytes(int mask, long... dims) {
      TensorType type = TensorType.of(dims).withElement(ElementType.UINT8);
      Storage storage = new Storage("tensor" + storages.size(), ElementType.UINT8);
      Node node = stored(storage, type);
      Buffer buffer = buffer(storage);
      SplittableRandom random = new SplittableRandom(storages.size());
      for (long at = 0; at < buffer.byteSize(); at += PIECE) {
        byte[] piece = new byte[(int) Math.min(PIECE, buffer.byteSize() - at)];
        random.nextBytes(piece);
        for (int i = 0; i < piece.length; i++) {
          piece[i] &= (byte) mask;
        }
        buffer.borrow(at, piece.length).put(piece);
      }
      buffer.changed();
      return node;
    }

    /** Has an op run once, before all that is measured. */
    void before(Op op, Node... inputs) {
      before.add(graph.apply(op, inputs));
    }

    /** Keeps a result. */
    void store(Node value) {
      Storage storage = new Storage("result" + storages.size(), ElementType.FLOAT32);
      graph.apply(new Assign(false), stored(storage, value.type()), value);
      looked = looked == null ? storage : looked;
    }

    /** Has {@link #result} look at what an op writes to. */
    void lookAt(Storage storage) {
      looked = storage;
    }

    Buffer buffer(Storage storage) {
      return storages.get(storage);
    }

    private Buffer buffer(int index) {
      return storages.values().stream().skip(index).findFirst().orElseThrow();
    }

    private void close() {
      storages.values().forEach(Buffer::close);
    }
  }

  static void fill(Buffer buffer, SplittableRandom random, double scale) {
    long count = buffer.byteSize() / Float.BYTES;
    for (long at = 0; at < count; at += PIECE) {
      int piece = (int) Math.min(PIECE, count - at);
      FloatBuffer view = buffer.borrow(Float.BYTES * at, Float.BYTES * piece).asFloatBuffer();
      for (int i = 0; i < piece; i++) {
        view.put(i, (float) (scale * random.nextDouble(-1, 1)));
      }
    }
    buffer.changed();
  }

  private final Tensors tensors = new Tensors();
  private final Plan plan;

  StoredGraph(Device device, Precision precision, Builder builder) {
    try {
      builder.build(tensors);
      Plan.Builder plans = Plan.of(tensors.graph).device(device).precision(precision);
      tensors.storages.forEach(plans::storage);
      this.plan = plans.sections(a -> tensors.before.contains(a) ? BEFORE : MEASURED).build();
      plan.run(1, BEFORE);
    } catch (RuntimeException | Error e) {
      tensors.close();
      throw e;
    }
  }

  @Override
  public void run() {
    plan.run(1, MEASURED);
  }

  @Override
  public List<String> ways() {
    return plan.ways();
  }

  @Override
  public float[] result() {
    Buffer buffer = tensors.buffer(tensors.looked);
    int count = (int) Math.min(MOST_LOOKED_AT, buffer.byteSize() / Float.BYTES);
    float[] values = new float[count];
    buffer.borrow(0, Float.BYTES * count).asFloatBuffer().get(values);
    return values;
  }

  @Override
  public void close() {
    plan.close();
    tensors.close();
  }
}
