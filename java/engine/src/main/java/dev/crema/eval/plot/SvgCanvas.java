package dev.crema.eval.plot;

import dev.crema.text.TerminalText;
import java.util.Locale;

/** Draws SVG 1.1. */
final class SvgCanvas implements Canvas {
  private static final String FONTS =
      "Inter, 'Segoe UI', 'Helvetica Neue', Arial, 'DejaVu Sans', sans-serif";

  private final StringBuilder out = new StringBuilder();
  private int clips;

  SvgCanvas(String title, int width, int height) {
    out.append("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    out.append("<svg xmlns=\"http://www.w3.org/2000/svg\"");
    attribute("width", width);
    attribute("height", height);
    out.append(" viewBox=\"0 0 ").append(width).append(' ').append(height).append('"');
    out.append(" role=\"img\" font-family=\"").append(FONTS).append("\">\n");
    out.append("<title>").append(escape(title)).append("</title>\n");
  }

  /** The document. Nothing may be drawn afterwards. */
  String finish() {
    return out.append("</svg>\n").toString();
  }

  @Override
  public void rectangle(double x, double y, double width, double height, int colour) {
    out.append("<rect");
    attribute("x", x);
    attribute("y", y);
    attribute("width", width);
    attribute("height", height);
    colour("fill", colour);
    out.append("/>\n");
  }

  @Override
  public void line(double[] x, double[] y, int colour, double width, boolean dashed) {
    if (x.length < 2) {
      return;
    }
    out.append("<polyline points=\"");
    for (int i = 0; i < x.length; i++) {
      out.append(i == 0 ? "" : " ").append(number(x[i])).append(',').append(number(y[i]));
    }
    out.append("\" fill=\"none\"");
    colour("stroke", colour);
    attribute("stroke-width", width);
    out.append(" stroke-linejoin=\"round\" stroke-linecap=\"round\"");
    out.append(dashed ? " stroke-dasharray=\"6 5\"/>\n" : "/>\n");
  }

  @Override
  public void circle(double x, double y, double radius, int colour) {
    out.append("<circle");
    attribute("cx", x);
    attribute("cy", y);
    attribute("r", radius);
    colour("fill", colour);
    out.append("/>\n");
  }

  @Override
  public void text(String text, double x, double y, TextStyle style) {
    out.append("<text");
    attribute("x", x);
    attribute("y", y);
    attribute("font-size", style.size());
    colour("fill", style.colour());
    if (style.bold()) {
      out.append(" font-weight=\"600\"");
    }
    if (style.anchor() != Anchor.START) {
      String anchor = style.anchor().name().toLowerCase(Locale.ROOT);
      out.append(" text-anchor=\"").append(anchor).append('"');
    }
    if (style.angle() != 0) {
      out.append(" transform=\"rotate(").append(number(style.angle())).append(' ');
      out.append(number(x)).append(' ').append(number(y)).append(")\"");
    }
    out.append('>').append(escape(text)).append("</text>\n");
  }

  @Override
  public void beginClip(double x, double y, double width, double height) {
    clips++;
    out.append("<clipPath id=\"clip").append(clips).append("\">");
    out.append("<rect");
    attribute("x", x);
    attribute("y", y);
    attribute("width", width);
    attribute("height", height);
    out.append("/></clipPath>\n<g clip-path=\"url(#clip").append(clips).append(")\">\n");
  }

  @Override
  public void endClip() {
    out.append("</g>\n");
  }

  private void attribute(String name, double value) {
    out.append(' ').append(name).append("=\"").append(number(value)).append('"');
  }

  private void colour(String name, int rgb) {
    out.append(String.format(Locale.ROOT, " %s=\"#%06x\"", name, rgb));
  }

  /** With two decimals at the most. */
  static String number(double value) {
    double hundredths = Math.rint(value * 100);
    if (hundredths % 100 == 0) {
      return Long.toString((long) hundredths / 100);
    }
    return Double.toString(hundredths / 100);
  }

  /** Text that is well-formed in XML 1.0, inside elements and attributes. */
  static String escape(String text) {
    var safe = new StringBuilder();
    TerminalText.printable(text)
        .codePoints()
        .forEach(
            c -> {
              switch (c) {
                case '&' -> safe.append("&amp;");
                case '<' -> safe.append("&lt;");
                case '>' -> safe.append("&gt;");
                case '"' -> safe.append("&quot;");
                case '\'' -> safe.append("&#39;");
                case 0xFFFE, 0xFFFF -> safe.append(' ');
                default -> safe.appendCodePoint(c);
              }
            });
    return safe.toString();
  }
}
