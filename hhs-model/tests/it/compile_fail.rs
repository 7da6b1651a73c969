//! Wrong uses of the derives do not compile, and the message says what to do. Expected messages stand beside each case,
//! in `compile_fail/*.stderr`; `TRYBUILD=overwrite cargo test -p hhs-model` rewrites them.

/// An app developer makes each of the mistakes that are easily made.
#[test]
fn wrong_uses_of_the_derives_are_explained() {
    trybuild::TestCases::new().compile_fail("tests/it/compile_fail/*.rs");
}
