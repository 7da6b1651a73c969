//! Histories that can be read, and everything else: refused with the line, bounded, without a panic.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// The line and the fault of a text that is refused.
fn fault(text: impl AsRef<[u8]>) -> (u64, Fault) {
    match Dag::read(text.as_ref()) {
        Err(Stopped::Faulty(line, fault)) => (line, fault),
        other => panic!("expected a fault, not {other:?}"),
    }
}

fn open(bytes: &[u8]) -> Result<Dag, DagError> {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(bytes).unwrap();
    Dag::open(file.path())
}

/// Two people build on one op, and one of them merges.
#[test]
fn a_history_is_read_as_it_stands() {
    let dag = Dag::read(&b"0 0\n0 10 0\n7 12 0\n0 20 2 1\n"[..]).unwrap();
    let ops: Vec<(u32, u64, &[u32])> = dag.ops().map(|op| (op.author, op.seconds, op.parents)).collect();
    assert_eq!(ops, [(0, 0, &[][..]), (0, 10, &[0]), (7, 12, &[0]), (0, 20, &[2, 1])]);
    assert_eq!((dag.len(), dag.merges(), dag.heads()), (4, 1, 1));
    assert_eq!(dag.authors(), BTreeSet::from([0, 7]));
}

/// An editor left out the last line break.
#[test]
fn the_last_line_break_may_be_missing() {
    assert_eq!(Dag::read(&b"0 0\n0 1 0"[..]).unwrap(), Dag::read(&b"0 0\n0 1 0\n"[..]).unwrap());
}

/// A thousand authors are folded to three keys.
#[test]
fn folded_authors_share_keys() {
    let text: String = (0..1000).map(|author| format!("{author} 0\n")).collect();
    let mut dag = Dag::read(text.as_bytes()).unwrap();
    dag.fold_authors(3);
    assert_eq!(dag.authors(), BTreeSet::from([0, 1, 2]));
}

/// More authors than a genesis can list are refused, with what to do about it.
#[test]
fn too_many_authors_are_refused_until_they_are_folded() {
    let text: String = (0..=MAX_WRITERS).map(|author| format!("{author} 0\n")).collect();
    let mut dag = Dag::read(text.as_bytes()).unwrap();
    let error = dag.check_authors(Path::new("many.dag.gz")).unwrap_err().to_string();
    assert!(error.contains("16385 authors") && error.contains("--authors 16384"), "{error}");
    dag.fold_authors(MAX_WRITERS as u32);
    dag.check_authors(Path::new("many.dag.gz")).unwrap();
}

/// Each way in which a line can be wrong has its own words, and names its line.
#[test]
fn a_wrong_line_is_named() {
    let not_integer = |text: &str| Fault::NotInteger(text.to_owned());
    let cases: [(&str, u64, Fault); 17] = [
        ("0 0\n\n", 2, not_integer("")),
        ("0\n", 1, Fault::Missing),
        ("0 \n", 1, not_integer("")),
        ("0  0\n", 1, not_integer("")),
        ("0 0 \n", 1, not_integer("")),
        ("0 0\r\n", 1, not_integer("0\r")),
        ("0\t0\n", 1, not_integer("0\t0")),
        ("ana 0\n", 1, not_integer("ana")),
        ("-1 0\n", 1, not_integer("-1")),
        ("+1 0\n", 1, not_integer("+1")),
        ("01 0\n", 1, not_integer("01")),
        ("0 1.5\n", 1, not_integer("1.5")),
        ("0 0\n0 99999999999999999999\n", 2, not_integer("99999999999999999999")),
        ("0 0\n0 1 1\n", 2, Fault::Parent(1)),
        ("0 0 18446744073709551615\n", 1, Fault::Parent(u64::MAX)),
        ("0 0\n0 1 0 0\n", 2, Fault::Doubled(0)),
        ("0 1000000000001\n", 1, Fault::TooLarge { what: "the time", found: 1_000_000_000_001, most: MAX_SECONDS }),
    ];
    for (text, line, expected) in cases {
        assert_eq!(fault(text), (line, expected), "{text:?}");
    }
    let author = Fault::TooLarge { what: "the author", found: 1 << 32, most: MAX_AUTHOR.into() };
    assert_eq!(fault("4294967296 0\n"), (1, author));
    assert_eq!(fault(b"0 0\n0 \xff\n"), (2, Fault::NotUtf8));
}

/// 64 parents are as many as an op can have.
#[test]
fn an_op_with_too_many_parents_is_refused() {
    let roots = "0 0\n".repeat(65);
    let merging = |count: usize| {
        let parents: String = (0..count).map(|parent| format!(" {parent}")).collect();
        format!("{roots}0 1{parents}\n")
    };
    assert_eq!(Dag::read(merging(64).as_bytes()).unwrap().heads(), 2);
    assert_eq!(fault(merging(65)), (66, Fault::Parents));
}

/// A line that goes on and on is given up at its bound, with or without an end.
#[test]
fn a_line_without_end_is_not_read_to_its_end() {
    assert_eq!(fault("1".repeat(MAX_LINE_BYTES + 1)), (1, Fault::TooLong));
    assert_eq!(fault(format!("0 0\n{}\n", "1".repeat(MAX_LINE_BYTES + 1))), (2, Fault::TooLong));
    let (_, longest) = fault("x".repeat(MAX_LINE_BYTES));
    assert_eq!(longest, Fault::NotInteger("x".repeat(SHOWN_CHARS)));
}

