package dev.crema.device.cuda;

import dev.crema.device.cuda.calls.MonitorCalls;
import java.nio.charset.StandardCharsets;

/** NVML of a {@link FakeCard}. */
final class FakeMonitor implements MonitorCalls {
  static final String BUS_ID = "0000:17:00.0";
  static final int NOT_FOUND = 6;
  private static final long HANDLE = 1717;

  private final FakeCard card;
  int percent;

  FakeMonitor(FakeCard card) {
    this.card = card;
  }

  @Override
  public int nvmlInit() {
    return card.call("nvmlInit");
  }

  @Override
  public int nvmlSystemGetDriverVersion(byte[] text) {
    byte[] version = "580.65.06".getBytes(StandardCharsets.US_ASCII);
    System.arraycopy(version, 0, text, 0, version.length);
    return card.call("nvmlSystemGetDriverVersion");
  }

  @Override
  public int nvmlDeviceGetHandleByPciBusId(String id, long[] device) {
    device[0] = HANDLE;
    int status = card.call("nvmlDeviceGetHandleByPciBusId " + id);
    return status == 0 && !id.equals(BUS_ID) ? NOT_FOUND : status;
  }

  @Override
  public int nvmlDeviceGetUtilizationRates(long device, int[] rate) {
    rate[0] = percent;
    int status = card.call("nvmlDeviceGetUtilizationRates");
    return status == 0 && device != HANDLE ? NOT_FOUND : status;
  }

  @Override
  public String errorText(int status) {
    return "NVML_ERROR_" + status;
  }
}
