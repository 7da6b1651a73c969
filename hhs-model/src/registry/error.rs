//! Why a registry takes no upgrade, and why an object cannot be read as the class that is asked for.

use crate::bounds::MAX_UPGRADES;
use crate::codec::{DecodeError, EncodeError};

/// Why a registry takes no upgrade.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// Following upgrades from a class would lead back to it.
    #[error("upgrades would lead from the class {0:?} back to itself: take one of them away")]
    Cycle(&'static str),
    /// A class becomes another one already.
    #[error("objects of the class {from:?} become {to:?} already: a class has one upgrade, and others follow that one")]
    Taken {
        /// The older class.
        from: &'static str,
        /// What it becomes.
        to: &'static str,
    },
    /// Another type is registered under the class's name.
    #[error("another type is registered as the class {0:?}: give each type a class of its own")]
    OtherType(&'static str),
    /// More upgrades after one another than may be.
    #[error(
        "more than {MAX_UPGRADES} upgrades would follow one another from the class {0:?}: upgrade it to a later one"
    )]
    TooLong(&'static str),
}

/// Why an object cannot be read as the class that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It cannot be read as the class that it names.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It is of another class, and no registered upgrades lead from there.
    #[error("the object is of class {found:?}, and nothing upgrades that to {expected:?}: register its upgrade")]
    NoUpgrade {
        /// The class that the bytes name.
        found: String,
        /// The class that was asked for.
        expected: &'static str,
    },
    /// An upgrade does not take this object.
    #[error("the object of class {from:?} does not become one of {to:?}: {reason}")]
    Failed {
        /// The older class.
        from: &'static str,
        /// The newer one.
        to: &'static str,
        /// What the upgrade says.
        reason: String,
    },
    /// The newer class refuses what upgrades made of it.
    #[error("upgrades made an object that its class {class:?} refuses: {error}")]
    Invalid {
        /// The class that was asked for.
        class: &'static str,
        /// What it says.
        error: EncodeError,
    },
}
