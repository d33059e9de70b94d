package dev.crema.nn;

import dev.crema.CremaException;
import dev.crema.graph.Application;
import dev.crema.graph.Graph;
import dev.crema.graph.Storage;
import dev.crema.graph.TensorType;
import dev.crema.text.Table;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What a model consists of and what a prediction costs. Its text is a table.
 *
 * @param layers inputs first, then the layers in order
 * @param trained parameters that training changes
 * @param notTrained states: running means
 * @param parameterBytes memory of both, alignment included
 * @param flops of one prediction; a multiplication and an addition count as two
 * @param batch examples for which {@code arenaBytes} is given
 * @param arenaBytes memory of a prediction's intermediate tensors for that batch; -1 where no
 *     device of this machine can run the model
 */
public record Summary(
    List<Row> layers,
    long trained,
    long notTrained,
    long parameterBytes,
    long flops,
    int batch,
    long arenaBytes) {
  private static final int BATCH = 32;

  /**
   * A layer at one place, or an input.
   *
   * @param output its type
   * @param parameters trained or not; 0 at the later places of a shared layer
   * @param bytes of its output for one example
   * @param flops for one example
   * @param inputs names of what it reads
   * @param shares the earlier place whose parameters it uses, or null
   */
  public record Row(
      String name,
      String type,
      String output,
      long parameters,
      long bytes,
      long flops,
      List<String> inputs,
      String shares) {}

  static Summary of(Model model) {
    Topology topology = model.topology();
    ModelGraph graph = model.build(new Graph(), false);
    Map<String, List<Application>> byLayer = new HashMap<>();
    for (Application a : graph.graph().applications()) {
      byLayer.computeIfAbsent(a.layer(), l -> new ArrayList<>()).add(a);
    }
    List<Row> rows = new ArrayList<>();
    for (Topology.InputSpec input : topology.inputs()) {
      String type = input.type().toString();
      rows.add(new Row(input.name(), "input", type, 0, bytes(input.type()), 0, List.of(), null));
    }
    for (Topology.Place place : topology.places()) {
      TensorType type = graph.values().get(place.name()).type();
      boolean owner = place.weights().equals(place.name());
      rows.add(
          new Row(
              place.name(),
              LayerNames.of(place.layer()),
              type.toString(),
              owner ? parameters(model.table(), place.name()) : 0,
              bytes(type),
              (long) Flops.of(byLayer.getOrDefault(place.name(), List.of())),
              place.inputs(),
              owner ? null : place.weights()));
    }
    ParameterTable table = model.table();
    long all = table.all().stream().mapToLong(Parameter::elements).sum();
    return new Summary(
        List.copyOf(rows),
        table.trainedElements(),
        all - table.trainedElements(),
        4 * (table.size(Storage.PARAMETERS) + table.size(Storage.STATE)),
        rows.stream().mapToLong(Row::flops).sum(),
        BATCH,
        arena(model));
  }

  private static long parameters(ParameterTable table, String layer) {
    return table.all().stream()
        .filter(p -> p.path().substring(0, p.path().lastIndexOf('/')).equals(layer))
        .mapToLong(Parameter::elements)
        .sum();
  }

  private static long bytes(TensorType type) {
    return type.at(1).byteSize(type.element());
  }

  private static long arena(Model model) {
    try (Predictor predictor = model.predictor(BATCH)) {
      return predictor.plan().arenaBytes();
    } catch (CremaException e) {
      return -1; // too big for this machine, or an op that its devices lack
    }
  }

  @Override
  public String toString() {
    boolean branches = branches();
    List<String> header =
        new ArrayList<>(List.of("Layer (type)", "Output", "Parameters", "Memory", "FLOPs"));
    if (branches) {
      header.add("From");
    }
    Table table = Table.of(header.toArray(new String[0]));
    for (Row row : layers) {
      String from = String.join(", ", row.inputs);
      table.row(
          cut(
              branches,
              row.name + " (" + row.type + ")",
              row.output,
              row.shares == null ? (Object) row.parameters : "as " + row.shares,
              size(row.bytes),
              row.flops,
              from));
    }
    table.align(2, Table.Align.RIGHT).align(3, Table.Align.RIGHT).align(4, Table.Align.RIGHT);
    String totals =
        layers.stream()
            .filter(r -> r.type.equals("input"))
            .map(r -> r.name)
            .collect(Collectors.joining(", ", "One example of ", ""));
    return table
        + String.format(
            Locale.ROOT,
            """
            Parameters: %,d trained, %,d not trained, %s
            %s: %,d FLOPs (a multiplication and an addition are two)
            A batch of %d: %s of memory besides inputs and parameters
            """,
            trained,
            notTrained,
            size(parameterBytes),
            totals,
            flops,
            batch,
            arenaBytes < 0 ? "an unknown amount" : size(arenaBytes));
  }

  private static Object[] cut(boolean all, Object... cells) {
    return all ? cells : Arrays.copyOf(cells, cells.length - 1);
  }

  /** Whether some layer reads something else than the layer before it, and nothing else. */
  private boolean branches() {
    for (int i = 1; i < layers.size(); i++) {
      if (!layers.get(i).inputs.equals(List.of(layers.get(i - 1).name))) {
        return true;
      }
    }
    return false;
  }

  private static String size(long bytes) {
    String[] units = {"B", "KB", "MB", "GB", "TB"};
    double value = bytes;
    int unit = 0;
    while (value >= 1024 && unit < units.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, unit == 0 ? "%.0f %s" : "%.1f %s", value, units[unit]);
  }
}
