package dev.crema.op;

import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import dev.crema.graph.Dim;
import dev.crema.graph.Op;
import dev.crema.graph.TensorType;
import dev.crema.memory.ElementType;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Any op with any attributes over any inputs, drawn at random: mostly such as somebody might write,
 * now and then absurd ones. New ops are among them as soon as they are there.
 */
final class RandomOp {
  private static final List<Class<?>> OPS =
      new ClassFileImporter()
              .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
              .importPackages("dev.crema.op")
              .stream()
              .filter(c -> c.isAssignableTo(Op.class) && c.isRecord())
              .filter(c -> !c.getSimpleName().endsWith("Grad")) // those that ops make themselves
              .sorted(Comparator.comparing(JavaClass::getName))
              .<Class<?>>map(JavaClass::reflect)
              .toList();

  private static final long[] ABSURD = {
    Long.MAX_VALUE, Long.MIN_VALUE, Integer.MAX_VALUE, Integer.MIN_VALUE, 1L << 32, 1L << 40
  };
  private static final long[] EXTENTS = {0, 1, 1, 2, 2, 3, 3, 4, 5, 6, 8, 17};
  private static final double[] REALS = {0, 1, 0.5, 0.1, 2, -1, 1e-5, 1e30, Double.NaN};

  private final SplittableRandom random;
  private List<TensorType> inputs = List.of();

  RandomOp(long seed) {
    random = new SplittableRandom(seed);
  }

  /** Null where the op may lack an input, or where it may not. */
  List<TensorType> inputs() {
    return inputs;
  }

  /**
   * Draws inputs, mostly such as the op takes, and the op; what its constructor throws is passed
   * on.
   */
  Op draw() throws Throwable {
    Class<?> op = OPS.get(random.nextInt(OPS.size()));
    inputs = chance(80) ? usual(op.getSimpleName()) : any();
    if (chance(20) && !inputs.isEmpty()) {
      change(random.nextInt(inputs.size()));
    }
    return (Op) make(op);
  }

  private void change(int at) {
    List<TensorType> changed = new ArrayList<>(inputs);
    switch (random.nextInt(4)) {
      case 0 -> changed.set(at, null);
      case 1 -> changed.set(at, type());
      case 2 -> changed.remove(at);
      default -> changed.add(at, type());
    }
    inputs = changed;
  }

  private List<TensorType> usual(String op) {
    Dim n = chance(80) ? Dim.BATCH : Dim.of(few());
    Dim c = Dim.of(few());
    Dim o = Dim.of(few());
    TensorType bias = chance(50) ? f(o) : null;
    Dim in = chance(70) ? c : Dim.of(few());
    return switch (op) {
      case "Conv2d" -> list(f(n, extent(), extent(), c), f(few(), few(), in, o), bias);
      case "ConvTranspose2d" -> list(f(n, few(), few(), c), f(few(), few(), o, c), bias);
      case "Conv1d" -> list(f(n, extent(), c), f(few(), in, o), bias);
      case "MaxPool2d", "AveragePool2d" ->
          list(chance(70) ? f(n, extent(), extent(), c) : f(n, extent(), c));
      case "Gru", "Lstm" -> recurrent(n);
      case "Linear" -> list(chance(70) ? f(n, c) : f(n, few(), c), f(c, o), bias);
      case "MatMul" -> chance(50) ? list(f(n, o, c), f(c, o)) : list(f(n, o, c), f(n, c, few()));
      case "LayerNorm", "RmsNorm", "BatchNorm" ->
          list(f(n, few(), c), chance(80) ? f(c) : null, chance(80) ? f(c) : null, f(c), f(c));
      case "Adagrad", "Adam", "Lamb", "Lion", "Momentum", "Rmsprop", "Sgd" -> update();
      case "Gather" -> list(type(), indices());
      case "Embedding" -> list(indices(), f(o, c));
      case "Dropout" -> list(type(), f(4));
      case "SoftmaxCrossEntropy" ->
          list(
              f(n, c),
              chance(50) ? f(n, c) : new TensorType(ElementType.INT32, dims(n)),
              chance(50) ? f(c) : null);
      case "Concat" -> copies(1 + random.nextInt(4), type());
      default -> chance(50) ? list(type()) : chance(30) ? broadcast() : copies(2, type());
    };
  }

  private List<TensorType> any() {
    List<TensorType> any = new ArrayList<>();
    for (int i = random.nextInt(6); i > 0; i--) {
      any.add(type());
    }
    return any;
  }

  private List<TensorType> recurrent(Dim n) {
    long features = few();
    long units = few();
    Dim gates = Dim.of(units * (3 + random.nextInt(2)));
    Dim u = Dim.of(units);
    List<TensorType> all = list(f(n, few(), Dim.of(features)), f(features, gates), f(u, gates));
    for (int i = random.nextInt(4); i > 0; i--) {
      all.add(List.of(f(gates), f(n, u)).get(random.nextInt(2)));
    }
    while (all.size() < 7 && chance(60)) {
      all.add(null);
    }
    return all;
  }

