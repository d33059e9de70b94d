package dev.crema.serving.protocol;

import dev.crema.serving.ServingListener;
import dev.crema.serving.tensor.JsonFormat;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * What all protocols are told.
 *
 * @param admin whether clients may load and unload models
 * @param json limits of JSON
 * @param ready whether the server takes requests: false while it starts or drains
 * @param access who may use which model
 * @param listener is told of requests that could not be read and of answers written
 */
public record ProtocolOptions(
    boolean admin,
    JsonFormat.Limits json,
    BooleanSupplier ready,
    Access access,
    ServingListener listener) {
  /** No administration, usual limits, always ready, everyone, nobody told. */
  public static final ProtocolOptions DEFAULT =
      new ProtocolOptions(
          false, JsonFormat.Limits.DEFAULT, () -> true, Access.ALL, ServingListener.all(List.of()));

  public ProtocolOptions {
    Objects.requireNonNull(json, "json");
    Objects.requireNonNull(ready, "ready");
    Objects.requireNonNull(access, "access");
    Objects.requireNonNull(listener, "listener");
  }

  public ProtocolOptions withAdmin(boolean allowed) {
    return new ProtocolOptions(allowed, json, ready, access, listener);
  }

  public ProtocolOptions withJson(JsonFormat.Limits limits) {
    return new ProtocolOptions(admin, limits, ready, access, listener);
  }

  public ProtocolOptions withReady(BooleanSupplier supplier) {
    return new ProtocolOptions(admin, json, supplier, access, listener);
  }

  public ProtocolOptions withAccess(Access check) {
    return new ProtocolOptions(admin, json, ready, check, listener);
  }

  public ProtocolOptions withListener(ServingListener told) {
    return new ProtocolOptions(admin, json, ready, access, told);
  }
}
