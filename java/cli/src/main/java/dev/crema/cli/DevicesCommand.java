package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
import dev.crema.device.cuda.CudaCard;
import dev.crema.device.cuda.CudaCards;
import dev.crema.device.cuda.CudaLibrary;
import dev.crema.io.Json;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** Lists the devices of this machine. */
@Command(
    name = "devices",
    description = "Lists each device, its instruction sets, or why it cannot be used.",
    mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
  private static final String UNTESTED =
      "used where it is asked for (CREMA_DEVICE or --device): not tested on hardware yet";

  @Mixin private CommonOptions common;

  @Override
  public Integer call() {
    ArrayNode devices = Json.mapper().createArrayNode();
    Device cpu = Device.cpu();
    ArrayNode sets =
        devices
            .addObject()
            .put("name", cpu.name())
            .put("usable", true)
            .put("description", cpu.description())
            .putArray("instruction_sets");
    common.text().println(cpu.name() + "     " + cpu.description());
    for (CpuDevice level : CpuDevice.levels()) {
      sets.add(level.isa());
    }
    common.text().println("        instruction sets: " + sets + " (CREMA_ISA forces a lower one)");
    addCards(Device.cudaCards(), devices);
    return common.finish(devices);
  }

  private void addCards(CudaCards cuda, ArrayNode devices) {
    if (cuda.reason() != null) {
      devices.addObject().put("name", "cuda").put("usable", false).put("reason", cuda.reason());
      common.text().println("cuda    not used: " + cuda.reason());
      return;
    }
    for (CudaCards.Found found : cuda.cards()) {
      CudaCard card = found.card();
      ObjectNode node =
          devices
              .addObject()
              .put("name", card.name())
              .put("usable", found.reason() == null)
              .put("description", card.description())
              .put("memory_bytes", card.memoryBytes())
              .put("compute_capability", card.capabilityText())
              .put("driver_cuda_version", card.driverText());
      common.text().println(card.name() + "  " + card.description());
      if (found.reason() != null) {
        node.put("reason", found.reason());
        common.text().println("        not used: " + found.reason());
      } else {
        node.put("note", UNTESTED);
        common.text().println("        " + UNTESTED);
        ArrayNode unused = node.putArray("unused");
        for (String line : card.unused()) {
          unused.add(line);
          common.text().println("        not used: " + line);
        }
      }
    }
    ArrayNode libraries = devices.addObject().put("name", "cuda libraries").putArray("libraries");
    common.text().println("cuda    the driver and the libraries of all cards:");
    for (CudaLibrary library : cuda.libraries()) {
      ObjectNode node = libraries.addObject().put("name", library.name());
      if (library.reason() == null) {
        node.put("version", library.version());
        common.text().println("        " + library.name() + " " + library.version());
      } else {
        node.put("reason", library.reason());
        common.text().println("        " + library.name() + " not used: " + library.reason());
      }
    }
  }
}
