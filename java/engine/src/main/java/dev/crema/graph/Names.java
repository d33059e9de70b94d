package dev.crema.graph;

/** Names as kernels bear them. */
final class Names {
  private Names() {}

  /** {@code Conv2dWeightGrad} to {@code conv2d_weight_grad}. */
  static String snakeCase(String camel) {
    StringBuilder s = new StringBuilder();
    for (int i = 0; i < camel.length(); i++) {
      char c = camel.charAt(i);
      if (Character.isUpperCase(c) && i > 0) {
        s.append('_');
      }
      s.append(Character.toLowerCase(c));
    }
    return s.toString();
  }
}
