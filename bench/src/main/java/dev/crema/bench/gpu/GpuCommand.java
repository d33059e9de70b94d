package dev.crema.bench.gpu;

import dev.crema.CremaException;
import dev.crema.device.Device;
import dev.crema.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code crema bench gpu}. Exit codes: 0 success, 1 something failed, 2 wrong use. */
@Command(
    name = "gpu",
    description =
        "Measures whole works on a card, and what the card can do; peers.py does the same work in"
            + " PyTorch and joins both into one table. On the CPU, for which they are too big, with"
            + " --tiny.",
    mixinStandardHelpOptions = true)
public final class GpuCommand implements Callable<Integer> {
  @Parameters(paramLabel = "NAME", description = "Works to measure; by default all.")
  private List<String> names = new ArrayList<>();

  @Option(
      names = "--device",
      description = "cuda:N or cpu (default: what CREMA_DEVICE says, else the best one).")
  private String device;

  @Option(names = "--tiny", description = "Small sizes and few runs: to see that it works.")
  private boolean tiny;

  @Option(names = "--list", description = "List the works, and what they are to reach.")
  private boolean list;

  @Option(names = "--out", paramLabel = "FILE", description = "Write everything as JSON there.")
  private Path out;

  @Option(
      names = "--data",
      paramLabel = "DIR",
      description = "Write initial weights and batches of the small works there, for peers.py.")
  private Path data;

  @Override
  public Integer call() throws IOException {
    Sizes sizes = tiny ? Sizes.tiny() : Sizes.full();
    List<CardWork> works = named(CardWorks.of(sizes));
    if (list) {
      works.forEach(work -> System.out.println(work.name() + ": " + work.description()));
      return 0;
    }
    if (data != null) {
      for (CardWork work : works) {
        if (work.given() != null) {
          work.given().write(data, work.name());
        }
      }
    }
    Device on = device == null ? Device.best() : Device.named(device);
    if (!tiny && !on.hasOwnMemory()) {
      throw new CremaException(
          "These works are too big for " + on.name() + "; --tiny shows that they work");
    }
    CardTimer timer = tiny ? CardTimer.tiny() : CardTimer.full();
    CardReport report = new CardBench(on, sizes, timer, System.err::println).run(works);
    System.out.print(report.text());
    if (out != null) {
      Files.write(out, Json.bytes(report.json()));
    }
    return report.isComplete() ? 0 : 1;
  }

  private List<CardWork> named(List<CardWork> all) {
    if (names.isEmpty()) {
      return all;
    }
    for (String name : names) {
      if (all.stream().noneMatch(work -> work.name().equals(name))) {
        throw new CremaException(
            "There is no work '"
                + name
                + "'; there are "
                + all.stream().map(CardWork::name).toList());
      }
    }
    return all.stream().filter(work -> names.contains(work.name())).toList();
  }
}
