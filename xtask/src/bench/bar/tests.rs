//! Figures against bars: met, missed, and lines that make no sense.

use super::{Bar, JudgeError, Measurement, Target, judge};

const BARS: &[Bar] = &[
    Bar { name: "sync", unit: "ops/s", target: Target::AtLeast(10_000.0) },
    Bar { name: "encode", unit: "ns", target: Target::RatioAtMost(3.0) },
];

/// A fast sync and an encoder within three times its floor: both bars are met, ratios to the limit and to the floor.
#[test]
fn figures_that_reach_their_bars_are_met() {
    let judged = judge(BARS, &[measured("sync", 25_000.0, None), measured("encode", 500.0, Some(200.0))]).unwrap();
    assert!(judged.iter().all(|bar| bar.met));
    assert_eq!((judged[0].ratio, judged[0].target.as_str()), (2.5, "≥ 10000 ops/s"));
    assert_eq!((judged[1].ratio, judged[1].target.as_str()), (2.5, "≤ 3 ×"));
}

/// Exactly the limit is enough; the least bit beyond it is not.
#[test]
fn the_limit_itself_is_met_and_beyond_it_is_missed() {
    let verdicts = |sync, encode| -> Vec<bool> {
        let judged = judge(BARS, &[measured("encode", encode, Some(100.0)), measured("sync", sync, None)]).unwrap();
        judged.into_iter().map(|bar| bar.met).collect()
    };
    assert_eq!(verdicts(10_000.0, 300.0), [true, true]);
    assert_eq!(verdicts(9_999.9, 300.1), [false, false]);
}

/// A benchmark that stops measuring, measures twice, or measures what has no bar does not pass in silence.
#[test]
fn measurements_and_bars_must_fit_one_to_one() {
    let sync = measured("sync", 1.0, None);
    let encode = measured("encode", 1.0, Some(1.0));
    assert!(matches!(judge(BARS, std::slice::from_ref(&sync)), Err(JudgeError::Missing("encode"))));
    let twice = [sync.clone(), sync.clone(), encode.clone()];
    assert!(matches!(judge(BARS, &twice), Err(JudgeError::Twice("sync"))));
    let unknown = [sync, encode, measured("decode", 1.0, None)];
    assert!(matches!(judge(BARS, &unknown), Err(JudgeError::Unknown(name)) if name == "decode"));
}

/// Zero, infinity and a ratio with nothing to compare to are errors, not verdicts.
#[test]
fn figures_that_make_no_sense_are_errors() {
    let encode = measured("encode", 1.0, Some(1.0));
    for figure in [0.0, -1.0, f64::INFINITY, f64::NAN] {
        let error = judge(BARS, &[measured("sync", figure, None), encode.clone()]).unwrap_err();
        assert!(matches!(error, JudgeError::Absurd { name: "sync", .. }), "{error}");
    }
    let error = judge(BARS, &[measured("sync", 1.0, None), measured("encode", 1.0, None)]).unwrap_err();
    assert!(matches!(error, JudgeError::NoReference("encode")), "{error}");
}

fn measured(name: &str, figure: f64, reference: Option<f64>) -> Measurement {
    Measurement { name: name.into(), figure, reference, reference_name: None }
}
