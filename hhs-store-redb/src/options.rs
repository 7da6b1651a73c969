//! What can be chosen when a store is opened.

/// How a store is opened; the default suits a program that has one store open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Bytes of memory for pages of the file, read and not yet written ones together. Too low: reads go to the file for
    /// every page, and large commits write pages twice; too high: memory that the rest of the machine would use better,
    /// for the operating system caches the file too. At 1,000,000 ops, look-ups all over the store are twice as fast with
    /// 1 GiB. Default: 64 MiB, which holds the inner pages of a store of some
    /// millions of entries; redb's own default is 1 GiB, which assumes a machine that does nothing else.
    pub cache_bytes: usize,

    /// Whether every commit also writes down which pages are free. Off: opening after a crash (never after a clean
    /// close) reads the whole file once, at about 0.5 GB/s when it is cached. On: opening after a crash takes
    /// milliseconds at any size, but a commit needs two flushes instead of one and takes 1.6 to 2 times as long, more
    /// in large stores. Default: off, because commits happen all the time and crashes do not; on is right for a host
    /// with a store of many gigabytes that has to be back at once.
    pub quick_repair: bool,

    /// Whether opening reads the whole file and checks every page against its checksum, as it does by itself after a
    /// crash. Off: a page that something else changed since the store was closed is found when it is read, or not at
    /// all, where the damage still makes sense (the objects above are checked by their hashes). On: opening takes about
    /// one second per GB and refuses a file with any such page. Default: off.
    pub check_on_open: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { cache_bytes: 64 << 20, quick_repair: false, check_on_open: false }
    }
}
