package dev.crema.eval.plot;

import java.awt.geom.Rectangle2D;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * Where the texts of points go: beside their point, off other texts, and as far as there is room
 * off lines and other points.
 */
final class PointLabels {
  private static final double GAP = 8; // from a point's middle
  private static final double RISE = 5; // of the base line above a point's middle
  private static final double FALL = 15; // below
  private static final double MARK = 5; // half of a point's width
  private static final double HEIGHT = Theme.TICK_SIZE + 3;

  private final Panel.Box area;
  private final List<Panel.Box> texts = new ArrayList<>();
  private final List<Panel.Box> points = new ArrayList<>();
  private final List<double[]> lines = new ArrayList<>(); // x and y of both ends

  PointLabels(Panel.Box area) {
    this.area = area;
  }

  /** Keeps texts off a line through points, if they can go elsewhere. */
  void avoidLine(double[] x, double[] y) {
    for (int i = 1; i < x.length; i++) {
      lines.add(new double[] {x[i - 1], y[i - 1], x[i], y[i]});
    }
  }

  /** Keeps texts off a point, if they can go elsewhere. */
  void avoidPoint(double x, double y) {
    points.add(new Panel.Box(x - MARK, y - MARK, 2 * MARK, 2 * MARK));
  }

  /**
   * The start of the base line of a text of that width; none if it would run out of the picture or
   * into a text that was placed before.
   */
  Optional<double[]> place(double x, double y, double width) {
    double right = x + GAP;
    double left = x - GAP - width;
    double[][] places = {
      {right, y - RISE},
      {left, y - RISE},
      {right, y + FALL},
      {left, y + FALL},
      {x - width / 2, y - RISE - GAP},
      {x - width / 2, y + FALL + GAP}
    };
    double[] best = null;
    int least = Integer.MAX_VALUE;
    for (double[] place : places) {
      var box = box(place, width);
      if (isInside(box) && texts.stream().noneMatch(t -> overlap(box, t)) && crossed(box) < least) {
        best = place;
        least = crossed(box);
      }
    }
    if (best != null) {
      texts.add(box(best, width));
    }
    return Optional.ofNullable(best);
  }

  private static Panel.Box box(double[] place, double width) {
    return new Panel.Box(place[0], place[1] - Theme.TICK_SIZE, width, HEIGHT);
  }

  private boolean isInside(Panel.Box box) {
    return box.x() >= area.x() && box.right() <= area.right() && box.bottom() <= area.bottom();
  }

  /** How many lines and points a text there would cover. */
  private int crossed(Panel.Box box) {
    var shape = new Rectangle2D.Double(box.x(), box.y(), box.width(), box.height());
    long crossed =
        lines.stream().filter(l -> shape.intersectsLine(l[0], l[1], l[2], l[3])).count()
            + points.stream().filter(p -> overlap(box, p)).count();
    return Math.toIntExact(crossed);
  }

  private static boolean overlap(Panel.Box a, Panel.Box b) {
    return a.x() < b.right() && b.x() < a.right() && a.y() < b.bottom() && b.y() < a.bottom();
  }
}
