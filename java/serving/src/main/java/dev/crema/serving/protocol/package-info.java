/** What the protocols have in common: options, deadlines, ids, bodies and errors of requests. */
package dev.crema.serving.protocol;
