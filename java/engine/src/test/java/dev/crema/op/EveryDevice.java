package dev.crema.op;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.device.cuda.CudaCard;
import dev.crema.device.cuda.EmulatedCard;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** Where ops are checked: what is not there is said once, with the reason. */
public final class EveryDevice {
  private static final Set<String> SAID = ConcurrentHashMap.newKeySet();

  private EveryDevice() {}

  /** The CPU at each instruction set that this machine has, then {@link #cards}. */
  public static void check(Consumer<Device> check) {
    CpuDevice.levels().forEach(check);
    cards(check);
  }

  /** Real cards, and the CUDA device with its kernels emulated, where there is an emulation. */
  public static void cards(Consumer<Device> check) {
    for (CudaCard card : Device.cudaCards().usable()) {
      card(Device.cuda(card.ordinal()), check);
    }
    if (EmulatedCard.missing() != null) {
      say(EmulatedCard.missing());
      return;
    }
    try (EmulatedCard card = new EmulatedCard()) {
      card(card.device(), check);
    }
  }

  private static void card(Device device, Consumer<Device> check) {
    try {
      check.accept(device);
    } catch (CremaException e) {
      if (!e.getMessage().contains("has no kernel named")) {
        throw e;
      }
      say(e.getMessage());
    }
  }

  private static void say(String why) {
    if (SAID.add(why)) {
      System.out.println("Not checked on a card: " + why);
    }
  }
}
