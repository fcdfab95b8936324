# The recipes that people and CI run. `just` alone lists them.

set shell := ["bash", "-euo", "pipefail", "-c"]

[private]
default:
    @{{ just_executable() }} --list

# Formats the sources.
fmt:
    cargo fmt --all

# Lints, warnings denied.
clippy:
    cargo clippy --workspace --all-targets -- -D warnings

# Unit and system tests on a real ZooKeeper.
test *AREAS='unit system':
    scripts/test.sh {{ AREAS }}

# Documentation, warnings denied.
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --document-private-items

# Licences, sources and duplicate versions of what we depend on.
deny:
    cargo deny check bans licenses sources

# Spelling.
typos:
    typos --config .typos.toml

# All that a change must pass.
check:
    scripts/test.sh

# Speed and memory against baselines measured in the same run.
bench *NAMES:
    scripts/bench.sh {{ NAMES }}
