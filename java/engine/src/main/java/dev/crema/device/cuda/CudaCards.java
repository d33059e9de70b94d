package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.cuda.calls.CudaLibraries;
import dev.crema.device.cuda.calls.DriverCalls;
import dev.crema.device.cuda.calls.LibraryFiles;
import dev.crema.device.cuda.preset.PresetLibraries;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Supplier;

/**
 * The NVIDIA cards of this machine and why some, or all, cannot be used. Looks for a driver's files
 * before anything is loaded: machines without one pay for a few look-ups.
 */
public final class CudaCards {
  private static final int CAPABILITY_MAJOR = 75; // CU_DEVICE_ATTRIBUTE_...
  private static final int CAPABILITY_MINOR = 76;
  private static final int LEAST_CAPABILITY = 80;
  private static final int LEAST_DRIVER = 13000;
  private static final int MOST_NAME = 256;
  private static final List<String> SIGNS_OF_A_DRIVER =
      List.of("/dev/nvidiactl", "/proc/driver/nvidia/version", "/dev/dxg");

  /**
   * A card, usable or not.
   *
   * @param reason why it cannot be used; null if it can
   */
  public record Found(CudaCard card, String reason) {}

  private final CudaLibraries libraries; // null if nothing can be used
  private final List<Found> cards;
  private final String reason;
  private final CudaOptions options;
  private final List<CudaDevice> devices = new ArrayList<>();

  private CudaCards(
      CudaLibraries libraries, List<Found> cards, String reason, CudaOptions options) {
    this.libraries = libraries;
    this.cards = List.copyOf(cards);
    this.reason = reason;
    this.options = options;
  }

  /** Of this machine. */
  public static CudaCards ofMachine() {
    String platform =
        System.getProperty("os.name").toLowerCase(Locale.ROOT)
            + " "
            + System.getProperty("os.arch");
    if (!platform.equals("linux amd64")) {
      return noDriver("CUDA devices need Linux on x86-64, this is " + platform);
    }
    if (SIGNS_OF_A_DRIVER.stream().noneMatch(file -> Files.exists(Path.of(file)))) {
      return noDriver(
          "no NVIDIA driver: none of " + String.join(", ", SIGNS_OF_A_DRIVER) + " exists");
    }
    CudaOptions options;
    try {
      options = CudaOptions.ofEnvironment();
    } catch (CremaException e) {
      return noDriver(e.getMessage());
    }
    return of(() -> new PresetLibraries(LibraryFiles.ofMachine()), options);
  }

  private static CudaCards noDriver(String reason) {
    return new CudaCards(null, List.of(), reason, null);
  }

  private static CudaCards none(String reason, CudaOptions options) {
    return new CudaCards(null, List.of(), reason, options);
  }

  /**
   * @param loading throws where a library is missing
   */
  static CudaCards of(Supplier<CudaLibraries> loading, CudaOptions options) {
    try {
      CudaLibraries libraries = loading.get();
      return look(libraries, options);
    } catch (CremaException e) {
      return none(e.getMessage(), options);
    } catch (LinkageError e) {
      return none(
          "the jar org.bytedeco:cuda is missing or does not load: " + e.getMessage(), options);
    }
  }

  private static CudaCards look(CudaLibraries libraries, CudaOptions options) {
    DriverCalls calls = libraries.driver();
    int[] version = new int[1];
    int status = calls.cuDriverGetVersion(version);
    if (status != DriverStatus.SUCCESS) {
      return none(gave(calls, "cuDriverGetVersion", status), options);
    }
    if (version[0] < LEAST_DRIVER) {
      return none(
          "the driver is for CUDA "
              + CudaCard.version(version[0])
              + ", Crema needs one for CUDA "
              + CudaCard.version(LEAST_DRIVER)
              + " or newer (driver 580)",
          options);
    }
    int[] count = new int[1];
    status = calls.cuInit(0);
    if (status == DriverStatus.SUCCESS) {
      status = calls.cuDeviceGetCount(count);
    }
    if (status == DriverStatus.NO_DEVICE || status == DriverStatus.SUCCESS && count[0] == 0) {
      return none("the driver sees no card (CUDA_VISIBLE_DEVICES may hide them)", options);
    }
    if (status != DriverStatus.SUCCESS) {
      return none(gave(calls, "cuInit", status), options);
    }
    List<Found> found = new ArrayList<>();
    for (int i = 0; i < count[0]; i++) {
      found.add(card(calls, i, version[0]));
    }
    return new CudaCards(libraries, found, null, options);
  }

