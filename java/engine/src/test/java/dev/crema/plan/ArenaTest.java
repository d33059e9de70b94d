package dev.crema.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;

class ArenaTest {
  @Property(tries = 300)
  void blocksThatLiveTogetherDoNotOverlap(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 120) int count) {
    Random random = new Random(seed);
    List<Liveness.Block> blocks = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      int from = random.nextInt(60);
      int to = random.nextInt(10) == 0 ? Integer.MAX_VALUE : from + random.nextInt(12);
      blocks.add(block(i, random.nextInt(4) == 0 ? 0 : random.nextInt(1000), from, to));
    }
    long bytes = Arena.place(blocks, true);
    for (Liveness.Block a : blocks) {
      assertThat(a.offset % 64).isZero();
      assertThat(a.offset + a.bytes).isLessThanOrEqualTo(bytes);
      for (Liveness.Block b : blocks) {
        boolean together = a.from <= b.to && b.from <= a.to;
        boolean overlap = a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
        assertThat(a != b && together && overlap && a.bytes > 0 && b.bytes > 0).isFalse();
      }
    }
    assertThat(bytes).isLessThanOrEqualTo(Arena.place(blocks, false));
  }

  @Test
  void aChainTakesTwoBlocksWhateverItsLength() {
    List<Liveness.Block> chain = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      chain.add(block(i, 640, i, i + 1));
    }
    assertThat(Arena.place(chain, true)).isEqualTo(1280);
    assertThat(Arena.place(chain, false)).isEqualTo(64000);
  }

  @Test
  void moreThanThereCanBeIsAnError() {
    List<Liveness.Block> blocks =
        List.of(block(0, Long.MAX_VALUE / 2, 0, 1), block(1, Long.MAX_VALUE / 2 + 1, 0, 1));
    assertThatThrownBy(() -> Arena.place(blocks, true))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("Lower the capacity");
  }

  private static Liveness.Block block(int number, long bytes, int from, int to) {
    Liveness.Block block = new Liveness.Block(number);
    block.bytes = bytes;
    block.from = from;
    block.to = to;
    return block;
  }
}
