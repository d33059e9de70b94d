package dev.crema.io;

import dev.crema.memory.ElementType;
import java.util.Optional;

/** The element types of the safetensors format. Crema computes with some of them only. */
enum SafetensorsType {
  BOOL(8),
  F4(4),
  F6_E2M3(6),
  F6_E3M2(6),
  U8(8),
  I8(8),
  F8_E5M2(8),
  F8_E4M3(8),
  F8_E8M0(8),
  F8_E4M3FNUZ(8),
  F8_E5M2FNUZ(8),
  I16(16),
  U16(16),
  F16(16),
  BF16(16),
  I32(32),
  U32(32),
  F32(32),
  C64(64),
  F64(64),
  I64(64),
  U64(64);

  private final int bits;
  private final Optional<ElementType> element;

  SafetensorsType(int bits) {
    this.bits = bits;
    this.element = elementNamed(name());
  }

  private static Optional<ElementType> elementNamed(String name) {
    for (ElementType type : ElementType.values()) {
      if (type.safetensorsName().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  static Optional<SafetensorsType> named(String name) {
    for (SafetensorsType type : values()) {
      if (type.name().equals(name)) {
        return Optional.of(type);
      }
    }
    return Optional.empty();
  }

  /** What Crema calls it, or empty if no op of Crema's takes it. */
  Optional<ElementType> element() {
    return element;
  }

  /**
   * Bytes of that many elements, or −1 if they do not fill whole bytes.
   *
   * @throws ArithmeticException on overflow
   */
  long byteSize(long elements) {
    long all = Math.multiplyExact(elements, (long) bits);
    return all % 8 == 0 ? all / 8 : -1;
  }
}
