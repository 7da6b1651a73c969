//! Verdicts with their reasons, and the chains of reasons that are printed for people.

use std::fmt;

use crate::id::OpId;

/// Whether an op that is kept counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It does.
    Effective,
    /// It has no effect, as long as this holds.
    Void(Reason),
}

/// Why authority makes an op void. Of several reasons the first of these, the one with the least ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// A grant that it stands on is void.
    #[error("it stands on the grant {0}, which is void")]
    Grant(OpId),
    /// A grant that it stands on was withdrawn by an op that has not seen it.
    #[error("it stands on the grant {grant}, which was withdrawn by {by}, and that has not seen it")]
    Withdrawn {
        /// The grant.
        grant: OpId,
        /// The revocation or renunciation.
        by: OpId,
    },
    /// It is a revocation that was undone.
    #[error("it is a revocation that was undone by {by}")]
    Reinstated {
        /// The reinstatement.
        by: OpId,
    },
}

impl Verdict {
    /// Whether the op has no effect.
    pub fn is_void(&self) -> bool {
        matches!(self, Self::Void(_))
    }
}

impl From<Option<Reason>> for Verdict {
    fn from(reason: Option<Reason>) -> Self {
        reason.map_or(Self::Effective, Self::Void)
    }
}

/// The chain of reasons for a verdict. `Display` prints it for people, one line for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Explanation {
    /// The verdict.
    pub verdict: Verdict,
    /// For a void op, the grants below it that are void, each with why, down to the withdrawal that began it. For an effective one, what was
    /// withdrawn of what it stands on, and why that does not matter.
    pub because: Vec<Because>,
}

/// One link in a chain of reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Because {
    /// An act that does not count.
    #[error("{act} is void: {reason}")]
    Void {
        /// The act.
        act: OpId,
        /// Why.
        reason: Reason,
    },
    /// A withdrawal that keeps the op.
    #[error("the grant {grant} was withdrawn by {by}, which has seen the op")]
    HasSeen {
        /// The grant.
        grant: OpId,
        /// The revocation or renunciation.
        by: OpId,
    },
    /// A withdrawal that does not count.
    #[error("the grant {grant} was withdrawn by {by}, which is void: {reason}")]
    NotInForce {
        /// The grant.
        grant: OpId,
        /// The revocation or renunciation.
        by: OpId,
        /// Why it does not count.
        reason: Reason,
    },
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.verdict {
            Verdict::Effective => f.write_str("the op is effective")?,
            Verdict::Void(reason) => write!(f, "the op is void: {reason}")?,
        }
        self.because.iter().try_for_each(|because| write!(f, "\n{because}"))
    }
}
