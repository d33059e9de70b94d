package dev.crema.serving;

import dev.crema.serving.inference.InferenceRequest;
import dev.crema.serving.inference.InferenceResponse;
import dev.crema.serving.inference.ServingException;
import dev.crema.serving.inference.ShadowComparison;
import dev.crema.serving.repository.VersionStatus;
import java.util.List;

/** Several listeners as one. */
final class ServingListeners implements ServingListener {
  private final ServingListener[] all; // no iterator for each call

  ServingListeners(List<ServingListener> all) {
    this.all = List.copyOf(all).toArray(new ServingListener[0]);
  }

  @Override
  public void received(InferenceRequest request) {
    for (ServingListener each : all) {
      each.received(request);
    }
  }

  @Override
  public void queued(String model, long version, int requests) {
    for (ServingListener each : all) {
      each.queued(model, version, requests);
    }
  }

  @Override
  public void answered(InferenceRequest request, InferenceResponse response, long totalNanos) {
    for (ServingListener each : all) {
      each.answered(request, response, totalNanos);
    }
  }

  @Override
  public void refused(InferenceRequest request, ServingException why, long totalNanos) {
    for (ServingListener each : all) {
      each.refused(request, why, totalNanos);
    }
  }

  @Override
  public void malformed(String protocol, String model, ServingException why) {
    for (ServingListener each : all) {
      each.malformed(protocol, model, why);
    }
  }

  @Override
  public void serialised(InferenceRequest request, InferenceResponse response, long nanos) {
    for (ServingListener each : all) {
      each.serialised(request, response, nanos);
    }
  }

  @Override
  public void computed(String model, long version, int requests, int examples, long nanos) {
    for (ServingListener each : all) {
      each.computed(model, version, requests, examples, nanos);
    }
  }

  @Override
  public void compared(ShadowComparison comparison) {
    for (ServingListener each : all) {
      each.compared(comparison);
    }
  }

  @Override
  public void changed(VersionStatus status) {
    for (ServingListener each : all) {
      each.changed(status);
    }
  }
}
