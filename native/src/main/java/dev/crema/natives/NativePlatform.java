package dev.crema.natives;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * Names of platforms as JavaCPP writes them: {@code linux-x86_64}, {@code macosx-arm64} and so on.
 */
final class NativePlatform {
  /** The platforms that Crema's build names; a jar may have the library for any of them. */
  private static final List<String> KNOWN =
      List.of(
          "linux-x86_64",
          "linux-arm64",
          "macosx-x86_64",
          "macosx-arm64",
          "windows-x86_64",
          "windows-arm64");

  /** The platform this JVM runs on. */
  static final String CURRENT =
      name(System.getProperty("os.name", "unknown"), System.getProperty("os.arch", "unknown"));

  private NativePlatform() {}

  static String name(String osName, String osArch) {
    String os = osName.toLowerCase(Locale.ROOT);
    String arch = osArch.toLowerCase(Locale.ROOT);
    String system;
    if (os.startsWith("mac") || os.startsWith("darwin")) {
      system = "macosx";
    } else if (os.startsWith("windows")) {
      system = "windows";
    } else {
      system = os.replace(' ', '_');
    }
    String processor;
    if (arch.equals("amd64") || arch.equals("x64") || arch.equals("x86-64")) {
      processor = "x86_64";
    } else if (arch.equals("aarch64")) {
      processor = "arm64";
    } else {
      processor = arch;
    }
    return system + "-" + processor;
  }

  /** The known platforms for which the class path has the library of that file name stem. */
  static List<String> packaged(ClassLoader loader, String stem) {
    List<String> found = new ArrayList<>();
    for (String platform : KNOWN) {
      if (loader.getResource("META-INF/crema/" + platform + "/" + fileName(platform, stem))
          != null) {
        found.add(platform);
      }
    }
    return found;
  }

  static String fileName(String platform, String stem) {
    if (platform.startsWith("windows")) {
      return stem + ".dll";
    }
    return "lib" + stem + (platform.startsWith("macosx") ? ".dylib" : ".so");
  }
}
