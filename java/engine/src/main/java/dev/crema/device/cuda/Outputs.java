package dev.crema.device.cuda;

import dev.crema.device.cuda.DeviceMemory.Piece;
import dev.crema.device.cuda.kernel.Arguments;
import dev.crema.device.cuda.kernel.Operand;
import dev.crema.memory.Buffer;
import java.util.ArrayList;
import java.util.List;

/** The different outputs that the ways to compute an instruction have written, compared there. */
final class Outputs implements AutoCloseable {
  private static final long COMPARED = 16 * 256; // bytes that a block compares at a time
  private static final long MOST_BLOCKS = 1023; // beside the first

  private final CudaDevice device;
  private final Context context;
  private final long stream;
  private final Operand y;
  private final Recorder to;
  private final List<Piece> different = new ArrayList<>();
  private Piece difference; // where the first one stands, on the card
  private Buffer word; // and here

  Outputs(CudaDevice device, long stream, Operand y) {
    this.device = device;
    this.context = device.context();
    this.stream = stream;
    this.y = y;
    this.to = new Recorder(device, false, stream, 0, 0);
  }

  /** Whether there is memory to compare. */
  boolean prepare() {
    difference = device.memory().allocateIfThere(Long.BYTES);
    if (difference != null) {
      word = device.hostMemory(Long.BYTES, "The place of a difference");
    }
    return difference != null;
  }

  /** Has the output hold a byte of its own before a way writes: it may not find another's. */
  void poison(int value) {
    to.fill(y.address(), value, y.bytes());
  }

  /** Which of the different outputs stands there now, the last if it is new; -1: no room to say. */
  int number() {
    for (int i = 0; i < different.size(); i++) {
      if (isThere(different.get(i))) {
        return i;
      }
    }
    Piece copy = device.memory().allocateIfThere(y.bytes());
    if (copy == null) {
      return -1;
    }
    different.add(copy);
    to.copy(copy.address(), y.address(), y.bytes());
    return different.size() - 1;
  }

  /** How many different ones there were. */
  int count() {
    return different.size();
  }

  private boolean isThere(Piece other) {
    to.fill(difference.address(), 0xFF, Long.BYTES);
    to.launch(
        "compare",
        "first_difference",
        1 + Math.min(MOST_BLOCKS, y.bytes() / COMPARED),
        Arguments.of()
            .pointer(y.address())
            .pointer(other.address())
            .int64(y.bytes())
            .pointer(difference.address()));
    context.check(
        context.calls().cuMemcpyDtoHAsync(word.address(), difference.address(), Long.BYTES, stream),
        "cuMemcpyDtoHAsync");
    context.check(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
    return word.borrow(0, Long.BYTES).getLong(0) == -1;
  }

  /** The stream has done all that it was given. */
  @Override
  public void close() {
    different.forEach(Piece::close);
    if (difference != null) {
      difference.close();
    }
    if (word != null) {
      word.close();
    }
  }
}
