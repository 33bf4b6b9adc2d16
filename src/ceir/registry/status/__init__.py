"""What may be told of equipment: permitted, tracked or blocked, why, and what more the caller may know."""
