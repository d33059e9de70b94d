package dev.crema.device.cuda.kernel;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** That the CUDA device lacks nothing that the CPU has, told apart by the CPU's sources. */
final class KernelTableTest {
  private static final Path CPU = Path.of("../../native/src/kernels");

  /** What the CPU has and the CUDA device refuses, and why. */
  private static final Map<String, String> REFUSED =
      Map.of(
          "gemm", "no op becomes one: the C++ tests call it",
          "probe_fma", "a limit of the CPU",
          "probe_fma_operations", "a limit of the CPU",
          "probe_bf16", "a limit of the CPU",
          "probe_bf16_operations", "a limit of the CPU",
          "probe_int8", "a limit of the CPU",
          "probe_int8_operations", "a limit of the CPU",
          "probe_copy", "a limit of the CPU",
          "probe_triad", "a limit of the CPU",
          "probe_read", "a limit of the CPU");

  @Test
  void everyInstructionOfTheCpuHasALaunchDescriptionOrIsRefusedWithAReason() {
    List<String> names = names("CREMA_KERNEL(?:_SCRATCH)?\\((\\w+)");
    assertThat(names).contains("softmax", "conv2d", "lstm_grad", "quantized_linear");
    for (String name : names) {
      assertThat(KernelTable.get(name) == null).as(name).isEqualTo(REFUSED.containsKey(name));
    }
    assertThat(names).containsAll(REFUSED.keySet());
  }

  @Test
  void everyElementwiseOperationOfTheCpuHasANumber() {
    List<String> names = names("^CREMA_(?:LONG_)?(?:UNARY|BINARY|TERNARY)\\((\\w+),");
    assertThat(names).contains("gelu", "where", "huber", "fake_quantize_grad");
    assertThat(new TreeSet<>(names)).isEqualTo(new TreeSet<>(ElementwiseOperations.NAMES));
  }

  @Test
  void numbersOfOperationsArePlacesInTheKernelsList() throws IOException {
    try (InputStream in = getClass().getResourceAsStream("/dev/crema/kernels/elementwise.cuh")) {
      String source = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      List<String> names = matches("^  X\\((\\w+),", source);
      assertThat(names).isEqualTo(ElementwiseOperations.NAMES);
    }
    assertThat(ElementwiseOperations.number("add")).isZero();
    assertThat(ElementwiseOperations.number("nothing")).isEqualTo(-1);
  }

  @Test
  void operationsOfMixedTypesAreThoseOfTheKernelsList() throws IOException {
    try (InputStream in = getClass().getResourceAsStream("/dev/crema/kernels/elementwise.cuh")) {
      String source = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      int begin = source.indexOf("#define CREMA_MIXED_OPERATIONS(X)");
      String list = source.substring(begin, source.indexOf("\n\n", begin));
      assertThat(matches("X\\((\\w+)\\)", list)).isEqualTo(ElementwiseKernels.MIXED);
      assertThat(ElementwiseOperations.NAMES).containsAll(ElementwiseKernels.MIXED);
    }
  }

  /** The first groups of what matches in the CPU's sources. */
  private static List<String> names(String pattern) {
    try (Stream<Path> files = Files.list(CPU)) {
      List<String> names = new ArrayList<>();
      for (Path file : files.sorted().toList()) {
        names.addAll(matches(pattern, Files.readString(file)));
      }
      return names;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static List<String> matches(String pattern, String text) {
    Matcher m = Pattern.compile(pattern, Pattern.MULTILINE).matcher(text);
    List<String> found = new ArrayList<>();
    while (m.find()) {
      found.add(m.group(1));
    }
    return found;
  }
}
