package dev.crema.memory;

import dev.crema.CremaException;
import dev.crema.natives.Memory;
import java.lang.ref.Reference;
import java.nio.ByteOrder;
import org.bytedeco.javacpp.Pointer;

/** Memory of others as a {@link Buffer}: nothing is freed, its owner is kept alive. */
final class WrappedMemory {
  private WrappedMemory() {}

  static Buffer of(java.nio.Buffer direct, long elements, int elementBytes, ByteOrder order) {
    NativeCode.require();
    if (!direct.isDirect()) {
      throw new CremaException(
          "Only a direct buffer can be shared with native code; got one on the Java heap: "
              + direct
              + ". Make it with ByteBuffer.allocateDirect, or copy it into Buffer.allocate(...).");
    }
    if (order != ByteOrder.nativeOrder()) {
      throw new CremaException(
          "This buffer is "
              + order
              + " but this machine is "
              + ByteOrder.nativeOrder()
              + ": call order(ByteOrder.nativeOrder()) on the ByteBuffer it was made from.");
    }
    long address = Memory.address(direct) + (long) direct.position() * elementBytes;
    return keeping(direct, address, elements * elementBytes, !direct.isReadOnly());
  }

  static Buffer of(Pointer pointer) {
    NativeCode.require();
    long elements = pointer.limit() - pointer.position();
    if (pointer.isNull() || pointer.limit() <= 0 || elements < 0) {
      throw new CremaException(
          "This pointer ("
              + pointer
              + ") is null or does not know where its memory ends: set limit(...) on it first.");
    }
    long bytes = pointer.sizeof();
    return keeping(pointer, pointer.address() + pointer.position() * bytes, elements * bytes, true);
  }

  private static Buffer keeping(Object owner, long address, long bytes, boolean writable) {
    Block block = new Block(address, bytes, writable, (a, b) -> Reference.reachabilityFence(owner));
    return Buffer.of(block.foreign(), "Wrapped " + owner.getClass().getSimpleName());
  }
}
