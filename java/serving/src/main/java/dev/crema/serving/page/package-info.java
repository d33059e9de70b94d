/** The page at {@code /} that shows what a server, or a training, is doing. */
package dev.crema.serving.page;
