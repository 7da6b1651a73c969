//! Tests of attributes.

use proc_macro2::Span;
use syn::LitStr;

use super::checked_class;

fn refused(class: &str) -> String {
    checked_class(LitStr::new(class, Span::call_site())).err().map_or_else(String::new, |error| error.to_string())
}

/// A class name may be as long as peers take, counted in bytes.
#[test]
fn class_names_up_to_the_bound_and_over_it() {
    assert_eq!(refused("a"), "");
    assert_eq!(refused(&"a".repeat(256)), "");
    assert_eq!(refused(&"a".repeat(257)), "the class has 257 bytes, more than the 256 that peers take");
    assert_eq!(refused(&"ü".repeat(129)), "the class has 258 bytes, more than the 256 that peers take");
}

/// A class name is shown to people: it has to be visible.
#[test]
fn class_names_that_cannot_be_shown() {
    assert_eq!(refused(""), "a class has a name, such as \"app/v1/Name\"");
    for control in ["a\n", "\0", "a\u{7f}b", "\u{85}"] {
        assert_eq!(refused(control), "a class has no control characters");
    }
}
