/** Who may ask for what, over which connections, and how much of it. */
package dev.crema.serving.security;
