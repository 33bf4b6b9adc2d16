# Everything a developer runs. `uv run just` lists the recipes.
set shell := ["bash", "-euo", "pipefail", "-c"]

check_group := "uv run --quiet --group check"

[private]
default:
    @just --list

# Lint, types, import contracts and all tests: what has to be green before a commit lands.
check: lint types contracts test others

# The peers mostly wait, for timers and for a guest to start: the register is tested meanwhile.
[parallel]
[private]
others: register peers

# Style and mistakes that can be seen without running anything.
lint:
    {{check_group}} ruff format --check src tests benchmarks fuzz
    {{check_group}} ruff check src tests benchmarks fuzz

# mypy, strict.
types:
    {{check_group}} mypy

# Imports go downward only.
contracts:
    {{check_group}} lint-imports

# All tests but those with other people's network software; further words go to pytest: just test -k explain
test *args:
    {{check_group}} pytest -n 3 --dist loadfile --no-loadscope-reorder --ignore tests/integration/interfaces {{args}}

# SQLite's turn comes with `just test`. Without PostgreSQL on the machine it says so; with CEIR_PEERS=required it fails.

# The register's tests once more, on a real PostgreSQL: tools/postgres.sh starts one and takes it away again.
register *args:
    if compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || [ "${CEIR_PEERS:-}" = required ]; then \
      tools/postgres.sh {{check_group}} pytest -n 3 --dist loadfile --no-loadscope-reorder tests/registry {{args}}; \
    else \
      echo "PostgreSQL is not installed: the register was not tested on it." >&2; \
    fi

# Tests that take long: guests under emulation, a Spark cluster, a larger country, further variations. They are not part
# of `just check`.

# Before a release, and after changes to what they are about: just long [-k systemd]
long *args:
    {{check_group}} pytest -m long {{args}}

# What is missing on the machine is skipped with a reason; with CEIR_PEERS=required it fails. tools/peers.sh installs it.

# The equipment check against other people's software: freeDiameter, osmo-stp, jSS7, h2spec, tshark ...
peers *args:
    {{check_group}} pytest tests/integration/interfaces {{args}}

# Feed hostile bytes to the codecs and readers of the equipment check, each for so long: just fuzz [SECONDS]
fuzz seconds="600":
    for target in snapshot n17 s13 map gsup; do \
      {{check_group}} python fuzz/$target.py --seconds {{seconds}} --corpus fuzz/corpus/$target --keep fuzz/broke; \
    done

# Bring source files into the project's form.
format:
    {{check_group}} ruff check --fix --quiet src tests benchmarks fuzz
    {{check_group}} ruff format src tests benchmarks fuzz

# Measure the core: just bench [ROWS]
bench rows="10000000":
    uv run python benchmarks/core/measure.py {{rows}}

# Measure the equipment check, everything in one run: just bench-eir [--imeis N --seconds N --only PART,...]
bench-eir *args:
    uv run python benchmarks/eir/measure.py {{args}}

# Status look-up over the API on PostgreSQL with 10 million devices: just bench-register [--devices N --explain ...]
bench-register *args:
    CEIR_POSTGRES_OPTIONS="${CEIR_POSTGRES_OPTIONS:--c shared_buffers=2GB -c max_wal_size=8GB}" \
      tools/postgres.sh uv run python benchmarks/registry/status.py {{args}}

# How well clones are found, on worlds with hidden truth or on labelled data: just bench-clones [--lines N --fit NAME ...]
bench-clones *args:
    PYTHONPATH=benchmarks uv run python -m clones.measure {{args}}

# Steady load with hostile connections mixed in, memory looked at: just soak [MINUTES]
soak minutes="10":
    uv run python benchmarks/eir/soak.py --minutes {{minutes}}

# Write docs/reference anew from the declarations.
reference:
    uv run python -m ceir.reference docs/reference

# Write the pins anew after changing dependencies in pyproject.toml.
pins:
    uv run --group check python tools/pins.py
