//! What is shown of a hostile text.

use super::printable;

/// Somebody sends escape sequences, several lines and a change of direction: the terminal gets one plain line.
#[test]
fn texts_of_others_cannot_control_a_terminal() {
    assert_eq!(printable("plain, naïve and 日本語 🎉"), "plain, naïve and 日本語 🎉");
    assert_eq!(printable("\x1b[2Jgone\x07"), "\u{fffd}[2Jgone\u{fffd}");
    assert_eq!(printable("two\nlines\tand\r\n"), "two lines and  ");
    assert_eq!(printable("a\u{202e}b\u{9b}31m"), "a\u{fffd}b\u{fffd}31m");
}
