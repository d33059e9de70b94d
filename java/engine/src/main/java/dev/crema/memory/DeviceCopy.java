package dev.crema.memory;

/**
 * A device's copy of the memory behind a {@link Buffer}, while it has contents that the host does
 * not have yet. Thread-safe.
 */
@FunctionalInterface
public interface DeviceCopy {
  /**
   * Copies the contents to the host's memory, and says {@link Buffer#newest} when they are there.
   *
   * @throws dev.crema.CremaException if the device has failed; the contents are lost then
   */
  void download();
}
