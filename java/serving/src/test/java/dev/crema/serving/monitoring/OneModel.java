package dev.crema.serving.monitoring;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.memory.ElementType;
import dev.crema.nn.Model;
import dev.crema.nn.Topology;
import dev.crema.serving.ServingListener;
import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.inference.TensorSpec;
import dev.crema.serving.inference.TensorValue;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.repository.Models;
import dev.crema.serving.repository.VersionStatus;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** A repository of one version of one model, which answers at once. */
final class OneModel implements Models {
  final String name;
  final long version;
  private Model model;
  private final List<String> labels;
  boolean gone; // its version serves no more

  OneModel(String name, long version, Model model, List<String> labels) {
    this.name = name;
    this.version = version;
    this.model = model;
    this.labels = labels;
  }

  @Override
  public List<String> names() {
    return List.of(name);
  }

  @Override
  public List<VersionStatus> versions(String model) {
    return List.of(resolve(ModelReference.of(model)));
  }

  @Override
  public VersionStatus resolve(ModelReference reference) {
    if (!reference.name().equals(name) || reference.version().orElse(version) != version) {
      throw ServingException.notFound("There is no " + reference);
    }
    return new VersionStatus(
        name,
        version,
        VersionStatus.State.AVAILABLE,
        List.of("stable"),
        "",
        Duration.ofMillis(15),
        model.parameters().byteSize());
  }

  @Override
  public Signature signature(ModelReference reference) {
    resolve(reference);
    if (gone) {
      throw ServingException.notFound(reference + " does not serve");
    }
    List<TensorSpec> inputs = new ArrayList<>();
    for (Topology.InputSpec input : model.topology().inputs()) {
      List<Long> shape = new ArrayList<>(List.of(-1L));
      for (long extent : input.type().at(1).dims()) {
        shape.add(extent);
      }
      shape.remove(1);
      inputs.add(new TensorSpec(input.name(), ElementType.FLOAT32, shape));
    }
    long outputs = model.topology().outputTypes().get(0).elements().perExample();
    TensorSpec output =
        new TensorSpec(
            model.topology().outputs().get(0), ElementType.FLOAT32, List.of(-1L, outputs));
    return new Signature(inputs, List.of(output), labels);
  }

  @Override
  public ObjectNode metadata(ModelReference reference) {
    resolve(reference);
    return model.metadata().deepCopy();
  }

  @Override
  public void load(String model) {
    resolve(ModelReference.of(model));
  }

  @Override
  public void unload(String model) {
    throw new ServingException(ServingException.Code.UNIMPLEMENTED, "It stays");
  }

  /** Other files for the same version. */
  void replace(Model other) {
    model = other;
  }

  /** Answers a request and tells of it as a server would. */
  InferenceResponse infer(String id, float[][] rows, String protocol, ServingListener listener) {
    TensorValue asked = Events.tensor(rows);
    String input = model.topology().inputs().get(0).name();
    InferenceRequest request =
        new InferenceRequest(
            id,
            ModelReference.of(name),
            Map.of(input, asked),
            List.of(),
            InferenceRequest.NO_DEADLINE,
            0,
            protocol);
    listener.received(request);
    long began = System.nanoTime();
    float[][] told = model.predict(rows);
    long nanos = System.nanoTime() - began;
    listener.computed(name, version, 1, rows.length, nanos);
    InferenceResponse response =
        new InferenceResponse(
            id,
            name,
            version,
            Map.of(model.topology().outputs().get(0), Events.tensor(told)),
            new InferenceResponse.Timings(200, 300, nanos, rows.length));
    listener.answered(request, response, System.nanoTime() - began);
    listener.serialised(request, response, 1_500);
    return response;
  }

  static float[] row(FloatBuffer memory, int width) {
    float[] row = new float[width];
    memory.get(0, row);
    return row;
  }

  static ByteBuffer memory(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }
}
