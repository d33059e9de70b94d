package dev.crema.serving.security;

import com.linecorp.armeria.common.HttpRequest;
import com.linecorp.armeria.common.HttpResponse;
import com.linecorp.armeria.server.HttpService;
import com.linecorp.armeria.server.ServiceRequestContext;
import com.linecorp.armeria.server.SimpleDecoratingHttpService;
import dev.crema.serving.http.Refusal;
import dev.crema.serving.inference.ServingException;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLPeerUnverifiedException;
import javax.net.ssl.SSLSession;

/**
 * Lets requests through to services if who sends them may: the same for HTTP and gRPC. Its answers
 * are 401 or UNAUTHENTICATED where nobody was recognised, 403 or PERMISSION_DENIED where somebody
 * was who may not.
 */
public final class Guard {
  private final AccessControl access;
  private final Audit audit;

  public Guard(AccessControl access) {
    this(access, new Audit());
  }

  Guard(AccessControl access, Audit audit) {
    this.access = access;
    this.audit = audit;
  }

  /** The service with this around it. */
  public HttpService around(HttpService service) {
    return new SimpleDecoratingHttpService(service) {
      @Override
      public HttpResponse serve(ServiceRequestContext ctx, HttpRequest request) throws Exception {
        return check(ctx, request, (HttpService) unwrap());
      }
    };
  }

  private HttpResponse check(ServiceRequestContext ctx, HttpRequest request, HttpService service)
      throws Exception {
    Requirement requirement = Requirement.of(request.method(), ctx.path());
    if (requirement instanceof Requirement.Nothing) {
      return service.serve(ctx, request);
    }
    String name = "unknown";
    try {
      Principal who = access.identify(request.headers(), certificate(ctx));
      name = who.name();
      ctx.setAttr(Principal.OF_REQUEST, who);
      require(who, requirement);
    } catch (ServingException e) {
      audit.refused(ctx, name, e);
      return Refusal.of(request.headers(), e);
    }
    if (requirement instanceof Requirement.Needs needs
        && needs.scope().action() == Scope.Action.ADMIN) {
      String admin = name;
      ctx.log().whenComplete().thenAccept(log -> audit.admin(ctx, admin, log));
    }
    return service.serve(ctx, request);
  }

  /**
   * For protocols that name the model in the message, where {@link #around} could not see it; for
   * others it has nothing more to ask.
   *
   * @throws ServingException if who sent that request may not use that model
   */
  public void mayUse(ServiceRequestContext ctx, String model) {
    if (!(Requirement.of(ctx.method(), ctx.path()) instanceof Requirement.NeedsSome some)
        || model.isBlank()) { // there is no such model
      return;
    }
    Principal who = ctx.attr(Principal.OF_REQUEST);
    if (who == null) {
      throw new ServingException(
          ServingException.Code.UNAUTHENTICATED, "It is not known who asks for this");
    }
    try {
      access.require(who, new Scope(some.action(), model));
    } catch (ServingException e) {
      audit.refused(ctx, who.name(), e);
      throw e;
    }
  }

  private void require(Principal who, Requirement requirement) {
    if (requirement instanceof Requirement.Needs needs) {
      access.require(who, needs.scope());
    } else if (requirement instanceof Requirement.NeedsSome some) {
      access.requireSome(who, some.action());
    } else {
      access.requireSomebody(who);
    }
  }

  private static X509Certificate certificate(ServiceRequestContext ctx) {
    SSLSession session = ctx.sslSession();
    if (session == null) {
      return null;
    }
    try {
      Certificate[] chain = session.getPeerCertificates();
      return chain.length > 0 && chain[0] instanceof X509Certificate x ? x : null;
    } catch (SSLPeerUnverifiedException e) {
      return null; // it showed none
    }
  }
}
