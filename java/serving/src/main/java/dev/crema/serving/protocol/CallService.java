package dev.crema.serving.protocol;

import com.linecorp.armeria.common.ExchangeType;
import com.linecorp.armeria.common.HttpHeaderNames;
import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.common.RequestHeaders;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.RoutingContext;
import com.linecorp.armeria.server.ServiceRequestContext;

/**
 * A call that answers a whole body with a whole body. Where the request is short it is gathered
 * before the call begins, which spares both the streams that pieces would come and go by. Longer
 * ones and those of unknown length begin with their headers, so that limits of what is read at once
 * hold for them. Time limits begin with the headers of either.
 */
public record CallService(HttpService call) implements HttpService {
  private static final long SHORT = 64 << 10;

  @Override
  public HttpResponse serve(ServiceRequestContext context, HttpRequest request) throws Exception {
    return call.serve(context, request);
  }

  @Override
  public ExchangeType exchangeType(RoutingContext context) {
    RequestHeaders headers = context.headers();
    long length = headers.contentLength();
    return length >= 0 && length <= SHORT && !headers.contains(HttpHeaderNames.CONTENT_ENCODING)
        ? ExchangeType.UNARY
        : ExchangeType.REQUEST_STREAMING;
  }
}
