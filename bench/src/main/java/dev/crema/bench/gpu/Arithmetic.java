package dev.crema.bench.gpu;

import dev.crema.graph.Precision;

/** In what products are computed; its rate on the card is a limit. */
enum Arithmetic {
  FP32("fp32", Precision.FLOAT32),
  TF32("tf32", Precision.TF32),
  BF16("bf16", Precision.BFLOAT16);

  private final String label;
  private final Precision precision;

  Arithmetic(String label, Precision precision) {
    this.label = label;
    this.precision = precision;
  }

  Precision precision() {
    return precision;
  }

  /** For the document, as {@code bf16}. */
  String label() {
    return label;
  }
}