  private static String gave(DriverCalls calls, String call, int status) {
    return call
        + " gave "
        + calls.errorName(status)
        + " ("
        + calls.errorText(status)
        + ")."
        + DriverStatus.advice(status);
  }

  private static Found card(DriverCalls calls, int ordinal, int driver) {
    int[] device = new int[1];
    byte[] name = new byte[MOST_NAME];
    long[] bytes = new long[1];
    int[] major = new int[1];
    int[] minor = new int[1];
    int status = calls.cuDeviceGet(device, ordinal);
    status = status != 0 ? status : calls.cuDeviceGetName(name, device[0]);
    status = status != 0 ? status : calls.cuDeviceTotalMem(bytes, device[0]);
    status = status != 0 ? status : calls.cuDeviceGetAttribute(major, CAPABILITY_MAJOR, device[0]);
    status = status != 0 ? status : calls.cuDeviceGetAttribute(minor, CAPABILITY_MINOR, device[0]);
    int length = 0;
    while (length < MOST_NAME && name[length] != 0) {
      length++;
    }
    CudaCard card =
        new CudaCard(
            ordinal,
            new String(name, 0, length, StandardCharsets.UTF_8),
            bytes[0],
            10 * major[0] + minor[0],
            driver);
    String why = null;
    if (status != 0) {
      why = gave(calls, "asking for its properties", status);
    } else if (card.capability() < LEAST_CAPABILITY) {
      why = "compute capability " + card.capabilityText() + "; 8.0 is the least that is supported";
    }
    return new Found(card, why);
  }

  /** The cards that there are. */
  public List<Found> cards() {
    return cards;
  }

  /** Why there is none at all; null if there are some. */
  public String reason() {
    return reason;
  }

  /** Whether this machine seems to have a driver, so that somebody may expect a card to be used. */
  public boolean hasDriver() {
    return options != null;
  }

  /** Why {@link #usable} is empty, or has not all. */
  public String whyNot() {
    if (reason != null) {
      return reason;
    }
    StringBuilder all = new StringBuilder();
    for (Found f : cards) {
      if (f.reason() != null) {
        all.append(all.length() == 0 ? "" : "; ").append(f.card().name()).append(": ");
        all.append(f.reason());
      }
    }
    return all.toString();
  }

  /** The cards that can be used. */
  public List<CudaCard> usable() {
    return cards.stream().filter(f -> f.reason() == null).map(Found::card).toList();
  }

  /**
   * The device {@code cuda:ordinal}; always the same one.
   *
   * @throws CremaException saying why it cannot be used
   */
  public synchronized CudaDevice device(int ordinal) {
    for (CudaDevice made : devices) {
      if (made.card().ordinal() == ordinal) {
        return made;
      }
    }
    if (reason != null) {
      throw new CremaException("cuda:" + ordinal + " cannot be used: " + reason);
    }
    if (ordinal < 0 || ordinal >= cards.size()) {
      throw new CremaException(
          "There is no cuda:" + ordinal + "; there are " + cards.size() + " cards, from cuda:0 on");
    }
    Found found = cards.get(ordinal);
    if (found.reason() != null) {
      throw new CremaException("cuda:" + ordinal + " cannot be used: " + found.reason());
    }
    CudaDevice device = new CudaDevice(libraries, found.card(), options);
    devices.add(device);
    return device;
  }

  /** The version of each of NVIDIA's libraries, or why it cannot be used, by name. */
  public List<CudaLibrary> libraries() {
    return libraries == null ? List.of() : CudaLibrary.all(libraries);
  }
}
