package dev.crema.device.cuda;

import dev.crema.memory.HalfPrecision;
import dev.crema.op.Fp8;
import java.nio.ByteBuffer;

/** Numbers in the memory of a {@link FakeCard}, of the types that the libraries know. */
record FakeNumbers(ByteBuffer memory, Type type) {
  /** A type with its numbers in cuBLAS (cudaDataType) and cuDNN (cudnnDataType_t). */
  enum Type {
    FLOAT(0, 0, 4),
    HALF(2, 2, 2),
    BFLOAT(14, 9, 2),
    E4M3(28, -1, 1),
    BYTE(3, 3, 1),
    INT(10, 4, 4);

    private final int blas;
    private final int dnn;
    final int bytes;

    Type(int blas, int dnn, int bytes) {
      this.blas = blas;
      this.dnn = dnn;
      this.bytes = bytes;
    }

    static Type ofBlas(int number) {
      for (Type t : values()) {
        if (t.blas == number) {
          return t;
        }
      }
      throw new IllegalArgumentException("cudaDataType " + number);
    }

    static Type ofDnn(int number) {
      for (Type t : values()) {
        if (t.dnn == number) {
          return t;
        }
      }
      throw new IllegalArgumentException("cudnnDataType_t " + number);
    }
  }

  static FakeNumbers at(long address, Type type, long count) {
    return new FakeNumbers(FakeKernels.view(address, type.bytes * count), type);
  }

  int count() {
    return memory.capacity() / type.bytes;
  }

  float get(int i) {
    return switch (type) {
      case FLOAT -> memory.getFloat(4 * i);
      case HALF -> HalfPrecision.fromFloat16(memory.getShort(2 * i));
      case BFLOAT -> HalfPrecision.fromBfloat16(memory.getShort(2 * i));
      case E4M3 -> Fp8.valueOf(memory.get(i));
      case BYTE -> memory.get(i);
      case INT -> throw new IllegalStateException("sums that float32 does not hold");
    };
  }

  void put(int i, float value) {
    switch (type) {
      case FLOAT -> memory.putFloat(4 * i, value);
      case HALF -> memory.putShort(2 * i, HalfPrecision.toFloat16(value));
      case BFLOAT -> memory.putShort(2 * i, HalfPrecision.toBfloat16(value));
      case E4M3 -> memory.put(i, Fp8.of(value));
      case BYTE, INT -> throw new IllegalStateException("whole numbers are not rounded");
    }
  }
}
