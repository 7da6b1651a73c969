//! Replacing a file on a disk in memory, with a crash at every step and every state that the crash may leave.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::disk::Disk;
use super::{FileStorage, StorageError, beside, directory_of};

const OLD: &[u8] = b"what was there";
const NEW: &[u8] = b"what comes, and is longer";
const LEFTOVER: &[u8] = b"half of what was to come";

/// A disk that knows what is durable. Names become durable in the order in which they were given, contents when they
/// are flushed or, in part, at any time.
#[derive(Debug, Clone, Default)]
struct Model {
    files: Vec<File>,
    names: BTreeMap<PathBuf, usize>,
    /// The states of the names since those that are durable, that one first.
    names_since: Vec<BTreeMap<PathBuf, usize>>,
    /// Steps until it crashes.
    left: usize,
    /// What a disk that lies, or code that forgets, leaves out.
    ignores: &'static str,
}

#[derive(Debug, Clone, Default)]
struct File {
    content: Vec<u8>,
    is_durable: bool,
}

impl Model {
    fn holding(path: &Path, content: Option<&[u8]>, left: usize) -> Self {
        let mut model = Self { left, ..Self::default() };
        for (path, content) in [(path.to_owned(), content), (beside(path, "new"), Some(LEFTOVER))] {
            let Some(content) = content else { continue };
            model.names.insert(path, model.files.len());
            model.files.push(File { content: content.to_vec(), is_durable: true });
        }
        model.names_since = vec![model.names.clone()];
        model
    }

    fn step(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or(io::ErrorKind::Interrupted)?;
        Ok(())
    }

    fn rename_all(&mut self, change: impl FnOnce(&mut BTreeMap<PathBuf, usize>)) {
        change(&mut self.names);
        self.names_since.push(self.names.clone());
    }

    /// What the file may hold after the machine has lost its power now; after a mere kill, it holds what it seems to.
    fn may_hold(&self, path: &Path) -> BTreeSet<Option<Vec<u8>>> {
        let mut states = BTreeSet::new();
        for names in &self.names_since {
            match names.get(path).map(|file| &self.files[*file]) {
                None => drop(states.insert(None)),
                Some(file) => {
                    let shortest = if file.is_durable { file.content.len() } else { 0 };
                    states.extend((shortest..=file.content.len()).map(|end| Some(file.content[..end].to_vec())));
                }
            }
        }
        states
    }
}

impl Disk for RefCell<Model> {
    type Turn = ();

    fn resolve(&self, path: &Path) -> PathBuf {
        path.to_owned()
    }

    fn read(&self, path: &Path) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut model = self.borrow_mut();
        model.step()?;
        Ok(model.names.get(path).map(|file| Zeroizing::new(model.files[*file].content.clone())))
    }

    fn lock(&self, _: &Path) -> io::Result<()> {
        self.borrow_mut().step()
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut model = self.borrow_mut();
        model.step()?;
        model.rename_all(|names| names.retain(|name, _| name != path));
        Ok(())
    }

    fn write_new(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let mut model = self.borrow_mut();
        assert!(!model.names.contains_key(path), "what a crash has left was removed");
        model.step()?;
        let file = model.files.len();
        model.files.push(File::default());
        model.rename_all(|names| names.extend([(path.to_owned(), file)]));
        for byte in content {
            model.step()?;
            model.files[file].content.push(*byte);
        }
        Ok(())
    }

    fn sync(&self, path: &Path) -> io::Result<()> {
        let mut model = self.borrow_mut();
        model.step()?;
        let file = model.names[path];
        model.files[file].is_durable = model.ignores != "contents";
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut model = self.borrow_mut();
        model.step()?;
        model.rename_all(|names| {
            let file = names.remove(from).expect("it is there");
            names.insert(to.to_owned(), file);
        });
        Ok(())
    }

    fn sync_directory(&self, directory: &Path) -> io::Result<()> {
        let mut model = self.borrow_mut();
        assert_eq!(directory, Path::new("/home"));
        model.step()?;
        if model.ignores != "names" {
            model.names_since = vec![model.names.clone()];
        }
        Ok(())
    }
}

/// Replaces `old` with [`NEW`] on a disk that crashes after so many steps. What the file may hold then, and whether it was
/// said to be done.
fn crash(old: Option<&[u8]>, steps: usize, ignores: &'static str) -> (BTreeSet<Option<Vec<u8>>>, bool) {
    let path = Path::new("/home/key");
    let disk = RefCell::new(Model { ignores, ..Model::holding(path, old, steps) });
    let done = FileStorage::new(path).replace_on(&disk, old, NEW).is_ok();
    let model = disk.into_inner();
    (model.may_hold(path), done)
}

/// Whether some crash leaves anything but the old or the new, or the old after it was said to be done.
fn is_unsafe(old: Option<&[u8]>, ignores: &'static str) -> bool {
    let [old_state, new_state] = [old.map(<[u8]>::to_vec), Some(NEW.to_vec())];
    for steps in 0.. {
        let (states, done) = crash(old, steps, ignores);
        let expected = |state: &Option<Vec<u8>>| *state == new_state || (!done && *state == old_state);
        if !states.iter().all(expected) {
            return true;
        }
        if done {
            assert!(steps > NEW.len() + 6, "{steps} steps crash between each two operations, and between bytes");
            return false;
        }
    }
    unreachable!("it ends when it is done")
}

/// The machine loses its power at any moment: the file holds all of the old or all of the new, and the new once that was
/// said. So it is when it is made.
#[test]
fn a_crash_leaves_the_old_or_the_new() {
    assert!(!is_unsafe(Some(OLD), ""));
    assert!(!is_unsafe(None, ""));
}

/// Without either flush, the check above finds a crash that loses a keystore: it can fail.
#[test]
fn each_flush_is_needed() {
    for ignores in ["contents", "names"] {
        assert!(is_unsafe(Some(OLD), ignores), "{ignores}");
        assert!(is_unsafe(None, ignores), "{ignores}");
    }
}

/// Something else is there than was expected: nothing is written.
#[test]
fn what_was_not_expected_stays() {
    let path = Path::new("/home/key");
    for (held, expected) in [(Some(OLD), None), (Some(OLD), Some(NEW)), (None, Some(OLD))] {
        let disk = RefCell::new(Model::holding(path, held, 1000));
        let refused = FileStorage::new(path).replace_on(&disk, expected, NEW);
        assert!(matches!(refused, Err(StorageError::Changed(_))), "{refused:?}");
        assert_eq!(
            disk.borrow().names.get(path).map(|file| &*disk.borrow().files[*file].content == OLD),
            held.map(|_| true)
        );
    }
}

/// Where the files beside it are.
#[test]
fn names_beside() {
    assert_eq!(beside(Path::new("/home/key"), "new"), Path::new("/home/.key.new"));
    assert_eq!(beside(Path::new("key"), "lock"), Path::new(".key.lock"));
    assert_eq!(directory_of(Path::new("key")), Path::new("."));
}
