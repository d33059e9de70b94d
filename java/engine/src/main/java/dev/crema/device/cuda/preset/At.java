package dev.crema.device.cuda.preset;

import org.bytedeco.cuda.cudart.CUgraphExec_st;
import org.bytedeco.cuda.cudart.CUstream_st;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.javacpp.PointerPointer;

/** Numbers as the pointers that the preset takes; what a step uses is made once a thread. */
final class At extends Pointer {
  At() {}

  At(long address) {
    this.address = address;
  }

  At set(long newAddress) {
    address = newAddress;
    return this;
  }

  /** A stream. */
  static final class Stream extends CUstream_st {
    Stream() {
      super((Pointer) null);
    }

    Stream set(long newAddress) {
      address = newAddress;
      return this;
    }
  }

  /** An executable graph. */
  static final class Executable extends CUgraphExec_st {
    Executable() {
      super((Pointer) null);
    }

    Executable set(long newAddress) {
      address = newAddress;
      return this;
    }
  }

  /** An array of pointers that lies somewhere. */
  static final class Array extends PointerPointer<Pointer> {
    Array(long address) {
      super((Pointer) null);
      this.address = address;
    }
  }

  /** What the calls of a step need, so that it allocates nothing. */
  static final class Step {
    private static final ThreadLocal<Step> OF_THREAD = ThreadLocal.withInitial(Step::new);

    final At host = new At();
    final Stream stream = new Stream();
    final Executable executable = new Executable();

    static Step get() {
      return OF_THREAD.get();
    }
  }
}
