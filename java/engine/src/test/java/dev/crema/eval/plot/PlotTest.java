package dev.crema.eval.plot;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.crema.CremaException;
import dev.crema.eval.ClassificationMetrics;
import dev.crema.eval.ClassificationReport;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import javax.imageio.ImageIO;
import javax.xml.parsers.DocumentBuilderFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.w3c.dom.Document;
import org.w3c.dom.Element;

class PlotTest {
  private static final double[] LOSS = {2, 1, 0.5, 0.25};
  private static final double[] VALIDATION = {2.1, 1.2, 0.7, 0.6};

  private static Plot curves() {
    return Charts.trainingCurves(
        "Training",
        List.of(Series.line("training", LOSS), Series.line("validation", VALIDATION)),
        "accuracy",
        List.of(Series.line("training", VALIDATION), Series.line("validation", LOSS)));
  }

  private static ClassificationReport report(int classes) {
    var metrics = ClassificationMetrics.builder(classes).build();
    float[] scores = new float[classes * classes];
    for (int r = 0; r < classes; r++) {
      scores[r * classes + (r == 1 ? 0 : r)] = 0.75f;
    }
    metrics.add(scores, IntStream.range(0, classes).toArray());
    return metrics.report();
  }

  private static Document parse(Plot plot) throws Exception {
    byte[] bytes = plot.toSvg().getBytes(StandardCharsets.UTF_8);
    return DocumentBuilderFactory.newInstance()
        .newDocumentBuilder()
        .parse(new ByteArrayInputStream(bytes));
  }

  private static List<Element> elements(Document document, String tag) {
    List<Element> found = new ArrayList<>();
    var nodes = document.getElementsByTagName(tag);
    for (int i = 0; i < nodes.getLength(); i++) {
      found.add((Element) nodes.item(i));
    }
    return found;
  }

  private static List<String> texts(Document document) {
    return elements(document, "text").stream().map(Element::getTextContent).toList();
  }

  @Test
  void trainingCurvesHaveTwoPanelsWithLegendAndAxes() throws Exception {
    Document svg = parse(curves());
    assertThat(texts(svg))
        .contains("Training", "Loss", "Accuracy", "training", "validation", "epoch", "loss");
    assertThat(svg.getDocumentElement().getAttribute("width")).isEqualTo("1200");
    assertThat(svg.getDocumentElement().getAttribute("height")).isEqualTo("500");
    // Two panels of two series of four marked points.
    assertThat(elements(svg, "circle")).hasSize(16);
  }

  @Test
  void pointsStandWhereTheirValuesAre() throws Exception {
    Axes axes =
        Axes.of("", "", "", Series.points("", new double[] {0, 5, 10}, new double[] {0, 50, 100}))
            .withXRange(0, 10)
            .withYRange(0, 100);
    List<Element> circles = elements(parse(Plot.of("", axes)), "circle");
    double[] x = circles.stream().mapToDouble(c -> number(c, "cx")).toArray();
    double[] y = circles.stream().mapToDouble(c -> number(c, "cy")).toArray();
    assertThat(x[1] - x[0]).isCloseTo(x[2] - x[1], within(0.02));
    assertThat(x[2]).isEqualTo(1176);
    assertThat(y[0]).isGreaterThan(y[1]);
    assertThat(y[0] - y[1]).isCloseTo(y[1] - y[2], within(0.02));
  }

  @Test
  void labelsStandBesideTheirPointsAndNotOnEachOther() throws Exception {
    double[] x = {0, 0.01, 0.02, 5, 10, 20};
    double[] y = {50, 50, 50, 50, 0, 50};
    Series points =
        Series.points("", x, y).withLabels(List.of("a", "below a", "on both", "b", "edge", "out"));
    Axes axes = Axes.of("", "", "", points).withXRange(0, 10).withYRange(0, 100);
    Document svg = parse(Plot.of("", axes));
    assertThat(texts(svg)).contains("a", "below a", "b", "edge").doesNotContain("on both", "out");
    List<Element> circles = elements(svg, "circle");
    for (Element text : elements(svg, "text")) {
      double at = number(text, "x");
      switch (text.getTextContent()) {
        case "a" -> assertThat(at).isGreaterThan(number(circles.get(0), "cx"));
        case "b" -> assertThat(at).isGreaterThan(number(circles.get(3), "cx"));
        case "edge" -> assertThat(at).isLessThan(number(circles.get(4), "cx") - 20);
        default -> {}
      }
    }
    assertThatThrownBy(() -> points.withLabels(List.of("a")))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("each of 6 points, got 1");
  }

  private static double number(Element element, String attribute) {
    return Double.parseDouble(element.getAttribute(attribute));
  }

  @Test
  void namesFromDataAreEscaped() throws Exception {
    String name = "<a> & \"b\" 'c'";
    String hostile = name + "\u0000\u001b\uFFFF\ud800 猫 😀";
    Document svg = parse(Plot.of(hostile, Axes.of("", "", "", Series.line(hostile, LOSS))));
    assertThat(texts(svg).get(0)).startsWith(name).endsWith("猫 😀");
  }

  @Test
  void valuesThatAreNotFiniteLeaveAGap() throws Exception {
    double[] y = {1, 2, Double.NaN, 2, 1, Double.POSITIVE_INFINITY, 3};
    Document svg = parse(Plot.of("", Axes.of("", "", "", Series.line("", y))));
    assertThat(elements(svg, "circle")).hasSize(5);
    assertThat(dataLines(svg)).hasSize(2);
    assertThat(svg.getDocumentElement().getTextContent()).doesNotContain("NaN");
  }

