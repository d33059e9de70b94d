package dev.crema.text;

import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongSupplier;

/**
 * Shows how an epoch advances:
 *
 * <pre>Epoch 3/10  125/250 ━━━━━╸━━━━ loss 0.2312 accuracy 0.9310 12,345 examples/s ETA 0:07</pre>
 *
 * <p>On an interactive terminal the line is drawn again at most ten times a second; elsewhere one
 * line is written when the epoch ends. {@link #update} allocates nothing when it doesn't draw. Not
 * thread-safe: one bar belongs to one training thread. The stream is flushed, never closed.
 */
public final class ProgressBar {
  private static final long REDRAW_NANOS = 100_000_000L;
  private static final int MAX_BAR = 30;
  private static final int MIN_BAR = 5;
  private static final String GREEN = "\u001b[32m";
  private static final String GREY = "\u001b[90m";
  private static final String PLAIN = "\u001b[0m";

  private final PrintStream out;
  private final Terminal terminal;
  private final LongSupplier nanoClock;

  private String title = "";
  private String[] names = {};
  private double[] values = {};
  private long total;
  private long step;
  private long examples;
  private long started;
  private long drawn;
  private int drawnWidth;
  // Only shrinks within an epoch, so that the bar doesn't jump with the lengths of the numbers.
  private int barWidth;
  private boolean running;

  /** A bar on standard error. */
  public ProgressBar() {
    this(System.err, Terminal.standardError(), System::nanoTime);
  }

  /**
   * @param out where it is drawn; bytes are written as UTF-8, or as ASCII if the terminal says so
   * @param nanoClock nanoseconds, as {@link System#nanoTime()}
   */
  public ProgressBar(PrintStream out, Terminal terminal, LongSupplier nanoClock) {
    this.out = out;
    this.terminal = terminal;
    this.nanoClock = nanoClock;
  }

  /**
   * Begins an epoch.
   *
   * @param title text in front, such as {@code Epoch 3/10}
   * @param steps steps of the epoch; 0 or less when nobody knows, which leaves out bar and ETA
   * @param metrics names of the values that {@link #update} will give, in order
   */
  public void begin(String title, long steps, String... metrics) {
    if (running) {
      finish();
    }
    this.title = TerminalText.printable(title);
    names = Arrays.stream(metrics).map(TerminalText::printable).toArray(String[]::new);
    values = new double[metrics.length];
    total = steps;
    step = 0;
    examples = 0;
    started = nanoClock.getAsLong();
    drawn = started - REDRAW_NANOS;
    barWidth = MAX_BAR;
    running = true;
  }

  /**
   * Tells how far the epoch is. The values are copied: a caller may use one array for all steps.
   *
   * @param step steps done, from the beginning of the epoch
   * @param examples examples seen, from the beginning of the epoch
   * @param metrics one value for each name of {@link #begin}
   */
  public void update(long step, long examples, double[] metrics) {
    if (!running) {
      throw new IllegalStateException("ProgressBar.update before begin: no epoch is under way.");
    }
    if (metrics.length != values.length) {
      throw new IllegalArgumentException(
          "ProgressBar.update: expected %s values (%s), got %s."
              .formatted(values.length, String.join(", ", names), metrics.length));
    }
    this.step = step;
    this.examples = examples;
    System.arraycopy(metrics, 0, values, 0, values.length);
    if (!terminal.interactive()) {
      return;
    }
    long now = nanoClock.getAsLong();
    if (now - drawn >= REDRAW_NANOS) {
      drawn = now;
      draw(now);
    }
  }

  /** Prints a line above the bar; the bar is drawn again at the next update. */
  public void println(String message) {
    clear();
    print(TerminalText.printable(message) + "\n");
    drawn = nanoClock.getAsLong() - REDRAW_NANOS;
  }

  /** Ends the epoch: its last line stays, with the time it took. */
  public void finish() {
    finish(Map.of());
  }

  /**
   * Ends the epoch.
   *
   * @param more values known only now, such as those of the validation; shown in the map's order
   */
  public void finish(Map<String, Double> more) {
    if (!running) {
      return;
    }
    running = false;
    long elapsed = nanoClock.getAsLong() - started;
    var tail = new StringBuilder();
    tail.append(elapsed < 60e9 ? format("%.1fs", elapsed / 1e9) : clock(elapsed));
    for (int i = 0; i < names.length; i++) {
      tail.append(' ').append(names[i]).append(' ').append(value(values[i]));
    }
    more.forEach(
        (name, v) ->
            tail.append(' ').append(TerminalText.printable(name)).append(' ').append(value(v)));
    tail.append(rate(elapsed));
    clear();
    // The last line is whole whatever the width: a wrapped value is better than a lost one.
    print(head() + " " + tail + "\n");
  }

