package dev.crema.device.cuda.preset;

import dev.crema.device.cuda.calls.MonitorCalls;
import org.bytedeco.cuda.global.nvml;
import org.bytedeco.cuda.nvml.nvmlDevice_st;
import org.bytedeco.cuda.nvml.nvmlUtilization_t;
import org.bytedeco.javacpp.PointerPointer;

/** NVML. */
final class PresetMonitor implements MonitorCalls {
  @Override
  public int nvmlInit() {
    return nvml.nvmlInit_v2();
  }

  @Override
  public int nvmlSystemGetDriverVersion(byte[] text) {
    return nvml.nvmlSystemGetDriverVersion(text, text.length);
  }

  @Override
  public int nvmlDeviceGetHandleByPciBusId(String id, long[] device) {
    try (PointerPointer<nvmlDevice_st> found = new PointerPointer<>(1L)) {
      int status = nvml.nvmlDeviceGetHandleByPciBusId_v2(id, found);
      if (status == nvml.NVML_SUCCESS) {
        device[0] = found.get(nvmlDevice_st.class, 0).address();
      }
      return status;
    }
  }

  @Override
  public int nvmlDeviceGetUtilizationRates(long device, int[] percent) {
    try (nvmlUtilization_t rates = new nvmlUtilization_t()) {
      int status = nvml.nvmlDeviceGetUtilizationRates(new nvmlDevice_st(new At(device)), rates);
      percent[0] = rates.gpu();
      return status;
    }
  }

  @Override
  public String errorText(int status) {
    return nvml.nvmlErrorString(status).getString();
  }
}
