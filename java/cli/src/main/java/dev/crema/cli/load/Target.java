package dev.crema.cli.load;

import java.net.URI;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What is asked: the model's address in one of the protocols.
 *
 * @param uri where it is sent to
 * @param model its name; "" if the address does not say it
 */
public record Target(URI uri, Protocol protocol, String model) {
  private static final Pattern TENSORFLOW = Pattern.compile("/v1/models/([^/:]+)(/.*)?:predict");
  private static final Pattern OPEN = Pattern.compile("/v2/models/([^/]+)(/versions/[^/]+)?/infer");

  /** How it is asked. */
  public enum Protocol {
    TENSORFLOW,
    OPEN_INFERENCE,
    TENSORFLOW_GRPC,
    OPEN_INFERENCE_GRPC;

    public boolean isGrpc() {
      return this == TENSORFLOW_GRPC || this == OPEN_INFERENCE_GRPC;
    }
  }

  /**
   * From an address that ends in {@code /v1/models/NAME:predict} or {@code /v2/models/NAME/infer},
   * or from that of the server, a protocol and a model.
   *
   * @param protocol null for that of the address, or TensorFlow's
   * @param model null for that of the address
   * @throws IllegalArgumentException if something is missing
   */
  public static Target of(String address, Protocol protocol, String model) {
    URI uri = URI.create(address.contains("://") ? address : "http://" + address);
    if (uri.getHost() == null || !uri.getScheme().matches("https?")) {
      throw new IllegalArgumentException(
          "'" + address + "' is no address; expected http://HOST:PORT/v1/models/NAME:predict");
    }
    String path = uri.getRawPath() == null ? "" : uri.getRawPath();
    Matcher tensorflow = TENSORFLOW.matcher(path);
    Matcher open = OPEN.matcher(path);
    if (tensorflow.matches() || open.matches()) {
      Protocol own = tensorflow.matches() ? Protocol.TENSORFLOW : Protocol.OPEN_INFERENCE;
      if (protocol != null && protocol != own) {
        throw new IllegalArgumentException(
            "The address is one of "
                + own
                + ", not of "
                + protocol
                + ". For another give the server's address and --model");
      }
      return new Target(uri, own, (own == Protocol.TENSORFLOW ? tensorflow : open).group(1));
    }
    if (model == null) {
      if (path.endsWith(":predict")) {
        return new Target(uri, Protocol.TENSORFLOW, "");
      }
      throw new IllegalArgumentException(
          "Which model? Give http://HOST:PORT/v1/models/NAME:predict, or --model NAME");
    }
    Protocol chosen = protocol == null ? Protocol.TENSORFLOW : protocol;
    String tail =
        switch (chosen) {
          case TENSORFLOW -> "/v1/models/" + model + ":predict";
          case OPEN_INFERENCE -> "/v2/models/" + model + "/infer";
          case TENSORFLOW_GRPC, OPEN_INFERENCE_GRPC -> "/";
        };
    return new Target(uri.resolve(tail), chosen, model);
  }

  /** TCP port. */
  public int port() {
    return uri.getPort() >= 0 ? uri.getPort() : uri.getScheme().equals("https") ? 443 : 80;
  }
}
