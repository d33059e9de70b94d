package dev.crema.device.cuda;

/** What Crema knows of the driver's status codes (cuda.h). */
final class DriverStatus {
  static final int SUCCESS = 0;
  static final int OUT_OF_MEMORY = 2;
  static final int NO_DEVICE = 100;
  private static final int FIRST_OF_CAPTURE = 900;
  private static final int LAST_OF_CAPTURE = 908;

  private DriverStatus() {}

  /** Whether nothing works on the device any more in this process. */
  static boolean isSticky(int status) {
    return switch (status) {
      case 214, // uncorrectable ECC error
          219, // the link between devices failed
          220, // ECC uncontained
          700, // illegal address
          702, // launch timeout
          709, // context destroyed
          710, // assertion in a kernel
          714, // hardware stack error
          715, // illegal instruction
          716, // misaligned address
          717, // invalid address space
          718, // invalid program counter
          719, // launch failed
          999 -> // unknown
          true;
      default -> false;
    };
  }

  /** Whether something does not allow to be recorded; it works when it is run. */
  static boolean isOfCapture(int status) {
    return status >= FIRST_OF_CAPTURE && status <= LAST_OF_CAPTURE;
  }

  /** What to do about it; empty where nothing general can be said. */
  static String advice(int status) {
    if (status == OUT_OF_MEMORY) {
      return " Use a smaller batch or model, or close what is no longer needed.";
    }
    if (isSticky(status)) {
      return " The device cannot be used in this process any more: start it again. To find the"
          + " layer, set the environment variable CREMA_CUDA_CHECK=1, which waits after each"
          + " instruction.";
    }
    return switch (status) {
      case 35, 803, 804 -> " Install a newer driver.";
      case 200, 209, 218, 222 ->
          " The kernel does not fit this card or driver; please report it with the output of"
              + " \"crema devices\".";
      case 701 -> " The kernel asks for more than the card has; please report it.";
      default -> "";
    };
  }
}
