package dev.crema.device.cuda.calls;

import java.nio.ByteBuffer;

/**
 * What Crema uses of cuDNN's graph API, by the names of the C functions; as {@link DriverCalls}.
 * Everything is a descriptor: it is created, gets attributes, and is finalized.
 */
public interface GraphCalls {
  int cudnnBackendCreateDescriptor(int type, long[] descriptor);

  int cudnnBackendDestroyDescriptor(long descriptor);

  /**
   * @param values direct, in the host's order: {@code count} numbers of the attribute's type from
   *     its beginning on
   */
  int cudnnBackendSetAttribute(
      long descriptor, int attribute, int type, long count, ByteBuffer values);

  /**
   * @param count gets how many there are
   * @param values likewise, with room for {@code requested}; null: only their count is asked for.
   *     Of descriptors it holds some that were created, which get their contents
   */
  int cudnnBackendGetAttribute(
      long descriptor, int attribute, int type, long requested, long[] count, ByteBuffer values);

  int cudnnBackendFinalize(long descriptor);

  int cudnnBackendExecute(long handle, long plan, long variantPack);

  /** Why the last call of this thread that failed did; empty if there is nothing to say. */
  String cudnnGetLastErrorString();
}
