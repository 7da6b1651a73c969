//! Which lines become messages.

use super::{InputError, Lines, MAX_TEXT_BYTES};

/// Lines end in every usual way, the last one perhaps in none; empty ones say nothing.
#[test]
fn lines_and_their_ends() {
    assert_eq!(texts(b"one\r\n\n  \ntwo \nth\rree"), ["one", "two ", "th\rree"]);
    assert!(texts(b"").is_empty());
    assert!(texts(b"\n\r\n").is_empty());
}

/// Somebody pipes in a file that is not text: the lines before are taken, and the error says which line it is.
#[test]
fn a_line_that_is_not_text() {
    let mut lines = Lines::new(&b"one\n\nt\xffwo\nthree\n"[..]);
    assert_eq!(lines.next().unwrap().unwrap(), "one");
    assert!(matches!(lines.next(), Some(Err(InputError::NotText { line: 3 }))));
}

/// A line of just the bound is a message, with any end; one byte more, or ten megabytes without an end, is not.
#[test]
fn the_longest_line() {
    let longest = vec![b'x'; MAX_TEXT_BYTES];
    for end in ["", "\n", "\r\n"] {
        let input = [&longest[..], end.as_bytes()].concat();
        assert_eq!(texts(&input), [String::from_utf8(longest.clone()).unwrap()]);
        let input = [&input[..1], &input].concat();
        assert!(matches!(Lines::new(&input[..]).next(), Some(Err(InputError::TooLong { line: 1 }))), "{end:?}");
    }
    let endless = vec![b'x'; 10 << 20];
    assert!(matches!(Lines::new(&endless[..]).next(), Some(Err(InputError::TooLong { line: 1 }))));
}

fn texts(mut input: &[u8]) -> Vec<String> {
    let mut lines = Lines::new(&mut input);
    std::iter::from_fn(|| lines.next()).map(Result::unwrap).collect()
}
