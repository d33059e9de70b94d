/** What all protocols have in common: health, refusals, drain, logs, traces. */
package dev.crema.serving.http;
