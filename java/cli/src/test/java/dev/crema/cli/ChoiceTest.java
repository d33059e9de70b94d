package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.crema.compress.CalibrationMethod;
import java.util.List;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

class ChoiceTest {
  private enum Size {
    VERY_SMALL,
    BIG
  }

  @Command
  private static final class Sized {
    @Option(names = "--size", defaultValue = "big")
    private Size size;

    @Option(names = "--more", split = ",")
    private List<Size> more;
  }

  @Test
  void understandsCapitalsAndUnderscores() {
    Choice<CalibrationMethod> choice = new Choice<>(CalibrationMethod.class);
    for (String value : new String[] {"min-max", "MIN_MAX", "Min-Max"}) {
      assertThat(choice.convert(value)).isEqualTo(CalibrationMethod.MIN_MAX);
    }
  }

  @Test
  void readsOptionsOfOneChoiceAndOfMany() {
    Sized sized = new Sized();
    CommandLine line = new CommandLine(sized);
    Choice.addTo(line);
    line.parseArgs("--more", "very-small,BIG");
    assertThat(sized.size).isEqualTo(Size.BIG);
    assertThat(sized.more).containsExactly(Size.VERY_SMALL, Size.BIG);
  }

  @Test
  void namesAllThatThereIs() {
    CommandLine line = new CommandLine(new Sized());
    Choice.addTo(line);
    assertThatThrownBy(() -> line.parseArgs("--size", "x"))
        .hasMessage(
            "Invalid value for option '--size': expected one of [very-small, big] but was 'x'");
  }
}
