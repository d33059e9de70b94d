package dev.crema.plan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.device.cpu.CpuDevice;
import dev.crema.natives.Crema;
import dev.crema.pass.DropIdentity;
import dev.crema.pass.EliminateCommon;
import dev.crema.pass.FuseElementwise;
import dev.crema.pass.Pass;
import dev.crema.pass.Passes;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class PlanPropertyTest {
  @Property(tries = 300)
  void sharedMemoryChangesNoBit(@ForAll long seed, @ForAll @IntRange(min = 1, max = 80) int size) {
    check(seed, size, List.of());
  }

  @Property(tries = 150)
  void droppingIdentitiesChangesNothing(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 80) int size) {
    check(seed, size, List.of(new DropIdentity()));
  }

  @Property(tries = 150)
  void eliminatingCommonValuesChangesNothing(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 80) int size) {
    check(seed, size, List.of(new EliminateCommon()));
  }

  @Property(tries = 200)
  void fusionChangesNothing(@ForAll long seed, @ForAll @IntRange(min = 1, max = 80) int size) {
    check(seed, size, List.of(new FuseElementwise()));
  }

  @Property(tries = 300)
  void allPassesTogetherChangeNothing(
      @ForAll long seed, @ForAll @IntRange(min = 1, max = 80) int size) {
    check(seed, size, Passes.standard());
  }

  /** Against a plan without passes in which every tensor has memory of its own. */
  private static void check(long seed, int size, List<Pass> passes) {
    RandomGraph random = new RandomGraph(seed, size).withGradients();
    Crema.crema_poison(1);
    try {
      for (CpuDevice device : CpuDevice.levels()) {
        List<float[]> expected = random.run(device, List.of(), false, 1);
        List<float[]> actual = random.run(device, passes, true, 1 + (int) (seed & 1));
        for (int i = 0; i < expected.size(); i++) {
          assertThat(actual.get(i)).as("%s, result %d", device, i).containsExactly(expected.get(i));
        }
      }
    } finally {
      Crema.crema_poison(0);
    }
  }
}
