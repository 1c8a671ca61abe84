"""Tensors in, tensors out: inner products that can be trusted, Lanczos, quadrature, and what a random start proves."""
