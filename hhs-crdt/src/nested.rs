//! A struct of fields as a field: what the code that `derive(Field)` makes calls.

use std::collections::BTreeSet;

use hhs_model::class::{Changes, EditError, OpContext, PathSegment, Void};
use hhs_model::codec::{DecodeError, Decoder};
use hhs_model::op::Capability;

use crate::field::{At, Field, Recorded};
use crate::restrictions::Restrictions;

/// Mutations that take back one.
pub type Undone<F> = Vec<<F as Field>::Mutation>;

/// Capabilities.
pub type Needs = BTreeSet<Capability>;

/// Reads a mutation, `{field: mutation of it}`.
///
/// # Errors
/// If it is none, or of a field that `read` does not know.
pub fn decode_nested<M>(
    decoder: &mut Decoder<'_>,
    read: impl FnOnce(&str, &mut Decoder<'_>) -> Result<Option<M>, DecodeError>,
) -> Result<M, DecodeError> {
    let mut map = decoder.map()?;
    if map.left() != 1 {
        return Err(DecodeError::Invalid("a mutation of a struct writes to one of its fields"));
    }
    let field = map.next_key(decoder)?.unwrap_or_default();
    let mutation = read(field, decoder)?;
    let mutation = mutation.ok_or(DecodeError::Invalid("a mutation writes a field that the struct does not have"))?;
    map.next_key(decoder)?;
    Ok(mutation)
}

/// Whether an op may say this of one field.
///
/// # Errors
/// Why it may not.
pub fn accepts_one<F: Field>(
    name: &'static str,
    mutation: &F::Mutation,
    op: &OpContext<'_>,
    restrictions: &Restrictions<F::Mutation>,
) -> Result<(), Void> {
    restrictions.accepts_author(name, op)?;
    restrictions.accepts_mutation(name, mutation, op)?;
    F::accepts(mutation, op)
}

/// Whether this may become part of an op.
///
/// # Errors
/// If it may not.
pub fn check_one<F: Field>(
    name: &'static str,
    mutation: &F::Mutation,
    restrictions: &Restrictions<F::Mutation>,
    needs: &mut Needs,
) -> Result<(), EditError> {
    restrictions.check(name, mutation, needs)?;
    F::check(mutation, needs)
}

/// Applies a mutation of one field.
pub fn apply_one<F: Field>(
    name: &'static str,
    field: &mut F,
    mutation: F::Mutation,
    at: At<'_>,
    changes: &mut Changes,
) {
    changes.within(PathSegment::Field(name), |changes| field.apply(mutation, at, changes));
}

/// Shows one field a mutation that has no effect.
pub fn shadow_one<F: Field>(field: &mut F, mutation: F::Mutation, at: At<'_>) {
    if F::POSITIONAL {
        field.shadow(mutation, at);
    }
}

/// Adds what was recorded for one field.
pub fn wrap<M, I>(recorded: &mut Recorded<M>, field: Recorded<I>, variant: impl Fn(I) -> M) {
    recorded.mutations.extend(field.mutations.into_iter().map(variant));
    recorded.acts.extend(field.acts);
}

/// Adds the mutations of one field, in as few as there can be.
pub fn coalesce_one<F: Field, M>(coalesced: &mut Vec<M>, mutations: Vec<F::Mutation>, wrap: impl Fn(F::Mutation) -> M) {
    coalesced.extend(F::coalesce(mutations).into_iter().map(wrap));
}

/// Adds what takes back an op's mutations of one field: those that `pick` finds.
pub fn undo_one<'m, F: Field, M: 'm>(
    undone: &mut Vec<M>,
    field: &F,
    mutations: &[(u32, &'m M)],
    pick: impl Fn(&'m M) -> Option<&'m F::Mutation>,
    op: &OpContext<'_>,
    before: &F,
    wrap: impl Fn(F::Mutation) -> M,
) where
    F::Mutation: 'm,
{
    let of_field: Vec<_> =
        mutations.iter().filter_map(|(index, mutation)| pick(mutation).map(|inner| (*index, inner))).collect();
    if !of_field.is_empty() {
        undone.extend(field.undo_all(&of_field, op, before).into_iter().map(wrap));
    }
}
