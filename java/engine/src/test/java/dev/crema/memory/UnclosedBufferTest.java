package dev.crema.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;

/** Works on the parts, so that the leak check of all tests sees no leak. */
class UnclosedBufferTest {
  @Test
  void theLastLeaseGivesTheBlockBackOnceWhoeverEndsIt() {
    int[] freed = new int[1];
    Hold hold = new Hold(new Block(64, 8, true, (address, bytes) -> freed[0]++), "Test");
    hold.retain();
    assertThat(hold.close()).isFalse();
    assertThat(hold.close()).isFalse();
    assertThat(freed[0]).isZero();
    assertThat(hold.release()).isTrue();
    hold.run();
    assertThat(freed[0]).isEqualTo(1);
  }

  @Test
  void theCollectorGivesBackWhatNobodyClosed() {
    int[] freed = new int[1];
    register(freed);
    for (int i = 0; i < 12 && freed[0] == 0; i++) {
      System.gc();
      LockSupport.parkNanos(1_000_000L << i);
    }
    assertThat(freed[0]).isEqualTo(1);
  }

  private static void register(int[] freed) {
    Block block = new Block(64, 8, true, (address, bytes) -> freed[0]++);
    Block.CLEANER.register(new Object(), block::drop);
  }
}
