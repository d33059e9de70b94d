package dev.crema.device.cuda;

import dev.crema.device.cuda.FakeGraphNumbers.Tensor;
import dev.crema.device.cuda.calls.GraphCalls;
import dev.crema.natives.Crema;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * cuDNN's graph API of a {@link FakeCard}: keeps what descriptors are told, as its documentation
 * wants them told, and computes whatever graph of operations they make, in double. Of its engines
 * the first does not repeat, the second turns out not to be supported.
 */
final class FakeGraphs implements GraphCalls {
  private static final int BAD_PARAM = 2000;
  private static final int NOT_SUPPORTED = 3000;
  private static final int ENGINES = 3;
  private static final long WORKSPACE = 1 << 10;
  private static final String DESCRIPTOR = "backend descriptor";

  private static final int FALLBACK = 2;
  private static final int MODE_A = 3;
  private static final int ALIGNMENT = 16;

  private static final int ENGINE = 2;
  private static final int ENGINE_CONFIG = 3;
  private static final int HEURISTICS = 4;
  private static final int PLAN = 5;
  private static final int GRAPH = 15;
  private static final int PACK = 16;
  private static final int TENSOR = 17;

  /** Attributes with the numbers of their types. */
  private static final Map<Integer, Integer> TYPES = types();

  /** What each descriptor must be told before it is finalized. */
  private static final Map<Integer, List<Integer>> NEEDED =
      Map.ofEntries(
          Map.entry(0, List.of(0, 1)),
          Map.entry(1, List.of(100, 101, 102, 103, 104, 105, 106)),
          Map.entry(10, List.of(700, 701, 702, 703, 704, 705)),
          Map.entry(HEURISTICS, List.of(200, 201)),
          Map.entry(PLAN, List.of(400, 401)),
          Map.entry(13, List.of(750, 751, 753)),
          Map.entry(GRAPH, List.of(800, 801)),
          Map.entry(PACK, List.of(1000, 1001, 1003)),
          Map.entry(TENSOR, List.of(900, 901, 902, 903, 906)),
          Map.entry(18, List.of(1500)),
          Map.entry(19, List.of(1520, 1521, 1522, 1523)),
          Map.entry(21, List.of(1600, 1601)),
          Map.entry(22, List.of(1610, 1611, 1612)),
          Map.entry(29, List.of(2000, 2001, 2002, 2003, 2004, 2005, 2006, 2007, 2013)),
          Map.entry(30, List.of(2100, 2101, 2102, 2103, 2104, 2105, 2107, 2108, 2109)),
          Map.entry(31, List.of(2200, 2201)));

  private static Map<Integer, Integer> types() {
    Map<Integer, Integer> all = new HashMap<>();
    int[][] table = {
      {0, 400, 800}, // handles
      {1, 1, 100, 901, 1500, 1601}, // data types
      {2, 907, 908}, // booleans
      {3, 102, 103, 104, 105, 106},
      {3, 9, 402, 900, 902, 903, 906, 1000}, // int64
      {4, 700, 701, 754, 755}, // float
      {6, 1001, 1003}, // addresses
      {7, 101},
      {8, 200},
      {11, 1303},
      {14, 0},
      {15, 201, 202, 300, 401, 750, 751, 752, 753, 758, 801, 1520, 1521, 1522, 1523}, // descriptors
      {15, 702, 703, 704, 705},
      {15, 1610, 1611, 1612, 2200, 2201},
      {15, 2002, 2003, 2004, 2005, 2006, 2007, 2013},
      {15, 2101, 2102, 2103, 2104, 2105, 2107, 2108, 2109},
      {18, 1600},
      {27, 2000, 2100},
      {28, 2001},
    };
    for (int[] row : table) {
      for (int i = 1; i < row.length; i++) {
        all.put(row[i], row[0]);
      }
    }
    return all;
  }

