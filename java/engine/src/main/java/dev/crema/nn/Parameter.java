package dev.crema.nn;

import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;

/**
 * One tensor of a model.
 *
 * @param path layer and name: {@code dense_1/kernel}
 * @param storage {@link Storage#PARAMETERS} when it is trained, {@link Storage#STATE} when not
 * @param offset in elements from the start of the storage
 */
public record Parameter(
    String path, Storage storage, long offset, TensorType type, Initializer initializer) {
  public long elements() {
    return type.elements().constant();
  }

  public boolean isTrained() {
    return storage.equals(Storage.PARAMETERS);
  }
}
