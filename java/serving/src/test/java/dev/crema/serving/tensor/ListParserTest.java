package dev.crema.serving.tensor;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.exc.StreamReadException;
import dev.crema.serving.inference.ServingException;
import java.io.IOException;
import java.math.BigDecimal;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The short way through lists gives what Jackson gives and Java's own reading of a float. */
final class ListParserTest {
  private static final JsonFormat FORMAT = new JsonFormat(StreamReadConstraints.defaults());

  private static float[] read(String list) throws IOException {
    byte[] body = list.getBytes(StandardCharsets.UTF_8);
    JsonTensor tensor = new JsonTensor("x", NumberType.FP32, "DT_FLOAT", 8, 1 << 20);
    try (JsonParser json = FORMAT.parser(body, 0, body.length)) {
      assertThat(json).isInstanceOf(ListParser.class);
      json.nextToken();
      tensor.read(json);
      assertThat(json.nextToken()).isNull();
    }
    ByteBuffer data = tensor.data();
    float[] values = new float[data.remaining() / Float.BYTES];
    data.asFloatBuffer().get(values);
    return values;
  }

  /** How many numbers behind the first the short way takes. */
  private static int taken(String list) throws IOException {
    byte[] body = list.getBytes(StandardCharsets.UTF_8);
    try (JsonParser json = FORMAT.parser(body, 0, body.length)) {
      json.nextToken();
      json.nextToken();
      return ((ListParser) json).floats(ByteBuffer.allocate(1024));
    }
  }

  @Property(tries = 500)
  void floatsOfAllSizesAreJavas(@ForAll long seed, @ForAll @IntRange(min = 1, max = 40) int count)
      throws IOException {
    Random random = new Random(seed);
    List<String> texts = new ArrayList<>();
    float[] expected = new float[count];
    for (int i = 0; i < count; i++) {
      texts.add(text(random));
      expected[i] = Float.parseFloat(texts.get(i));
    }
    assertThat(read("[" + String.join(random.nextBoolean() ? "," : ", ", texts) + "]"))
        .as("%s", texts)
        .containsExactly(expected);
  }

  /** As programs write numbers; about a third of them lie on the border between two floats. */
  private static String text(Random random) {
    float value = Float.intBitsToFloat(random.nextInt());
    if (!(Math.abs(value) < Float.MAX_VALUE)) {
      value = 0.5f;
    }
    float small = (float) (random.nextGaussian() * Math.pow(10, random.nextInt(9) - 4));
    return switch (random.nextInt(9)) {
      case 0 -> Float.toString(value).toLowerCase(Locale.ROOT);
      case 1 -> Float.toString(small);
      case 2 -> Double.toString(random.nextGaussian());
      case 3 -> Integer.toString(random.nextInt(2) == 0 ? random.nextInt() : random.nextInt(256));
      case 4 -> String.format(Locale.ROOT, "%.7f", small);
      case 5 -> border(small, 0).toPlainString();
      case 6 -> border(small, random.nextInt(3) - 1).toPlainString();
      case 7 -> border(small, 0).toPlainString().replaceAll("(.{16}).*", "$1");
      default -> String.format(Locale.ROOT, "%.3e", random.nextGaussian() * 1e-7);
    };
  }

  /** The middle between a float and the next, or a little beside it. */
  private static BigDecimal border(float value, int side) {
    BigDecimal middle =
        new BigDecimal(value).add(new BigDecimal(Math.nextUp(value))).divide(BigDecimal.valueOf(2));
    return middle.add(BigDecimal.valueOf(side).scaleByPowerOfTen(-middle.scale()));
  }

  @Test
  void plainListsAreTakenAtOnce() throws IOException {
    assertThat(taken("[0.5, -1.25,3,  4e2,5E-1,0.1234567890123456, 0, -0.0]")).isEqualTo(7);
    assertThat(read("[0.5, -1.25,3,  4e2,5E-1,0.1234567890123456, 0, -0.0]"))
        .containsExactly(0.5f, -1.25f, 3, 400, 0.5f, 0.12345679f, 0, -0f);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "[1, 00]",
        "[1, 01]",
        "[1, -]",
        "[1, .5]",
        "[1, 1.]",
        "[1, 1e]",
        "[1, 1e+]",
        "[1, +1]",
        "[1, 0x1]",
        "[1, 1f]",
        "[1, 1d]",
        "[1 1]",
        "[1,, 1]",
        "[1, ]",
        "[1, 1",
        "[1, 1.5",
        "[1 ,",
        "[1, 1]]",
        "[1, 1}"
      })
  void whatIsNoJsonIsRefusedAsBefore(String list) throws IOException {
    assertThatThrownBy(() -> read(list)).isInstanceOf(StreamReadException.class);
    assertThatThrownBy(() -> tokens(new JsonFactory().createParser(list)))
        .isInstanceOf(StreamReadException.class);
  }

  private static void tokens(JsonParser json) throws IOException {
    JsonToken token;
    do {
      token = json.nextToken();
      if (token == JsonToken.VALUE_NUMBER_FLOAT || token == JsonToken.VALUE_NUMBER_INT) {
        json.getFloatValue();
      }
    } while (token != null);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"[1, null]", "[1, \"2\"]", "[1, true]", "[1, [2]]", "[1, 1e39]", "[1, 4e38, 1]"})
  void whatIsNoFloatIsRefusedWithItsPlace(String list) {
    assertThatThrownBy(() -> read(list))
        .isInstanceOf(ServingException.class)
        .hasMessageContaining("at [1]");
  }

  @Test
  void whatTheShortWayLeavesIsReadAllTheSame() throws IOException {
    assertThat(
            read(
                "[1, -0, 0.1234567890123456789012345, 1e-30, 1.5e25,\n\t2, NaN,"
                    + " 16777217, 16777217.000000000000000001, -Infinity, 3]"))
        .containsExactly(
            1,
            0,
            0.12345679f,
            1e-30f,
            1.5e25f,
            2,
            Float.NaN,
            16777216,
            16777218,
            Float.NEGATIVE_INFINITY,
            3);
  }

  @Test
  void aListInAListGoesOnBehindTheShortWay() throws IOException {
    assertThat(read("[[1, 2, 3], [4, 5, 6]]")).containsExactly(1, 2, 3, 4, 5, 6);
    assertThatThrownBy(() -> read("[[1, 2, 3], [4, 5]]"))
        .hasMessageContaining("a list of 2 values beside one of 3");
  }
}
