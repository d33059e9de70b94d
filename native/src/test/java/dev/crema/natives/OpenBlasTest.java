package dev.crema.natives;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** In JVMs of their own: a core is chosen once a process. One cache for all: it holds 40 MB. */
class OpenBlasTest {
  @TempDir private static Path cache;

  private String core;

  private static Jvm.Setup setup() {
    return new Jvm.Setup().property("crema.cache", cache);
  }

  @BeforeEach
  void theCoreForThisProcessor() {
    core = OpenBlas.coreFor(Crema.crema_isa_name(Crema.crema_isa_active()));
  }

  private void assertCore(String output) {
    if (core != null) {
      assertThat(output).containsIgnoringCase("core " + core + "\n");
    }
    assertThat(output).contains("0 of 4225 elements are wrong").endsWith("exit 0");
  }

  @Test
  void loadsWithTheCoreForThisProcessorAndMultiplies() {
    assertCore(setup().run("blas"));
  }

  @Test
  void aCoreInTheEnvironmentIsReplacedWithOneLoggedLine() {
    String output = setup().variable("OPENBLAS_CORETYPE", "Nehalem").run("blas");
    assertCore(output);
    if (core != null) {
      assertThat(output).contains("OPENBLAS_CORETYPE=Nehalem is replaced by " + core);
    }
  }

  @Test
  void anotherCoreCanBeChosen() {
    if (core != null) {
      String output = setup().variable("CREMA_BLAS_CORE", "Nehalem").run("blas");
      assertThat(output).containsIgnoringCase("core Nehalem\n").contains("\n0 of 4225");
    }
  }

  @Test
  void aPlatformWithoutItIsNamed() {
    assertThat(OpenBlas.isPackaged()).isTrue();
    assertThat(OpenBlas.coreFor("scalar")).isIn("Prescott", null);
  }
}
