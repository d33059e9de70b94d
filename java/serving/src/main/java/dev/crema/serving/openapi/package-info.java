/** A document of the REST interface for people and for tools that make clients. */
package dev.crema.serving.openapi;
