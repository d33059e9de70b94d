package dev.crema.device.cuda;

import dev.crema.CremaException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The source of a family of kernels and the headers that it includes.
 *
 * @param headers by the names they are included by
 */
record KernelSource(String family, String source, Map<String, String> headers) {
  private static final String FOLDER = "/dev/crema/kernels/";
  private static final Pattern INCLUDE =
      Pattern.compile("^\\s*#\\s*include\\s*\"([^\"]+)\"", Pattern.MULTILINE);

  /**
   * @throws CremaException if the class path does not have it
   */
  static KernelSource of(String family) {
    String source = text(family + ".cu");
    Map<String, String> headers = new LinkedHashMap<>();
    addHeaders(source, headers);
    return new KernelSource(family, source, headers);
  }

  private static void addHeaders(String source, Map<String, String> headers) {
    Matcher include = INCLUDE.matcher(source);
    while (include.find()) {
      String name = include.group(1);
      if (!headers.containsKey(name)) {
        String header = text(name);
        headers.put(name, header);
        addHeaders(header, headers);
      }
    }
  }

  /** The compiled kernels of a family, for several architectures; null if they were not built. */
  static byte[] fatbin(String family) {
    return bytes(family + ".fatbin");
  }

  private static String text(String name) {
    byte[] bytes = bytes(name);
    if (bytes == null) {
      throw new CremaException(
          "The class path has no " + FOLDER.substring(1) + name + ": add the jar crema-kernels");
    }
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static byte[] bytes(String name) {
    try (InputStream in = KernelSource.class.getResourceAsStream(FOLDER + name)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("Cannot read " + FOLDER + name, e);
    }
  }
}
