package dev.crema.plan;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.device.Program;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.ProgramSpec.PlacedTensor;
import dev.crema.graph.Application;
import dev.crema.graph.Constant;
import dev.crema.graph.Graph;
import dev.crema.graph.Node;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.graph.Variable;
import dev.crema.memory.Buffer;
import dev.crema.pass.Computation;
import dev.crema.pass.Pass;
import dev.crema.pass.Passes;
import java.nio.ByteBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/**
 * A graph made ready for one device and a batch capacity: every tensor has its place in one arena,
 * every kernel is chosen. A run crosses into native code once and allocates nothing. Plans of one
 * model share its storages (weights). One thread at a time may run a plan; make one for each
 * thread.
 */
public final class Plan implements AutoCloseable {
  /** All sections. */
  public static final long ALL = -1;

  private static final int MOST_FLOATS = 1 << 24; // of a view

  private final long capacity;
  private final Layout layout;
  private final Program program;
  private final Buffer arena; // or what is read of it, where the device has memory of its own
  private final Buffer constants;
  private final Prepared.Share prepared; // null: nothing is computed ahead of the runs
  private final Buffer parameters; // that it is computed from
  private final Buffer state; // and this; null: the plan was given none
  private final List<Buffer> readStorages; // with outputs in them
  private final AtomicBoolean open = new AtomicBoolean(true);
  private final Map<String, Buffer> inputs = new HashMap<>();
  private final Map<Node, Node> rewritten;
  private final Map<Node, ByteBuffer> outputs = new IdentityHashMap<>();
  private final Map<Node, Buffer> homes = new IdentityHashMap<>();
  private final boolean[] hasOutputs; // by region

  private Plan(Builder b) {
    this.capacity = b.capacity;
    checkOutputs(b.outputs);
    Passes.Result result =
        Passes.apply(
            Reduced.passes(b.passes, b.precision, b.device, b.shared != null),
            new Computation(b.graph, b.outputs, b.sections));
    this.rewritten = result.outputs();
    this.layout =
        new Layout(
            result.computation(),
            b.capacity,
            b.threads,
            b.precision == Precision.TF32,
            b.reuse,
            b.device);
    this.hasOutputs = new boolean[layout.spec().regions().size()];
    this.program = b.device.load(layout.spec());
    Buffer ownArena = null;
    Buffer ownConstants = null;
    Prepared.Share share = null;
    try {
      int ownRegion = b.device.hasOwnMemory() ? Layout.RESULTS : Layout.ARENA;
      ownArena =
          b.device.hostMemory(
              bytes(ownRegion),
              (ownRegion == Layout.ARENA ? "The arena" : "The results")
                  + " of a plan for "
                  + b.capacity
                  + " examples");
      ownConstants = Buffer.allocate(bytes(Layout.CONSTANTS), "A plan's constants");
      program.bind(ownRegion, ownArena);
      program.bind(Layout.CONSTANTS, ownConstants);
      fillConstants(ownConstants);
      share = b.prepare(layout, result.computation());
      for (Map.Entry<Storage, Integer> s : layout.storages().entrySet()) {
        Buffer buffer = b.storages.get(s.getKey());
        if (buffer == null) {
          throw new CremaException(
              "This plan needs the storage '" + s.getKey().name() + "'; bind it with storage(...)");
        }
        program.bind(s.getValue(), buffer);
      }
      for (Map.Entry<String, Integer> i : layout.inputs().entrySet()) {
        Buffer buffer =
            b.device.hostMemory(bytes(i.getValue()), "A plan's input '" + i.getKey() + "'");
        inputs.put(i.getKey(), buffer);
        program.bind(i.getValue(), buffer);
      }
      viewOutputs(ownRegion, ownArena);
      viewOutputs(Layout.CONSTANTS, ownConstants);
      for (Map.Entry<Storage, Integer> x : layout.storages().entrySet()) {
        viewOutputs(x.getValue(), b.storages.get(x.getKey()));
      }
      for (Map.Entry<String, Integer> x : layout.inputs().entrySet()) {
        viewOutputs(x.getValue(), inputs.get(x.getKey()));
      }
    } catch (RuntimeException | Error e) {
      program.close();
      inputs.values().forEach(Buffer::close);
      closeIfThere(ownArena);
      closeIfThere(ownConstants);
      if (share != null) {
        share.close();
      }
      throw e;
    }
    this.prepared = share;
    this.arena = ownArena;
    this.constants = ownConstants;
    this.parameters = b.storages.get(Storage.PARAMETERS);
    this.state = b.storages.get(Storage.STATE);
    this.readStorages = readStorages(b.storages);
  }

