//! The lines that `xtask` reads.

use super::Bar;

/// A figure without another one beside it has two fields, and four with one: `xtask` refuses fields that it does not know.
#[test]
fn lines_have_what_is_judged() {
    assert_eq!(Bar::alone("opened", 1.5).to_json().unwrap(), r#"{"name":"opened","figure":1.5}"#);
    let line = Bar::beside("typed", 2.0, "yrs", 4.0).to_json().unwrap();
    assert_eq!(line, r#"{"name":"typed","figure":2.0,"reference":4.0,"reference_name":"yrs"}"#);
}
