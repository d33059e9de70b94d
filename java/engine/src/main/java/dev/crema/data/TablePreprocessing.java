package dev.crema.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What was learnt from a table: numbers are standardised, (v − mean) / deviation, and the mean
 * stands for a missing one; categories become one element each (one-hot).
 *
 * @param columns in the order of the training file, without the target
 * @param targets one, or several that are all {@link Label} or all {@link Value}, in the order in
 *     which a model gives them
 * @param header whether the training file named its columns; if not, columns are known by place
 */
public record TablePreprocessing(List<Column> columns, List<Target> targets, boolean header)
    implements Preprocessing {
  static final String KIND = "table";

  private static final int MOST_WIDTH = 1 << 26;

  /** A column that is no target. */
  public sealed interface Column permits Numeric, Date, Categorical, Ignored {
    String name();

    /** Elements that it takes in an encoded row. */
    int width();
  }

  /**
   * Numbers.
   *
   * @param figures how they are written; null if plainly, with the decimal point of each file
   */
  public record Numeric(String name, double mean, double deviation, Figures figures)
      implements Column {
    public Numeric {
      requireScale(name, mean, deviation);
    }

    /** Plain numbers. */
    public Numeric(String name, double mean, double deviation) {
      this(name, mean, deviation, null);
    }

    @Override
    public int width() {
      return 1;
    }
  }

  /**
   * Dates: days since 1970-01-01 as a number, and for each cycle the sine and cosine of where they
   * stand in it.
   *
   * @param mean of the days
   */
  public record Date(
      String name, DateOrder order, double mean, double deviation, List<Cycle> cycles)
      implements Column {
    public Date {
      requireScale(name, mean, deviation);
      cycles = List.copyOf(cycles);
      if (cycles.stream().distinct().count() < cycles.size()) {
        throw new CremaException("Column " + name + " has a cycle twice: " + cycles);
      }
    }

    @Override
    public int width() {
      return 1 + 2 * cycles.size();
    }
  }

  /**
   * Names.
   *
   * @param missing whether a missing value is a category of its own, after the others
   */
  public record Categorical(String name, List<String> categories, boolean missing)
      implements Column {
    public Categorical {
      categories = List.copyOf(categories);
    }

    @Override
    public int width() {
      return categories.size() + (missing ? 1 : 0);
    }
  }

  /** Not used. */
  public record Ignored(String name) implements Column {
    @Override
    public int width() {
      return 0;
    }
  }

  /** A column to predict. */
  public sealed interface Target permits Classes, Label, Value {
    String name();

    /** Its place among the columns of the training file, from 0. */
    int position();
  }

  /** A class. */
  public record Classes(String name, int position, List<String> classNames) implements Target {
    public Classes {
      classNames = List.copyOf(classNames);
    }
  }

  /**
   * A yes-or-no answer, one of several: 0 or 1.
   *
   * @param classNames the value that stands for 0, and that for 1
   */
  public record Label(String name, int position, List<String> classNames) implements Target {
    public Label {
      classNames = List.copyOf(classNames);
      if (classNames.size() != 2) {
        throw new CremaException("Label " + name + " needs two values, got " + classNames);
      }
    }
  }

  /**
   * A number, standardised for training.
   *
   * @param figures how it is written; null if plainly, with the decimal point of each file
   */
  public record Value(String name, int position, double mean, double deviation, Figures figures)
      implements Target {
    public Value {
      requireScale(name, mean, deviation);
    }

    /** A plain number. */
    public Value(String name, int position, double mean, double deviation) {
      this(name, position, mean, deviation, null);
    }

    /** A prediction in the unit of the file. */
    public double original(double standardised) {
      return standardised * deviation + mean;
    }
  }

  public TablePreprocessing {
    columns = List.copyOf(columns);
    targets = List.copyOf(targets);
    requireAlike(targets);
    Set<String> names = new HashSet<>();
    targets.forEach(t -> names.add(t.name()));
    long width = 0;
    for (Column column : columns) {
      width += column.width();
      if (!names.add(column.name())) {
        throw new CremaException("Two columns are named " + column.name());
      }
    }
    if (width > MOST_WIDTH) {
      throw new CremaException("A row of " + width + " inputs can't be encoded");
    }
    Set<Integer> positions = new HashSet<>();
    for (Target target : targets) {
      int position = target.position();
      if (position < 0 || position >= columns.size() + targets.size() || !positions.add(position)) {
        throw new CremaException(
            "The target's position " + position + " is not one of the table's");
      }
    }
    if (names.size() < columns.size() + targets.size()) {
      throw new CremaException("Two targets have one name: " + targets);
    }
  }

  /** One target. */
  public TablePreprocessing(List<Column> columns, Target target, boolean header) {
    this(columns, List.of(target), header);
  }

  private static void requireAlike(List<Target> targets) {
    boolean labels = targets.stream().allMatch(t -> t instanceof Label);
    boolean values = targets.stream().allMatch(t -> t instanceof Value);
    if (targets.isEmpty() || !labels && !values && targets.size() > 1) {
      throw new CremaException("Targets must be one, or all labels, or all values: " + targets);
    }
  }

  /** The only target, or the first of several. */
  public Target target() {
    return targets.get(0);
  }

  /** Whether the targets are yes-or-no answers, each by itself. */
  public boolean isMultiLabel() {
    return target() instanceof Label;
  }

  private static void requireScale(String name, double mean, double deviation) {
    if (!Double.isFinite(mean) || !Double.isFinite(deviation) || !(deviation > 0)) {
      throw new CremaException(
          "Column "
              + name
              + " can't be standardised: mean "
              + mean
              + ", deviation "
              + deviation
              + ". Its numbers are too great.");
    }
  }

  /** Elements of an encoded row. */
  public int width() {
    return columns.stream().mapToInt(Column::width).sum();
  }

  @Override
  public Shape inputShape() {
    return Shape.of(width());
  }

  @Override
  public List<String> classNames() {
    return target() instanceof Classes classes ? classes.classNames() : List.of();
  }

  @Override
  public RowEncoder encoder() {
    return new TableRowEncoder(this);
  }

  /** Names of all columns in the order of the training file, the targets' too. */
  List<String> fileColumns() {
    List<String> names = new ArrayList<>(columns.stream().map(Column::name).toList());
    targets.stream()
        .sorted(Comparator.comparingInt(Target::position))
        .forEach(t -> names.add(t.position(), t.name()));
    return names;
  }

  /** Whether a target stands at that place in the training file. */
  boolean isTarget(int position) {
    return targets.stream().anyMatch(t -> t.position() == position);
  }

  @Override
  public ObjectNode toJson() {
    ObjectNode json = JsonNodeFactory.instance.objectNode();
    json.put("kind", KIND).put("header", header);
    ArrayNode list = json.putArray("columns");
    for (Column column : columns) {
      ObjectNode c = list.addObject().put("name", column.name());
      if (column instanceof Numeric n) {
        c.put("type", "numeric").put("mean", n.mean()).put("deviation", n.deviation());
        write(n.figures(), c);
      } else if (column instanceof Date d) {
        c.put("type", "date").put("order", d.order().toString());
        c.put("mean", d.mean()).put("deviation", d.deviation());
        ArrayNode cycles = c.putArray("cycles");
        d.cycles().forEach(cycle -> cycles.add(cycle.toString()));
      } else if (column instanceof Categorical k) {
        c.put("type", "categorical").put("missing", k.missing());
        k.categories().forEach(c.putArray("categories")::add);
      } else {
        c.put("type", "ignored");
      }
    }
    if (targets.size() == 1) {
      write(target(), json.putObject("target"));
    } else {
      ArrayNode several = json.putArray("targets");
      targets.forEach(target -> write(target, several.addObject()));
    }
    return json;
  }

  private static void write(Figures figures, ObjectNode column) {
    if (figures != null) {
      column
          .putObject("figures")
          .put("decimal", "" + figures.decimal())
          .put("sign", figures.sign());
    }
  }

  private static void write(Target target, ObjectNode t) {
    t.put("name", target.name()).put("position", target.position());
    if (target instanceof Value v) {
      t.put("type", "value").put("mean", v.mean()).put("deviation", v.deviation());
      write(v.figures(), t);
    } else if (target instanceof Label label) {
      t.put("type", "label");
      label.classNames().forEach(t.putArray("classNames")::add);
    } else {
      t.put("type", "classes");
      ((Classes) target).classNames().forEach(t.putArray("classNames")::add);
    }
  }

  static TablePreprocessing read(JsonReader json) {
    List<Column> columns = new ArrayList<>();
    for (JsonReader c : json.objects("columns")) {
      String name = c.text("name");
      columns.add(
          switch (c.text("type")) {
            case "numeric" ->
                new Numeric(name, c.number("mean"), c.positive("deviation"), figures(c));
            case "date" ->
                new Date(
                    name,
                    c.oneOf("order", List.of(DateOrder.values())),
                    c.number("mean"),
                    c.positive("deviation"),
                    c.manyOf("cycles", List.of(Cycle.values())));
            case "categorical" -> new Categorical(name, c.names("categories"), c.bool("missing"));
            case "ignored" -> new Ignored(name);
            default ->
                throw c.wrong("type", "numeric, date, categorical or ignored", c.text("type"));
          });
    }
    List<Target> targets =
        json.has("targets")
            ? json.objects("targets").stream().map(TablePreprocessing::target).toList()
            : List.of(target(json.object("target")));
    return new TablePreprocessing(columns, targets, json.bool("header"));
  }

  /** Models of versions before this have none. */
  private static Figures figures(JsonReader column) {
    if (!column.has("figures")) {
      return null;
    }
    JsonReader f = column.object("figures");
    return new Figures(f.oneOf("decimal", List.of('.', ',')), f.text("sign"));
  }

  private static Target target(JsonReader t) {
    String name = t.text("name");
    int position = t.integer("position", 0);
    return switch (t.text("type")) {
      case "classes" -> new Classes(name, position, t.names("classNames"));
      case "label" -> new Label(name, position, t.names("classNames"));
      case "value" ->
          new Value(name, position, t.number("mean"), t.positive("deviation"), figures(t));
      default -> throw t.wrong("type", "classes, label or value", t.text("type"));
    };
  }
}