  private static int bytes(int type) {
    return switch (type) {
      case 2 -> 1;
      case 1, 4, 7, 8, 11, 14, 18, 27, 28 -> 4;
      default -> 8;
    };
  }

  /** A descriptor with what it was told. */
  private static final class Descriptor {
    final int type;
    final Map<Integer, ByteBuffer> attributes = new HashMap<>();
    boolean finished;
    int engine; // of a configuration, an engine and a plan
    Descriptor graph; // likewise

    Descriptor(int type) {
      this.type = type;
    }

    long[] longs(int attribute) {
      ByteBuffer values = attributes.get(attribute);
      long[] all = new long[values == null ? 0 : values.capacity() / 8];
      for (int i = 0; i < all.length; i++) {
        all[i] = values.getLong(8 * i);
      }
      return all;
    }

    int integer(int attribute) {
      return attributes.get(attribute).getInt(0);
    }
  }

  private final FakeCard card;
  private final Map<Long, Descriptor> descriptors = new HashMap<>();

  FakeGraphs(FakeCard card) {
    this.card = card;
  }

  private int misuse(String what) {
    card.misuses.add(what);
    return BAD_PARAM;
  }

  private Descriptor of(long descriptor) {
    card.require(DESCRIPTOR, descriptor);
    return descriptors.get(descriptor);
  }

  @Override
  public synchronized int cudnnBackendCreateDescriptor(int type, long[] descriptor) {
    int status = card.call("cudnnBackendCreateDescriptor");
    if (status == 0) {
      descriptor[0] = card.make(DESCRIPTOR);
      descriptors.put(descriptor[0], new Descriptor(type));
    }
    return status;
  }

  @Override
  public synchronized int cudnnBackendDestroyDescriptor(long descriptor) {
    card.giveBack(DESCRIPTOR, descriptor);
    descriptors.remove(descriptor);
    return card.call("cudnnBackendDestroyDescriptor");
  }

  @Override
  public synchronized int cudnnBackendSetAttribute(
      long descriptor, int attribute, int type, long count, ByteBuffer values) {
    int status = card.call("cudnnBackendSetAttribute");
    if (status != 0) {
      return status;
    }
    Descriptor d = of(descriptor);
    if (TYPES.getOrDefault(attribute, -1) != type) {
      return misuse("attribute " + attribute + " of type " + type);
    }
    if (d.finished) {
      return misuse("attribute " + attribute + " of what is finished");
    }
    int size = (int) (bytes(type) * count);
    ByteBuffer copy = ByteBuffer.allocate(size).order(ByteOrder.nativeOrder());
    for (int i = 0; i < size; i++) {
      copy.put(i, values.get(i));
    }
    if (type == 15) {
      for (int i = 0; i < count; i++) {
        if (!of(copy.getLong(8 * i)).finished) {
          return misuse("attribute " + attribute + " is a descriptor that is not finished");
        }
      }
    }
    d.attributes.put(attribute, copy);
    return 0;
  }

  @Override
  public synchronized int cudnnBackendGetAttribute(
      long descriptor, int attribute, int type, long requested, long[] count, ByteBuffer values) {
    int status = card.call("cudnnBackendGetAttribute");
    if (status != 0) {
      return status;
    }
    Descriptor d = of(descriptor);
    if (TYPES.getOrDefault(attribute, -1) != type || !d.finished) {
      return misuse("attribute " + attribute + " asked for as " + type);
    }
    switch (attribute) {
      case 202 -> {
        count[0] = ENGINES;
        for (int i = 0; values != null && i < Math.min(ENGINES, requested); i++) {
          give(values.getLong(8 * i), ENGINE_CONFIG, i, of(d.longs(201)[0]));
        }
      }
      case 300 -> {
        count[0] = 1;
        give(values.getLong(0), ENGINE, d.engine, d.graph);
      }
      case 1303 -> {
        int[] notes = d.engine == 0 ? new int[] {0, 4} : new int[] {0};
        count[0] = notes.length;
        for (int i = 0; i < Math.min(notes.length, requested); i++) {
          values.putInt(4 * i, notes[i]);
        }
      }
      case 402 -> {
        count[0] = 1;
        values.putLong(0, WORKSPACE);
      }
      default -> {
        return misuse("attribute " + attribute + " asked for");
      }
    }
    return 0;
  }

