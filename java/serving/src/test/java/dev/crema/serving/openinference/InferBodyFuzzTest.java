package dev.crema.serving.openinference;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JacksonException;
import dev.crema.serving.ExampleModels;
import dev.crema.serving.Mutations;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.security.Limits;
import dev.crema.serving.tensor.JsonFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Bodies of /infer that nobody means, JSON and binary: read or refused, never anything else. */
class InferBodyFuzzTest {
  private static final List<String> BODIES =
      List.of(
          "{\"id\": \"42\", \"parameters\": {\"timeout\": 5, \"x\": [1]}, \"inputs\": [{\"name\":"
              + " \"a\", \"shape\": [2, 2], \"datatype\": \"FP32\", \"data\": [1, 2, 3,"
              + " 4]},{\"name\": \"b\", \"shape\": [2], \"datatype\": \"INT8\", \"data\": [10,"
              + " 20]}],\"outputs\": [{\"name\": \"sum\", \"parameters\": {\"classification\":"
              + " 2}}]}",
          "{\"inputs\": [{\"data\": [[1, 2], [3, 4]], \"datatype\": \"FP32\", \"name\": \"a\","
              + " \"shape\": [2, 2]},{\"data\": [10, 20], \"datatype\": \"INT32\", \"name\": \"b\","
              + " \"shape\": [2]}]}",
          "{\"inputs\": [{\"name\": \"b\", \"shape\": [2], \"datatype\": \"INT32\", \"parameters\":"
              + " {\"binary_data_size\": 8}},{\"name\": \"a\", \"shape\": [2, 2], \"datatype\":"
              + " \"FP32\", \"parameters\": {\"binary_data_size\": 16}}]}");

  private final JsonFormat format = new JsonFormat(Limits.DEFAULT.json());
  private final ExampleModels models = new ExampleModels();

  @Property(tries = 6000)
  void infer(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    String json = BODIES.get(random.nextInt(BODIES.size()));
    byte[] binary = new byte[json.contains("binary_data_size") ? 24 : 0];
    byte[] valid =
        (json + new String(binary, StandardCharsets.US_ASCII)).getBytes(StandardCharsets.UTF_8);
    byte[] body = Mutations.of(valid, random);
    int length =
        random.nextInt(4) == 0 ? random.nextInt(body.length + 1) : body.length - binary.length;
    if (length < 0) {
      return;
    }
    try {
      InferBody read =
          InferBody.read(
              format,
              body,
              length,
              models.signature(ModelReference.of("pair")),
              Limits.DEFAULT.tensorBytes());
      read.inputs()
          .values()
          .forEach(v -> assertThat(v.data().remaining()).isLessThanOrEqualTo(8 * body.length));
    } catch (ServingException e) {
      assertThat(e.code()).isEqualTo(ServingException.Code.INVALID_ARGUMENT);
    } catch (IOException e) {
      assertThat(e).isInstanceOfAny(JacksonException.class, java.io.CharConversionException.class);
    }
  }
}