  private List<TensorType> update() {
    List<TensorType> all = copies(2 + random.nextInt(3), chance(90) ? f(few()) : type());
    all.add(f(4));
    all.add(chance(50) ? f() : null);
    if (chance(30)) {
      all.add(chance(80) ? all.get(0) : null); // a mask
    }
    return all;
  }

  private List<TensorType> broadcast() {
    TensorType a = type();
    List<Dim> dims = new ArrayList<>(a.dims().subList(random.nextInt(a.rank() + 1), a.rank()));
    dims.replaceAll(d -> chance(25) ? Dim.of(1) : d);
    TensorType b = a.withDims(dims);
    return chance(70) ? list(a, b) : list(a, b, a);
  }

  private TensorType indices() {
    return type().withElement(chance(50) ? ElementType.INT32 : ElementType.INT64);
  }

  private TensorType type() {
    ElementType element =
        chance(85)
            ? ElementType.FLOAT32
            : ElementType.values()[random.nextInt(ElementType.values().length)];
    List<Dim> dims = new ArrayList<>();
    for (int i = random.nextInt(6); i > 0; i--) {
      dims.add(dim(dims.isEmpty()));
    }
    return new TensorType(element, dims);
  }

  private Dim dim(boolean first) {
    if (first && chance(50)) {
      return Dim.BATCH;
    }
    return chance(1) ? new Dim(random.nextInt(3), 1L << random.nextInt(63)) : Dim.of(extent());
  }

  private TensorType f(Object... extents) {
    return new TensorType(ElementType.FLOAT32, dims(extents));
  }

  private static List<Dim> dims(Object... extents) {
    return Arrays.stream(extents)
        .map(e -> e instanceof Dim d ? d : Dim.of(((Number) e).longValue()))
        .toList();
  }

  private static List<TensorType> copies(int count, TensorType type) {
    List<TensorType> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(type);
    }
    return all;
  }

  private static List<TensorType> list(TensorType... types) {
    return new ArrayList<>(Arrays.asList(types));
  }

  private Object make(Class<?> record) throws Throwable {
    RecordComponent[] components = record.getRecordComponents();
    Class<?>[] types =
        Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
    Object[] values = new Object[components.length];
    for (int i = 0; i < values.length; i++) {
      values[i] =
          components[i].getName().equals("groups") && chance(70)
              ? 1
              : value(components[i].getType(), components[i].getGenericType());
    }
    Constructor<?> constructor = record.getDeclaredConstructor(types);
    constructor.setAccessible(true);
    try {
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw e.getCause();
    }
  }

  private Object value(Class<?> type, Type generic) throws Throwable {
    if (type == Window2d.class && chance(80)) {
      return Window2d.valid(one(), one()).dilated(one(), one()).padded(0, zero(), zero(), zero());
    }
    if (type == int.class) {
      return (int) whole();
    }
    if (type == long.class) {
      return whole();
    }
    if (type == double.class) {
      return REALS[random.nextInt(REALS.length)];
    }
    if (type == float.class) {
      return (float) REALS[random.nextInt(REALS.length)];
    }
    if (type == boolean.class) {
      return random.nextBoolean();
    }
    if (type == Dim.class) {
      return dim(false);
    }
    if (type == TensorType.class) {
      TensorType given = inputs.isEmpty() ? null : inputs.get(random.nextInt(inputs.size()));
      return given == null || chance(30) ? type() : given;
    }
    if (type == List.class) {
      Class<?> element = (Class<?>) ((ParameterizedType) generic).getActualTypeArguments()[0];
      return values(
          element == Integer.class ? int.class : element == Long.class ? long.class : element);
    }
    if (type.isEnum()) {
      Object[] constants = type.getEnumConstants();
      return constants[random.nextInt(constants.length)];
    }
    return make(type);
  }

  /** As many as the first input has axes, more often than not. */
  private List<Object> values(Class<?> element) throws Throwable {
    TensorType first = inputs.isEmpty() ? null : inputs.get(0);
    int count = first == null || chance(25) ? random.nextInt(5) : first.rank();
    List<Object> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(value(element, element));
    }
    return all;
  }

  private long whole() {
    return chance(3) ? ABSURD[random.nextInt(ABSURD.length)] : random.nextInt(8) - 1;
  }

  private int one() {
    return chance(70) ? 1 : 2;
  }

  private int zero() {
    return random.nextInt(3) / 2;
  }

  private long extent() {
    return EXTENTS[random.nextInt(EXTENTS.length)];
  }

  private long few() {
    return random.nextInt(20) == 0 ? extent() : 1 + random.nextInt(4);
  }

  boolean chance(int percent) {
    return random.nextInt(100) < percent;
  }

  SplittableRandom random() {
    return random;
  }
}
