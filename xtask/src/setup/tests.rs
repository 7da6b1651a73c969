//! Which systems `setup` dares to install on, and what it changes there.

use super::{is_debian, without_cluster};

/// Debian and its children have apt; others get told what to do by hand.
#[test]
fn debian_and_its_children_are_recognised() {
    assert!(is_debian("PRETTY_NAME=\"Debian GNU/Linux 12\"\nID=debian\n"));
    assert!(is_debian("ID=linuxmint\nID_LIKE=\"ubuntu debian\"\n"));
    assert!(!is_debian("ID=fedora\nHOME_URL=https://example.org/?like=debian\n"));
    assert!(!is_debian(""));
}

/// Debian's settings have the line as a comment, somebody's may have it as it is: it is off afterwards, and everything else
/// stays.
#[test]
fn debian_is_told_not_to_start_a_server() {
    let packaged = "# Default values\n\n#create_main_cluster = true\nstart_conf = 'auto'\n";
    let off = "# Default values\n\nstart_conf = 'auto'\ncreate_main_cluster = false\n";
    assert_eq!(without_cluster(packaged), off);
    assert_eq!(without_cluster(off), off);
}
