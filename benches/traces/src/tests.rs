//! Small traces of both formats, read and delivered.

use std::fs;

use super::*;

const SEQUENTIAL: &str = r#"{"startContent":"a","endContent":"xyc","txns":[
    {"time":"2021","patches":[[1,0,"bc"],[0,2,""]]}, {"patches":[[0,0,"xy"]]}]}"#;

/// Two agents write at a time; the first then sees both, and the second never does.
const CONCURRENT: &str = r#"{"kind":"concurrent","endContent":"abc","numAgents":2,"txns":[
    {"parents":[],"agent":0,"patches":[[0,0,"a"]]},
    {"parents":[0],"agent":1,"patches":[[1,0,"b"]]},
    {"parents":[0],"agent":0,"patches":[]},
    {"parents":[2,1],"agent":0,"patches":[[2,0,"c"]]}]}"#;

fn read_text(text: &str) -> Result<Trace, ReadError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.json");
    fs::write(&path, text).unwrap();
    read(&path)
}

fn concurrent(text: &str) -> Concurrent {
    match read_text(text).unwrap() {
        Trace::Concurrent(trace) => trace,
        Trace::Sequential(_) => panic!("it has parents"),
    }
}

/// A file without parents is a list of edits, whatever their transactions were.
#[test]
fn a_list_of_transactions_is_sequential() {
    let Trace::Sequential(trace) = read_text(SEQUENTIAL).unwrap() else { panic!("it has no parents") };
    assert_eq!(trace.edits_from_empty().collect::<Vec<_>>(), [(0, 0, "a"), (1, 0, "bc"), (0, 2, ""), (0, 0, "xy")]);
    assert_eq!(trace.end, "xyc");
}

/// A replica of each agent takes in what its next transaction has seen, just before it.
#[test]
fn what_a_transaction_has_seen_is_delivered_before_it() {
    let trace = concurrent(CONCURRENT);
    assert_eq!(trace.deliveries().unwrap(), [vec![], vec![0], vec![], vec![1]]);
    assert_eq!((trace.missing_at_end(0), trace.missing_at_end(1)), (vec![], vec![2, 3]));
}

/// Two transactions of one agent that have not seen each other cannot come from one replica.
#[test]
fn an_agent_at_two_places_is_named() {
    let trace = concurrent(&CONCURRENT.replace(r#""parents":[0],"agent":0"#, r#""parents":[],"agent":0"#));
    assert_eq!(trace.deliveries(), Err(NotAChain { agent: 0, transaction: 2 }));
}

/// A file that is cut, or whose DAG is none, is an error that says where.
#[test]
fn files_that_are_no_traces_are_refused() {
    assert!(matches!(read_text(&SEQUENTIAL[..40]), Err(ReadError::Format { .. })));
    for (right, wrong) in [("[2,1]", "[2,3]"), (r#""agent":1"#, r#""agent":2"#), (r#""parents":[2,1],"#, "")] {
        assert!(matches!(read_text(&CONCURRENT.replace(right, wrong)), Err(ReadError::Transaction { .. })), "{wrong}");
    }
}