/// A few kilobytes that unpack to 64 megabytes, in one line: refused after the first kilobyte of it.
#[test]
fn a_decompression_bomb_is_refused_at_once() {
    let bomb = gzip(&vec![b'0'; 64 << 20]);
    assert!(bomb.len() < 1 << 20);
    assert!(matches!(Dag::read_gzip(&bomb[..]), Err(Stopped::Faulty(1, Fault::TooLong))));
}

/// A download that broke off anywhere is told from a whole file.
#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let text: String = (0..300).map(|op: u32| format!("{} {op} {}\n", op % 5, op.saturating_sub(1))).collect();
    let whole = gzip(text.replacen("0 0 0", "0 0", 1).as_bytes());
    assert_eq!(open(&whole).unwrap().len(), 300);
    for length in 0..whole.len() {
        let error = open(&whole[..length]).unwrap_err();
        assert!(matches!(error, DagError::Read { .. }) || length == 0, "{length}: {error}");
    }
}

/// An empty file, a compressed nothing, a text that nobody has compressed, a folder, nothing at all.
#[test]
fn what_is_no_history_is_refused_with_the_name_of_the_file() {
    assert!(matches!(open(b"").unwrap_err(), DagError::Read { line: 1, .. } | DagError::Empty(_)));
    assert!(matches!(open(&gzip(b"")).unwrap_err(), DagError::Empty(_)));
    let plain = open(b"0 0\n0 1 0\n").unwrap_err();
    assert!(plain.to_string().contains("not a gzip file"), "{plain}");
    let followed = [&gzip(b"0 0\n")[..], b"and then some"].concat();
    assert!(matches!(open(&followed).unwrap_err(), DagError::Read { .. }));
    let folder = tempfile::tempdir().unwrap();
    assert!(Dag::open(folder.path()).unwrap_err().to_string().contains(&folder.path().display().to_string()));
    assert!(matches!(Dag::open(&folder.path().join("none")).unwrap_err(), DagError::Open { .. }));
}

/// Twenty thousand people who never saw each other: more heads than peers tell of.
#[test]
fn a_history_with_too_many_heads_is_refused() {
    let error = open(&gzip("0 0\n".repeat(20_000).as_bytes())).unwrap_err();
    assert!(matches!(error, DagError::Heads { heads: 20_000, .. }), "{error}");
}

/// Lines of a history in which every op builds on some earlier ones.
fn histories() -> impl Strategy<Value = String> {
    let line = (0u32..50, 0..=MAX_SECONDS, prop::collection::vec(any::<prop::sample::Index>(), 0..4));
    prop::collection::vec(line, 1..60).prop_map(|lines| {
        let line = |(number, (author, seconds, parents)): (usize, (u32, u64, Vec<prop::sample::Index>))| {
            let parents: BTreeSet<usize> = parents.iter().filter(|_| number > 0).map(|at| at.index(number)).collect();
            let parents: String = parents.iter().map(|parent| format!(" {parent}")).collect();
            format!("{author} {seconds}{parents}\n")
        };
        lines.into_iter().enumerate().map(line).collect()
    })
}

proptest! {
    /// Whatever is a history is read, and written again it is the same text.
    #[test]
    fn every_history_is_read_back(text in histories()) {
        let dag = Dag::read_gzip(&gzip(text.as_bytes())[..]).unwrap();
        let line = |op: DagOp<'_>| {
            let parents: String = op.parents.iter().map(|parent| format!(" {parent}")).collect();
            format!("{} {}{parents}\n", op.author, op.seconds)
        };
        prop_assert_eq!(dag.ops().map(line).collect::<String>(), text);
    }

    /// Any bytes at all, as the file and as its unpacked text: an error or a history, never a panic.
    #[test]
    fn hostile_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        drop(Dag::read_gzip(&bytes[..]));
        drop(Dag::read(&bytes[..]));
        drop(Dag::read_gzip(&gzip(&bytes)[..]));
    }

    /// Bytes that come near to being a history get further into the parser.
    #[test]
    fn almost_histories_do_no_harm(text in "[0-9 \n]{0,400}|([0-9]{1,3} [0-9]{1,4}( [0-9]{1,2}){0,3}\n){0,40}") {
        if let Ok(dag) = Dag::read(text.as_bytes()) {
            prop_assert!(dag.ops().enumerate().all(|(at, op)| op.parents.iter().all(|parent| (*parent as usize) < at)));
        }
    }

    /// One byte of a good file was changed on its way: it is refused, or it does not matter (the time and name in the
    /// header of a gzip file are not checked).
    #[test]
    fn a_damaged_file_is_refused_or_the_same(text in histories(), at: prop::sample::Index, to: u8) {
        let mut file = gzip(text.as_bytes());
        let at = at.index(file.len());
        file[at] = to;
        if let Ok(dag) = Dag::read_gzip(&file[..]) {
            prop_assert_eq!(dag, Dag::read(text.as_bytes()).unwrap());
        }
    }
}
