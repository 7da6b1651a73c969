//! Wrong uses of `derive(Replica)` do not compile, and say what to do.

/// Each file is one mistake; what the compiler says about it stands beside it.
#[test]
fn wrong_uses_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/ui/*.rs");
}
