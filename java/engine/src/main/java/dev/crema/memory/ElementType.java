package dev.crema.memory;

import dev.crema.CremaException;

/** The type of a tensor's elements. {@link #id} is what native code and plans call it. */
public enum ElementType {
  FLOAT32(0, 4, "F32"),
  BFLOAT16(1, 2, "BF16"),
  FLOAT16(2, 2, "F16"),
  INT8(3, 1, "I8"),
  UINT8(4, 1, "U8"),
  INT32(5, 4, "I32"),
  INT64(6, 8, "I64"),
  BOOL(7, 1, "BOOL");

  private final int id;
  private final int byteSize;
  private final String safetensorsName;

  ElementType(int id, int byteSize, String safetensorsName) {
    this.id = id;
    this.byteSize = byteSize;
    this.safetensorsName = safetensorsName;
  }

  /** The code used in plans; the same as in {@code crema.h}. */
  public int id() {
    return id;
  }

  /** Bytes an element. */
  public int byteSize() {
    return byteSize;
  }

  /** The name used in safetensors headers. */
  public String safetensorsName() {
    return safetensorsName;
  }

  public boolean isFloating() {
    return this == FLOAT32 || this == BFLOAT16 || this == FLOAT16;
  }

  /**
   * The type of that safetensors name.
   *
   * @throws CremaException if there is none
   */
  public static ElementType ofSafetensors(String name) {
    for (ElementType type : values()) {
      if (type.safetensorsName.equals(name)) {
        return type;
      }
    }
    throw new CremaException(
        "Element type "
            + name
            + " is not one that Crema reads (F32, BF16, F16, I8, U8, I32, I64, BOOL). Convert the"
            + " tensor before saving it.");
  }
}
