"""Where a point lies on the loss surface and how to leave it: critical points, escape, gradient check, slices."""
