/** What a request asks of a model and what it gets back, whatever protocol it came by. */
package dev.crema.serving.inference;
