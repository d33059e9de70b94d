/** Which models there are, in which versions, and what state each is in. */
package dev.crema.serving.repository;