  private long bytes(int region) {
    return layout.spec().regions().get(region).bytes();
  }

  private List<Buffer> readStorages(Map<Storage, Buffer> storages) {
    return layout.storages().entrySet().stream()
        .filter(s -> hasOutputs[s.getValue()])
        .map(s -> storages.get(s.getKey()))
        .toList();
  }

  private void checkOutputs(Set<Node> nodes) {
    for (Node node : nodes) {
      long bytes = node.type().at(capacity).byteSize(node.type().element());
      if (bytes > Integer.MAX_VALUE) {
        throw new CremaException(
            String.format(
                Locale.ROOT,
                "The output %s has %,d bytes for %d examples; an output can have 2 GiB. Lower the"
                    + " capacity of the batch.",
                node,
                bytes,
                capacity));
      }
    }
  }

  /** Makes the views of the outputs that lie in a region: an output may be an input or a weight. */
  private void viewOutputs(int region, Buffer memory) {
    for (Map.Entry<Node, Node> output : rewritten.entrySet()) {
      PlacedTensor place = layout.place(output.getValue());
      if (place.region() != region) {
        continue;
      }
      long bytes = place.type().at(capacity).byteSize(place.type().element());
      outputs.put(output.getKey(), memory.borrow(place.offset(), (int) bytes));
      homes.put(output.getKey(), memory);
      hasOutputs[region] = true;
    }
  }

  private static void closeIfThere(Buffer buffer) {
    if (buffer != null) {
      buffer.close();
    }
  }

  public static Builder of(Graph graph) {
    return new Builder(graph);
  }

  /** The most examples of a batch. */
  public long capacity() {
    return capacity;
  }

  public Set<String> inputs() {
    return Collections.unmodifiableSet(layout.inputs().keySet());
  }

  public TensorType inputType(String name) {
    region(name);
    return layout.input(name).type();
  }

  /**
   * The memory that an input is read from, {@link #capacity} examples big: write the batch there.
   * For the engine: do not use it after the plan is closed.
   */
  public Buffer input(String name) {
    region(name);
    return inputs.get(name);
  }

  /** Reads an input from other memory from now on, without a copy; the plan holds a lease on it. */
  public void bindInput(String name, Buffer buffer) {
    int region = region(name);
    program.bind(region, buffer);
    if (hasOutputs[region]) {
      viewOutputs(region, buffer);
    }
  }

  /** Runs everything for the first {@code batch} examples of the inputs. */
  public void run(long batch) {
    run(batch, ALL);
  }

  /**
   * Runs the sections in a bit mask.
   *
   * @throws dev.crema.device.KernelException if values in the data are not what an op allows
   * @throws IllegalStateException if the plan is closed or runs on another thread
   */
  public void run(long batch, long sections) {
    if (batch < 0 || batch > capacity) {
      throw new IllegalArgumentException(
          "This plan takes batches of up to " + capacity + " examples, got " + batch);
    }
    if (prepared != null) {
      prepared.refresh(program, parameters, state);
    }
    program.run(batch, prepared == null ? sections : sections & ~Computation.PREPARE);
    for (int i = 0; i < readStorages.size(); i++) {
      readStorages.get(i).settle();
    }
  }

  /**
   * The memory where an output stands after a run, native byte order. For the engine: do not use it
   * after the plan is closed.
   */
  public ByteBuffer output(Node node) {
    ByteBuffer view = outputs.get(node);
    if (view == null) {
      throw new IllegalArgumentException(node + " is not an output of this plan");
    }
    return view;
  }

  /**
   * As {@link #output}, for users: the view keeps the memory for as long as it can be reached, also
   * when the plan is closed. The next run overwrites it.
   */
  public ByteBuffer outputView(Node node) {
    ByteBuffer view = output(node);
    long offset = layout.place(rewritten.get(node)).offset();
    return homes.get(node).bytes(offset, view.capacity());
  }

  /** Bytes of memory for all tensors that live within a run. */
  public long arenaBytes() {
    return layout.arenaBytes() + layout.resultBytes();
  }

  /** The kernel calls, in order. */
  public List<Instruction> instructions() {
    return layout.spec().instructions();
  }

