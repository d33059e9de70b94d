package dev.crema.serving.tensorflow;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.core.JacksonException;
import dev.crema.serving.ExampleModels;
import dev.crema.serving.Mutations;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.Signature;
import dev.crema.serving.repository.ModelReference;
import dev.crema.serving.security.Limits;
import dev.crema.serving.tensor.JsonFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;

/** Bodies of TensorFlow's REST calls that nobody means: read or refused, never anything else. */
class BodiesFuzzTest {
  private static final List<String> PREDICT =
      List.of(
          "{\"signature_name\": \"serving_default\", \"instances\": [[1, 2.5, -3e-2], [NaN, 0,"
              + " 1]]}",
          "{\"instances\": [{\"a\": [1, 2], \"b\": 10}, {\"b\": -1, \"a\": [0.5, 1e1]}]}",
          "{\"inputs\": {\"b\": [10, -1], \"a\": [[1, 2], [0.5, 10]]}}",
          "{\"inputs\": [[1, 2, 3]], \"other\": {\"deep\": [{}]}}");
  private static final String EXAMPLES =
      "{\"context\": {\"b\": 10}, \"examples\": [{\"a\": [1, 2.5]}, {\"a\": [3, true], \"c\":"
          + " {\"b64\": \"AA==\"}}]}";

  private final JsonFormat format = new JsonFormat(Limits.DEFAULT.json());
  private final ExampleModels models = new ExampleModels();

  @Property(tries = 4000)
  void predict(@ForAll long seed) throws IOException {
    Random random = new Random(seed);
    byte[] valid = PREDICT.get(random.nextInt(PREDICT.size())).getBytes(StandardCharsets.UTF_8);
    byte[] body = Mutations.of(valid, random);
    Signature signature =
        models.signature(ModelReference.of(random.nextBoolean() ? "pair" : "pets"));
    try {
      PredictBody read = PredictBody.read(format, body, signature, Limits.DEFAULT.tensorBytes());
      read.inputs()
          .values()
          .forEach(v -> assertThat(v.data().remaining()).isLessThanOrEqualTo(8 * body.length));
    } catch (ServingException e) {
      assertThat(e.code()).isEqualTo(ServingException.Code.INVALID_ARGUMENT);
    } catch (IOException e) {
      // Only what says where JSON is wrong: a client is told it.
      assertThat(e).isInstanceOfAny(JacksonException.class, java.io.CharConversionException.class);
      assertThat(JsonFormat.malformed(e).getMessage())
          .startsWith("JSON Parse error: ")
          .hasSizeLessThan(500);
    }
  }

  @Property(tries = 3000)
  void examples(@ForAll long seed) throws IOException {
    byte[] body = Mutations.of(EXAMPLES.getBytes(StandardCharsets.UTF_8), new Random(seed));
    try {
      Examples.inputs(
          ExamplesBody.read(format, body, SignatureNames.CLASSIFY),
          models.signature(ModelReference.of("pair")),
          Limits.DEFAULT.tensorBytes());
    } catch (ServingException e) {
      assertThat(e.code()).isEqualTo(ServingException.Code.INVALID_ARGUMENT);
    } catch (IOException e) {
      assertThat(e).isInstanceOfAny(JacksonException.class, java.io.CharConversionException.class);
    }
  }
}
