package dev.crema.bench.serving;

import static org.assertj.core.api.Assertions.assertThat;

import dev.crema.nn.Model;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The limit answers as every server must, whole requests only and each of them. */
final class FloorTest {
  @TempDir private Path folder;

  @Test
  void itAnswersWithThePrediction() throws Exception {
    ServedNetwork network = ServedNetwork.SEED;
    try (RunningServer running = RunningServer.start(new Floor(), network, folder);
        Model model = network.network().model()) {
      assertThat(running.predictions(network.body()))
          .containsExactly(model.predict(network.network().examples(1)));
      twoInPieces(running.predict());
    }
  }

  private static void twoInPieces(URI predict) throws Exception {
    String request = "POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n12345";
    byte[] both = (request + request).getBytes(StandardCharsets.US_ASCII);
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), predict.getPort())) {
      OutputStream out = socket.getOutputStream();
      int cut = request.length() - 2;
      out.write(both, 0, cut);
      out.flush();
      out.write(both, cut, both.length - cut);
      out.flush();
      socket.shutdownOutput();
      String answers =
          new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
      assertThat(answers.split("HTTP/1.1 200 OK", -1)).hasSize(3);
    }
  }
}
