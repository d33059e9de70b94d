/**
 * Small plots of training and evaluation: lines, points, bars and heat maps, written as SVG (no
 * library, no AWT) or PNG (AWT, no display needed).
 */
package dev.crema.eval.plot;
