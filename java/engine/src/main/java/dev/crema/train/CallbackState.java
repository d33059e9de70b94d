package dev.crema.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.io.Json;
import dev.crema.io.NamedTensor;
import dev.crema.io.Safetensors;
import dev.crema.memory.Buffer;
import java.util.ArrayList;
import java.util.List;

/**
 * What a callback remembers in a checkpoint: numbers and float buffers by name. Written by {@link
 * Callback#save}, read by {@link Callback#restore}.
 */
public final class CallbackState {
  private final String key;
  private final ObjectNode numbers;
  private final List<NamedTensor> tensors = new ArrayList<>();
  private final Safetensors saved;

  private CallbackState(String key, ObjectNode numbers, Safetensors saved) {
    this.key = key;
    this.numbers = numbers;
    this.saved = saved;
  }

  static CallbackState empty(String key) {
    return new CallbackState(key, Json.mapper().createObjectNode(), null);
  }

  static CallbackState read(String key, ObjectNode numbers, Safetensors saved) {
    return new CallbackState(key, numbers, saved);
  }

  ObjectNode numbers() {
    return numbers;
  }

  List<NamedTensor> tensors() {
    return tensors;
  }

  /** Remembers a number to the bit. */
  public void put(String name, double value) {
    numbers.put(name, value);
  }

  /**
   * A number that was remembered.
   *
   * @throws CremaException if there is none of that name
   */
  public double number(String name) {
    JsonNode value = numbers.path(name);
    // One that is not finite stands as text.
    if (!value.isNumber() && !value.isTextual()) {
      throw new CremaException("The checkpoint's " + key + " has no number '" + name + "'");
    }
    return value.isTextual() ? Double.parseDouble(value.asText()) : value.asDouble();
  }

  /** Remembers all floats of a buffer, as they are when the checkpoint is written. */
  public void put(String name, Buffer floats) {
    tensors.add(MomentFiles.tensor(tensorName(name), floats));
  }

  /**
   * Reads a buffer that was remembered.
   *
   * @throws CremaException if there is none of that name and size
   */
  public void read(String name, Buffer floats) {
    MomentFiles.read(saved, tensorName(name), floats);
  }

  private String tensorName(String name) {
    return key + "." + name;
  }
}
