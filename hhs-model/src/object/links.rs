//! All links of an encoded object, with their paths, whatever its class.

use super::path::{Path, Step};
use crate::codec::{DecodeError, Decoder, Kind, MapDecoder};
use crate::id::Cid;

/// A link and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkAt {
    /// Where it stands in the object.
    pub path: Path,
    /// What it leads to.
    pub cid: Cid,
}

/// Every link of an encoded object in the order of its bytes: what it depends on, known without knowing its class.
///
/// Takes time and memory in the bytes, at most [`MAX_LINKS`](crate::bounds::MAX_LINKS) links, and does not recurse.
///
/// ```
/// use hhs_model::codec::encode;
/// use hhs_model::{ObjectId, Value, object};
///
/// let photo = ObjectId::of(b"the bytes of a photo");
/// let album = Value::Map([("photos", Value::List(vec![photo.cid().into()]))].into());
/// let links = object::links(&encode(&album)?)?;
/// assert_eq!(links[0].cid, photo.cid());
/// assert_eq!(links[0].path.to_string(), "photos/0");
/// assert_eq!(links[0].path.pattern().as_deref(), Some("photos/*"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the bytes are not canonical.
pub fn links(bytes: &[u8]) -> Result<Vec<LinkAt>, DecodeError> {
    let mut decoder = Decoder::new(bytes)?;
    let (mut open, mut links) = (Vec::new(), Vec::new());
    loop {
        match decoder.peek()? {
            Kind::List => open.push(Open::new(Items::List { left: decoder.list()?, next: 0 })),
            Kind::Map => open.push(Open::new(Items::Map(decoder.map()?))),
            Kind::Link => links.push(LinkAt { cid: decoder.link()?, path: path(&mut open) }),
            _ => drop(decoder.skip()?),
        }
        while let Some(innermost) = open.last_mut() {
            if innermost.advance(&mut decoder)? {
                break;
            }
            open.pop();
        }
        if open.is_empty() {
            decoder.finish()?;
            return Ok(links);
        }
    }
}

/// A list or map that is being read.
struct Open<'a> {
    items: Items<'a>,
    /// Where in it.
    at: At<'a>,
    /// The path to it, as soon as a link was found in it: most lists and maps hold none.
    path: Option<Path>,
}

enum Items<'a> {
    List { left: usize, next: usize },
    Map(MapDecoder<'a>),
}

#[derive(Clone, Copy)]
enum At<'a> {
    Key(&'a str),
    Index(usize),
}

impl<'a> Open<'a> {
    fn new(items: Items<'a>) -> Self {
        Self { items, at: At::Index(0), path: None }
    }

    /// Goes on to the next item, if there is one.
    fn advance(&mut self, decoder: &mut Decoder<'a>) -> Result<bool, DecodeError> {
        match &mut self.items {
            Items::List { left: 0, .. } => {
                decoder.leave();
                Ok(false)
            }
            Items::List { left, next } => {
                self.at = At::Index(*next);
                (*left, *next) = (*left - 1, *next + 1);
                Ok(true)
            }
            Items::Map(map) => match map.next_key(decoder)? {
                Some(key) => {
                    self.at = At::Key(key);
                    Ok(true)
                }
                None => Ok(false),
            },
        }
    }
}

/// The path to what is being read, and on the way to all lists and maps around it.
fn path(open: &mut [Open<'_>]) -> Path {
    // Made once for each list and map, however many links it holds.
    let from = open.iter().rposition(|around| around.path.is_some()).unwrap_or(0);
    let mut path = Path::default();
    for around in open.iter_mut().skip(from) {
        let here = around.path.get_or_insert(path);
        path = here.then(match around.at {
            At::Key(key) => Step::Key(key.into()),
            At::Index(index) => Step::Index(index),
        });
    }
    path
}
