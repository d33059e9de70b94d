package dev.crema.data;

import java.nio.ByteBuffer;

/** The rows of one slot, reached by number. Immutable. */
interface Block {
  /** A cursor for one thread. */
  Cursor open();

  /** The only way to read a block. */
  interface Cursor {
    /** Writes a row of the block as row {@code at} of {@code target}. */
    void copy(int row, ByteBuffer target, int at);
  }

  /** Rows of {@code width} floats, one after the other. */
  record Floats(float[] values, int width) implements Block {
    @Override
    public Cursor open() {
      FloatViews views = new FloatViews();
      return (row, target, at) -> views.of(target).put(at * width, values, row * width, width);
    }
  }

  /** Rows that are arrays of their own. */
  record FloatRows(float[][] rows, int width) implements Block {
    @Override
    public Cursor open() {
      FloatViews views = new FloatViews();
      return (row, target, at) -> views.of(target).put(at * width, rows[row], 0, width);
    }
  }

  /** Rows of unsigned bytes that stand for value / 255: a quarter of the memory of floats. */
  record Pixels(byte[] values, int width) implements Block {
    @Override
    public Cursor open() {
      FloatViews views = new FloatViews();
      float[] scratch = new float[width];
      return (row, target, at) -> {
        int from = row * width;
        for (int i = 0; i < width; i++) {
          scratch[i] = (values[from + i] & 0xFF) / 255f;
        }
        views.of(target).put(at * width, scratch, 0, width);
      };
    }
  }

  /** Rows of {@code width} whole numbers: a class number, or the numbers of tokens. */
  record Labels(int[] values, int width) implements Block {
    /** One class number a row. */
    Labels(int[] values) {
      this(values, 1);
    }

    @Override
    public Cursor open() {
      return (row, target, at) -> {
        for (int i = 0; i < width; i++) {
          target.putInt((at * width + i) * Integer.BYTES, values[row * width + i]);
        }
      };
    }
  }

  /** Another block of floats seen through a function. */
  record Mapped(Block source, int sourceWidth, int width, RowFunction function) implements Block {
    @Override
    public Cursor open() {
      Cursor cursor = source.open();
      ByteBuffer one = Buffers.direct(sourceWidth * Float.BYTES);
      FloatViews views = new FloatViews();
      float[] in = new float[sourceWidth];
      float[] out = new float[width];
      return (row, target, at) -> {
        cursor.copy(row, one, 0);
        views.of(one).get(0, in, 0, sourceWidth);
        function.apply(in, out);
        views.of(target).put(at * width, out, 0, width);
      };
    }
  }
}