  private void draw(long now) {
    long elapsed = now - started;
    String head = head();
    var metrics = new StringBuilder();
    for (int i = 0; i < names.length; i++) {
      metrics.append(' ').append(names[i]).append(' ').append(value(values[i]));
    }
    String rate = rate(elapsed);
    String eta = eta(elapsed);
    int room = terminal.columns() - 1 - TerminalText.width(head);
    int bar = room - 1 - TerminalText.width(metrics) - rate.length() - eta.length();
    if (total > 0 && bar < MIN_BAR) {
      bar += rate.length();
      rate = "";
    }
    String tail = metrics + rate + eta;
    if (total <= 0 || bar < MIN_BAR) {
      bar = 0;
      tail = TerminalText.cut(tail, Math.max(0, room));
    }
    bar = Math.min(bar, barWidth);
    barWidth = bar > 0 ? bar : barWidth;
    int width = TerminalText.width(head) + (bar > 0 ? 1 + bar : 0) + TerminalText.width(tail);
    if (bar == 0 && width > terminal.columns() - 1) {
      head = TerminalText.cut(head, terminal.columns() - 1);
      width = TerminalText.width(head);
      tail = "";
    }
    String rest = " ".repeat(Math.max(0, drawnWidth - width));
    print("\r" + head + (bar > 0 ? " " + bar(bar) : "") + tail + rest);
    drawnWidth = width;
  }

  private String head() {
    String count = total > 0 ? format("%,d/%,d", step, total) : format("%,d", step);
    return title.isEmpty() ? count : title + "  " + count;
  }

  private String bar(int columns) {
    double share = Math.min(1, Math.max(0, (double) step / total));
    // Halves of a column; the head ╸ is the left half.
    int halves = (int) (share * 2 * columns);
    int full = halves / 2;
    boolean half = halves % 2 == 1;
    if (!terminal.unicode()) {
      boolean tip = full < columns;
      return "=".repeat(full) + (tip ? ">" : "") + ".".repeat(columns - full - (tip ? 1 : 0));
    }
    String done = "━".repeat(full) + (half ? "╸" : "");
    int left = columns - full - (half ? 1 : 0);
    return terminal.colour()
        ? GREEN + done + GREY + "━".repeat(left) + PLAIN
        : done + "─".repeat(left);
  }

  private String rate(long elapsed) {
    return examples > 0 && elapsed > 0
        ? format(" %,d examples/s", Math.round(examples * 1e9 / elapsed))
        : "";
  }

  private String eta(long elapsed) {
    if (total <= 0 || step <= 0) {
      return "";
    }
    double left = (double) elapsed / step * Math.max(0, total - step);
    return " ETA " + clock(Math.round(left));
  }

  /** Nanoseconds as m:ss or h:mm:ss. */
  private static String clock(long nanos) {
    long seconds = Math.round(nanos / 1e9);
    return seconds < 3600
        ? format("%d:%02d", seconds / 60, seconds % 60)
        : format("%d:%02d:%02d", seconds / 3600, seconds / 60 % 60, seconds % 60);
  }

  private static String value(double v) {
    double size = Math.abs(v);
    if (!Double.isFinite(v)) {
      return String.valueOf(v);
    }
    return size == 0 || (size >= 1e-3 && size < 1e5) ? format("%.4f", v) : format("%.3e", v);
  }

  private static String format(String pattern, Object... arguments) {
    return String.format(Locale.ROOT, pattern, arguments);
  }

  private void clear() {
    if (drawnWidth > 0) {
      print("\r" + " ".repeat(drawnWidth) + "\r");
      drawnWidth = 0;
    }
  }

  private void print(String text) {
    byte[] bytes =
        terminal.unicode()
            ? text.getBytes(StandardCharsets.UTF_8)
            : text.replace("…", "~").getBytes(StandardCharsets.US_ASCII);
    out.write(bytes, 0, bytes.length);
    out.flush();
  }
}
