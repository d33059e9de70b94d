package dev.crema.serving.protocol;

import dev.crema.serving.ServingListener;
import dev.crema.serving.security.Limits;
import java.util.List;
import java.util.Objects;
import java.util.function.BooleanSupplier;

/**
 * What all protocols are told.
 *
 * @param admin whether clients may load and unload models
 * @param limits of JSON and of tensors; those of bodies and time are the server's to keep
 * @param ready whether the server takes requests: false while it starts or drains
 * @param access who may use which model
 * @param listener is told of requests that could not be read and of answers written
 */
public record ProtocolOptions(
    boolean admin, Limits limits, BooleanSupplier ready, Access access, ServingListener listener) {
  /** No administration, usual limits, always ready, everyone, nobody told. */
  public static final ProtocolOptions DEFAULT =
      new ProtocolOptions(
          false, Limits.DEFAULT, () -> true, Access.ALL, ServingListener.all(List.of()));

  public ProtocolOptions {
    Objects.requireNonNull(limits, "limits");
    Objects.requireNonNull(ready, "ready");
    Objects.requireNonNull(access, "access");
    Objects.requireNonNull(listener, "listener");
  }

  public ProtocolOptions withAdmin(boolean allowed) {
    return new ProtocolOptions(allowed, limits, ready, access, listener);
  }

  public ProtocolOptions withLimits(Limits other) {
    return new ProtocolOptions(admin, other, ready, access, listener);
  }

  public ProtocolOptions withReady(BooleanSupplier supplier) {
    return new ProtocolOptions(admin, limits, supplier, access, listener);
  }

  public ProtocolOptions withAccess(Access check) {
    return new ProtocolOptions(admin, limits, ready, check, listener);
  }

  public ProtocolOptions withListener(ServingListener told) {
    return new ProtocolOptions(admin, limits, ready, access, told);
  }
}
