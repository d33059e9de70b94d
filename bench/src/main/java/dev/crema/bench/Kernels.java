package dev.crema.bench;

import java.util.Map;

/** One or more benchmarks for each kernel family of native/src/kernels, by name. */
final class Kernels {
  private static final Map<String, KernelList.Kernel> ALL = list();

  private Kernels() {}

  private static Map<String, KernelList.Kernel> list() {
    KernelList list = new KernelList();
    ElementwiseKernels.addTo(list);
    NormKernels.addTo(list);
    LayerKernels.addTo(list);
    ImageKernels.addTo(list);
    MovingKernels.addTo(list);
    return list.all();
  }

  static Map<String, KernelList.Kernel> all() {
    return ALL;
  }
}
