package dev.crema.cli;

import com.fasterxml.jackson.databind.SequenceWriter;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.CremaException;
import dev.crema.data.DataOptions;
import dev.crema.data.Dataset;
import dev.crema.data.Datasets;
import dev.crema.data.NamedRows;
import dev.crema.data.Order;
import dev.crema.data.Prefetcher;
import dev.crema.data.Preprocessing;
import dev.crema.data.RowEncoder;
import dev.crema.data.TablePreprocessing;
import dev.crema.graph.Graph;
import dev.crema.graph.Op;
import dev.crema.io.AtomicFiles;
import dev.crema.io.Json;
import dev.crema.nn.Model;
import dev.crema.nn.Predictor;
import dev.crema.op.HardSigmoid;
import dev.crema.op.Sigmoid;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
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

  /** Whether the model's outputs are no probabilities yet. */
  private boolean logit;

  private Writer csv = Writer.nullWriter();

  /** An object a row to standard output; null: nobody asks for them. */
  private SequenceWriter objects;

  @Override
  public Integer call() {
    try (Model loaded = Model.load(model);
        Predictor predictor = loaded.predictor(BATCH, common.threads(), common.device())) {
      OneOutput.require(loaded.topology(), "" + model);
      logit = !isSigmoid(loaded);
      Preprocessing preprocessing = EvaluateCommand.preprocessing(loaded, model);
      Writer standard = new BufferedWriter(StandardOutput.writer());
      objects = common.json() ? Json.elements(standard) : null;
      try {
        if (output != null) {
          AtomicFiles.write(
              output,
              channel -> {
                csv = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8));
                predict(preprocessing, predictor);
              });
        } else {
          csv = common.json() ? csv : standard;
          predict(preprocessing, predictor);
        }
        if (objects != null) {
          objects.close();
          System.out.println();
        }
      } finally { // the rows before one that can't be read
        if (objects != null) {
          objects.flush();
        } else {
          standard.flush();
        }
      }
    } catch (IOException e) {
      throw new CremaException("Cannot write the predictions: " + e.getMessage(), e);
    }
    return 0;
  }

  private void flush() throws IOException {
    csv.flush();
    if (objects != null) {
      objects.flush();
    }
  }

  private void predict(Preprocessing preprocessing, Predictor predictor) throws IOException {
    DataOptions options = dataArguments.options(0, common.seed());
    header(preprocessing, predictor.outputElements());
    if (input.equals("-")) {
      rows(
          NamedRows.open(System.in, "standard input", preprocessing, options),
          "standard input",
          preprocessing,
          predictor);
    } else if (NamedRows.isJson(Path.of(input))) {
      Path file = Path.of(input);
      rows(NamedRows.open(file, preprocessing, options), input, preprocessing, predictor);
    } else {
      dataset(Path.of(input), options, preprocessing, predictor);
    }
    flush();
  }

  /** Whether whoever writes the rows one by one may wait for the answer to the last one. */
  private static boolean isWaitedFor() {
    try {
      return System.in.available() == 0;
    } catch (IOException e) {
      return false; // at its end it is closed
    }
  }

  /** Whether nobody reads what is written to standard output any more. */
  private boolean isLeft() {
    return output == null && System.out.checkError();
  }

  private void header(Preprocessing preprocessing, int outputs) throws IOException {
    StringJoiner names = new StringJoiner(",", "", "\n");
    List<String> classes = preprocessing.classNames();
    List<TablePreprocessing.Target> targets = targets(preprocessing);
    if (isMultiLabel(preprocessing)) {
      targets.forEach(t -> names.add(quoted(t.name())).add(quoted("p_" + t.name())));
    } else if (classes.isEmpty()) {
      for (int i = 0; i < outputs; i++) {
        String name = i < targets.size() ? targets.get(i).name() : "" + i;
        names.add(outputs == 1 ? "prediction" : quoted("prediction_" + name));
      }
    } else {
      names.add("prediction");
      classes.forEach(c -> names.add(quoted("p_" + c)));
    }
    csv.append(names.toString());
  }

  private void rows(NamedRows source, String name, Preprocessing preprocessing, Predictor predictor)
      throws IOException {
    RowEncoder encoder = preprocessing.encoder();
    float[] result = new float[predictor.outputElements()];
    try (NamedRows rows = source) {
      for (Map<String, String> row = rows.next(); row != null; row = rows.next()) {
        try {
          predictor.predict(encoder.encode(row), result);
        } catch (CremaException e) {
          throw new CremaException(name + ", line " + rows.line() + ": " + e.getMessage(), e);
        }
        emit(result, preprocessing);
        if (input.equals("-") && isWaitedFor()) {
          flush();
          if (isLeft()) {
            return;
          }
        }
      }
    }
  }

  private void dataset(
      Path file, DataOptions options, Preprocessing preprocessing, Predictor predictor)
      throws IOException {
    Dataset data = Datasets.unlabelled(file, preprocessing, options);
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
        if (isLeft()) {
          return;
        }
      }
    }
  }

  private static boolean isSigmoid(Model model) {
    Op last = model.build(new Graph(), false).outputs().get(0).op();
    return last instanceof Sigmoid || last instanceof HardSigmoid;
  }

  /** Of two classes and one output the probabilities of both; else what the model gives. */
  private float[] ofClasses(float[] output, List<String> classes) {
    if (classes.size() != 2 || output.length != 1) {
      return output;
    }
    float p = probability(output[0]);
    return new float[] {1 - p, p};
  }

  private void emit(float[] result, Preprocessing preprocessing) throws IOException {
    List<String> classes = preprocessing.classNames();
    float[] values = ofClasses(result, classes);
    if (objects != null) {
      objects.write(
          isMultiLabel(preprocessing)
              ? labels(values, preprocessing)
              : classes.isEmpty() ? numbers(values, preprocessing) : shares(values, classes));
    }
    StringJoiner line = new StringJoiner(",", "", "\n");
    if (isMultiLabel(preprocessing)) {
      for (int i = 0; i < values.length; i++) {
        line.add(quoted(answer(preprocessing, i, values[i])));
        line.add(Float.toString(probability(values[i])));
      }
    } else if (classes.isEmpty()) {
      for (int i = 0; i < values.length; i++) {
        line.add(Double.toString(original(i, values[i], preprocessing)));
      }
    } else {
      line.add(quoted(classes.get(best(values))));
      for (float v : values) {
        line.add(Float.toString(v));
      }
    }
    csv.append(line.toString());
  }

  private static ObjectNode numbers(float[] values, Preprocessing preprocessing) {
    ObjectNode object = Json.mapper().createObjectNode();
    ArrayNode predictions = object.putArray("predictions");
    for (int i = 0; i < values.length; i++) {
      predictions.add(original(i, values[i], preprocessing));
    }
    return object;
  }

  private ObjectNode labels(float[] values, Preprocessing preprocessing) {
    ObjectNode object = Json.mapper().createObjectNode();
    ObjectNode predictions = object.putObject("predictions");
    ObjectNode probabilities = object.putObject("probabilities");
    for (int i = 0; i < values.length; i++) {
      String name = targets(preprocessing).get(i).name();
      predictions.put(name, answer(preprocessing, i, values[i]));
      probabilities.put(name, probability(values[i]));
    }
    return object;
  }

  private String answer(Preprocessing preprocessing, int label, float value) {
    TablePreprocessing.Label l = (TablePreprocessing.Label) targets(preprocessing).get(label);
    return l.classNames().get(probability(value) > 0.5f ? 1 : 0);
  }

  private float probability(float value) {
    return logit ? (float) (1 / (1 + Math.exp(-value))) : value;
  }

  private static List<TablePreprocessing.Target> targets(Preprocessing preprocessing) {
    return preprocessing instanceof TablePreprocessing table ? table.targets() : List.of();
  }

  private static boolean isMultiLabel(Preprocessing preprocessing) {
    return preprocessing instanceof TablePreprocessing table && table.isMultiLabel();
  }

  private static ObjectNode shares(float[] values, List<String> classes) {
    ObjectNode object = Json.mapper().createObjectNode();
    object.put("prediction", classes.get(best(values)));
    ObjectNode probabilities = object.putObject("probabilities");
    for (int i = 0; i < values.length; i++) {
      probabilities.put(classes.get(i), values[i]);
    }
    return object;
  }

  private static int best(float[] values) {
    int best = 0;
    for (int i = 1; i < values.length; i++) {
      best = values[i] > values[best] ? i : best;
    }
    return best;
  }

  /** A regression's target was standardised for the training. */
  private static double original(int index, float value, Preprocessing preprocessing) {
    List<TablePreprocessing.Target> targets = targets(preprocessing);
    return index < targets.size() && targets.get(index) instanceof TablePreprocessing.Value target
        ? target.original(value)
        : value;
  }

  private static String quoted(String text) {
    return text.matches("[^,\"\r\n]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
  }
}
