//! Letting people in: who knows the secret of an invitation is granted what the members of a space have.

use std::collections::BTreeSet;

use hhs_model::class::Draft;
use hhs_model::op::{Act, Capability, Rule};
use hhs_model::{Author, IdentityId, ReplicaId};
use hhs_store::{AppendError, Store, StoreError};

use crate::peers;

/// Why somebody was not let in, in words for them to read.
pub(crate) type Refused = String;

/// Lets somebody into a space if they know the secret of its invitation: writes the grant, unless they are in already.
pub(crate) async fn admit(
    store: &Store,
    author: &Author,
    time: u64,
    space: ReplicaId,
    (identity, identity_bytes): (IdentityId, Vec<u8>),
    secret: &[u8],
) -> Result<(), Refused> {
    let failed = |error: StoreError| {
        tracing::error!(%error, "a request to be let in could not be answered");
        Refused::from("the member who was asked cannot write now")
    };
    let expected = peers::secret(store, space).await.map_err(failed)?;
    if !expected.is_some_and(|expected| equal(&expected, secret)) {
        return Err("the invitation is not one of this member's: ask for a new one".into());
    }
    if store.may(space, identity, Capability::WRITE).await.map_err(failed)? {
        return Ok(());
    }
    let can = BTreeSet::from([Capability::write(), Capability::grant()]);
    let founding = store.founding(space).await.map_err(failed)?;
    let holds = |atom: &Rule| matches!(atom, Rule::Can(capability) if can.contains(capability));
    if founding.rule(Capability::WRITE).is_some_and(|rule| !rule.satisfied_by(&mut |atom| holds(atom))) {
        return Err("who may write here is decided elsewhere: ask to be let in there".into());
    }
    store.put_identity(identity_bytes).await.map_err(failed)?;
    let draft = Draft { act: Some(Act::Grant { to: identity, can }), payload: None, ..Draft::default() };
    match store.append(space, author, time, || Ok(Some(draft))).await {
        Ok(_) => Ok(()),
        Err(AppendError::NotAllowed { .. }) => Err("the member who was asked may not let others in".into()),
        Err(AppendError::Store(error)) => Err(failed(error)),
        Err(AppendError::Sign(refusal)) => {
            tracing::error!(%refusal, "a request to be let in could not be answered");
            Err("the key of the member who was asked may not sign that".into())
        }
        Err(AppendError::Refused { reason }) => unreachable!("a grant is not on another act: {reason}"),
        Err(AppendError::Edit(error)) => unreachable!("nothing was edited: {error}"),
        Err(AppendError::Lost | AppendError::Scattered) => unreachable!("nothing was typed or given back"),
    }
}

/// Compares in a time that does not depend on where the first difference is.
fn equal(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && a.iter().zip(b).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}
