package dev.crema.bench.serving;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IdleCoresTest {
  @TempDir private Path system;

  @Test
  void aMachineThatDoesNotPollIsRemarked() throws IOException {
    write("devices/system/cpu/cpuidle/current_governor", "haltpoll");
    write("module/haltpoll/parameters/guest_halt_poll_ns", "0");
    assertThat(IdleCores.remark(system).orElseThrow())
        .contains("at once")
        .contains("echo 200000 > /sys/module/haltpoll/parameters/guest_halt_poll_ns");
  }

  @Test
  void oneThatPollsSaysForHowLong() throws IOException {
    write("devices/system/cpu/cpuidle/current_governor", "haltpoll");
    write("module/haltpoll/parameters/guest_halt_poll_ns", "200000");
    assertThat(IdleCores.remark(system)).hasValueSatisfying(r -> assertThat(r).contains("200000"));
  }

  @Test
  void othersHaveNoRemark() throws IOException {
    assertThat(IdleCores.remark(system)).isEmpty();
    write("devices/system/cpu/cpuidle/current_governor", "menu");
    write("module/haltpoll/parameters/guest_halt_poll_ns", "0");
    assertThat(IdleCores.remark(system)).isEmpty();
  }

  private void write(String name, String text) throws IOException {
    Path file = system.resolve(name);
    Files.createDirectories(file.getParent());
    Files.writeString(file, text + "\n");
  }
}
