/** {@code crema bench serving}: the server beside other servers, each in a process of its own. */
package dev.crema.bench.serving;