  @Test
  void aLogarithmicAxisLeavesOutWhatIsNotPositive() throws Exception {
    double[] y = {1, 0, 10, 100, -5, 1000};
    Document svg = parse(Plot.of("", Axes.of("", "", "", Series.line("", y)).withLogY()));
    assertThat(elements(svg, "circle")).hasSize(4);
    assertThat(texts(svg)).contains("1", "10", "100", "1,000");
  }

  @Test
  void extremeAndMissingValuesDrawAWellFormedPicture() throws Exception {
    for (double[] y :
        new double[][] {
          {},
          {5},
          {Double.NaN},
          {Double.MAX_VALUE, -Double.MAX_VALUE},
          {Double.MIN_VALUE, 0},
          {1e300, -1e300},
          {1e16, 1e16 + 2}
        }) {
      Axes axes = Axes.of("t", "x", "y", Series.line("s", y));
      for (Axes each : List.of(axes, axes.withLogY(), axes.withLogX(), axes.withYRange(0, 1))) {
        String svg = Plot.of("p", each).toSvg();
        parse(Plot.of("p", each));
        assertThat(svg).doesNotContain("NaN", "Infinity");
      }
    }
    parse(Plot.of("nothing"));
  }

  @Test
  void aLongLineIsThinnedButKeepsItsPeak() throws Exception {
    double[] y = IntStream.range(0, 200_000).mapToDouble(i -> i == 77_777 ? 100 : i % 3).toArray();
    Plot plot = Plot.of("", Axes.of("", "", "", Series.line("", y)));
    assertThat(plot.toSvg().length()).isLessThan(200_000);
    double top =
        dataLines(parse(plot)).get(0).lines().mapToDouble(Double::parseDouble).min().orElseThrow();
    assertThat(top).isLessThan(60);
  }

  /** The y of each data line's points, one a line; grid lines have two points and width 1. */
  private static List<String> dataLines(Document svg) {
    return elements(svg, "polyline").stream()
        .filter(line -> number(line, "stroke-width") == 2.2)
        .map(line -> line.getAttribute("points").replaceAll("\\S+,", "").replace(' ', '\n'))
        .toList();
  }

  @Test
  void aConfusionMatrixShowsItsCounts() throws Exception {
    Document svg = parse(Charts.confusion("Confusion", report(4).confusion()));
    assertThat(texts(svg)).contains("predicted", "actual", "1", "100%");
    assertThat(texts(svg).stream().filter("1"::equals)).hasSize(4 + 2);
    String crowded = Charts.confusion("", report(300).confusion()).toSvg();
    assertThat(crowded).doesNotContain("NaN");
  }

  @Test
  void aReliabilityDiagramHasABarForEachBinInUse() throws Exception {
    Document svg = parse(Charts.reliability("Reliability", report(4).calibration()));
    assertThat(texts(svg)).contains("Expected calibration error 0.0000", "confidence", "accuracy");
    assertThat(Charts.reliability("", report(4).calibration()).toSvg()).doesNotContain("NaN");
  }

  @Test
  void aPngHasThePlotsSizeAndColours() throws Exception {
    var image = ImageIO.read(new ByteArrayInputStream(curves().toPng()));
    assertThat(image.getWidth()).isEqualTo(1200);
    assertThat(image.getHeight()).isEqualTo(500);
    int blue = 0;
    int vermillion = 0;
    for (int p = 0; p < 1200 * 500; p++) {
      int rgb = image.getRGB(p % 1200, p / 1200) & 0xFFFFFF;
      blue += rgb == Theme.series(0) ? 1 : 0;
      vermillion += rgb == Theme.series(1) ? 1 : 0;
    }
    assertThat(blue).isGreaterThan(500);
    assertThat(vermillion).isGreaterThan(500);
    assertThat(image.getRGB(2, 2) & 0xFFFFFF).isEqualTo(0xFFFFFF);
  }

  @Test
  void aFileIsReplacedAsAWhole(@TempDir Path folder) throws IOException {
    Path svg = folder.resolve("curves.SVG");
    Files.writeString(svg, "old");
    curves().write(svg);
    assertThat(svg).content(StandardCharsets.UTF_8).isEqualTo(curves().toSvg());
    curves().write(folder.resolve("curves.png"));
    try (var files = Files.list(folder)) {
      assertThat(files.map(f -> f.getFileName().toString()))
          .containsExactlyInAnyOrder("curves.SVG", "curves.png");
    }
  }

  @Test
  void aFileThatCannotBeWrittenIsNamedAndLeavesNothing(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("missing").resolve("curves.svg");
    assertThatThrownBy(() -> curves().write(file))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(file.toString())
        .hasMessageContaining("Does its folder exist");
    Path taken = Files.createDirectories(folder.resolve("taken.svg").resolve("full"));
    assertThatThrownBy(() -> curves().write(taken.getParent())).isInstanceOf(CremaException.class);
    try (var files = Files.list(folder)) {
      assertThat(files).containsExactly(taken.getParent());
    }
    assertThatThrownBy(() -> curves().write(folder.resolve("curves.pdf")))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining(".svg or .png");
  }

  @Test
  void wrongUseIsNamed() {
    assertThatThrownBy(() -> Series.line("loss", new double[2], new double[3]))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("Series loss");
    assertThatThrownBy(() -> curves().withSize(50, 500))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("50 × 500");
    assertThatThrownBy(() -> Axes.of("", "", "").withYRange(0, 1).withLogY())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("logarithmic y axis");
    assertThatThrownBy(() -> Axes.of("", "", "").withXRange(1, 1))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
