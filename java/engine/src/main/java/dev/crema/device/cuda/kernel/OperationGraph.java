package dev.crema.device.cuda.kernel;

import dev.crema.memory.ElementType;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Operations on tensors of four axes that cuDNN computes as one, if one of its engines knows the
 * pattern. Equal graphs need the same plan.
 *
 * @param name what it computes, for messages
 * @param least the first cuDNN that computes it, as that numbers itself: 91200 is 9.12.0
 * @param tensors each at the index that is its number
 * @param operations each after those whose results it reads
 */
public record OperationGraph(
    String name, long least, List<Tensor> tensors, List<Operation> operations) {
  /** What numbers are stored as. */
  public enum Type {
    FLOAT32,
    FLOAT16,
    BFLOAT16,
    INT8,
    INT32,
    BOOLEAN;

    /** That of Crema's floating tensors. */
    static Type of(ElementType floating) {
      return switch (floating) {
        case FLOAT32 -> FLOAT32;
        case FLOAT16 -> FLOAT16;
        case BFLOAT16 -> BFLOAT16;
        default -> throw new IllegalArgumentException("There are no graphs of " + floating);
      };
    }
  }

  /** Where a tensor is. */
  public enum Place {
    /** In memory of the device. */
    MEMORY,
    /** Between two operations only. */
    NOWHERE,
    /** A number of the graph itself. */
    VALUE
  }

  /**
   * A tensor.
   *
   * @param strides in elements
   * @param value of a {@link Place#VALUE}
   */
  public record Tensor(
      int number, Place place, Type type, List<Long> dims, List<Long> strides, float value) {
    long dim(int axis) {
      return dims.get(axis);
    }

    /** Of a matrix in the last two axes, its columns as rows: the same memory. */
    private Tensor turned(int newNumber) {
      return new Tensor(newNumber, place, type, swapped(dims), swapped(strides), value);
    }

    private static List<Long> swapped(List<Long> of) {
      return List.of(of.get(0), of.get(1), of.get(3), of.get(2));
    }
  }

  /** One operation. Sums and element-wise results are float32 unless it says otherwise. */
  public sealed interface Operation {}

  /** c [.., m, n] = a [.., m, k] · b [.., k, n]. */
  public record Product(Tensor a, Tensor b, Tensor c) implements Operation {}

  /**
   * An element-wise operation; extents of 1 are repeated.
   *
   * @param b the second factor; null if the mode has one
   * @param mask where y is x rather than b; null but for {@link Mode#SELECT}
   * @param axis of {@link Mode#INDEX}
   * @param computed the type in which it computes
   */
  public record Pointwise(
      Mode mode, Tensor x, Tensor b, Tensor mask, Tensor y, int axis, Type computed)
      implements Operation {}

  /** Element-wise operations. */
  public enum Mode {
    ADD,
    SUBTRACT,
    MULTIPLY,
    DIVIDE,
    EXP,
    LOG,
    /** 1 where x is not less than b. */
    NOT_LESS,
    /** The position along an axis. */
    INDEX,
    SELECT,
    /** x, perhaps of another type. */
    IDENTITY
  }

  /** The sum, or the greatest, along the axes where y has an extent of 1. */
  public record Reduction(boolean greatest, Tensor x, Tensor y) implements Operation {}

  /** The memory of x by other extents and strides; as another type if y has one. */
  public record View(Tensor x, Tensor y) implements Operation {}

  /**
   * A convolution without padding that sums in int32: y [n, outputs, rows, columns] of x [n,
   * channels, height, width] by filter [outputs, channels, taps, taps].
   */
  public record Windows(
      Tensor x,
      Tensor filter,
      Tensor y,
      int strideHeight,
      int strideWidth,
      int dilationHeight,
      int dilationWidth)
      implements Operation {}

  /** What shares a mean: an example [1, c, h, w], or a channel [n, 1, h, w]. */
  public enum Over {
    EXAMPLE,
    CHANNEL
  }

  /** y = (x - mean) · inverse · gamma + beta, of a batch's statistics; inverse: 1 / deviation. */
  public record Norm(
      Over over,
      Tensor x,
      Tensor gamma,
      Tensor beta,
      Tensor epsilon,
      Tensor y,
      Tensor mean,
      Tensor inverse)
      implements Operation {}

  /** The gradient of {@link Norm}. */
  public record NormGradient(
      Over over,
      Tensor x,
      Tensor gamma,
      Tensor mean,
      Tensor inverse,
      Tensor dy,
      Tensor dx,
      Tensor dgamma,
      Tensor dbeta)
      implements Operation {}

  public OperationGraph {
    tensors = List.copyOf(tensors);
    operations = List.copyOf(operations);
  }

  /** Its tensors in memory, in the order in which their addresses are given. */
  public List<Tensor> inMemory() {
    return tensors.stream().filter(t -> t.place() == Place.MEMORY).toList();
  }

  /** Its numbers. */
  public List<Tensor> values() {
    return tensors.stream().filter(t -> t.place() == Place.VALUE).toList();
  }

  /** Puts a graph together. */
  static final class Builder {
    private final List<Tensor> tensors = new ArrayList<>();
    private final List<Operation> operations = new ArrayList<>();

    private Tensor add(Place place, Type type, List<Long> dims, List<Long> strides, float value) {
      Tensor made = new Tensor(tensors.size(), place, type, dims, strides, value);
      tensors.add(made);
      return made;
    }

    private static List<Long> list(long... values) {
      return Arrays.stream(values).boxed().toList();
    }

    private static List<Long> rowMajor(List<Long> dims) {
      long[] strides = new long[dims.size()];
      long step = 1;
      for (int axis = strides.length - 1; axis >= 0; axis--) {
        strides[axis] = step;
        step *= dims.get(axis);
      }
      return list(strides);
    }

    /** A tensor in memory: its address is the next. */
    Tensor memory(Type type, long[] dims, long[] strides) {
      return add(Place.MEMORY, type, list(dims), list(strides), 0);
    }

    /** A tensor in memory, row after row. */
    Tensor memory(Type type, long... dims) {
      return add(Place.MEMORY, type, list(dims), rowMajor(list(dims)), 0);
    }

    Tensor value(float value) {
      return add(Place.VALUE, Type.FLOAT32, list(1, 1, 1, 1), list(1, 1, 1, 1), value);
    }

    private Tensor like(Tensor x, Type type) {
      return add(Place.NOWHERE, type, x.dims(), x.strides(), 0);
    }

    private Tensor between(long... dims) {
      return add(Place.NOWHERE, Type.FLOAT32, list(dims), rowMajor(list(dims)), 0);
    }

    /** Another tensor in the graph's place of one in memory: its last two axes are swapped. */
    Tensor turned(Tensor x) {
      Tensor made = x.turned(x.number());
      tensors.set(x.number(), made);
      return made;
    }

    void product(Tensor a, Tensor b, Tensor into) {
      operations.add(new Product(a, b, into));
    }

    Tensor product(Tensor a, Tensor b) {
      Tensor c = between(a.dim(0), a.dim(1), a.dim(2), b.dim(3));
      product(a, b, c);
      return c;
    }

    void pointwise(Mode mode, Tensor x, Tensor b, Tensor into) {
      operations.add(new Pointwise(mode, x, b, null, into, 0, Type.FLOAT32));
    }

    /** Of x's extents and strides. */
    Tensor pointwise(Mode mode, Tensor x, Tensor b) {
      return pointwise(mode, x, b, Type.FLOAT32);
    }

    /** The same, stored as another type. */
    Tensor pointwise(Mode mode, Tensor x, Tensor b, Type as) {
      Tensor y = like(x, as);
      pointwise(mode, x, b, y);
      return y;
    }

    /** x where the position along {@code row} is not less than along {@code column}; else b. */
    Tensor lowerTriangle(Tensor x, int row, int column, Tensor b) {
      Tensor rows = index(x, row);
      Tensor columns = index(x, column);
      Tensor mask = like(x, Type.BOOLEAN);
      operations.add(new Pointwise(Mode.NOT_LESS, rows, columns, null, mask, 0, Type.BOOLEAN));
      Tensor y = like(x, Type.FLOAT32);
      operations.add(new Pointwise(Mode.SELECT, x, b, mask, y, 0, Type.FLOAT32));
      return y;
    }

    private Tensor index(Tensor x, int axis) {
      Tensor y = like(x, Type.INT32);
      operations.add(new Pointwise(Mode.INDEX, x, null, null, y, axis, Type.FLOAT32));
      return y;
    }

    /** A tensor in memory of which the second axis runs first: channels last. */
    Tensor channelsLast(Type type, long n, long channels, long rows, long columns) {
      long[] strides = {rows * columns * channels, 1, columns * channels, channels};
      return memory(type, new long[] {n, channels, rows, columns}, strides);
    }

    /** Whole sums of a convolution, into memory by way of an operation that changes nothing. */
    void windows(Tensor x, Tensor filter, Tensor into, Convolution by) {
      Tensor sums = like(into, Type.INT32);
      operations.add(
          new Windows(
              x,
              filter,
              sums,
              by.strideHeight(),
              by.strideWidth(),
              by.dilationHeight(),
              by.dilationWidth()));
      operations.add(new Pointwise(Mode.IDENTITY, sums, null, null, into, 0, Type.INT32));
    }

    /** Along the last axis. */
    Tensor reduction(boolean greatest, Tensor x) {
      Tensor y = between(x.dim(0), x.dim(1), x.dim(2), 1);
      operations.add(new Reduction(greatest, x, y));
      return y;
    }

    /** The last two axes in each other's places, as another type. */
    Tensor transposed(Tensor x, Type as) {
      Tensor turned = x.turned(tensors.size());
      Tensor y = add(Place.NOWHERE, as, turned.dims(), turned.strides(), 0);
      operations.add(new View(x, y));
      return y;
    }

    /** One whose tensors are there. */
    void then(Operation operation) {
      operations.add(operation);
    }

    OperationGraph build(String name, long least) {
      return new OperationGraph(name, least, tensors, operations);
    }
  }
}
