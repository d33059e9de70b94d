package dev.crema;

import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.library.Architectures;
import com.tngtech.archunit.library.Architectures.LayeredArchitecture;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/**
 * Packages import only downward. From the top:
 *
 * <ul>
 *   <li>train, compress, io: what people do with a model;
 *   <li>nn: layers and models; they build graphs and have plans run them;
 *   <li>plan: a graph made ready for a device;
 *   <li>pass: rewrites graphs; knows ops;
 *   <li>op: the operations;
 *   <li>device: runs programs;
 *   <li>graph: nodes of ops; knows no device and no kernel;
 *   <li>memory: buffers, shapes and element types; alone but for devices and natives;
 *   <li>data, eval: examples and metrics; plain Java over memory;
 *   <li>text: tables and progress for people; imported by anyone, imports nobody.
 * </ul>
 */
class ArchitectureTest {
  /** Each package and those that it may import. */
  private static final Map<String, List<String>> MAY_IMPORT =
      Map.ofEntries(
          Map.entry("text", List.of()),
          Map.entry("memory", List.of("text")),
          Map.entry("data", List.of("memory", "text")),
          Map.entry("eval", List.of("memory", "text")),
          Map.entry("graph", List.of("memory")),
          Map.entry("device", List.of("graph", "memory", "text")),
          Map.entry("op", List.of("graph", "memory")),
          Map.entry("pass", List.of("op", "graph", "memory")),
          Map.entry("plan", List.of("pass", "op", "device", "graph", "memory")));

  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importPackages("dev.crema");

  @Test
  void lowerPackagesDoNotImportHigherOnes() {
    LayeredArchitecture layers =
        Architectures.layeredArchitecture()
            .consideringOnlyDependenciesInAnyPackage("dev.crema..")
            .ensureAllClassesAreContainedInArchitectureIgnoring("dev.crema", "dev.crema.natives..");
    for (String name : MAY_IMPORT.keySet()) {
      layers = layers.layer(name).definedBy("dev.crema." + name + "..");
    }
    layers = layers.layer("above").definedBy(ABOVE);
    for (Map.Entry<String, List<String>> e : MAY_IMPORT.entrySet()) {
      var layer = layers.whereLayer(e.getKey());
      layers =
          e.getValue().isEmpty()
              ? layer.mayNotAccessAnyLayer()
              : layer.mayOnlyAccessLayers(e.getValue().toArray(new String[0]));
    }
    layers
        .ignoreDependency(com.tngtech.archunit.base.DescribedPredicate.alwaysTrue(), IS_FOUNDATION)
        .check(CLASSES);
  }

  private static final String[] ABOVE = {
    "dev.crema.nn..", "dev.crema.train..", "dev.crema.compress..", "dev.crema.io.."
  };

  /** Exceptions and the binding of the native library, which stand below everything. */
  private static final com.tngtech.archunit.base.DescribedPredicate<
          com.tngtech.archunit.core.domain.JavaClass>
      IS_FOUNDATION =
          com.tngtech.archunit.base.DescribedPredicate.describe(
              "is the foundation",
              c ->
                  c.getPackageName().equals("dev.crema")
                      || c.getPackageName().startsWith("dev.crema.natives"));

  @Test
  void noTwoPackagesImportEachOther() {
    slices().matching("dev.crema.(*)..").should().beFreeOfCycles().check(CLASSES);
  }
}
