package dev.crema.nn;

/**
 * What layers are called in files and in the names of parameters: {@code Conv2d} is {@code conv2d},
 * {@code BatchNorm} {@code batch_norm}. Apart from {@link LayerTypes}, which loads every layer and
 * Jackson: a model that is built from layers needs neither.
 */
final class LayerNames {
  private LayerNames() {}

  static String of(Layer layer) {
    return of(layer.getClass());
  }

  static String of(Class<? extends Layer> type) {
    String name = type.getSimpleName();
    StringBuilder words = new StringBuilder(name.length() + 2);
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      boolean begins = c >= 'A' && c <= 'Z';
      if (begins && i > 0 && isWord(name.charAt(i - 1))) {
        words.append('_');
      }
      words.append(begins ? (char) (c - 'A' + 'a') : c);
    }
    return words.toString();
  }

  private static boolean isWord(char c) {
    return c >= 'a' && c <= 'z' || c >= '0' && c <= '9';
  }
}
