//! Writes the golden vectors and the seeds of the fuzz targets, all made from fixed numbers:
//! `cargo run -p hhs-model --example vectors -- vectors/ fuzz/corpus/`.
//!
//! Only for vectors that are new. One that changes is a change of the format, which breaks what people have saved.

use std::path::{Path, PathBuf};
use std::{env, fs, io};

#[path = "corpus.rs"]
mod corpus;
#[path = "files.rs"]
mod files;

fn main() -> io::Result<()> {
    let mut folders = env::args().skip(1).map(PathBuf::from);
    let vectors = folders.next().unwrap_or_else(|| "vectors".into());
    for (name, text) in files::all() {
        fs::write(vectors.join(name), text)?;
    }
    folders.next().map_or(Ok(()), |folder| write_corpus(&folder))
}

fn write_corpus(folder: &Path) -> io::Result<()> {
    for (target, name, bytes) in corpus::all() {
        let folder = folder.join(target);
        fs::create_dir_all(&folder)?;
        fs::write(folder.join(name), bytes)?;
    }
    Ok(())
}