  private void give(long descriptor, int type, int engine, Descriptor graph) {
    Descriptor to = of(descriptor);
    if (to.type != type) {
      misuse("a descriptor of type " + to.type + " where " + type + " is given");
    }
    to.engine = engine;
    to.graph = graph;
    to.finished = true;
  }

  @Override
  public synchronized int cudnnBackendFinalize(long descriptor) {
    int status = card.call("cudnnBackendFinalize");
    if (status != 0) {
      return status;
    }
    Descriptor d = of(descriptor);
    for (int each : NEEDED.getOrDefault(d.type, List.of())) {
      if (!d.attributes.containsKey(each)) {
        return misuse("a descriptor of type " + d.type + " without attribute " + each);
      }
    }
    if (d.type == HEURISTICS) {
      int mode = d.integer(200);
      if (mode != FALLBACK && mode != MODE_A) {
        return misuse("heuristics of mode " + mode);
      }
      if (card.refusesGraphs || mode == MODE_A && card.lacksHeuristics) {
        return NOT_SUPPORTED;
      }
    }
    if (d.type == PLAN) {
      d.engine = of(d.longs(401)[0]).engine;
      d.graph = of(d.longs(401)[0]).graph;
      if (d.engine != ENGINES - 1) {
        return NOT_SUPPORTED;
      }
    }
    if (d.type == GRAPH) {
      FakeGraphNumbers.check(operations(d), this::misuse);
    }
    d.finished = true;
    return 0;
  }

  /** The operations of a graph, of tensors by their unique ids. */
  private List<FakeGraphNumbers.Operation> operations(Descriptor graph) {
    Map<Long, Tensor> tensors = new HashMap<>();
    List<FakeGraphNumbers.Operation> all = new ArrayList<>();
    for (long each : graph.longs(801)) {
      all.add(operation(of(each), tensors));
    }
    return all;
  }

  private FakeGraphNumbers.Operation operation(Descriptor d, Map<Long, Tensor> tensors) {
    return switch (d.type) {
      case 10 -> windows(d, tensors);
      case 13 -> {
        Descriptor how = of(d.longs(750)[0]);
        for (int alpha : new int[] {754, 755}) {
          if (d.attributes.containsKey(alpha) && d.attributes.get(alpha).getFloat(0) != 1) {
            misuse("a factor of an element-wise operation");
          }
        }
        long[] axis = how.longs(9);
        yield new FakeGraphNumbers.Pointwise(
            how.integer(0),
            axis.length == 0 ? -1 : (int) axis[0],
            tensor(d, 751, tensors),
            tensor(d, 752, tensors),
            tensor(d, 758, tensors),
            tensor(d, 753, tensors));
      }
      case 19 -> {
        if (of(d.longs(1523)[0]).integer(1500) != 0) {
          misuse("a product that does not sum in float32");
        }
        yield new FakeGraphNumbers.Product(
            tensor(d, 1520, tensors), tensor(d, 1521, tensors), tensor(d, 1522, tensors));
      }
      case 22 ->
          new FakeGraphNumbers.Reduction(
              of(d.longs(1612)[0]).integer(1600),
              tensor(d, 1610, tensors),
              tensor(d, 1611, tensors));
      case 29 -> {
        if (d.integer(2001) != 1) {
          misuse("a norm without statistics");
        }
        yield norm(
            d, false, new int[] {2002, 2005, 2006, 2007}, new int[] {2013, 2003, 2004}, tensors);
      }
      case 30 ->
          norm(
              d,
              true,
              new int[] {2101, 2105, 2102, 2103, 2104},
              new int[] {2109, 2107, 2108},
              tensors);
      case 31 -> new FakeGraphNumbers.View(tensor(d, 2200, tensors), tensor(d, 2201, tensors));
      default -> throw new AssertionError("an operation of type " + d.type);
    };
  }

