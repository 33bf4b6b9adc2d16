"""Factories, fakes and the synthetic country: shipped, so that country packs can test with them."""
