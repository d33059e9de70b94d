package dev.crema.nn;

import dev.crema.CremaException;
import dev.crema.memory.Buffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/**
 * Which of a model's weights are pruned: a mask for each of some parameters. A pruned weight is 0
 * and stays 0 whatever trains the model, until its mask is taken away. Masks are saved, loaded and
 * copied with the model.
 *
 * <p>A training keeps the masks of those parameters that had one when it was prepared; what they
 * prune may change meanwhile. Thread-safe, except that masks must not change while a step of a
 * training runs.
 */
public final class Masks {
  private static final float KEPT = 1;

  private final Model model;
  private final Map<String, Parameter> masked = new LinkedHashMap<>();
  private Buffer memory; // a float for each parameter, at its place: 0 where it is pruned

  Masks(Model model) {
    this.model = model;
  }

  /** Whether no parameter has a mask. */
  public synchronized boolean isEmpty() {
    return masked.isEmpty();
  }

  /** The parameters that have a mask. */
  public synchronized List<String> paths() {
    return List.copyOf(masked.keySet());
  }

  /**
   * A parameter's mask.
   *
   * @return true for each element that is kept, row-major; all true if it has none
   * @throws CremaException if there is no such parameter
   */
  public synchronized boolean[] get(String path) {
    Parameter p = parameter(path);
    boolean[] kept = new boolean[Model.elements(p)];
    if (!masked.containsKey(p.path())) {
      Arrays.fill(kept, true);
      return kept;
    }
    Model.chunks(
        memory,
        p,
        (from, bytes) -> {
          for (int i = 0; bytes.hasRemaining(); i++) {
            kept[(int) (from / 4) + i] = bytes.getFloat() != 0;
          }
        });
    return kept;
  }

  /**
   * Gives a parameter a mask in place of the one it has, and sets what that prunes to 0.
   *
   * @param kept true for each element that is kept, row-major; copied
   * @throws CremaException if there is no such parameter, or it has another number of elements
   */
  public synchronized void set(String path, boolean[] kept) {
    Objects.requireNonNull(kept, "kept");
    Parameter p = parameter(path);
    if (kept.length != p.elements()) {
      throw new CremaException(
          path
              + " is "
              + p.type()
              + " ("
              + p.elements()
              + " values), got a mask of "
              + kept.length);
    }
    reserve();
    Model.chunks(
        memory,
        p,
        (from, bytes) -> {
          for (int i = 0; bytes.hasRemaining(); i++) {
            bytes.putFloat(kept[(int) (from / 4) + i] ? KEPT : 0);
          }
        });
    memory.changed();
    masked.put(p.path(), p);
    apply(p);
  }

  /** Sets all pruned weights to 0, which something other than a training may have changed. */
  public synchronized void apply() {
    masked.values().forEach(this::apply);
  }

  /** Takes all masks away: the weights stay as they are, zeros included, and may all be trained. */
  public synchronized void clear() {
    for (String path : paths()) {
      boolean[] all = new boolean[Model.elements(masked.get(path))];
      Arrays.fill(all, true);
      set(path, all); // for trainings that have read the mask
    }
    masked.clear();
  }

  /**
   * For the engine: a float for each element of {@code Storage.PARAMETERS} at the same place, 0
   * where it is pruned, else 1. The model owns it.
   *
   * @throws IllegalStateException if no parameter ever had a mask
   */
  public synchronized Buffer memory() {
    if (memory == null) {
      throw new IllegalStateException("This model has no masks");
    }
    return memory;
  }

  /** Replaces all masks by copies of those of a model of the same topology. */
  void copyFrom(Masks other) {
    clear();
    for (String path : other.paths()) {
      set(path, other.get(path));
    }
  }

  /** Memory for masks that prune nothing, if there is none yet. */
  private void reserve() {
    if (memory == null) {
      memory = Buffer.allocate(model.parameters().byteSize(), "The model's masks");
      for (Parameter p : new ArrayList<>(model.table().all())) {
        if (p.isTrained()) {
          Model.chunks(memory, p, (from, bytes) -> fill(bytes));
        }
      }
    }
  }

  private static void fill(ByteBuffer bytes) {
    while (bytes.hasRemaining()) {
      bytes.putFloat(KEPT);
    }
  }

  private void apply(Parameter p) {
    model.overwrite(
        p,
        (from, bytes) -> {
          ByteBuffer mask = memory.borrow(4 * p.offset() + from, bytes.remaining());
          for (int at = 0; at < bytes.limit(); at += Float.BYTES) {
            if (mask.getFloat(at) == 0) {
              bytes.putFloat(at, 0);
            }
          }
        });
  }

  private Parameter parameter(String path) {
    Parameter p = model.parameter(Objects.requireNonNull(path, "path"));
    if (!p.isTrained()) {
      throw new CremaException(path + " is no parameter that training changes: it has no mask");
    }
    return p;
  }

  synchronized void close() {
    if (memory != null) {
      memory.close();
    }
  }
}
