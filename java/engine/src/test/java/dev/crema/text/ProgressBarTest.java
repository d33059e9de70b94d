package dev.crema.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ProgressBarTest {
  private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
  private long now = 5_000_000_000L;

  private ProgressBar bar(boolean interactive, boolean unicode, boolean colour, int columns) {
    var out = new PrintStream(bytes, false, StandardCharsets.ISO_8859_1);
    return new ProgressBar(out, new Terminal(interactive, unicode, colour, columns), () -> now);
  }

  private String text() {
    return bytes.toString(StandardCharsets.UTF_8);
  }

  private void pass(double seconds) {
    now += Math.round(seconds * 1e9);
  }

  @Test
  void showsStepBarMetricsRateAndTimeLeft() {
    ProgressBar bar = bar(true, true, false, 120);
    bar.begin("Epoch 3/10", 250, "loss", "accuracy");
    pass(7);
    bar.update(125, 4000, new double[] {0.23119, 0.931});
    assertThat(text())
        .isEqualTo(
            "\rEpoch 3/10  125/250 ━━━━━━━━━━━━━━━───────────────"
                + " loss 0.2312 accuracy 0.9310 571 examples/s ETA 0:07");
  }

  @Test
  void halfColumnsAndColoursMoveTheTip() {
    ProgressBar bar = bar(true, true, true, 100);
    bar.begin("", 60);
    pass(1);
    bar.update(1, 0, new double[0]);
    assertThat(text())
        .isEqualTo("\r1/60 \u001b[32m╸\u001b[90m" + "━".repeat(29) + "\u001b[0m ETA 0:59");
  }

  @Test
  void asciiTerminalsGetAsciiOnly() {
    ProgressBar bar = bar(true, false, false, 90);
    bar.begin("Époque 1", 10, "loss");
    pass(1);
    bar.update(5, 10, new double[] {12.5});
    assertThat(text()).contains("?poque 1  5/10 ===============>.............. loss");
    assertThat(bytes.toByteArray()).doesNotContain((byte) 0xC3, (byte) 0xE2);
  }

  @Test
  void redrawsAtMostTenTimesASecond() {
    ProgressBar bar = bar(true, true, false, 80);
    bar.begin("", 1000, "loss");
    for (int i = 1; i <= 1000; i++) {
      pass(0.001);
      bar.update(i, i, new double[] {i});
    }
    assertThat(text().chars().filter(c -> c == '\r').count()).isEqualTo(10);
  }

  @Test
  void anUpdateThatDoesNotDrawAllocatesNothing() {
    ProgressBar bar = bar(true, true, false, 80);
    double[] values = {1, 2};
    bar.begin("", 1_000_000, "loss", "accuracy");
    bar.update(0, 0, values);
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    for (int i = 0; i < 100_000; i++) {
      bar.update(i, i, values);
    }
    // 100,000 objects of the smallest size would be 1.6 MB.
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(100_000);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 5, 20, 30, 40, 60, 80, 200})
  void neverIsWiderThanTheTerminal(int columns) {
    ProgressBar bar = bar(true, true, false, columns);
    bar.begin("Epoch 1/2", 250, "loss", "accuracy", "top-5 accuracy");
    for (int i = 0; i < 20; i++) {
      pass(0.2);
      bar.update(i * 13, i * 416L, new double[] {1 / (i + 1.0), 0.5, Double.NaN});
    }
    for (String line : text().split("\r")) {
      assertThat(TerminalText.width(line)).isLessThan(Math.max(2, columns));
    }
  }

  @Test
  void theBarDoesNotJumpWhenANumberGetsShorter() {
    ProgressBar bar = bar(true, false, false, 40);
    bar.begin("", 100, "loss");
    bar.update(1, 0, new double[] {12345.6});
    pass(1);
    bar.update(2, 0, new double[] {1});
    assertThat(text()).contains("1/100 >....... loss 12345.6000", "2/100 >....... loss 1.0000");
  }

  @Test
  void aShorterLineCoversTheLongerOneBefore() {
    ProgressBar bar = bar(true, true, false, 100);
    bar.begin("", 0, "loss");
    bar.update(1, 0, new double[] {12345.678});
    pass(1);
    bar.update(2, 0, new double[] {1});
    assertThat(text()).isEqualTo("\r1 loss 12345.6780\r2 loss 1.0000    ");
  }

  @Test
  void writesOneLineAnEpochWhereNobodyWatches() {
    ProgressBar bar = bar(false, true, false, 20);
    for (int epoch = 1; epoch <= 2; epoch++) {
      bar.begin("Epoch " + epoch + "/2", 100, "loss");
      for (int i = 1; i <= 100; i++) {
        pass(0.02);
        bar.update(i, i * 32L, new double[] {0.5 / epoch});
      }
      bar.finish(Map.of("validation loss", 0.75));
    }
    assertThat(text())
        .isEqualTo(
            """
            Epoch 1/2  100/100 2.0s loss 0.5000 validation loss 0.7500 1,600 examples/s
            Epoch 2/2  100/100 2.0s loss 0.2500 validation loss 0.7500 1,600 examples/s
            """);
  }

  @Test
  void finishReplacesTheBarByItsLastLine() {
    ProgressBar bar = bar(true, true, false, 60);
    bar.begin("E", 2, "loss");
    pass(3700);
    bar.update(1, 0, new double[] {1e-7});
    bar.finish();
    assertThat(text()).contains("ETA 1:01:40");
    assertThat(text().substring(text().lastIndexOf('\r') + 1))
        .isEqualTo("E  1/2 1:01:40 loss 1.000e-07\n");
  }

  @Test
  void aMessageStandsAboveTheBar() {
    ProgressBar bar = bar(true, true, false, 60);
    bar.begin("E", 10);
    pass(1);
    bar.update(1, 0, new double[0]);
    bar.println("checkpoint\nsaved");
    bar.update(2, 0, new double[0]);
    assertThat(text()).contains("\rcheckpoint saved\n\rE  2/10");
  }

  @Test
  void wrongUseIsNamed() {
    ProgressBar bar = bar(true, true, false, 60);
    assertThatThrownBy(() -> bar.update(1, 1, new double[0]))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("before begin");
    bar.begin("", 1, "loss");
    assertThatThrownBy(() -> bar.update(1, 1, new double[2]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("expected 1 values (loss), got 2");
  }

  @Test
  void theEnvironmentDecidesWhatATerminalCanDo() {
    assertThat(Terminal.of(Map.of("COLUMNS", "132", "TERM", "xterm"), true, "UTF-8"))
        .isEqualTo(new Terminal(true, true, true, 132));
    assertThat(Terminal.of(Map.of("NO_COLOR", "1"), true, "utf-8"))
        .isEqualTo(new Terminal(false, true, false, 80));
    assertThat(Terminal.of(Map.of("NO_COLOR", ""), true, "UTF-8").interactive()).isTrue();
    assertThat(Terminal.of(Map.of("TERM", "dumb"), true, "UTF-8").interactive()).isFalse();
    assertThat(Terminal.of(Map.of("COLUMNS", "wide"), false, "ANSI_X3.4-1968"))
        .isEqualTo(new Terminal(false, false, false, 80));
  }
}
