package dev.crema.train;

import dev.crema.data.Datasets;
import dev.crema.data.IndexedDataset;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** A model with a shared trunk, a classification "kind" and a regression "place"; data for it. */
final class TwoOutputs {
  static final int FEATURES = 3;
  static final int HIDDEN = 5;
  static final int KINDS = 3;
  static final int PLACES = 2;
  static final int ROWS = 60;

  static final float[][] X = new float[ROWS][FEATURES];
  static final int[] KIND = new int[ROWS];
  static final float[][] PLACE = new float[ROWS][PLACES];

  static {
    Random random = new Random(4);
    for (int i = 0; i < ROWS; i++) {
      for (int j = 0; j < FEATURES; j++) {
        X[i][j] = (float) random.nextGaussian();
      }
      KIND[i] = X[i][0] > 0.5 ? 2 : X[i][1] > 0 ? 1 : 0;
      PLACE[i][0] = X[i][0] - 0.5f * X[i][2];
      PLACE[i][1] = X[i][1] * X[i][0];
    }
  }

  private TwoOutputs() {}

  static Model model() {
    Symbol x = Symbol.input("x", FEATURES);
    Symbol trunk = Dense.of(HIDDEN, Activation.TANH).named("trunk", x);
    Symbol kind = Dense.of(KINDS, Activation.SOFTMAX).named("kind", trunk);
    Symbol place = Dense.of(PLACES).named("place", trunk);
    return Model.of(List.of(x), List.of(kind, place), 1);
  }

  /** The first {@code rows} examples. */
  static IndexedDataset data(int rows) {
    return Datasets.arrays()
        .input("x", Arrays.copyOf(X, rows))
        .target("kind", Arrays.copyOf(KIND, rows), List.of("a", "b", "c"))
        .target("place", Arrays.copyOf(PLACE, rows))
        .build();
  }

  static IndexedDataset data() {
    return data(ROWS);
  }

  /** The targets of one output alone. */
  static IndexedDataset kinds(int rows) {
    return Datasets.of(Arrays.copyOf(X, rows), Arrays.copyOf(KIND, rows), List.of("a", "b", "c"));
  }

  static IndexedDataset places(int rows) {
    return Datasets.regression(Arrays.copyOf(X, rows), Arrays.copyOf(PLACE, rows));
  }

  /** All parameters, one after the other. */
  static float[] parameters(Model model) {
    float[] all = new float[Math.toIntExact(model.parameters().byteSize() / 4)];
    model.parameters().bytes(0, 4 * all.length).asFloatBuffer().get(all);
    return all;
  }
}
