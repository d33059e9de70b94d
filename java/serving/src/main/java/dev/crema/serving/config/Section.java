package dev.crema.serving.config;

import dev.crema.CremaException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;

/**
 * A mapping of a YAML file, read member by member. What is missing has a default; what is of the
 * wrong kind or was never asked for is refused with the line where it stands. Only YAML's data is
 * read, and no tags make objects.
 */
final class Section {
  /** A value and where it is from, for messages. */
  private record Value(Node node, String where) {}

  private final String file;
  private final String path; // "" for the whole file
  private final String where;
  private final Map<String, Value> members = new LinkedHashMap<>();
  private final Map<String, Value> overrides; // by whole path; those taken are removed
  private final Set<String> asked = new LinkedHashSet<>();

  private Section(String file, String path, String where, Node node, Map<String, Value> overrides) {
    this.file = file;
    this.path = path;
    this.where = where;
    this.overrides = overrides;
    if (node instanceof MappingNode mapping) {
      mapping.getValue().forEach(this::take);
    } else if (node != null && !isNull(node)) {
      throw new CremaException(where + ": " + name() + " has members of its own, as 'name: value'");
    }
  }

  /**
   * @param file its name, for messages
   * @throws CremaException if it is no YAML, or no mapping
   */
  static Section parse(String file, String text, Overrides overrides) {
    Map<String, Value> values = new LinkedHashMap<>();
    overrides
        .texts()
        .forEach(
            (path, value) ->
                values.put(
                    path, new Value(compose(overrides.where(path), value), overrides.where(path))));
    return new Section(file, "", file, compose(file, text), values);
  }

  private static Node compose(String file, String text) {
    try {
      return new Yaml(new SafeConstructor(new LoaderOptions()))
          .compose(new java.io.StringReader(text));
    } catch (MarkedYAMLException e) {
      int line = e.getProblemMark() == null ? 0 : e.getProblemMark().getLine() + 1;
      throw new CremaException(file + ":" + line + ": this is no YAML: " + e.getProblem(), e);
    } catch (YAMLException e) {
      throw new CremaException(file + ": this is no YAML: " + e.getMessage(), e);
    }
  }

  private void take(NodeTuple tuple) {
    String at = at(tuple.getKeyNode());
    if (!(tuple.getKeyNode() instanceof ScalarNode key)) {
      throw new CremaException(at + ": a name must be a plain word");
    }
    Value before = members.put(key.getValue(), new Value(tuple.getValueNode(), at));
    if (before != null) {
      throw new CremaException(at + ": " + path(key.getValue()) + " is there twice");
    }
  }

  private String at(Node node) {
    return file + ":" + (node.getStartMark().getLine() + 1);
  }

  private String name() {
    return path.isEmpty() ? "the file" : path;
  }

  private String path(String member) {
    return path.isEmpty() ? member : path + "." + member;
  }

  private static boolean isNull(Node node) {
    return node.getTag().equals(Tag.NULL);
  }

  /** What a member has; null if it is not there. */
  private Value value(String member) {
    asked.add(member);
    Value override = overrides.remove(path(member));
    Value value = override == null ? members.get(member) : override;
    return value == null || isNull(value.node) ? null : value;
  }

  /** Whether a member is there with a value, without taking it. */
  boolean has(String member) {
    asked.add(member);
    Value value = members.get(member);
    String own = path(member);
    return value != null && !isNull(value.node)
        || overrides.keySet().stream().anyMatch(p -> p.equals(own) || p.startsWith(own + "."));
  }

  /** Whether a member is a single word or number. */
  boolean isWord(String member) {
    Value override = overrides.get(path(member));
    Value value = override == null ? members.get(member) : override;
    return value != null && value.node instanceof ScalarNode;
  }

  /** A member made of its text; {@code byDefault} if it is missing. */
  <T> T of(String member, T byDefault, String expected, Function<String, T> read) {
    Value value = value(member);
    return value == null ? byDefault : read(path(member), value, expected, read);
  }

  private static <T> T read(String path, Value value, String expected, Function<String, T> read) {
    if (!(value.node instanceof ScalarNode scalar)) {
      throw wrong(path, value, expected, value.node instanceof SequenceNode ? "a list" : "members");
    }
    T result;
    try {
      result = read.apply(scalar.getValue());
    } catch (IllegalArgumentException e) { // NumberFormatException is one
      throw wrong(path, value, expected, "'" + scalar.getValue() + "'");
    }
    if (result == null) {
      throw wrong(path, value, expected, "'" + scalar.getValue() + "'");
    }
    return result;
  }

