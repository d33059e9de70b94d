package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.crema.CremaException;
import dev.crema.nn.Activation;
import dev.crema.nn.Model;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ResultsTest {
  @TempDir private Path folder;

  @Test
  void aModelThatCannotBeSavedWhereItShouldIsSavedElsewhere() throws IOException {
    Path file = Files.writeString(folder.resolve("file"), "in the way");
    try (Model model = Model.sequential(3).dense(2, Activation.SOFTMAX).build(7)) {
      CremaException e =
          catchThrowableOfType(
              CremaException.class, () -> Results.save(model, file.resolve("model.zip")));
      Matcher place = Pattern.compile("saved in (.*model\\.zip) instead").matcher(e.getMessage());
      assertThat(place.find()).as(e.getMessage()).isTrue();
      Path instead = Path.of(place.group(1));
      try (Model read = Model.load(instead)) {
        assertThat(read.summary()).isEqualTo(model.summary());
      } finally {
        Files.delete(instead);
        Files.delete(instead.getParent());
      }
      assertThat(file).hasContent("in the way");
    }
  }
}
