//! The verdict by its definition, as [`Definition`](super::super::Definition) has it, on sets of acts that fit into a byte.

use super::history::{Acts, Deed, Doing, History, MOST, contains, members};
use crate::authority::Reason;

/// The verdicts on some acts, as if there were no others.
pub(super) fn verdicts(history: &History, among: Acts) -> [Option<Reason>; MOST] {
    let key = |act: usize| (history.standing(&history.0[act]), turn(history.0[act].doing));
    let mut order: Vec<usize> = members(among).collect();
    order.sort_by_key(|act| key(*act));
    let (mut counts, mut reasons) = (0, [None; MOST]);
    for act in order {
        reasons[act] = reason(history, act, counts);
        counts |= Acts::from(reasons[act].is_none()) << act;
    }
    reasons
}

fn reason(history: &History, act: usize, counts: Acts) -> Option<Reason> {
    let deed = &history.0[act];
    if let Some(grant) = deed.stands {
        if !contains(counts, grant) {
            return Some(Reason::Grant(history.id(grant)));
        }
        let hits = |by: &usize| {
            let withdrawal = &history.0[*by];
            let both_renounce = renounces(deed) && renounces(withdrawal);
            withdraws(withdrawal, grant) && !contains(withdrawal.past, act) && !both_renounce
        };
        if let Some(by) = members(counts).filter(hits).map(|by| history.id(by)).min() {
            return Some(Reason::Withdrawn { grant: history.id(grant), by });
        }
    }
    let undoes = |by: &usize| history.0[*by].doing == Doing::Reinstate(act);
    members(counts).filter(undoes).map(|by| Reason::Reinstated { by: history.id(by) }).min()
}

/// Whether somebody may stand on a grant now, of those that count.
pub(super) fn is_live(history: &History, grant: usize, counts: Acts) -> bool {
    contains(counts, grant) && !members(counts).any(|by| withdraws(&history.0[by], grant))
}

fn withdraws(deed: &Deed, grant: usize) -> bool {
    matches!(deed.doing, Doing::Revoke(of) | Doing::Renounce(of) if of == grant)
}

fn renounces(deed: &Deed) -> bool {
    matches!(deed.doing, Doing::Renounce(_))
}

fn turn(doing: Doing) -> u8 {
    match doing {
        Doing::Renounce(_) => 0,
        Doing::Reinstate(_) => 1,
        Doing::Revoke(_) => 2,
        Doing::Grant(_) => 3,
    }
}
