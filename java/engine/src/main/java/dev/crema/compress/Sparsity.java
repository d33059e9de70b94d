package dev.crema.compress;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.nn.Parameter;
import dev.crema.text.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/** How much of a model's weights is pruned and how much is 0. Its text is a table. */
public record Sparsity(List<Row> parameters) {
  /**
   * A parameter.
   *
   * @param pruned elements that its mask prunes; 0 if it has none
   * @param zeros elements that are 0, those that are pruned included
   */
  public record Row(String path, String type, long elements, long pruned, long zeros) {
    /** The share that is pruned. */
    public double sparsity() {
      return elements == 0 ? 0 : (double) pruned / elements;
    }
  }

  public Sparsity {
    parameters = List.copyOf(parameters);
  }

  /** Of all parameters that training changes. */
  public static Sparsity of(Model model) {
    Objects.requireNonNull(model, "model");
    List<Row> rows = new ArrayList<>();
    for (Parameter p : model.table().all()) {
      if (p.isTrained()) {
        long pruned = 0;
        for (boolean kept : model.masks().get(p.path())) {
          pruned += kept ? 0 : 1;
        }
        long zeros = 0;
        for (float w : model.get(p.path())) {
          zeros += w == 0 ? 1 : 0;
        }
        rows.add(new Row(p.path(), p.type().toString(), p.elements(), pruned, zeros));
      }
    }
    return new Sparsity(rows);
  }

  /**
   * A parameter's row.
   *
   * @throws IllegalArgumentException if there is none of that path
   */
  public Row row(String path) {
    return parameters.stream()
        .filter(r -> r.path.equals(path))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("There is no parameter '" + path + "'"));
  }

  public long elements() {
    return parameters.stream().mapToLong(Row::elements).sum();
  }

  public long pruned() {
    return parameters.stream().mapToLong(Row::pruned).sum();
  }

  /** The share of all parameters that is pruned, biases and normalisation included. */
  public double overall() {
    return elements() == 0 ? 0 : (double) pruned() / elements();
  }

  public ArrayNode toJson() {
    ArrayNode json = Json.mapper().createArrayNode();
    for (Row r : parameters) {
      ObjectNode row = json.addObject();
      row.put("parameter", r.path).put("elements", r.elements);
      row.put("pruned", r.pruned).put("zeros", r.zeros);
    }
    return json;
  }

  @Override
  public String toString() {
    Table table = Table.of("parameter", "shape", "elements", "pruned", "zeros", "sparsity");
    table.align(5, Table.Align.RIGHT);
    for (Row r : parameters) {
      table.row(r.path, r.type, r.elements, r.pruned, r.zeros, percent(r.sparsity()));
    }
    long zeros = parameters.stream().mapToLong(Row::zeros).sum();
    return table.rule().row("all", "", elements(), pruned(), zeros, percent(overall())).toString();
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }
}
