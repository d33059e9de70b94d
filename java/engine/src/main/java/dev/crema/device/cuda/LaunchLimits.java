package dev.crema.device.cuda;

import dev.crema.CremaException;

/** What every card since compute capability 3.0 takes (CUDA C++ Programming Guide, appendix). */
final class LaunchLimits {
  private static final int MOST_THREADS = 1024;
  private static final int MOST_DEEP = 64;
  private static final int MOST_GRID = 65535;

  private LaunchLimits() {}

  static void check(String function, long gridX, int gridY, int gridZ, int x, int y, int z) {
    boolean grid =
        gridX > 0
            && gridX <= Integer.MAX_VALUE
            && gridY > 0
            && gridY <= MOST_GRID
            && gridZ > 0
            && gridZ <= MOST_GRID;
    boolean block = x > 0 && y > 0 && z > 0 && z <= MOST_DEEP && (long) x * y * z <= MOST_THREADS;
    if (!grid || !block) {
      throw new CremaException(
          "The kernel "
              + function
              + " would be launched with a grid of "
              + gridX
              + " x "
              + gridY
              + " x "
              + gridZ
              + " blocks of "
              + x
              + " x "
              + y
              + " x "
              + z
              + " threads, which no card takes. Use a smaller batch.");
    }
  }
}
