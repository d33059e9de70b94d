package dev.crema.data;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.memory.Shape;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * What was learnt from a table: numbers are standardised, (v − mean) / deviation, and the mean
 * stands for a missing one; categories become one element each (one-hot).
 *
 * @param columns in the order of the training file, without the target
 * @param header whether the training file named its columns; if not, columns are known by place
 */
public record TablePreprocessing(List<Column> columns, Target target, boolean header)
    implements Preprocessing {
  static final String KIND = "table";

  private static final int MOST_WIDTH = 1 << 26;

  /** A column that is no target. */
  public sealed interface Column permits Numeric, Categorical, Ignored {
    String name();

    /** Elements that it takes in an encoded row. */
    int width();
  }

  /** Numbers. */
  public record Numeric(String name, double mean, double deviation) implements Column {
    public Numeric {
      requireScale(name, mean, deviation);
    }

    @Override
    public int width() {
      return 1;
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

  /** The column to predict. */
  public sealed interface Target permits Classes, Value {
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

  /** A number, standardised for training. */
  public record Value(String name, int position, double mean, double deviation) implements Target {
    public Value {
      requireScale(name, mean, deviation);
    }

    /** A prediction in the unit of the file. */
    public double original(double standardised) {
      return standardised * deviation + mean;
    }
  }

  public TablePreprocessing {
    columns = List.copyOf(columns);
    Set<String> names = new HashSet<>(List.of(target.name()));
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
    if (target.position() < 0 || target.position() > columns.size()) {
      throw new CremaException(
          "The target's position " + target.position() + " is not one of the table's");
    }
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
    return target instanceof Classes classes ? classes.classNames() : List.of();
  }

  @Override
  public RowEncoder encoder() {
    return new TableRowEncoder(this);
  }

  /** Names of all columns in the order of the training file, the target's too. */
  List<String> fileColumns() {
    List<String> names = new ArrayList<>(columns.stream().map(Column::name).toList());
    names.add(target.position(), target.name());
    return names;
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
      } else if (column instanceof Categorical k) {
        c.put("type", "categorical").put("missing", k.missing());
        k.categories().forEach(c.putArray("categories")::add);
      } else {
        c.put("type", "ignored");
      }
    }
    ObjectNode t = json.putObject("target");
    t.put("name", target.name()).put("position", target.position());
    if (target instanceof Value v) {
      t.put("type", "value").put("mean", v.mean()).put("deviation", v.deviation());
    } else {
      t.put("type", "classes");
      classNames().forEach(t.putArray("classNames")::add);
    }
    return json;
  }

  static TablePreprocessing read(JsonReader json) {
    List<Column> columns = new ArrayList<>();
    for (JsonReader c : json.objects("columns")) {
      String name = c.text("name");
      columns.add(
          switch (c.text("type")) {
            case "numeric" -> new Numeric(name, c.number("mean"), c.positive("deviation"));
            case "categorical" -> new Categorical(name, c.names("categories"), c.bool("missing"));
            case "ignored" -> new Ignored(name);
            default -> throw c.wrong("type", "numeric, categorical or ignored", c.text("type"));
          });
    }
    JsonReader t = json.object("target");
    String name = t.text("name");
    int position = t.integer("position", 0);
    Target target =
        switch (t.text("type")) {
          case "classes" -> new Classes(name, position, t.names("classNames"));
          case "value" -> new Value(name, position, t.number("mean"), t.positive("deviation"));
          default -> throw t.wrong("type", "classes or value", t.text("type"));
        };
    return new TablePreprocessing(columns, target, json.bool("header"));
  }
}
