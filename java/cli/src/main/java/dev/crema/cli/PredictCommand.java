package dev.crema.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.Order;
import dev.crema.data.Prefetcher;
import dev.crema.data.Preprocessing;
import dev.crema.data.RowEncoder;
import dev.crema.data.TablePreprocessing;
import dev.crema.io.AtomicFiles;
import dev.crema.io.Content;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Predicts for the rows of a file. */
@Command(
    name = "predict",
    description = "Predicts for each row of a data file, or of JSON lines.",
    mixinStandardHelpOptions = true)
final class PredictCommand implements Callable<Integer> {
  private static final int BATCH = 64;

  @Mixin private CommonOptions common;
  @Mixin private DataArguments dataArguments;

  @Option(names = "--model", required = true, description = "Folder or .zip of the model.")
  private Path model;

  @Option(
      names = "--input",
      required = true,
      description =
          "CSV, JSON lines (one object a line), or another data file; - for standard input.")
  private String input;

  @Option(names = "--output", description = "File to write (CSV); standard output by default.")
  private Path output;

  private final StringBuilder csv = new StringBuilder();
  private final ArrayNode document = Json.mapper().createArrayNode();

  @Override
  public Integer call() throws IOException {
    Path file = input.equals("-") ? standardInput() : Path.of(input);
    try (Model loaded = Model.load(model);
        Predictor predictor = loaded.predictor(BATCH, common.threads(), common.device())) {
      Preprocessing preprocessing = EvaluateCommand.preprocessing(loaded, model);
      header(preprocessing, predictor.outputElements());
      if (isJson(file)) {
        jsonLines(file, preprocessing, predictor);
      } else {
        dataset(file, preprocessing, predictor);
      }
    } finally {
      if (input.equals("-")) {
        Files.deleteIfExists(file);
      }
    }
    if (output != null) {
      AtomicFiles.write(output, Content.of(csv.toString()));
    } else if (!common.json()) {
      System.out.print(csv);
    }
    return common.finish(document);
  }

  private static Path standardInput() throws IOException {
    Path file = Files.createTempFile("crema", ".csv");
    Files.copy(System.in, file, StandardCopyOption.REPLACE_EXISTING);
    return file;
  }

  private static boolean isJson(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      return false;
    }
    if (!Files.exists(file)) {
      throw new CremaException("There is no file " + file);
    }
    try (var in = Files.newInputStream(file)) {
      int first;
      do {
        first = in.read();
      } while (first == ' ' || first == '\n' || first == '\r' || first == '\t');
      return first == '{';
    }
  }

  private void header(Preprocessing preprocessing, int outputs) {
    StringJoiner names = new StringJoiner(",", "", "\n");
    List<String> classes = preprocessing.classNames();
    if (classes.isEmpty()) {
      for (int i = 0; i < outputs; i++) {
        names.add(outputs == 1 ? "prediction" : "prediction_" + i);
      }
    } else {
      names.add("prediction");
      classes.forEach(c -> names.add(quoted("p_" + c)));
    }
    csv.append(names);
  }

  private void jsonLines(Path file, Preprocessing preprocessing, Predictor predictor)
      throws IOException {
    RowEncoder encoder = preprocessing.encoder();
    float[] result = new float[predictor.outputElements()];
    int number = 0;
    for (String line : Files.readAllLines(file)) {
      number++;
      if (line.isBlank()) {
        continue;
      }
      JsonNode node = Json.parse(line, file + ", line " + number);
      Map<String, String> row = new LinkedHashMap<>();
      node.properties().forEach(e -> row.put(e.getKey(), e.getValue().asText()));
      try {
        predictor.predict(encoder.encode(row), result);
      } catch (CremaException e) {
        throw new CremaException(file + ", line " + number + ": " + e.getMessage(), e);
      }
      emit(result, preprocessing);
    }
  }

  private void dataset(Path file, Preprocessing preprocessing, Predictor predictor) {
    Dataset data = Datasets.open(file, preprocessing, dataArguments.options(0, common.seed()));
    int outputs = predictor.outputElements();
    float[] examples = new float[BATCH * predictor.inputElements()];
    float[] results = new float[BATCH * outputs];
    float[] row = new float[outputs];
    try (Prefetcher batches = new Prefetcher(data, BATCH, 2)) {
      batches.start(Order.sequential());
      for (Prefetcher.Batch b = batches.next(); b != null; b = batches.next()) {
        b.buffers()
            .get(0)
            .asFloatBuffer()
            .get(0, examples, 0, b.rows() * predictor.inputElements());
        predictor.predict(examples, results, b.rows());
        for (int r = 0; r < b.rows(); r++) {
          System.arraycopy(results, r * outputs, row, 0, outputs);
          emit(row, preprocessing);
        }
        batches.recycle(b);
      }
    }
  }

  private void emit(float[] values, Preprocessing preprocessing) {
    List<String> classes = preprocessing.classNames();
    ObjectNode object = document.addObject();
    StringJoiner line = new StringJoiner(",", "", "\n");
    if (classes.isEmpty()) {
      ArrayNode predictions = object.putArray("predictions");
      for (float v : values) {
        double original = original(v, preprocessing);
        predictions.add(original);
        line.add(Double.toString(original));
      }
    } else {
      int best = 0;
      for (int i = 1; i < values.length; i++) {
        best = values[i] > values[best] ? i : best;
      }
      object.put("prediction", classes.get(best));
      ObjectNode probabilities = object.putObject("probabilities");
      line.add(quoted(classes.get(best)));
      for (int i = 0; i < values.length; i++) {
        probabilities.put(classes.get(i), values[i]);
        line.add(Float.toString(values[i]));
      }
    }
    csv.append(line);
  }

  /** A regression's target was standardised for the training. */
  private static double original(float value, Preprocessing preprocessing) {
    return preprocessing instanceof TablePreprocessing table
            && table.target() instanceof TablePreprocessing.Value target
        ? target.original(value)
        : value;
  }

  private static String quoted(String text) {
    return text.matches("[^,\"\r\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }
}
