package dev.crema.memory;

import dev.crema.CremaException;
import dev.crema.natives.NativeLibrary;

/** Crema's native library, for the classes that need it first. */
public final class NativeCode {
  private NativeCode() {}

  /**
   * Makes sure that it is loaded; costs nothing from the second time on.
   *
   * @throws CremaException if it cannot be loaded: what was tried, why it failed and what to do
   */
  public static void require() {
    try {
      NativeLibrary.CREMA.load();
    } catch (UnsatisfiedLinkError e) {
      throw new CremaException(e.getMessage(), e);
    }
  }
}
