package dev.crema.bench.gpu;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.device.Device;
import dev.crema.device.cuda.EmulatedCard;
import dev.crema.nn.BuiltIn;
import dev.crema.nn.Model;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The works of the table, small. */
class CardWorksTest {
  private static final List<String> OF_TRAINING = List.of("wide-mlp", "resnet18");

  @TempDir private Path folder;

  static List<CardWork> works() {
    return CardWorks.of(Sizes.tiny());
  }

  @ParameterizedTest
  @MethodSource("works")
  void everyWorkRunsOnTheCpu(CardWork work) {
    check(work, Device.cpu());
  }

  /** Convolutional networks take minutes there, and their ops are tested one by one. */
  static List<CardWork> emulated() {
    return works().stream()
        .filter(work -> !List.of("lenet", "resnet18").contains(work.name()))
        .toList();
  }

  @ParameterizedTest
  @MethodSource("emulated")
  void everyWorkRunsOnACard(CardWork work) {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    try (EmulatedCard card = new EmulatedCard()) {
      check(work, card.device());
    }
  }

  private static void check(CardWork work, Device device) {
    CardReport report =
        new CardBench(device, Sizes.tiny(), new CardTimer(1, 0, 0), line -> {}).run(List.of(work));
    CardReport.Row row = report.rows().get(0);
    assertThat(row.failure()).isNull();
    assertThat(row.median()).isPositive();
    assertThat(report.limits().seconds(work)).isPositive();
  }

  /** What is timed is the work, not its way to the card and back. */
  @Test
  void aRunOfAnOperationCopiesNothingToTheCardOrBack() {
    assumeTrue(EmulatedCard.missing() == null, EmulatedCard::missing);
    for (CardWork work : works()) {
      if (work.given() != null || OF_TRAINING.contains(work.name())) {
        continue;
      }
      try (EmulatedCard card = new EmulatedCard();
          CardTask task = work.maker().make(card.device())) {
        for (int i = 0; i < 3; i++) {
          task.run();
        }
        card.clearLog();
        task.run();
        assertThat(card.calls("cuGraphLaunch")).as(work.name()).isEqualTo(1);
        assertThat(card.calls("cuMemcpyHtoDAsync") + card.calls("cuMemcpyDtoHAsync"))
            .as(work.name())
            .isZero();
      }
    }
  }

  /** By hand: a stem, blocks of 3×3 convolutions, projections, 512 features to 1000 classes. */
  @Test
  void productsAreThoseOfTheLayers() {
    long[] image = {224, 224, 3};
    double stem = 112.0 * 112 * 64 * 147;
    double first = 4 * 56.0 * 56 * 64 * 64 * 9; // one stage without a change of shape
    double stages = 0;
    for (int c : new int[] {128, 256, 512}) {
      double pixels = Math.pow(56.0 * 64 / c, 2);
      stages += pixels * c * (9.0 * c / 2 + 3 * 9.0 * c + c / 2.0);
    }
    try (Model model =
        Model.of(BuiltIn.topology("resnet18", image, BuiltIn.Output.CLASSES, 1000), 1)) {
      assertThat(Products.of(model).stream().mapToDouble(Long::doubleValue).sum())
          .isEqualTo(stem + first + stages + 512_000);
    }
  }

  @Test
  void aStepsProductsAreTheForwardsThriceButTheFirstLayersTwice() {
    CardWork seed = works().get(0);
    assertThat(seed.flops()).isEqualTo(2.0 * 32 * (2 * 6400 + 3 * 4096 + 3 * 640));
  }

  @Test
  void aPredictionsProductsAreTheForwards() {
    for (String name : List.of("mlp-int8", "mlp-fp8")) {
      assertThat(work(name).flops()).isEqualTo(2.0 * 8 * (16 * 32 + 32 * 32 + 32 * 16));
    }
    assertThat(work("product-int8").flops()).isEqualTo(2.0 * 64 * 64 * 64);
  }

