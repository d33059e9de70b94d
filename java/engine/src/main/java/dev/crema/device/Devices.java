package dev.crema.device;

import dev.crema.CremaException;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.device.cuda.CudaCards;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.slf4j.LoggerFactory;

/** Made on first use, so that a class path without a device's library can still name the others. */
final class Devices {
  static final Device CPU = CpuDevice.best();
  private static final String SETTING = "CREMA_DEVICE";
  private static final String CUDA = "cuda:";
  private static final AtomicBoolean SAID = new AtomicBoolean();

  private Devices() {}

  /** The cards of this machine, looked for once. */
  static final class Cuda {
    static final CudaCards CARDS = CudaCards.ofMachine();

    private Cuda() {}
  }

  static List<Device> available() {
    List<Device> all = new ArrayList<>();
    Cuda.CARDS.usable().forEach(card -> all.add(Cuda.CARDS.device(card.ordinal())));
    all.add(CPU);
    return List.copyOf(all);
  }

  /** The device that the environment names, else the CPU. */
  static Device best() {
    String wanted = System.getenv(SETTING);
    if (wanted != null && !wanted.isEmpty()) {
      return named(wanted);
    }
    if (Cuda.CARDS.hasDriver() && !SAID.getAndSet(true)) {
      LoggerFactory.getLogger(Device.class).info("{}", whyCpu(Cuda.CARDS));
    }
    return CPU;
  }

  /** Why the CPU serves where nobody asked for it. */
  static String whyCpu(CudaCards cards) {
    if (cards.usable().isEmpty()) {
      return "The CPU computes: " + cards.whyNot();
    }
    return "The CPU computes, although there is "
        + cards.usable().get(0).description()
        + ": the CUDA device of this version has not been tested on hardware. "
        + SETTING
        + "=cuda:0 uses it.";
  }

  static Device named(String name) {
    if (name.equals("cpu")) {
      return CPU;
    }
    if (name.startsWith(CUDA)) {
      try {
        return Cuda.CARDS.device(Integer.parseInt(name.substring(CUDA.length())));
      } catch (NumberFormatException e) {
        throw unknown(name, e);
      }
    }
    throw unknown(name, null);
  }

  private static CremaException unknown(String name, Exception cause) {
    return new CremaException(
        "There is no device named \"" + name + "\"; expected cpu, or cuda:0 and so on", cause);
  }
}
