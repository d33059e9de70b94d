package dev.crema.eval.plot;

import dev.crema.CremaException;
import dev.crema.text.TerminalText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A picture of one or more panels side by side. Immutable.
 *
 * <pre>{@code
 * Plot.of("Training", Axes.of("Loss", "epoch", "loss", Series.line("training", losses)))
 *     .write(Path.of("curves.svg"));
 * }</pre>
 *
 * @param title above all panels; may be empty
 * @param width pixels
 * @param height pixels
 * @param panels from left to right, of equal width
 */
public record Plot(String title, int width, int height, List<Panel> panels) {
  private static final int DEFAULT_WIDTH = 1200;
  private static final int DEFAULT_HEIGHT = 500;
  private static final int MAX_PIXELS = 10_000;
  private static final double MARGIN = 24;
  private static final double BETWEEN = 40;

  public Plot {
    panels = List.copyOf(panels);
    if (width < 100 || height < 100 || width > MAX_PIXELS || height > MAX_PIXELS) {
      throw new IllegalArgumentException(
          "Plot: expected a size of 100 to %s pixels, got %s × %s."
              .formatted(MAX_PIXELS, width, height));
    }
  }

  /** A plot of 1200 × 500 pixels. */
  public static Plot of(String title, Panel... panels) {
    return new Plot(title, DEFAULT_WIDTH, DEFAULT_HEIGHT, List.of(panels));
  }

  /** The same in another size. */
  public Plot withSize(int pixelsWide, int pixelsHigh) {
    return new Plot(title, pixelsWide, pixelsHigh, panels);
  }

  /** The plot as an SVG document. Needs no font and no AWT. */
  public String toSvg() {
    var canvas = new SvgCanvas(title, width, height);
    paint(canvas);
    return canvas.finish();
  }

  /**
   * The plot as a PNG file.
   *
   * @throws CremaException if this machine has no fonts
   */
  public byte[] toPng() {
    try {
      var canvas = new PngCanvas(width, height);
      paint(canvas);
      return canvas.finish();
    } catch (Error | RuntimeException | IOException e) {
      // Without fontconfig, fonts or libfreetype AWT ends in InternalError, LinkageError,
      // NullPointerException or AWTError, by version.
      if (e instanceof OutOfMemoryError || e instanceof StackOverflowError) {
        throw (Error) e;
      }
      throw new CremaException(
          ("Plot: this machine can't draw PNG (%s). Write SVG instead, which needs no fonts, or"
                  + " install a font and fontconfig (Debian: apt install fontconfig"
                  + " fonts-dejavu-core) and set -Djava.awt.headless=true.")
              .formatted(e),
          e);
    }
  }

  /**
   * Writes the plot: SVG or PNG, as the file's name ends. A file of that name is replaced, at once
   * or not at all.
   *
   * @throws CremaException if the name ends otherwise, the file can't be written, or this machine
   *     has no fonts for PNG
   */
  public void write(Path file) {
    String name = String.valueOf(file.getFileName()).toLowerCase(Locale.ROOT);
    if (name.endsWith(".svg")) {
      WholeFile.write(file, toSvg().getBytes(StandardCharsets.UTF_8));
    } else if (name.endsWith(".png")) {
      WholeFile.write(file, toPng());
    } else {
      throw new CremaException(
          "Plot: expected a file name that ends with .svg or .png, got " + file + ".");
    }
  }

  private void paint(Canvas canvas) {
    canvas.rectangle(0, 0, width, height, Theme.BACKGROUND);
    double top = MARGIN;
    if (!title.isEmpty()) {
      var style = new Canvas.TextStyle(Theme.TITLE_SIZE, Theme.TEXT, true, Canvas.Anchor.START, 0);
      canvas.text(TerminalText.printable(title), MARGIN, top + 14, style);
      top += 34;
    }
    int n = panels.size();
    double each = (width - 2 * MARGIN - BETWEEN * (n - 1)) / n;
    for (int p = 0; p < n; p++) {
      var box = new Panel.Box(MARGIN + p * (each + BETWEEN), top, each, height - MARGIN / 2 - top);
      // A pattern switch needs a newer Java.
      if (panels.get(p) instanceof Axes axes) {
        AxesPainter.paint(canvas, axes, box);
      } else if (panels.get(p) instanceof HeatMap map) {
        HeatMapPainter.paint(canvas, map, box);
      }
    }
  }
}