  private static CardWork work(String name) {
    return works().stream().filter(w -> w.name().equals(name)).findFirst().orElseThrow();
  }

  /** Bytes stand for numbers of the same layers, so both predictions are about the same. */
  @Test
  void predictionsOfBytesAreTheSameButForRounding() {
    float[] int8 = result("mlp-int8");
    float[] fp8 = result("mlp-fp8");
    assertThat(int8).hasSize(8 * 16).isNotEqualTo(new float[int8.length]);
    // Of numbers up to about 0.3: steps of 1/85 in int8, three bits of a fraction in fp8.
    assertThat(fp8).containsExactly(int8, within(0.05f));
  }

  private static float[] result(String name) {
    try (CardTask task = work(name).maker().make(Device.cpu())) {
      task.run();
      return task.result();
    }
  }

  @Test
  void aBlocksProductsAreThoseOfItsMatrices() {
    Sizes s = Sizes.tiny(); // width 16, sequence 8, batch 2
    double linear = 2.0 * 16 * 16 * (3 + 1 + 4 + 4);
    double attention = 2 * 2.0 * 8 * 16;
    assertThat(TransformerBlock.flops(s)).isEqualTo(3 * 16 * (linear + attention));
  }

  @Test
  void whatPyTorchBeginsWithIsWritten() throws IOException {
    for (CardWork work : works()) {
      if (work.given() != null) {
        work.given().write(folder, work.name());
      }
    }
    long parameters = 100 * 64 + 64 + 64 * 64 + 64 + 640 + 10;
    assertThat(folder.resolve("seed-mlp.weights")).hasSize(4 * parameters);
    assertThat(folder.resolve("seed-mlp.examples")).hasSize(4 * 32 * 100);
    assertThat(folder.resolve("seed-mlp.targets")).hasSize(4 * 32);
    long lenet = 25 * 32 + 32 + 25 * 32 * 64 + 64 + 1024 * 512 + 512 + 512 * 10 + 10;
    assertThat(folder.resolve("lenet.weights")).hasSize(4 * lenet);
  }

  @Test
  void theDocumentHasWhatTheTableNeeds() {
    List<CardReport.Row> rows = new ArrayList<>();
    for (CardWork work : works()) {
      List<String> ways =
          work.arithmetic() == Arithmetic.INT8
              ? List.of(
                  "QuantizedLinear: tiles_128",
                  "QuantizedLinear 1: imma",
                  "QuantizedLinear 2: tiles_128")
              : List.of();
      double[] losses = {2, 1};
      rows.add(new CardReport.Row(work, List.of(0.5, 0.25, 1.0), losses, ways, null));
    }
    CardLimits limits = new CardLimits(1e12, Map.of(Arithmetic.FP32, 1e13));
    CardReport report = new CardReport(Device.cpu(), Sizes.tiny(), limits, rows);
    JsonNode json = report.json();
    assertThat(json.at("/sizes/mlpBatch").asInt()).isEqualTo(8);
    assertThat(json.at("/limits/fp32").asDouble()).isEqualTo(1e13);
    JsonNode seed = json.at("/works/0");
    assertThat(seed.get("seconds").asDouble()).isEqualTo(0.5);
    assertThat(seed.at("/bars/0").toString())
        .isEqualTo("{\"times\":10.0,\"over\":\"PyTorch eager\",\"modes\":[\"eager\"]}");
    assertThat(json.at("/works/5/bars/0/of_limit").asDouble()).isEqualTo(0.9);
    assertThat(seed.has("ways")).isFalse();
    JsonNode bytes =
        json.get("works").get(works().stream().map(CardWork::name).toList().indexOf("mlp-int8"));
    assertThat(bytes.at("/ways/1").asText()).isEqualTo("QuantizedLinear 1: imma");
    assertThat(bytes.get("description").asText()).endsWith("; the card chose 2 × tiles_128, imma");
  }
}
