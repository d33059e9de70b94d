package dev.crema.nn;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.io.Json;
import java.util.List;
import org.junit.jupiter.api.Test;

class SummaryTest {
  @Test
  void aChainOfLayersIsATable() {
    Model model =
        Model.of(BuiltIn.topology("seed-mlp", new long[] {100}, BuiltIn.Output.VALUES, 10), 1);
    try (model) {
      assertThat(model.summary())
          .hasToString(
              """
              ┌─────────────────┬──────────┬────────────┬────────┬────────┐
              │ Layer (type)    │ Output   │ Parameters │ Memory │  FLOPs │
              ├─────────────────┼──────────┼────────────┼────────┼────────┤
              │ x (input)       │ [n, 100] │          0 │  400 B │      0 │
              │ dense_1 (dense) │ [n, 64]  │      6,464 │  256 B │ 12,928 │
              │ dense_2 (dense) │ [n, 64]  │      4,160 │  256 B │  8,320 │
              │ output (dense)  │ [n, 10]  │        650 │   40 B │  1,290 │
              └─────────────────┴──────────┴────────────┴────────┴────────┘
              Parameters: 11,274 trained, 0 not trained, 44.1 KB
              One example of x: 22,538 FLOPs (a multiplication and an addition are two)
              A batch of 32: 16.0 KB of memory besides inputs and parameters
              """);
    }
  }

  @Test
  void aBranchingModelSaysWhatEachLayerReads() {
    Symbol a = Symbol.input("a", 4);
    Symbol b = Symbol.input("b", 4);
    Dense tower = Dense.of(3);
    Symbol both = new Concat().named("both", tower.named("left", a), tower.named("right", b));
    try (Model model = Model.of(List.of(a, b), List.of(both), 1)) {
      Summary summary = model.summary();
      assertThat(summary.layers())
          .extracting(Summary.Row::parameters)
          .containsExactly(0L, 0L, 15L, 0L, 0L);
      assertThat(summary.layers().get(3).shares()).isEqualTo("left");
      assertThat(summary.toString())
          .contains("│ right (dense) │ [n, 3] │    as left │   12 B │    27 │ b           │")
          .contains("│ both (concat) │ [n, 6] │          0 │   24 B │     0 │ left, right │");
    }
  }

  @Test
  void flopsOfConvolutionsCountTheirWindows() {
    try (Model model =
        Model.of(BuiltIn.topology("lenet", new long[] {28, 28, 1}, BuiltIn.Output.VALUES, 10), 1)) {
      List<Summary.Row> rows = model.summary().layers();
      // 28 · 28 · 6 outputs of 25 products, one bias and one ReLU each.
      assertThat(rows.get(1).flops()).isEqualTo(28 * 28 * 6 * (2 * 25 + 2));
      assertThat(rows.get(2).flops()).isEqualTo(14 * 14 * 6 * 4);
      assertThat(rows.get(3).flops()).isEqualTo(10 * 10 * 16 * (2 * 25 * 6 + 2));
      assertThat(rows.get(5).flops()).isZero();
      assertThat(rows.get(6).flops()).isEqualTo(120 * (2 * 400 + 2));
    }
  }

  @Test
  void groupsAndTransposedConvolutionsCountOnlyWhatTheyDo() {
    Symbol x = Symbol.input("x", 8, 8, 4);
    Symbol grouped = Conv2d.of(6, 1).withGroups(2).withoutBias().apply(x);
    Symbol deep = DepthwiseConv2d.of(3).withoutBias().withPadding(Padding.SAME).apply(x);
    Symbol wide = ConvTranspose2d.of(5, 2, 2).withoutBias().apply(x);
    try (Model model = Model.of(List.of(x), List.of(grouped, deep, wide), 1)) {
      assertThat(model.summary().layers())
          .extracting(Summary.Row::flops)
          .containsExactly(0L, 64L * 6 * 2 * 2, 64L * 4 * 2 * 9, 64L * 4 * 2 * 4 * 5);
    }
  }

  @Test
  void runningMeansAreNotTrained() {
    Symbol x = Symbol.input("x", 6, 5);
    try (Model model = Model.of(List.of(x), List.of(x.then(new BatchNorm()).then(Lstm.of(3))), 1)) {
      Summary summary = model.summary();
      assertThat(summary.trained()).isEqualTo(10 + 4 * 3 * (5 + 3 + 1));
      assertThat(summary.notTrained()).isEqualTo(10);
      assertThat(summary.toString()).contains("Parameters: 118 trained, 10 not trained, ");
      // Six steps of twelve gates: two products and about ten operations each.
      assertThat(summary.layers().get(2).flops()).isEqualTo(6 * 12 * (2 * (5 + 3) + 10));
    }
  }

  @Test
  void anAttentionCountsItsProducts() {
    Symbol x = Symbol.input("x", 6, 8);
    try (Model model = Model.of(List.of(x), List.of(x.then(MultiHeadAttention.of(2))), 1)) {
      long linear = 6 * 8 * (2 * 8 + 1);
      long products = 2 * 2 * (6 * 6 * 2 * 4); // scores and means of two heads of four
      long rest = 6 * 8 + 5 * 2 * 6 * 6; // the scale and softmax
      assertThat(model.summary().layers().get(1).flops()).isEqualTo(4 * linear + products + rest);
    }
  }

  @Test
  void aSummaryIsAJsonDocument() {
    try (Model model = Model.sequential(4).dense(3).build(1)) {
      assertThat(Json.mapper().valueToTree(model.summary()).at("/layers/1/output").asText())
          .isEqualTo("[n, 3]");
    }
  }
}
