package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.crema.cli.CommandRun.Result;
import dev.crema.io.Json;
import dev.crema.nn.Activation;
import dev.crema.nn.Add;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import dev.crema.nn.Topology;
import dev.crema.nn.TopologyFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PruneCommandTest {
  @TempDir private Path folder;
  private Path data;
  private Path dense;
  private double accuracy;

  @BeforeEach
  void trainAModel() throws IOException {
    data = CommandRun.flowers(folder);
    dense = folder.resolve("dense");
    Result train =
        run("train", "--data", "" + data, "--model", "mlp:32", "--out", "" + dense, "--json");
    assertThat(train.code()).as(train.err()).isZero();
    accuracy = train.json().at("/evaluation/classification/accuracy").asDouble();
  }

  private static Result run(String... args) {
    return CommandRun.run(args);
  }

  private Result prune(String... more) {
    String[] args = new String[7 + more.length];
    String[] first = {
      "prune", "--model", "" + dense, "--data", "" + data, "--out", "" + folder.resolve("pruned")
    };
    System.arraycopy(first, 0, args, 0, 7);
    System.arraycopy(more, 0, args, 7, more.length);
    return run(args);
  }

  @Test
  void prunesByAScheduleAndShowsBeforeAndAfter() {
    Result result =
        prune(
            "--sparsity",
            "0.75",
            "--learning-rate",
            "0.01",
            "--initial-sparsity",
            "0.25",
            "--epochs",
            "6",
            "--json");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err())
        .contains("Sparsity: 0.25 to 0.75, steps 0 to 40, every 2", "Epoch 6/6")
        .contains("accuracy", "file size", "non-zeros", "latency, batch 32");
    JsonNode json = result.json();
    assertThat(json.at("/before/accuracy").asDouble())
        .as("on the examples that the training set apart")
        .isEqualTo(accuracy);
    assertThat(json.at("/after/accuracy").asDouble()).isGreaterThan(0.85);
    // Of 4 x 32 and 32 x 2 weights a quarter is left, and all biases that are not 0.
    assertThat(json.at("/after/parameters").asLong()).isEqualTo(4 * 32 + 32 + 32 * 2 + 2);
    assertThat(json.at("/after/non_zeros").asLong()).isBetween(48L, 48L + 34);
    assertThat(json.at("/sparsity/0/pruned").asLong()).isEqualTo(96);
    assertThat(json.get("history")).hasSize(6);
    assertThat(json.at("/after/latency_us_batch_1").asDouble()).isPositive();
    try (Model pruned = Model.load(folder.resolve("pruned"))) {
      assertThat(pruned.masks().paths()).hasSize(2);
    }
    assertThat(folder.resolve("pruned.tuning")).as("it is done").doesNotExist();
    Result evaluate =
        run("evaluate", "--model", "" + folder.resolve("pruned"), "--data", "" + data);
    assertThat(evaluate.code()).as(evaluate.err()).isZero();
  }

  @Test
  void prunesWithoutTrainingAndInPatterns() {
    Result once =
        prune("--sparsity", "0.5", "--epochs", "0", "--scope", "global", "--strip", "--json");
    assertThat(once.code()).as(once.err()).isZero();
    assertThat(once.json().has("history")).isFalse();
    long pruned = once.json().at("/sparsity/0/pruned").asLong();
    for (JsonNode row : once.json().get("sparsity")) {
      pruned +=
          row.get("parameter").asText().equals("output/kernel") ? row.get("pruned").asLong() : 0;
    }
    assertThat(pruned).isEqualTo(96);
    try (Model plain = Model.load(folder.resolve("pruned"))) {
      assertThat(plain.masks().isEmpty()).isTrue();
    }
    Result ratio = prune("--pattern", "2:4", "--epochs", "1", "--json");
    assertThat(ratio.code()).as(ratio.err()).isZero();
    assertThat(ratio.json().at("/sparsity/0/pruned").asLong()).isEqualTo(64);
    Result blocks =
        prune(
            "--pattern",
            "block:2x8",
            "--sparsity",
            "0.5",
            "--exclude",
            "output",
            "--schedule",
            "constant",
            "--epochs",
            "1",
            "--json");
    assertThat(blocks.code()).as(blocks.err()).isZero();
    assertThat(blocks.json().at("/sparsity/0/pruned").asLong()).isEqualTo(64);
    assertThat(blocks.json().at("/sparsity/2/pruned").asLong()).isZero();
    Result channels =
        prune("--pattern", "channel", "--sparsity", "0.25", "--epochs", "1", "--json");
    assertThat(channels.code()).as(channels.err()).isZero();
    assertThat(channels.json().at("/sparsity/0/pruned").asLong()).isEqualTo(4 * 8);
    assertThat(channels.json().at("/sparsity/1/pruned").asLong()).isEqualTo(8);
    assertThat(channels.json().at("/after/parameters").asLong())
        .as("the layers are smaller")
        .isEqualTo(4 * 24 + 24 + 24 * 2 + 2);
    Result shapes =
        prune(
            "--pattern",
            "channel",
            "--sparsity",
            "0.25",
            "--epochs",
            "0",
            "--keep-shapes",
            "--json");
    assertThat(shapes.json().at("/after/parameters").asLong()).isEqualTo(4 * 32 + 32 + 64 + 2);
  }

  /** A training of hours must not be lost because a sum keeps some channels where they are. */
  @Test
  void ofAResidualNetworkChannelsGoThatCan() throws IOException {
    Path topology = folder.resolve("residual.json");
    Symbol x = Symbol.input("x", 4);
    Symbol sum = new Add().apply(x.then(Dense.of(4)), x); // its channels are the input's, too
    Symbol wide = sum.then(Dense.of(8, Activation.RELU));
    Symbol inner = wide.then(Dense.of(6, Activation.RELU)).then(Dense.of(8));
    Symbol y = new Add().apply(inner, wide).then(Dense.of(2, Activation.SOFTMAX));
    Json.write(topology, TopologyFormat.toJson(Topology.of(List.of(x), List.of(y))));
    Path residual = folder.resolve("residual");
    String[] train = {"train", "--data", "" + data, "--epochs", "1", "--out", "" + residual};
    assertThat(run(CommandRun.with(train, "--model", "" + topology)).code()).isZero();
    String[] prune = {"prune", "--model", "" + residual, "--data", "" + data, "--epochs", "1"};
    Path out = folder.resolve("narrow");
    Result result =
        run(
            CommandRun.with(
                prune, "--pattern", "channel", "--sparsity", "0.5", "--out", "" + out, "--json"));
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err()).contains("dense_1 keeps its channels: 'add_1' merges them");
    assertThat(result.json().get("layers_that_keep_their_channels").fieldNames())
        .toIterable()
        .containsExactly("dense_1");
    try (Model narrow = Model.load(out)) {
      assertThat(narrow.table().get("dense_2/kernel").type()).hasToString("[4, 4]");
      assertThat(narrow.table().get("dense_3/kernel").type()).hasToString("[4, 3]");
      assertThat(narrow.table().get("dense_4/kernel").type()).hasToString("[3, 4]");
    }
  }

  @Test
  void showsWhichLayerBearsHowMuch() throws IOException {
    Path plot = folder.resolve("sensitivity.svg");
    String[] args = {
      "prune", "--model", "" + dense, "--data", "" + data, "--sensitivity", "--json"
    };
    Result result = run(CommandRun.with(args, "--plot", "" + plot));
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err())
        .contains("accuracy at a layer's sparsity", "95 %", "dense_1", "output");
    JsonNode json = result.json();
    assertThat(json.get("unpruned").asDouble()).isEqualTo(accuracy);
    assertThat(json.get("sparsities")).hasSize(10);
    assertThat(json.at("/layers/output")).hasSize(10);
    assertThat(json.at("/data/measured_examples").asInt()).isEqualTo(80);
    assertThat(Files.readString(plot)).contains("<svg", "dense_1", "unpruned");
    Result one = run(CommandRun.with(args, "--sparsity", "0.5", "--exclude", "output"));
    assertThat(one.json().get("layers")).hasSize(1);
    assertThat(one.json().at("/layers/dense_1")).hasSize(1);
    assertThat(run(CommandRun.with(args, "--pattern", "2:4")).json().at("/sparsities/0").asDouble())
        .isEqualTo(0.5);
    Result out = run(CommandRun.with(args, "--out", "x"));
    assertThat(out.err()).contains("--out has no effect with --sensitivity");
    assertThat(out.code()).isEqualTo(2);
    Result format = run(CommandRun.with(args, "--plot", "x.gif"));
    assertThat(format.err()).contains("A plot is an .svg or a .png file");
    assertThat(format.code()).isEqualTo(1);
  }

  @Test
  void prunesInRoundsWithAndWithoutRewinding() {
    String[] three = {"--sparsity", "0.875", "--rounds", "3", "--epochs", "2", "--json"};
    Result on = prune(three);
    assertThat(on.code()).as(on.err()).isZero();
    assertThat(on.err()).contains("round", "50.00 %", "75.00 %", "87.50 %");
    JsonNode rounds = on.json().get("rounds");
    assertThat(rounds).hasSize(3);
    assertThat(rounds.at("/1/sparsity").asDouble()).isCloseTo(0.75, within(1e-9));
    assertThat(rounds.at("/2/accuracy").asDouble())
        .isEqualTo(on.json().at("/after/accuracy").asDouble());
    assertThat(on.json().at("/sparsity/0/pruned").asLong()).isEqualTo(112);
    // The first training began with the weights of that seed, so rewinding to it is that of
    // --rewind alone; the model of the first rounds is another one to go back to.
    Result start = prune(CommandRun.with(three, "--rewind"));
    assertThat(start.code()).as(start.err()).isZero();
    try (Model initial = Model.load(dense)) {
      Path seeded = folder.resolve("seeded");
      try (Model fresh = Model.of(initial.topology(), 42)) {
        fresh.save(seeded);
      }
      Result named = prune(CommandRun.with(three, "--rewind", "" + seeded));
      assertThat(named.json().at("/after/evaluation/loss"))
          .isEqualTo(start.json().at("/after/evaluation/loss"))
          .isNotEqualTo(on.json().at("/after/evaluation/loss"));
    }
    assertThat(prune("--sparsity", "0.5", "--rewind").err()).contains("--rewind is for");
    assertThat(prune(CommandRun.with(three, "--frequency", "2")).code()).isEqualTo(2);
    assertThat(prune("--sparsity", "0.5", "--rounds", "0").err()).contains("at least one round");
    assertThat(prune("--sparsity", "0.5", "--rounds", "2", "--epochs", "0").err())
        .contains("--epochs 1 or more");
  }

  /** What a training weighed by its --class-weights must not fall back to the sizes of classes. */
  @Test
  void classesAreWeighedAsInATraining() {
    String[] tuned = {"--sparsity", "0.5", "--epochs", "20", "--learning-rate", "0.05", "--json"};
    Result equal = prune(tuned);
    assertThat(equal.json().at("/after/accuracy").asDouble()).isGreaterThan(0.9);
    Result weighed = prune(CommandRun.with(tuned, "--class-weights", "tulip=0"));
    assertThat(weighed.code()).as(weighed.err()).isZero();
    assertThat(weighed.json().at("/after/accuracy").asDouble()).as("all are roses").isLessThan(0.7);
    assertThat(prune(CommandRun.with(tuned, "--class-weights", "daisy=2")).err())
        .contains("no class \"daisy\" to weigh");
    assertThat(prune("--sensitivity", "--class-weights", "balanced").code()).isEqualTo(2);
  }

  @Test
  void wrongUseSaysWhatIsRight() {
    assertThat(prune().err()).contains("--sparsity says what share");
    assertThat(prune("--sparsity", "1").err()).contains("above 0 and below 1, got 1.0");
    assertThat(prune("--sparsity", "0.5", "--pattern", "3x3").err()).contains("block:4x4");
    assertThat(prune("--sparsity", "0.9", "--pattern", "2:4", "--epochs", "0").err())
        .contains("The pattern 2:4 has the sparsity 0.5, got 0.9");
    Result ignored = prune("--sparsity", "0.5", "--schedule", "constant", "--frequency", "5");
    assertThat(ignored.code()).isEqualTo(2);
    assertThat(ignored.err()).contains("--frequency is of --schedule polynomial");
    assertThat(prune("--pattern", "2:4", "--initial-sparsity", "0.2").err())
        .contains("--initial-sparsity has no effect on 2:4");
    assertThat(prune("--sparsity", "0.5", "--epochs", "0", "--schedule", "polynomial").err())
        .contains("--schedule has no effect without a training");
    assertThat(prune("--sparsity", "0.5", "--rounds", "2", "--resume").err())
        .contains("--resume is for one training");
    assertThat(prune("--pattern", "2:4", "--rounds", "2", "--epochs", "1").err())
        .contains("2:4 has one sparsity", "no 2 rounds");
    Result unknown = prune("--sparsity", "0.5", "--exclude", "dense_7");
    assertThat(unknown.code()).isEqualTo(1);
    assertThat(unknown.err()).contains("no layer 'dense_7'", "[dense_1, output]");
    Result nowhere = run("prune", "--model", "" + dense, "--data", "" + data, "--sparsity", "0.5");
    assertThat(nowhere.code()).isEqualTo(2);
    assertThat(nowhere.err()).contains("--out");
    assertThat(prune("--sparsity", "0.5", "--plot", "x.svg").code()).isEqualTo(2);
    assertThat(run("prune", "--help").out()).contains("--sparsity", "POLYNOMIAL", "block:4x4");
    assertThat(folder.resolve("pruned")).doesNotExist();
  }
}
