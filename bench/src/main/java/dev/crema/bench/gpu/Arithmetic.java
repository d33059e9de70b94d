package dev.crema.bench.gpu;

import dev.crema.graph.Precision;

/** In what products are computed; its rate on the card is a limit. */
enum Arithmetic {
  FP32("fp32", Precision.FLOAT32),
  TF32("tf32", Precision.TF32),
  BF16("bf16", Precision.BFLOAT16),
  /** Bytes by signed bytes, summed as whole numbers. */
  INT8("int8", Precision.FLOAT32),
  /** Numbers of E4M3. */
  FP8("fp8", Precision.FLOAT32);

  private final String label;
  private final Precision precision;

  Arithmetic(String label, Precision precision) {
    this.label = label;
    this.precision = precision;
  }

  /** Of a plan; layers of bytes are ops of their own. */
  Precision precision() {
    return precision;
  }

  /** For the document, as {@code bf16}. */
  String label() {
    return label;
  }
}