  /** As {@link Program#ways}: what a device that measured has chosen. */
  public List<String> ways() {
    return program.ways();
  }

  /** Nanoseconds that each of {@link #instructions} took in one run. */
  public long[] profile(long batch) {
    return program.profile(batch, ALL);
  }

  @Override
  public void close() {
    program.close();
    arena.close();
    constants.close();
    inputs.values().forEach(Buffer::close);
    if (prepared != null && open.getAndSet(false)) {
      prepared.close();
    }
  }

  private int region(String input) {
    Integer region = layout.inputs().get(input);
    if (region == null) {
      throw new IllegalArgumentException(
          "This plan has no input '" + input + "'; it has " + layout.inputs().keySet());
    }
    return region;
  }

  private void fillConstants(Buffer memory) {
    for (Map.Entry<Node, Long> c : layout.constants().entrySet()) {
      float[] values = ((Constant) c.getKey().op()).values();
      for (int at = 0; at < values.length; at += MOST_FLOATS) {
        int count = Math.min(MOST_FLOATS, values.length - at);
        memory.borrow(c.getValue() + 4L * at, 4 * count).asFloatBuffer().put(values, at, count);
      }
    }
  }

  /** What a plan is made of. */
  public static final class Builder {
    private final Graph graph;
    private final Set<Node> outputs = Collections.newSetFromMap(new IdentityHashMap<>());
    private final Map<Storage, Buffer> storages = new HashMap<>();
    private long capacity = 1;
    private int threads;
    private Device device;
    private ToLongFunction<Application> sections = a -> ALL;
    private List<Pass> passes = Passes.standard();
    private Precision precision = Precision.FLOAT32;
    private boolean reuse = true;
    private Prepared shared;

    private Builder(Graph graph) {
      this.graph = graph;
    }

    /** Nodes to be read after a run. */
    public Builder outputs(Node... nodes) {
      outputs.addAll(List.of(nodes));
      return this;
    }

    public Builder storage(Storage storage, Buffer buffer) {
      storages.put(storage, buffer);
      return this;
    }

    public Builder capacity(long examples) {
      if (examples < 1) {
        throw new IllegalArgumentException("The capacity must be at least 1, got " + examples);
      }
      capacity = examples;
      return this;
    }

    /** Threads of the pool to use; 0, the default, for all. */
    public Builder threads(int count) {
      if (count < 0) {
        throw new IllegalArgumentException(
            "threads must be at least 0, which is all of the pool, got " + count);
      }
      threads = count;
      return this;
    }

    /** By default {@link Device#best}. */
    public Builder device(Device target) {
      device = target;
      return this;
    }

    /** Which sections each application belongs to, a bit mask; by default all. */
    public Builder sections(ToLongFunction<Application> of) {
      sections = of;
      return this;
    }

    /** What rewrites the graph first; by default {@link Passes#standard}. */
    public Builder passes(List<Pass> list) {
      passes = List.copyOf(list);
      return this;
    }

    /**
     * In what it computes; float32 by default. Inputs, outputs and storages keep their types.
     *
     * @throws CremaException when it is built, if the device can't compute so
     */
    public Builder precision(Precision value) {
      precision = Objects.requireNonNull(value, "precision");
      return this;
    }

    /**
     * Where what passes compute ahead of the runs is kept and shared with other plans of the same
     * parameters; needed with {@link Passes#prediction}.
     */
    public Builder prepared(Prepared memory) {
      shared = memory;
      return this;
    }

    /** Binds the memory of what is computed ahead of the runs, if there is such a thing. */
    private Prepared.Share prepare(Layout layout, Computation computation) {
      Integer region = layout.storages().get(Storage.PREPARED);
      if (region == null || shared == null) {
        return null;
      }
      String contents =
          computation.live().stream()
              .filter(a -> a.op() instanceof Variable v && v.storage().equals(Storage.PREPARED))
              .map(a -> a.op().toString())
              .collect(Collectors.joining(", ", device + " ", ""));
      long bytes = layout.spec().regions().get(region).bytes();
      Prepared.Share share = shared.share(contents, bytes);
      storages.put(Storage.PREPARED, share.memory());
      return share;
    }

    /** Whether tensors may share memory; without it a plan is a reference for one that does. */
    Builder reuse(boolean on) {
      reuse = on;
      return this;
    }

    public Plan build() {
      if (device == null) {
        device = Device.best();
      }
      return new Plan(this);
    }
  }
}
