package dev.crema.device.cuda;

import dev.crema.device.ProgramSpec;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.ProgramSpec.PlacedTensor;
import dev.crema.device.ProgramSpec.Use;
import java.util.List;

/** Whether anybody reads what an instruction of a program writes. */
final class Readers {
  private final ProgramSpec spec;

  Readers(ProgramSpec spec) {
    this.spec = spec;
  }

  /** False only if neither a later instruction nor anybody after the run can read it. */
  boolean isRead(int instruction, int output) {
    List<Instruction> all = spec.instructions();
    PlacedTensor written = spec.tensors().get(all.get(instruction).outputs().get(output));
    if (spec.regions().get(written.region()).use() != Use.ARENA) {
      return true;
    }
    for (int later = instruction + 1; later < all.size(); later++) {
      for (int input : all.get(later).inputs()) {
        if (input >= 0
            && meet(written, spec.tensors().get(input))
            && !isWrittenBetween(input, instruction, later)) {
          return true;
        }
      }
    }
    return false;
  }

  private boolean meet(PlacedTensor a, PlacedTensor b) {
    return a.region() == b.region()
        && a.offset() < b.offset() + b.bytes(spec.capacity())
        && b.offset() < a.offset() + a.bytes(spec.capacity());
  }

  /** Whether other numbers stand there by then: a tensor that came to lie in the same memory. */
  private boolean isWrittenBetween(int tensor, int after, int before) {
    return spec.instructions().subList(after + 1, before).stream()
        .anyMatch(each -> each.outputs().contains(tensor));
  }
}
