package dev.crema.serving;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ClassFileImporter;
import com.tngtech.archunit.core.importer.ImportOption;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Serving knows models and predictors, data and memory. Of what lies below it sees no more than
 * which device computes, what type a tensor has, and that a kernel refused values.
 */
class ServingArchitectureTest {
  private static final JavaClasses CLASSES =
      new ClassFileImporter()
          .withImportOption(ImportOption.Predefined.DO_NOT_INCLUDE_TESTS)
          .importUrl(ServingListener.class.getProtectionDomain().getCodeSource().getLocation());

  private static final Set<String> HANDLES =
      Set.of(
          "dev.crema.device.Device",
          "dev.crema.device.KernelException",
          "dev.crema.device.MemoryUse",
          "dev.crema.graph.Precision",
          "dev.crema.graph.TensorType",
          "dev.crema.graph.Dim");

  @Test
  void servingKnowsNothingOfKernelsAndPlans() {
    noClasses()
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage(
            "dev.crema.plan..",
            "dev.crema.op..",
            "dev.crema.pass..",
            "dev.crema.natives..",
            "dev.crema.device.cpu..",
            "dev.crema.device.cuda..",
            "org.bytedeco..")
        .check(CLASSES);
    noClasses()
        .should()
        .dependOnClassesThat(
            DescribedPredicate.<JavaClass>describe(
                "are of graph or device and no handles",
                c ->
                    (c.getPackageName().equals("dev.crema.graph")
                            || c.getPackageName().equals("dev.crema.device"))
                        && !HANDLES.contains(c.getName())))
        .check(CLASSES);
  }

  @Test
  void whatComputesKnowsNothingOfProtocols() {
    noClasses()
        .that()
        .resideInAnyPackage(
            "dev.crema.serving.inference..",
            "dev.crema.serving.execution..",
            "dev.crema.serving.repository..",
            "dev.crema.serving.batching..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("com.linecorp.armeria..", "io.grpc..", "io.netty..")
        .check(CLASSES);
  }

  @Test
  void batchingIsAboveTheRepositoryAndThatAboveExecution() {
    noClasses()
        .that()
        .resideInAPackage("dev.crema.serving.repository..")
        .should()
        .dependOnClassesThat()
        .resideInAPackage("dev.crema.serving.batching..")
        .check(CLASSES);
    noClasses()
        .that()
        .resideInAPackage("dev.crema.serving.execution..")
        .should()
        .dependOnClassesThat()
        .resideInAnyPackage("dev.crema.serving.batching..", "dev.crema.serving.repository..")
        .check(CLASSES);
  }
}
