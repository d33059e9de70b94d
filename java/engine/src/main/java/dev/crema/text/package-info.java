/** Text for people at a terminal: tables and a progress bar. Plain Java, no other Crema package. */
package dev.crema.text;
