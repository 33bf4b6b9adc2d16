"""Lets tests import what they share from this directory, for instance `vectors`."""
