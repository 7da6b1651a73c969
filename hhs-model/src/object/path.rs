//! `Path`: where something stands in an object.

use std::fmt;
use std::sync::Arc;

use crate::bounds::MAX_PATTERN_BYTES;

/// Where something stands in an object: map keys and list indexes, from the outside in.
///
/// As a text, steps are joined by `/`, and in keys `~` is written `~0` and `/` is written `~1`, as in JSON pointers
/// (RFC 6901): `attachments/3/photo`. Paths of one object share their beginnings, so that many of them take no more room
/// than the object.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Path(Option<Arc<Node>>);

/// A step, and the path that it goes on from. There are at most as many as lists and maps can be nested.
#[derive(PartialEq, Eq)]
struct Node {
    before: Path,
    step: Step,
    /// Bytes of the pattern up to here.
    bytes: usize,
}

/// One step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Into a map, to the value of this key.
    Key(Box<str>),
    /// Into a list, to the item of this index.
    Index(usize),
}

impl Path {
    /// The steps, from the outside in.
    pub fn steps(&self) -> Vec<&Step> {
        let mut steps: Vec<&Step> =
            std::iter::successors(self.0.as_deref(), |node| node.before.0.as_deref()).map(|node| &node.step).collect();
        steps.reverse();
        steps
    }

    /// Whether there are no steps: the path of what is the whole object.
    pub fn is_empty(&self) -> bool {
        self.0.is_none()
    }

    /// The path with `*` in the place of every list index: `attachments/*/photo`. It is the same for all items of a list,
    /// which is what an index of links goes by. (A key that is itself `*` is written `~2`.)
    ///
    /// `None` if it has more than [`MAX_PATTERN_BYTES`]: whoever writes an object chooses its keys, and a key of a megabyte
    /// over sixty thousand links must not become sixty thousand texts of a megabyte.
    pub fn pattern(&self) -> Option<String> {
        let bytes = self.0.as_ref().map_or(0, |node| node.bytes);
        (bytes <= MAX_PATTERN_BYTES).then(|| self.text(Step::pattern))
    }

    /// One step further.
    pub(super) fn then(&self, step: Step) -> Self {
        let before = self.0.as_ref().map_or(0, |node| node.bytes.saturating_add(1));
        let bytes = match &step {
            Step::Key(key) => before.saturating_add(key.bytes().map(|byte| 1 + usize::from(is_escaped(byte))).sum()),
            Step::Index(_) => before.saturating_add(1),
        };
        Self(Some(Arc::new(Node { before: self.clone(), step, bytes })))
    }

    fn text(&self, step: impl Fn(&Step) -> String) -> String {
        self.steps().into_iter().map(step).collect::<Vec<_>>().join("/")
    }
}

impl Step {
    fn pattern(&self) -> String {
        match self {
            Self::Key(key) if **key == *"*" => "~2".to_owned(),
            Self::Index(_) => "*".to_owned(),
            Self::Key(_) => self.to_string(),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(&key.replace('~', "~0").replace('/', "~1")),
            Self::Index(index) => write!(f, "{index}"),
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text(Step::to_string))
    }
}

impl fmt::Debug for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.to_string())
    }
}

/// Whether a byte of a key takes two in the text. A lone `*` does too, and is counted as if all of them did.
fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'~' | b'/' | b'*')
}
