"""The register's own way to hash passwords, with hardly any work: here nobody is kept out by slowness.

With the real one a test of thirty wrong passwords took as long as thirty log-ins of somebody who guesses."""

from django.contrib.auth.hashers import ScryptPasswordHasher


class QuickScrypt(ScryptPasswordHasher):
    work_factor = 2**4
