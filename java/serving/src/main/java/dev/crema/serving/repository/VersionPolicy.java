package dev.crema.serving.repository;

import java.util.Collection;
import java.util.Comparator;
import java.util.Set;
import java.util.TreeSet;

/** Which of the versions that there are shall serve. */
public sealed interface VersionPolicy {
  /** The newest {@code count}. */
  record Latest(int count) implements VersionPolicy {
    public Latest {
      if (count < 1) {
        throw new IllegalArgumentException("At least one version is served, got " + count);
      }
    }
  }

  /** Every one. */
  record All() implements VersionPolicy {}

  /** These, if they are there. */
  record Specific(Set<Long> versions) implements VersionPolicy {
    public Specific {
      versions = Set.copyOf(versions);
      if (versions.isEmpty()) {
        throw new IllegalArgumentException("Name at least one version");
      }
    }
  }

  static VersionPolicy latest(int count) {
    return new Latest(count);
  }

  static VersionPolicy all() {
    return new All();
  }

  static VersionPolicy specific(Long... versions) {
    return new Specific(Set.of(versions));
  }

  /** Those of {@code known} that shall serve, the newest first. */
  default Set<Long> choose(Collection<Long> known) {
    TreeSet<Long> newestFirst = new TreeSet<>(Comparator.reverseOrder());
    newestFirst.addAll(known);
    if (this instanceof Latest latest) {
      while (newestFirst.size() > latest.count()) {
        newestFirst.pollLast();
      }
    }
    if (this instanceof Specific specific) {
      newestFirst.retainAll(specific.versions());
    }
    return newestFirst;
  }
}