  private static CremaException wrong(String path, Value value, String expected, String got) {
    return new CremaException(value.where + ": " + path + " must be " + expected + ", got " + got);
  }

  String text(String member, String byDefault) {
    return of(member, byDefault, "text", text -> text.isBlank() ? null : text);
  }

  int integer(String member, int byDefault, int least, int most) {
    return of(
        member,
        byDefault,
        "a whole number from " + least + " to " + most,
        text -> {
          int n = Integer.parseInt(text);
          return n < least || n > most ? null : n;
        });
  }

  double number(String member, double byDefault, double least, double most) {
    return of(
        member,
        byDefault,
        "a number from " + least + " to " + most,
        text -> {
          double x = Double.parseDouble(text);
          return x >= least && x <= most ? x : null;
        });
  }

  boolean flag(String member, boolean byDefault) {
    return of(
        member,
        byDefault,
        "true or false",
        text -> text.equals("true") ? Boolean.TRUE : text.equals("false") ? Boolean.FALSE : null);
  }

  Duration duration(String member, Duration byDefault) {
    return of(member, byDefault, "a time, as 500ms, 2s, 5m or 1h", Quantity::duration);
  }

  long bytes(String member, long byDefault) {
    return of(
        member,
        byDefault,
        "a size, as 4096, 64KiB, 16MiB or 1GiB",
        text -> {
          OptionalLong bytes = Quantity.bytes(text);
          return bytes.isPresent() && bytes.getAsLong() > 0 ? bytes.getAsLong() : null;
        });
  }

  /** A list of words or numbers, each made of its text; {@code byDefault} if it is missing. */
  <T> List<T> list(String member, List<T> byDefault, String expected, Function<String, T> read) {
    Value value = value(member);
    if (value == null) {
      return byDefault;
    }
    List<T> all = new ArrayList<>();
    for (Value item : items(member, value)) {
      all.add(read(path(member), item, expected, read));
    }
    return all;
  }

  /** The members of a list, each a section; none if it is missing. */
  List<Section> sections(String member) {
    Value value = value(member);
    if (value == null) {
      return List.of();
    }
    List<Section> all = new ArrayList<>();
    for (Value item : items(member, value)) {
      all.add(
          new Section(
              file, path(member) + "[" + all.size() + "]", item.where, item.node, overrides));
    }
    return all;
  }

  private List<Value> items(String member, Value value) {
    if (!(value.node instanceof SequenceNode sequence)) {
      throw wrong(path(member), value, "a list, as [a, b]", "something else");
    }
    boolean fromFile = members.get(member) == value;
    return sequence.getValue().stream()
        .map(node -> new Value(node, fromFile ? at(node) : value.where))
        .toList();
  }

  /** A member that has members; one without any if it is missing. */
  Section section(String member) {
    Value value = value(member);
    return new Section(
        file,
        path(member),
        value == null ? where : value.where,
        value == null ? null : value.node,
        overrides);
  }

  /** The names of all members, which are then known. */
  Set<String> names() {
    asked.addAll(members.keySet());
    return Set.copyOf(members.keySet());
  }

  /** An error of this section as a whole, or of one of its members if that is there. */
  CremaException error(String member, String message) {
    Value value = members.get(member);
    return new CremaException(
        (value == null ? where : value.where)
            + ": "
            + (member.isEmpty() ? name() : path(member))
            + " "
            + message);
  }

  /**
   * To be called when all has been read.
   *
   * @throws CremaException if there are members that nobody asked for
   */
  void done() {
    for (Map.Entry<String, Value> e : members.entrySet()) {
      if (!asked.contains(e.getKey())) {
        throw new CremaException(
            e.getValue().where
                + ": "
                + path(e.getKey())
                + " is not known; "
                + (path.isEmpty() ? "a server" : path)
                + " has "
                + String.join(", ", asked));
      }
    }
    if (path.isEmpty() && !overrides.isEmpty()) {
      Map.Entry<String, Value> e = overrides.entrySet().iterator().next();
      throw new CremaException(e.getValue().where + ": " + e.getKey() + " is not known");
    }
  }
}
