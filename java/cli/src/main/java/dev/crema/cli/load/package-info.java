/** Loads a server with requests and measures how long it takes to answer them. */
package dev.crema.cli.load;
