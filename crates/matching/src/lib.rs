//! Which support workers suit a match request, in which order, and why.
