package dev.crema.serving.security;

import io.netty.util.AttributeKey;
import java.util.Set;

/** Who asks, and what they may do. */
public record Principal(String name, Set<Scope> scopes) {
  /** Where a request's context has it, once it is known. */
  public static final AttributeKey<Principal> OF_REQUEST =
      AttributeKey.valueOf(Principal.class, "OF_REQUEST");

  public Principal {
    scopes = Set.copyOf(scopes);
  }

  public boolean may(Scope wanted) {
    for (Scope scope : scopes) {
      if (scope.covers(wanted)) {
        return true;
      }
    }
    return false;
  }

  /** Whether it has a scope of that action, for whichever model. */
  public boolean maySome(Scope.Action action) {
    for (Scope scope : scopes) {
      if (scope.action() == action) {
        return true;
      }
    }
    return false;
  }
}
