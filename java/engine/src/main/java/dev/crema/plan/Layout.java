package dev.crema.plan;

import dev.crema.device.Device;
import dev.crema.device.ProgramSpec;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.ProgramSpec.PlacedTensor;
import dev.crema.device.ProgramSpec.Region;
import dev.crema.device.ProgramSpec.Use;
import dev.crema.graph.Application;
import dev.crema.graph.Attributes;
import dev.crema.graph.Constant;
import dev.crema.graph.ElementwiseOp;
import dev.crema.graph.Fused;
import dev.crema.graph.Input;
import dev.crema.graph.Node;
import dev.crema.graph.Op;
import dev.crema.graph.Storage;
import dev.crema.graph.Variable;
import dev.crema.memory.ElementType;
import dev.crema.pass.Computation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Where every tensor of a graph lies, and the program that follows from it. */
final class Layout {
  static final int ARENA = 0;
  static final int CONSTANTS = 1;

  /** Only where the device has memory of its own. */
  static final int RESULTS = 2;

  private final Liveness liveness;
  private final boolean hasResults;
  private final long arenaBytes;
  private final List<Use> uses = new ArrayList<>(); // of each region
  private final List<Long> regions = new ArrayList<>(); // bytes of each
  private final List<PlacedTensor> tensors = new ArrayList<>();
  private final Map<Node, Integer> indices = new IdentityHashMap<>();
  private final Map<String, Integer> inputs = new LinkedHashMap<>();
  private final Map<String, Input> inputOps = new LinkedHashMap<>();
  private final Map<Storage, Integer> storages = new LinkedHashMap<>();
  private final Map<Node, Long> constants = new IdentityHashMap<>();
  private final ProgramSpec spec;

  Layout(
      Computation computation,
      long capacity,
      int threads,
      boolean tf32,
      boolean reuse,
      Device device) {
    liveness = Liveness.of(computation, capacity, reuse);
    hasResults = device.hasOwnMemory();
    List<Liveness.Block> blocks = liveness.arenaBlocks();
    List<Liveness.Block> read = blocks.stream().filter(this::isResult).toList();
    arenaBytes = Arena.place(blocks.stream().filter(b -> !isResult(b)).toList(), reuse);
    add(Use.ARENA, arenaBytes);
    add(Use.CONSTANTS, 0);
    if (hasResults) {
      add(Use.RESULTS, Arena.place(read, false));
    }
    List<Instruction> instructions = new ArrayList<>();
    liveness.order().stream()
        .filter(a -> Liveness.isSource(a.op()))
        .forEach(a -> placeSource(a, capacity));
    for (Application a : liveness.order()) {
      if (Liveness.isSource(a.op())) {
        continue;
      }
      List<Integer> in = new ArrayList<>();
      List<Integer> out = new ArrayList<>();
      a.inputs().forEach(x -> in.add(x == null ? -1 : index(x)));
      a.outputs().forEach(y -> out.add(index(y)));
      if (a.op().alias() >= 0) {
        continue;
      }
      Op op = a.op() instanceof ElementwiseOp ? Fused.of(a) : a.op();
      Attributes attributes = new Attributes(device::elementwise);
      op.attributes(attributes);
      instructions.add(
          new Instruction(
              op.kernel(),
              where(a),
              sections(computation, a),
              in,
              out,
              written(a),
              attributes.ints(),
              attributes.floats()));
    }
    List<Region> all = new ArrayList<>();
    for (int i = 0; i < regions.size(); i++) {
      all.add(new Region(uses.get(i), regions.get(i)));
    }
    spec = new ProgramSpec(capacity, threads, tf32, all, tensors, instructions);
  }

  private int add(Use use, long bytes) {
    uses.add(use);
    regions.add(bytes);
    return regions.size() - 1;
  }

  private boolean isResult(Liveness.Block block) {
    return hasResults && block.pinned;
  }

  private static List<Integer> written(Application a) {
    return Arrays.stream(a.op().writes()).boxed().toList();
  }

  /** Bytes of the results, which lie in memory of their own where the device has its own. */
  long resultBytes() {
    return hasResults ? regions.get(RESULTS) : 0;
  }

  ProgramSpec spec() {
    return spec;
  }

  long arenaBytes() {
    return arenaBytes;
  }

  /** Region of each input, by name. */
  Map<String, Integer> inputs() {
    return inputs;
  }

  Input input(String name) {
    return inputOps.get(name);
  }

  Map<Storage, Integer> storages() {
    return storages;
  }

  /** Byte offset of each constant in its region. */
  Map<Node, Long> constants() {
    return constants;
  }

  PlacedTensor place(Node node) {
    return tensors.get(index(node));
  }

  private static long sections(Computation computation, Application a) {
    long sections = computation.sections().applyAsLong(a);
    return sections == Computation.PREPARE ? sections : sections & ~Computation.PREPARE;
  }

  private static String where(Application a) {
    String name = a.op().getClass().getSimpleName();
    return a.layer().isEmpty() ? name : a.layer() + " (" + name + ")";
  }

  private void placeSource(Application a, long capacity) {
    Node y = a.output(0);
    ElementType element = y.type().element();
    long bytes = y.type().at(capacity).byteSize(element);
    int region;
    long offset = 0;
    if (a.op() instanceof Input input) {
      if (inputs.containsKey(input.name())) {
        throw new IllegalArgumentException("Two inputs are named " + input.name());
      }
      region = add(Use.INPUT, bytes);
      inputs.put(input.name(), region);
      inputOps.put(input.name(), input);
    } else if (a.op() instanceof Variable v) {
      region = storages.computeIfAbsent(v.storage(), s -> add(Use.STORAGE, 0));
      offset = Math.multiplyExact(v.offset(), (long) element.byteSize());
      regions.set(region, Math.max(regions.get(region), offset + bytes));
    } else {
      Constant unused = (Constant) a.op();
      region = CONSTANTS;
      offset = (regions.get(CONSTANTS) + 63) / 64 * 64;
      regions.set(CONSTANTS, offset + 4L * unused.values().length);
      constants.put(y, offset);
    }
    indices.put(y, tensors.size());
    tensors.add(new PlacedTensor(region, offset, y.type()));
  }

  private int index(Node node) {
    Integer known = indices.get(node);
    if (known != null) {
      return known;
    }
    Liveness.Block block = liveness.block(node);
    PlacedTensor tensor;
    if (block.isArena()) {
      tensor = new PlacedTensor(isResult(block) ? RESULTS : ARENA, block.offset, node.type());
    } else {
      PlacedTensor origin = tensors.get(index(block.origin));
      tensor = new PlacedTensor(origin.region(), origin.offset(), node.type());
    }
    indices.put(node, tensors.size());
    tensors.add(tensor);
    return tensors.size() - 1;
  }
}
