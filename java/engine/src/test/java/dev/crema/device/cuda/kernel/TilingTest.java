package dev.crema.device.cuda.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class TilingTest {
  private static Call call(int multiprocessors) {
    Processor processor = new Processor(90, multiprocessors, 227 << 10, 50 << 20);
    return new Call(null, 0, 1, List.of(), List.of(), processor, 0);
  }

  /** Shapes whose results QuantizedOpsTest and QuantizedConv2dTest check on such a card. */
  @ParameterizedTest
  @CsvSource({
    "1, 1024, true, strips_8, 256, 128", // one row of a batch: as many blocks as can be
    "32, 2112, true, strips_32, 256, 132",
    "49, 512, true, strips_8, 256, 256", // the last images of ResNet
    "640, 448, true, tiles_64, 128, 70",
    "640, 448, false, tiles_any, 128, 70",
    "1040, 1040, true, tiles_128, 256, 81",
    "1040, 1040, false, tiles_any, 128, 289",
    "18432, 6, false, tiles_any, 128, 288", // the first layer of LeNet
    "8448, 24, true, tiles_128, 256, 66",
    "0, 10, true, strips_8, 256, 0"
  })
  void theGreatestCutThatHalfOfTheCardIsBusyWith(
      long rows, long units, boolean whole, String kind, int threads, long blocks) {
    assertThat(Tiling.of(call(132), rows, units, whole))
        .isEqualTo(new Tiling(kind, threads, blocks));
  }

  @Test
  void aGridIsNoGreaterThanWhatACardTakesTurnsIn() {
    assertThat(Tiling.of(call(2), 1L << 30, 4096, true).blocks()).isEqualTo(64);
  }
}
