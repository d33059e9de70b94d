package dev.crema.device.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.crema.CremaException;
import dev.crema.device.cuda.calls.LibraryFiles;
import dev.crema.device.cuda.calls.LibraryFolders;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is found of NVIDIA's cards and libraries, and every reason why something is not used. */
class CudaCardsTest {
  private static final CudaOptions OPTIONS =
      new CudaOptions(false, Measuring.NOTHING, new KernelCache(null), operation -> -1);

  private final FakeCard card = new FakeCard();

  private CudaCards look() {
    return CudaCards.of(() -> card, OPTIONS);
  }

  @Test
  void aCardIsDescribed() {
    CudaCards cards = look();
    assertThat(cards.reason()).isNull();
    assertThat(cards.usable()).hasSize(1);
    assertThat(cards.usable().get(0).name()).isEqualTo("cuda:0");
    assertThat(cards.usable().get(0).description())
        .isEqualTo("Fake card, 8.0 GiB, compute capability 9.0, driver for CUDA 13.1");
    assertThat(cards.libraries())
        .extracting(CudaLibrary::name, CudaLibrary::version)
        .containsExactly(
            tuple("driver", "580.65.06"),
            tuple("cuBLASLt", "13.2.0"),
            tuple("cuDNN", "9.19.0"),
            tuple("NVRTC", "13.1"));
    CudaDevice device = cards.device(0);
    assertThat(cards.device(0)).isSameAs(device);
    assertThatThrownBy(() -> cards.device(1)).hasMessageContaining("There is no cuda:1");
    device.close();
  }

  @Test
  void anOldDriverIsNamedWithBothVersions() {
    card.fakeDriver().driverVersion = 12040;
    assertThat(look().reason()).contains("for CUDA 12.4", "CUDA 13.0 or newer");
    assertThatThrownBy(() -> look().device(0))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("cuda:0 cannot be used: the driver is for CUDA 12.4");
  }

  @Test
  void aDriverWithoutCardsSaysSo() {
    card.fakeDriver().initStatus = DriverStatus.NO_DEVICE;
    assertThat(look().reason()).contains("sees no card");
    FakeCard other = new FakeCard();
    other.fakeDriver().devices = 0;
    assertThat(CudaCards.of(() -> other, OPTIONS).reason()).contains("sees no card");
  }

  @Test
  void aDriverThatDoesNotStartIsQuoted() {
    card.fakeDriver().initStatus = 803;
    assertThat(look().reason()).contains("cuInit gave CUDA_ERROR_803", "Install a newer driver");
  }

  @Test
  void anOldCardIsListedButNotUsed() {
    card.fakeDriver().capability = 75;
    CudaCards cards = look();
    assertThat(cards.reason()).isNull();
    assertThat(cards.usable()).isEmpty();
    assertThat(cards.whyNot())
        .isEqualTo("cuda:0: compute capability 7.5; 8.0 is the least that is supported");
    assertThatThrownBy(() -> cards.device(0)).hasMessageContaining("compute capability 7.5");
  }

  @Test
  void everyFailureOfALookIsAReason() {
    for (int k = 1; k <= 9; k++) {
      FakeCard failing = new FakeCard();
      failing.failAt(k, 999);
      CudaCards cards = CudaCards.of(() -> failing, OPTIONS);
      if (failing.hasFailed()) {
        assertThat(cards.whyNot()).as("call %s", k).contains("CUDA_ERROR_999");
        assertThat(cards.usable()).isEmpty();
      }
    }
  }

  @Test
  void aLibraryThatIsMissingIsNamedWithWhereItWasLookedFor(@TempDir Path folder) {
    LibraryFiles files = new LibraryFiles(List.of(folder), name -> false);
    assertThatThrownBy(() -> files.require("libcudart.so.13"))
        .hasMessageContaining("libcudart.so.13 was not found in [" + folder + "]")
        .hasMessageContaining("CREMA_CUDA_PATH");
    assertThatThrownBy(() -> files.require("libcuda.so.1"))
        .hasMessageContaining(
            "libcuda.so.1 was not found in [" + folder + "]. It comes with NVIDIA")
        .hasMessageNotContaining("pip");
    assertThat(
            CudaCards.of(
                    () -> {
                      files.require("libcudart.so.13");
                      return card;
                    },
                    OPTIONS)
                .reason())
        .contains("libcudart.so.13 was not found");
    LibraryFiles unreadable = new LibraryFiles(List.of(folder.resolve("gone")), name -> false);
    assertThatThrownBy(() -> unreadable.require("libcudart.so.13"))
        .isInstanceOf(CremaException.class)
        .hasMessageContaining("libcudart.so.13 was not found in [" + folder.resolve("gone"));
  }

