package dev.crema.serving;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.memory.ElementType;
import dev.crema.serving.inference.ColumnSpec;
import dev.crema.serving.inference.Inference;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import dev.crema.serving.repository.VersionStatus.State;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Function;

/**
 * Models whose answers a test can work out by hand, in memory:
 *
 * <ul>
 *   <li>{@code pets}: x FLOAT32[-1, 3] → scores FLOAT32[-1, 2] = [x0 + x1, x2], classes cat and
 *       dog. Versions 1 ("stable"), 2 ("canary", serves) and 3, which could not be loaded;
 *   <li>{@code half_plus_three}: x FLOAT32[-1] → y FLOAT32[-1];
 *   <li>{@code table}: x FLOAT32[-1, 2] or rows of age (numeric) and job (clerk or cook) → y
 *       FLOAT32[-1, 1] = age + (0 for clerk, 100 for cook);
 *   <li>{@code pair}: a FLOAT32[-1, 2], b INT32[-1] → sum FLOAT32[-1, 2] = a + b, twice INT64[-1];
 *   <li>{@code echo_TYPE} for every element type: x [-1, 2] → x;
 *   <li>{@code busy}, {@code broken}: refuse with RESOURCE_EXHAUSTED, fail with INTERNAL;
 *   <li>{@code down}: known, but none of its versions serves.
 * </ul>
 */
public final class ExampleModels implements Models, Inference {
  /** A model: its signature and what it computes. */
  private record Example(
      Signature signature, Function<Map<String, TensorValue>, Map<String, TensorValue>> compute) {}

  private final Map<String, Example> examples = new LinkedHashMap<>();

  /** What was asked, loaded ("+name") and unloaded ("-name"). */
  public final ConcurrentLinkedQueue<InferenceRequest> requests = new ConcurrentLinkedQueue<>();

  public final ConcurrentLinkedQueue<String> changes = new ConcurrentLinkedQueue<>();

  public ExampleModels() {
    examples.put(
        "pets",
        new Example(
            new Signature(
                List.of(spec("x", ElementType.FLOAT32, -1, 3)),
                List.of(spec("scores", ElementType.FLOAT32, -1, 2)),
                List.of("cat", "dog")),
            in -> {
              float[] x = floats(in.get("x"));
              float[] y = new float[x.length / 3 * 2];
              for (int i = 0; i < x.length / 3; i++) {
                y[2 * i] = x[3 * i] + x[3 * i + 1];
                y[2 * i + 1] = x[3 * i + 2];
              }
              return Map.of("scores", floats(y, x.length / 3, 2));
            }));
    examples.put(
        "half_plus_three",
        new Example(
            new Signature(
                List.of(spec("x", ElementType.FLOAT32, -1)),
                List.of(spec("y", ElementType.FLOAT32, -1)),
                List.of()),
            in -> {
              float[] x = floats(in.get("x"));
              for (int i = 0; i < x.length; i++) {
                x[i] = x[i] / 2 + 3;
              }
              return Map.of("y", floats(x, x.length));
            }));
    examples.put("pair", pair());
    examples.put(
        "table",
        new Example(
            new Signature(
                List.of(spec("x", ElementType.FLOAT32, -1, 2)),
                List.of(spec("y", ElementType.FLOAT32, -1, 1)),
                List.of(),
                List.of(
                    new ColumnSpec("age", ColumnSpec.Kind.NUMERIC, List.of()),
                    new ColumnSpec("job", ColumnSpec.Kind.CATEGORICAL, List.of("clerk", "cook"))),
                1),
            in -> {
              float[] x = floats(in.get("x"));
              float[] y = new float[x.length / 2];
              for (int i = 0; i < y.length; i++) {
                y[i] = x[2 * i] + 100 * x[2 * i + 1];
              }
              return Map.of("y", floats(y, y.length, 1));
            }));
    for (ElementType type : ElementType.values()) {
      examples.put(
          "echo_" + type,
          new Example(
              new Signature(
                  List.of(spec("x", type, -1, 2)), List.of(spec("x", type, -1, 2)), List.of()),
              in -> in));
    }
    for (String name : List.of("busy", "broken", "down")) {
      examples.put(name, new Example(examples.get("pets").signature(), in -> in));
    }
  }

  private static Example pair() {
    return new Example(
        new Signature(
            List.of(spec("a", ElementType.FLOAT32, -1, 2), spec("b", ElementType.INT32, -1)),
            List.of(spec("sum", ElementType.FLOAT32, -1, 2), spec("twice", ElementType.INT64, -1)),
            List.of()),
        in -> {
          float[] a = floats(in.get("a"));
          ByteBuffer b = in.get("b").data();
          int rows = a.length / 2;
          ByteBuffer twice = ByteBuffer.allocate(8 * rows).order(ByteOrder.LITTLE_ENDIAN);
          for (int i = 0; i < rows; i++) {
            int value = b.getInt();
            a[2 * i] += value;
            a[2 * i + 1] += value;
            twice.putLong(2L * value);
          }
          Map<String, TensorValue> out = new LinkedHashMap<>();
          out.put("sum", floats(a, rows, 2));
          out.put("twice", new TensorValue(ElementType.INT64, new long[] {rows}, twice.flip()));
          return out;
        });
  }

  public static TensorSpec spec(String name, ElementType type, long... shape) {
    return new TensorSpec(name, type, Arrays.stream(shape).boxed().toList());
  }

