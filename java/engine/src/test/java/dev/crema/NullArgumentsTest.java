package dev.crema;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.data.DataOptions;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Example;
import dev.crema.data.Preprocessing;
import dev.crema.data.TablePreprocessing;
import dev.crema.device.Device;
import dev.crema.graph.Graph;
import dev.crema.graph.Precision;
import dev.crema.graph.Storage;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import dev.crema.memory.Shape;
import dev.crema.memory.Tensor;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.nn.Quantization;
import dev.crema.nn.Topology;
import dev.crema.op.QuantizationParameters;
import dev.crema.pass.LayerQuantization;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.UnaryOperator;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.Pointer;
import org.junit.jupiter.api.Test;

/** A null where a method needs something is refused at once, and the exception names it. */
class NullArgumentsTest {
  /** Where null has a meaning, by method and type of the parameter. */
  private static final Set<String> ALLOWED = Set.of("Datasets.stream Slot"); // there is no target

  /** One value of each type that the methods take. */
  private static Map<Class<?>, Object> values(Model model, Buffer buffer) {
    Map<Class<?>, Object> values = new HashMap<>();
    ByteBuffer direct = ByteBuffer.allocateDirect(64);
    values.put(int.class, 1);
    values.put(long.class, 1L);
    values.put(boolean.class, true);
    values.put(String.class, "x");
    values.put(Runnable.class, (Runnable) () -> {});
    values.put(Path.class, Path.of("there-is-no-such-file"));
    values.put(float[].class, new float[2]);
    values.put(float[][].class, new float[1][2]);
    values.put(int[].class, new int[1]);
    values.put(long[].class, new long[1]);
    values.put(byte[].class, new byte[1]);
    values.put(Shape.class, Shape.of(2));
    values.put(ElementType.class, ElementType.FLOAT32);
    values.put(Device.class, Device.cpu());
    values.put(Storage.class, Storage.PARAMETERS);
    values.put(Graph.class, new Graph());
    values.put(Precision.class, Precision.FLOAT32);
    LayerQuantization bytes =
        new LayerQuantization(new QuantizationParameters(1, 0), new float[] {1});
    values.put(Quantization.class, new Quantization(Map.of("dense", bytes)));
    values.put(Topology.class, model.topology());
    values.put(Buffer.class, buffer);
    values.put(ByteBuffer.class, direct);
    values.put(FloatBuffer.class, direct.asFloatBuffer());
    values.put(IntBuffer.class, direct.asIntBuffer());
    values.put(Pointer.class, new FloatPointer((Pointer) null));
    values.put(List.class, List.of());
    values.put(Map.class, Map.of());
    values.put(UnaryOperator.class, UnaryOperator.<String>identity());
    values.put(DataOptions.class, DataOptions.defaults());
    values.put(Dataset.Slot.class, new Dataset.Slot("y", ElementType.FLOAT32, Shape.of(1)));
    values.put(Iterable.class, List.<Example>of());
    values.put(Iterator.class, List.<Example>of().iterator());
    values.put(
        Preprocessing.class,
        new TablePreprocessing(
            List.of(new TablePreprocessing.Numeric("a", 0, 1)),
            new TablePreprocessing.Value("y", 1, 0, 1),
            true));
    return values;
  }

  @Test
  void areRefusedByName() throws ReflectiveOperationException {
    try (Model model = Model.sequential(2).dense(1, Activation.LINEAR).build(1);
        Predictor predictor = model.predictor(1);
        Buffer buffer = Buffer.allocate(64);
        Tensor tensor = Tensor.create(ElementType.FLOAT32, Shape.of(2))) {
      Map<Class<?>, Object> values = values(model, buffer);
      int checked = 0;
      for (Object instance : new Object[] {model, predictor, buffer, tensor, Datasets.class}) {
        Class<?> type = instance instanceof Class<?> c ? c : instance.getClass();
        for (Method method : type.getDeclaredMethods()) {
          if (Modifier.isPublic(method.getModifiers()) && method.getDeclaringClass() == type) {
            checked += check(method, instance, values);
          }
        }
      }
      assertThat(checked).isGreaterThan(70);
    }
  }

  /** Calls a method once for each of its parameters, with null there; returns how many. */
  private static int check(Method method, Object instance, Map<Class<?>, Object> values)
      throws IllegalAccessException {
    Class<?>[] types = method.getParameterTypes();
    String name = method.getDeclaringClass().getSimpleName() + "." + method.getName();
    int checked = 0;
    for (int i = 0; i < types.length; i++) {
      boolean allowed = ALLOWED.contains(name + " " + types[i].getSimpleName());
      if (types[i].isPrimitive() || allowed || method.getName().equals("equals")) {
        continue;
      }
      Object[] arguments = new Object[types.length];
      for (int k = 0; k < types.length; k++) {
        assertThat(k == i || values.containsKey(types[k])).as("a value of %s", types[k]).isTrue();
        arguments[k] = k == i ? null : values.get(types[k]);
      }
      String what = method + " with null as parameter " + (i + 1);
      try {
        method.invoke(instance, arguments);
        throw new AssertionError(what + " did not refuse it");
      } catch (InvocationTargetException e) {
        assertThat(e.getCause()).as(what).isInstanceOf(NullPointerException.class);
        assertThat(e.getCause().getMessage()).as(what).matches("\\w+");
      }
      checked++;
    }
    return checked;
  }
}
