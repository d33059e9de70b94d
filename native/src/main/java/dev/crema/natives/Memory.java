package dev.crema.natives;

import java.nio.Buffer;
import java.nio.ByteBuffer;

/** Direct buffers and addresses: what a C header cannot say. Does not own any memory. */
public final class Memory {
  static {
    NativeLibrary.CREMA.load();
  }

  private Memory() {}

  /**
   * A direct buffer (big endian, as every new one) over memory that the caller keeps alive for as
   * long as it or anything made from it can be reached.
   */
  public static native ByteBuffer view(long address, long bytes);

  /** Where a direct buffer's element 0 lies, whatever its position; 0 if it is not direct. */
  public static native long address(Buffer direct);
}
