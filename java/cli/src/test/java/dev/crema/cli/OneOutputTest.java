package dev.crema.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.io.Json;
import dev.crema.nn.Activation;
import dev.crema.nn.Dense;
import dev.crema.nn.Model;
import dev.crema.nn.Symbol;
import dev.crema.nn.TopologyFormat;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Commands on models with several outputs say that they take one, and where the others go. */
class OneOutputTest {
  @TempDir private Path folder;

  private static void requireRefused(String... args) {
    PrintStream err = System.err;
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try {
      System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
      assertThat(Main.execute(args)).isEqualTo(1);
    } finally {
      System.setErr(err);
    }
    assertThat(bytes.toString(StandardCharsets.UTF_8))
        .contains("has the inputs [x] and the outputs [kind, place]")
        .contains("one input and one output")
        .contains("Trainer");
  }

  @Test
  void trainEvaluateAndPredictRefuseModelsOfSeveralOutputs() throws IOException {
    Symbol x = Symbol.input("x", 2);
    Symbol kind = Dense.of(2, Activation.SOFTMAX).named("kind", x);
    Symbol place = Dense.of(1).named("place", x);
    Path model = folder.resolve("model");
    Path topology = folder.resolve("topology.json");
    try (Model made = Model.of(List.of(x), List.of(kind, place), 1)) {
      made.save(model);
      Files.write(topology, Json.bytes(TopologyFormat.toJson(made.topology())));
    }
    Path data = Files.writeString(folder.resolve("d.csv"), "a,b,y\n1,2,u\n2,1,v\n3,1,u\n0,1,v\n");
    Path out = folder.resolve("out");
    requireRefused("train", "--data", "" + data, "--out", "" + out, "--model", "" + topology);
    assertThat(out).doesNotExist();
    requireRefused("evaluate", "--model", "" + model, "--data", "" + data);
    requireRefused("predict", "--model", "" + model, "--input", "" + data);
  }
}
