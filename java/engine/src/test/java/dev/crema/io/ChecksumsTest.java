package dev.crema.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.CremaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChecksumsTest {
  // FIPS 180-4 example: one block, "abc".
  private static final String ABC =
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

  // FIPS 180-4 example: a million times "a".
  private static final String MILLION =
      "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

  @TempDir Path folder;

  @Test
  void sumsAreThoseOfTheStandard() throws IOException {
    Path file = folder.resolve("a");
    assertThat(Checksums.sha256(Files.writeString(file, "abc"))).isEqualTo(ABC);
    assertThat(Checksums.sha256(Files.writeString(file, "a".repeat(1_000_000)))).isEqualTo(MILLION);
  }

  @Test
  void theJsonFormComesBackSorted() {
    var sums = new Checksums(Map.of("b", ABC, "a", MILLION));
    assertThat(Checksums.parse(sums.toJson(), "x")).isEqualTo(sums);
    assertThat(sums.sums().keySet()).containsExactly("a", "b");
  }

  @Test
  void aWrongSumNamesFileExpectedGotAndWhatToDo() {
    var sums = new Checksums(Map.of("a", ABC));
    assertThatThrownBy(() -> sums.verify("a", MILLION, "m/a"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("m/a is damaged")
        .hasMessageContaining("expected SHA-256 " + ABC + ", got " + MILLION)
        .hasMessageContaining("Copy the model again");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[]",
        "{}",
        "{\"algorithm\":\"MD5\",\"files\":{}}",
        "{\"algorithm\":\"SHA-256\",\"files\":[]}",
        "{\"algorithm\":\"SHA-256\",\"files\":{\"a\":1}}",
        "{\"algorithm\":\"SHA-256\",\"files\":{\"a\":\"abc\"}}"
      })
  void otherFormsAreRefused(String json) {
    assertThatThrownBy(() -> Checksums.parse(Json.parse(json, "sums"), "sums"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("sums: ");
  }
}
