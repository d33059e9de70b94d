package dev.crema.device.cuda;

import dev.crema.device.cuda.DeviceMemory.Piece;
import dev.crema.device.cuda.kernel.Arguments;
import dev.crema.device.cuda.kernel.Call;
import dev.crema.device.cuda.kernel.Operand;
import dev.crema.device.cuda.kernel.Stored;
import dev.crema.device.cuda.kernel.Ways;
import dev.crema.memory.Buffer;
import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** The different outputs that the ways to compute an instruction have written, compared there. */
final class Outputs implements AutoCloseable {
  private static final String FAMILY = "compare";
  private static final long COMPARED = 16 * 256; // bytes that a block compares at a time
  private static final long MOST_BLOCKS = 1023; // beside the first
  private static final int WORDS = 2; // on the card: the place of a difference, a magnitude
  private static final int SAME = -1; // all ones: there is no place

  /**
   * How far a near number may be: shares of the greatest magnitude among its neighbours, and of
   * that in the tensor, since it may be the small difference of great ones. Sums of k numbers in
   * another order differ by about sqrt(k) roundings, of 2^-24 (2^-11 in TF32), and what has 16 bits
   * on the way by 2^-8; a wrong number differs by what it is.
   */
  private record Shares(float neighbours, float all) {
    static Shares of(Call c, boolean tf32) {
      if (has16Bits(c)) {
        return new Shares(3e-2f, 1e-2f);
      }
      return tf32 ? new Shares(1e-2f, 1e-3f) : new Shares(1e-3f, 1e-5f);
    }

    private static boolean has16Bits(Call c) {
      return IntStream.range(0, c.ins()).filter(c::has).mapToObj(c::in).anyMatch(Shares::is16Bits)
          || IntStream.range(0, c.outs()).mapToObj(c::out).anyMatch(Shares::is16Bits);
    }

    private static boolean is16Bits(Operand x) {
      return x.type() == ElementType.BFLOAT16 || x.type() == ElementType.FLOAT16;
    }
  }

  private final CudaDevice device;
  private final Context context;
  private final long stream;
  private final Shares shares;
  private final List<Operand> outputs = new ArrayList<>(); // that are compared
  private final List<Operand> variables = new ArrayList<>(); // that ways change, compared, too
  private final List<Operand> results = new ArrayList<>(); // both
  private final List<Piece> before = new ArrayList<>(); // what the variables held
  private final Recorder to;
  private final List<List<Piece>> different = new ArrayList<>();
  private Piece words;
  private Buffer word; // the first of them, here

  Outputs(CudaDevice device, boolean tf32, long stream, Ways ways) {
    this.device = device;
    this.context = device.context();
    this.stream = stream;
    this.shares = Shares.of(ways.call(), tf32);
    this.to = new Recorder(device, false, stream, 0, 0);
    for (int each : ways.results()) {
      Operand y = ways.call().out(each);
      if (y.bytes() > 0) {
        outputs.add(y);
      }
    }
    for (int each : ways.call().instruction().writes()) {
      if (ways.call().has(each) && ways.call().in(each).bytes() > 0) {
        variables.add(ways.call().in(each));
      }
    }
    results.addAll(outputs);
    results.addAll(variables);
  }

  /** Whether there is memory to compare. Keeps what ways change. */
  boolean prepare() {
    for (Operand each : variables) {
      Piece copy = device.memory().allocateIfThere(each.bytes());
      if (copy == null) {
        return false;
      }
      before.add(copy);
      to.copy(copy.address(), each.address(), each.bytes());
    }
    words = device.memory().allocateIfThere(WORDS * Long.BYTES);
    if (words != null) {
      word = device.hostMemory(Long.BYTES, "The place of a difference");
    }
    return words != null;
  }

  /**
   * Has the outputs hold a byte of their own before a way writes: it may not find another's. What
   * it changes is as it was.
   */
  void poison(int value) {
    outputs.forEach(y -> to.fill(y.address(), value, y.bytes()));
    restore();
  }

  /** Has variables hold what they held before the first way. */
  void restore() {
    for (int i = 0; i < before.size(); i++) {
      Operand variable = variables.get(i);
      to.copy(variable.address(), before.get(i).address(), variable.bytes());
    }
  }

  /** Which of the different outputs stands there now, the last if it is new; -1: no room to say. */
  int number() {
    for (int i = 0; i < different.size(); i++) {
      if (isThere(different.get(i))) {
        return i;
      }
    }
    List<Piece> copies = new ArrayList<>();
    different.add(copies);
    for (Operand y : results) {
      Piece copy = device.memory().allocateIfThere(y.bytes());
      if (copy == null) {
        return -1;
      }
      copies.add(copy);
      to.copy(copy.address(), y.address(), y.bytes());
    }
    return different.size() - 1;
  }

  /** How many different ones there were. */
  int count() {
    return different.size();
  }

  private boolean isThere(List<Piece> others) {
    for (int i = 0; i < results.size(); i++) {
      if (!isThere(results.get(i), others.get(i).address())) {
        return false;
      }
    }
    return true;
  }

  private boolean isThere(Operand y, long other) {
    return isNowhere(
        "first_difference",
        y.bytes(),
        Arguments.of().pointer(y.address()).pointer(other).int64(y.bytes()));
  }

  /** Whether what stands there now is that one of the different outputs but for rounding. */
  boolean isNear(int number) {
    for (int i = 0; i < results.size(); i++) {
      Operand y = results.get(i);
      long other = different.get(number).get(i).address();
      if (!(y.type().isFloating() ? isNear(y, other) : isThere(y, other))) {
        return false;
      }
    }
    return true;
  }

  private boolean isNear(Operand y, long other) {
    long greatest = words.address() + Long.BYTES;
    to.fill(greatest, 0, Long.BYTES);
    to.launch(
        FAMILY,
        Stored.name("greatest_magnitude", y.type()),
        blocks(y.bytes()),
        Arguments.of().pointer(other).int64(y.elements()).pointer(greatest));
    return isNowhere(
        Stored.name("first_far", y.type()),
        y.bytes(),
        Arguments.of()
            .pointer(y.address())
            .pointer(other)
            .int64(y.elements())
            .pointer(greatest)
            .float32(shares.neighbours())
            .float32(shares.all()));
  }

  /** Whether a kernel finds no place. */
  private boolean isNowhere(String kernel, long bytes, Arguments arguments) {
    to.fill(words.address(), 0xFF, Long.BYTES);
    to.launch(FAMILY, kernel, blocks(bytes), arguments.pointer(words.address()));
    context.check(
        context.calls().cuMemcpyDtoHAsync(word.address(), words.address(), Long.BYTES, stream),
        "cuMemcpyDtoHAsync");
    context.check(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
    return word.borrow(0, Long.BYTES).getLong(0) == SAME;
  }

  private static long blocks(long bytes) {
    return 1 + Math.min(MOST_BLOCKS, bytes / COMPARED);
  }

  /** The stream has done all that it was given. */
  @Override
  public void close() {
    before.forEach(Piece::close);
    different.forEach(copies -> copies.forEach(Piece::close));
    if (words != null) {
      words.close();
    }
    if (word != null) {
      word.close();
    }
  }
}