  @Test
  void aLibraryOfAnotherVersionIsNamed(@TempDir Path folder) throws IOException {
    LibraryFiles files = new LibraryFiles(List.of(folder), name -> false);
    Path old = Files.createFile(folder.resolve("libcublas.so.12.4.5.8"));
    Files.createFile(folder.resolve("libcublasLt.so.12"));
    Files.createFile(folder.resolve("libcudnn.so.debug"));
    Path next = Files.createFile(folder.resolve("libcudart.so.14"));
    assertThatThrownBy(() -> files.require("libcublas.so.13"))
        .hasMessageContaining("[" + folder + "]. " + old + " is too old. Install it (CUDA 13");
    assertThatThrownBy(() -> files.require("libcudart.so.13"))
        .hasMessageContaining(next + " is too new. Install it");
    assertThatThrownBy(() -> files.require("libcudnn.so.9"))
        .hasMessageContaining("[" + folder + "]. Install it");
  }

  @Test
  void theDnnOfAnotherCudaIsRefused() {
    card.fakeDnn().cudaVersion = 12080;
    CudaCards cards = look();
    CudaLibrary dnn = cards.libraries().get(2);
    assertThat(dnn.version()).isNull();
    assertThat(dnn.reason())
        .startsWith("the cuDNN that was found, 9.19.0, is for CUDA 12.8; Crema needs cuDNN 9 for")
        .contains("nvidia-cudnn-cu13", "CREMA_CUDA_PATH");
    CudaDevice device = cards.device(0);
    device.context().enter();
    assertThatThrownBy(device::convolutions).hasMessage(dnn.reason());
    device.close();
  }

  @Test
  void aLibraryOnTheClassPathIsLeftToThePreset(@TempDir Path folder) throws IOException {
    LibraryFiles files = new LibraryFiles(List.of(folder), name -> name.equals("libcublas.so.13"));
    assertThat(files.require("libcublas.so.13")).isNull();
    Path file = Files.createFile(folder.resolve("libcublas.so.13"));
    assertThat(files.require("libcublas.so.13")).isEqualTo(file);
  }

  @Test
  void foldersAreThoseOfTheEnvironmentInOrder(@TempDir Path root) throws IOException {
    Path named = folders(root, "opt/cuda13/lib64");
    Path loader = folders(root, "opt/loader");
    Path system = folders(root, "usr/lib64");
    Path venv = folders(root, "venv/lib/python3.12/site-packages/nvidia/cudnn/lib");
    Path wheel = folders(root, "py/lib/python3.11/site-packages/nvidia/cu13/lib");
    Path debian = folders(root, "py/lib/python3/dist-packages/nvidia/cu13/lib");
    Path user = folders(root, "home/.local/lib/python3.11/site-packages/nvidia/cublas/lib");
    Path configured = folders(root, "opt/configured");
    Path python = folders(root, "py/bin").resolve("python3");
    assertThat(Files.createFile(python).toFile().setExecutable(true)).isTrue();
    Path conf = folders(root, "etc/ld.so.conf.d").resolve("cuda.conf");
    Files.writeString(conf, "# CUDA\n" + configured + "\n");
    List<Path> found =
        LibraryFolders.of(
            Map.of(
                "CREMA_CUDA_PATH", root.resolve("opt/cuda13") + File.pathSeparator,
                "LD_LIBRARY_PATH", loader + File.pathSeparator + root.resolve("missing"),
                "VIRTUAL_ENV", root.resolve("venv").toString(),
                "PATH", root.resolve("nothing") + File.pathSeparator + python.getParent()),
            root.resolve("home").toString(),
            root);
    assertThat(found)
        .containsSubsequence(named, loader, system, configured, venv, debian, wheel, user)
        .allMatch(Files::isDirectory)
        .doesNotHaveDuplicates();
  }

  private static Path folders(Path root, String path) throws IOException {
    return Files.createDirectories(root.resolve(path));
  }

  @Test
  void thisMachineHasCardsOrAReason() {
    CudaCards cards = CudaCards.ofMachine();
    assertThat(cards.usable().isEmpty()).isEqualTo(!cards.whyNot().isEmpty());
  }

  @Test
  void aCardSaysWhatIsNotAskedOfIt() {
    CudaCard ampere = new CudaCard(0, "A100", 40L << 30, 80, 13010);
    assertThat(ampere.unused().get(0)).contains("2:4", "cuSPARSELt");
    assertThat(ampere.unused().get(1)).contains("fp8", "as float16", "no such products", "int8");
    CudaCard hopper = new CudaCard(0, "H200", 141L << 30, 90, 13010);
    assertThat(hopper.unused().get(1))
        .contains("fp8", "small layers", "as float16", "big ones are by cuBLASLt");
    CudaCard ada = new CudaCard(0, "L40", 48L << 30, 89, 13010);
    assertThat(ada.unused()).hasSize(1);
  }
}