  private FakeGraphNumbers.Operation windows(Descriptor d, Map<Long, Tensor> tensors) {
    Descriptor how = of(d.longs(702)[0]);
    boolean padded = Arrays.stream(how.longs(104)).anyMatch(each -> each != 0);
    padded |= Arrays.stream(how.longs(105)).anyMatch(each -> each != 0);
    boolean scaled = d.attributes.get(700).getFloat(0) != 1;
    scaled |= d.attributes.get(701).getFloat(0) != 0;
    if (how.integer(100) != 4 || how.integer(101) != 1 || how.longs(106)[0] != 2) {
      misuse("a convolution that turns its filter, or does not sum in int32");
    }
    if (padded || scaled) {
      misuse("a convolution with padding or factors");
    }
    return new FakeGraphNumbers.Windows(
        tensor(d, 704, tensors),
        tensor(d, 703, tensors),
        tensor(d, 705, tensors),
        how.longs(103),
        how.longs(102));
  }

  private FakeGraphNumbers.Operation norm(
      Descriptor d, boolean gradient, int[] in, int[] out, Map<Long, Tensor> tensors) {
    int mode = d.integer(gradient ? 2100 : 2000);
    if (mode != 0 && mode != 2) {
      misuse("a norm of mode " + mode);
    }
    return new FakeGraphNumbers.Norm(
        mode == 2,
        gradient,
        Arrays.stream(in).mapToObj(each -> tensor(d, each, tensors)).toList(),
        Arrays.stream(out).mapToObj(each -> tensor(d, each, tensors)).toList());
  }

  private Tensor tensor(Descriptor operation, int attribute, Map<Long, Tensor> tensors) {
    long[] there = operation.longs(attribute);
    if (there.length == 0) {
      return null;
    }
    Descriptor d = of(there[0]);
    Tensor made =
        new Tensor(
            d.longs(906)[0],
            d.integer(901),
            d.longs(902),
            d.longs(903),
            d.attributes.containsKey(907),
            d.attributes.containsKey(908));
    Tensor known = tensors.putIfAbsent(made.id(), made);
    if (known != null && !known.equals(made)) {
      misuse("two tensors of the id " + made.id());
    }
    return known == null ? made : known;
  }

  @Override
  public String cudnnGetLastErrorString() {
    return "says the fake";
  }

  @Override
  public synchronized int cudnnBackendExecute(long handle, long plan, long variantPack) {
    card.require("dnn", handle);
    Descriptor pack = of(variantPack);
    if (!pack.finished || !of(plan).finished) {
      return misuse("what is executed is not finished");
    }
    List<FakeGraphNumbers.Operation> operations = operations(of(plan).graph);
    long[] ids = pack.longs(1000);
    long[] addresses = pack.longs(1001);
    Map<Long, Long> places = new HashMap<>();
    for (int i = 0; i < ids.length; i++) {
      places.put(ids[i], addresses[i]);
      if (addresses[i] % ALIGNMENT != 0) {
        return misuse("tensor " + ids[i] + " at " + addresses[i]);
      }
    }
    FakeGraphNumbers numbers = new FakeGraphNumbers(operations, places); // reads numbers now
    Set<Long> needed = new TreeSet<>(numbers.addressed());
    if (!needed.equals(new TreeSet<>(places.keySet()))) {
      return misuse("addresses of " + places.keySet() + ", needed: " + needed);
    }
    long workspace = pack.longs(1003)[0];
    return card.fakeDriver()
        .queue(
            "cudnnBackendExecute",
            card.fakeDnn().stream(handle),
            () -> {
              Crema.crema_fill(workspace, 0xFF, WORKSPACE);
              numbers.compute();
            });
  }
}
