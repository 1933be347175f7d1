# For people. `.ci/run` makes the same calls and needs nothing but cargo.

# list the recipes
default:
    @just --list

# what a change must pass besides the tests
check: tidy spec
    cargo xtask man --check
    cargo fmt --all --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked
    cargo deny --locked check licenses bans sources

# the rules that no compiler or linter knows
tidy:
    cargo xtask tidy

# the requirements of the RFCs against what code and tests say that they meet
spec:
    cargo xtask spec

# the manual pages and completions, made anew
man:
    cargo xtask man

# the packages for Debian and Fedora, with programs that are linked statically
packages:
    dist/build-packages

# all tests, those on kernel interfaces included
test:
    cargo test --workspace

# every input that a fuzzer ever kept, on stable Rust
fuzz-replay:
    cargo test -p autoip-fuzz

# one fuzzer, on nightly Rust with cargo-fuzz; a corpus that grew is minimized afterwards
fuzz target seconds="300":
    cargo +nightly fuzz run {{target}} -- -max_total_time={{seconds}} -max_len=1024
    cargo +nightly fuzz cmin {{target}}

# two virtual hosts claim, defend and give up addresses before your eyes; needs no root
demo:
    cargo run --release -p autoip-lab -- demo

# the engine alone, the daemon on kernel interfaces, and the simulator
bench:
    cargo bench -p autoip-core
    cargo bench -p autoip-lab
    cargo run --release -p autoip-sim -- bench

# thousands of random links over the real engine; a failure prints the line that repeats it
sim count="5000":
    cargo run --release -p autoip-sim -- swarm --count {{count}}

# planted bugs, each of which its checker has to catch
canary:
    cargo run --release -p autoip-sim -- canary

# the figures and plots of docs/experiments
experiments:
    cargo run --release -p autoip-sim -- experiment all

# exactly what CI does
ci:
    .ci/run
