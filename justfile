# Everything README.md promises: the whole test suite.
test:
    cargo test

# The story, step by step, over HTTP.
tour:
    cargo run -- tour

# What must hold before a change is accepted.
ci:
    .ci/run
