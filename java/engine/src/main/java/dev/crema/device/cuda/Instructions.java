package dev.crema.device.cuda;

import dev.crema.CremaException;
import dev.crema.device.ProgramSpec;
import dev.crema.device.ProgramSpec.Instruction;
import dev.crema.device.ProgramSpec.PlacedTensor;
import dev.crema.device.cuda.kernel.Call;
import dev.crema.device.cuda.kernel.Kernel;
import dev.crema.device.cuda.kernel.KernelTable;
import dev.crema.device.cuda.kernel.Operand;
import java.util.ArrayList;
import java.util.List;

/** The instructions of one program with their kernels and their scratch memory. */
final class Instructions {
  private final CudaDevice device;
  private final ProgramSpec spec;
  private final Regions regions;
  private final Readers readers;
  private final List<Kernel> kernels = new ArrayList<>();
  private final String[] kinds; // which way each takes, of several; null where there is one
  private DeviceMemory.Piece scratch; // of one instruction after the other
  private long scratchBytes;

  Instructions(CudaDevice device, ProgramSpec spec, Regions regions) {
    this.device = device;
    this.spec = spec;
    this.regions = regions;
    this.readers = new Readers(spec);
    for (Instruction i : spec.instructions()) {
      Kernel kernel = KernelTable.get(i.kernel());
      if (kernel == null) {
        throw new CremaException(
            i.where()
                + ": "
                + device.name()
                + " has no kernel named "
                + i.kernel()
                + ". Run this model on the CPU: Device.cpu(), or CREMA_DEVICE=cpu.");
      }
      kernels.add(kernel);
    }
    this.kinds = new String[kernels.size()];
  }

  /**
   * Makes ready what a batch of that size needs: kernels, algorithms, scratch memory. Whether the
   * scratch memory moved.
   */
  boolean prepare(long batch) {
    ScratchSize size = new ScratchSize(device, spec.tf32());
    for (int i = 0; i < kernels.size(); i++) {
      size.begin();
      Call call = call(i, batch);
      try {
        kernels.get(i).launch(call, size);
        kinds[i] = size.kind();
      } catch (CudaException e) {
        throw e.at(call.instruction().where());
      }
    }
    if (size.most() <= scratchBytes) {
      return false;
    }
    DeviceMemory.Piece more =
        device.memory().allocate(size.most(), "Scratch memory for " + batch + " examples");
    close();
    scratch = more;
    scratchBytes = size.most();
    return true;
  }

  /**
   * Queues all whose sections meet {@code sections}, after {@link #prepare} for that batch.
   *
   * @param times gets the time after each; null: nobody wants to know
   * @param race tries the ways of those that have several; null: those that are known are taken
   * @return whether one of them may find bad data
   */
  boolean queue(long batch, long sections, long stream, Timeline times, Race race) {
    Recorder recorder =
        new Recorder(
            device, spec.tf32(), stream, scratch == null ? 0 : scratch.address(), scratchBytes);
    boolean canFail = false;
    for (int i = 0; i < kernels.size(); i++) {
      Instruction instruction = spec.instructions().get(i);
      if ((instruction.sections() & sections) != 0) {
        recorder.begin(kinds[i], race);
        Call call = call(i, batch);
        try {
          kernels.get(i).launch(call, recorder);
          if (device.checksEach()) {
            Context context = device.context();
            context.check(context.calls().cuStreamSynchronize(stream), "cuStreamSynchronize");
          }
        } catch (CudaException e) {
          throw e.at(instruction.where());
        }
        canFail |= call.canFail();
      }
      if (times != null) {
        times.record(stream);
      }
    }
    return canFail;
  }

  /**
   * What an instruction found in the data of a batch of that size.
   *
   * @param word of the table of errors
   */
  String message(int instruction, long batch, long word) {
    Call call = call(instruction, batch);
    return call.instruction().where()
        + ": "
        + kernels.get(instruction).message(call, word >>> Integer.SIZE, (int) word);
  }

  /** Which way each instruction takes that has several, by where it stands. */
  List<String> ways() {
    List<String> all = new ArrayList<>();
    for (int i = 0; i < kinds.length; i++) {
      if (kinds[i] != null) {
        all.add(spec.instructions().get(i).where() + ": " + kinds[i]);
      }
    }
    return all;
  }

  private Call call(int number, long batch) {
    Instruction i = spec.instructions().get(number);
    return new Call(
        i,
        number,
        batch,
        operands(i.inputs(), batch),
        operands(i.outputs(), batch),
        device.processor(),
        regions.errors(),
        output -> readers.isRead(number, output));
  }

  private List<Operand> operands(List<Integer> tensors, long batch) {
    List<Operand> all = new ArrayList<>();
    for (int t : tensors) {
      if (t < 0) {
        all.add(null);
        continue;
      }
      PlacedTensor place = spec.tensors().get(t);
      long[] shape = place.type().at(batch).dims();
      all.add(new Operand(regions.address(place), place.type().element(), shape));
    }
    return all;
  }

  void close() {
    if (scratch != null) {
      scratch.close();
      scratch = null;
      scratchBytes = 0;
    }
  }
}
