package dev.crema.cli;

import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.crema.device.Device;
import dev.crema.device.cpu.CpuDevice;
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
    String why = "this version computes on the CPU only";
    devices.addObject().put("name", "cuda").put("usable", false).put("reason", why);
    common.text().println("cuda    not used: " + why);
    return common.finish(devices);
  }
}