  public static TensorValue floats(float[] values, long... shape) {
    ByteBuffer data = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
    for (float v : values) {
      data.putFloat(v);
    }
    return new TensorValue(ElementType.FLOAT32, shape, data.flip());
  }

  public static float[] floats(TensorValue value) {
    float[] values = new float[value.data().remaining() / 4];
    value.data().asFloatBuffer().get(values);
    return values;
  }

  @Override
  public List<String> names() {
    return List.copyOf(examples.keySet());
  }

  @Override
  public List<VersionStatus> versions(String model) {
    if (!examples.containsKey(model)) {
      throw ServingException.notFound("Servable not found for request: Latest(" + model + ")");
    }
    if (model.equals("down")) {
      return List.of(status(model, 1, State.END, List.of(), "checksum of weights differs"));
    }
    if (!model.equals("pets")) {
      return List.of(status(model, 1, State.AVAILABLE, List.of(), ""));
    }
    return List.of(
        status(model, 3, State.END, List.of(), "config.json is missing"),
        status(model, 2, State.AVAILABLE, List.of("canary"), ""),
        status(model, 1, State.AVAILABLE, List.of("stable"), ""));
  }

  private static VersionStatus status(
      String model, long version, State state, List<String> labels, String error) {
    return new VersionStatus(model, version, state, labels, error, Duration.ofMillis(7), 1234);
  }

  @Override
  public VersionStatus resolve(ModelReference reference) {
    List<VersionStatus> versions =
        versions(reference.name()).stream()
            .filter(
                v ->
                    reference.label().isEmpty()
                        ? reference.version().isEmpty()
                            || reference.version().getAsLong() == v.version()
                        : v.labels().contains(reference.label()))
            .toList();
    if (versions.isEmpty()) {
      throw ServingException.notFound("Servable not found for request: " + reference);
    }
    return versions.stream()
        .filter(v -> v.state() == State.AVAILABLE)
        .findFirst()
        .orElseThrow(
            () ->
                new ServingException(
                    ServingException.Code.UNAVAILABLE, reference + " does not serve"));
  }

  @Override
  public Signature signature(ModelReference reference) {
    resolve(reference);
    return examples.get(reference.name()).signature();
  }

  @Override
  public ObjectNode metadata(ModelReference reference) {
    resolve(reference);
    return JsonNodeFactory.instance.objectNode();
  }

  @Override
  public void load(String model) {
    versions(model);
    changes.add("+" + model);
  }

  @Override
  public void unload(String model) {
    versions(model);
    changes.add("-" + model);
  }

  @Override
  public CompletableFuture<InferenceResponse> infer(InferenceRequest request) {
    return CompletableFuture.supplyAsync(() -> compute(request));
  }

  /** What {@code table} makes of rows. */
  private static TensorValue encode(List<Map<String, String>> rows) {
    float[] x = new float[2 * rows.size()];
    for (int i = 0; i < rows.size(); i++) {
      String age = rows.get(i).get("age");
      x[2 * i] = age == null ? Float.NaN : Float.parseFloat(age);
      x[2 * i + 1] = "cook".equals(rows.get(i).get("job")) ? 1 : 0;
    }
    return floats(x, rows.size(), 2);
  }

  private InferenceResponse compute(InferenceRequest asked) {
    requests.add(asked);
    VersionStatus version = resolve(asked.model());
    Example example = examples.get(asked.model().name());
    InferenceRequest request =
        asked.rows().isEmpty() ? asked : asked.withInputs(Map.of("x", encode(asked.rows())));
    check(example.signature(), request);
    if (request.model().name().equals("busy")) {
      throw new ServingException(
          ServingException.Code.RESOURCE_EXHAUSTED,
          "The queue of model busy is full",
          Duration.ofMillis(1500),
          null);
    }
    if (request.model().name().equals("broken")) {
      throw new ServingException(ServingException.Code.INTERNAL, "The model failed");
    }
    Map<String, TensorValue> all = example.compute().apply(request.inputs());
    Map<String, TensorValue> outputs = new LinkedHashMap<>();
    for (TensorSpec spec : example.signature().outputs()) {
      if (request.outputs().isEmpty() || request.outputs().contains(spec.name())) {
        outputs.put(spec.name(), all.get(spec.name()));
      }
    }
    return new InferenceResponse(
        request.id(),
        request.model().name(),
        version.version(),
        outputs,
        InferenceResponse.Timings.NONE);
  }

  private static void check(Signature signature, InferenceRequest request) {
    List<Long> rows = new ArrayList<>();
    for (TensorSpec spec : signature.inputs()) {
      TensorValue value = request.inputs().get(spec.name());
      if (value == null || value.type() != spec.type()) {
        throw ServingException.invalidArgument("Input " + spec + " expected, got " + value);
      }
      long[] shape = value.shape();
      boolean fits = shape.length == spec.shape().size();
      for (int i = 0; fits && i < shape.length; i++) {
        fits = spec.shape().get(i) < 0 || spec.shape().get(i) == shape[i];
      }
      if (!fits) {
        throw ServingException.invalidArgument(
            "Input '"
                + spec.name()
                + "' takes "
                + spec.shape()
                + ", got "
                + Arrays.toString(shape));
      }
      rows.add(value.rows());
    }
    if (rows.stream().distinct().count() > 1) {
      throw ServingException.invalidArgument("Inputs have different batch sizes: " + rows);
    }
    for (String name : request.outputs()) {
      if (signature.outputs().stream().noneMatch(o -> o.name().equals(name))) {
        throw ServingException.invalidArgument("There is no output '" + name + "'");
      }
    }
  }
}
