//! Which systems `setup` dares to install on.

use super::is_debian;

/// Debian and its children have apt; others get told what to do by hand.
#[test]
fn debian_and_its_children_are_recognised() {
    assert!(is_debian("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n"));
    assert!(is_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
    assert!(!is_debian("ID=fedora\nHOME_URL=https://example.org/?like=debian\n"));
    assert!(!is_debian(""));
}
