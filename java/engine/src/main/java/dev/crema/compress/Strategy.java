package dev.crema.compress;

/** What a search tries, and in which order. */
interface Strategy {
  /** Makes attempts, each depending on what came of those before. */
  void run(CandidateSearch search);
}
