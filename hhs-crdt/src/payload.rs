//! The payload of an op: a map of the fields that it writes, each with the list of its mutations. The derived code calls
//! what is here.

use hhs_model::authority::Holders;
use std::collections::BTreeSet;

use hhs_model::class::{Changes, Draft, EditError, OpContext, PathSegment, Void};
use hhs_model::codec::{DecodeError, Decoder, Encode, EncodeError, Encoder, MapDecoder};
use hhs_model::op::{Act, Capability};

use crate::field::{At, Field, Recorded};
use crate::restrictions::Restrictions;

/// Mutations in one op, over all fields. A mutation can take a byte on the wire and a hundred in memory: this, not the
/// bound on the payload's bytes, bounds what an op can cost.
pub const MAX_MUTATIONS: usize = 65_536;

/// Reads a payload, field by field.
#[derive(Debug)]
pub struct PayloadReader<'a> {
    decoder: Decoder<'a>,
    fields: MapDecoder<'a>,
    left: usize,
}

/// The mutations of a field in one op.
pub type Mutations<F> = Vec<<F as Field>::Mutation>;

impl<'a> PayloadReader<'a> {
    /// Begins to read.
    ///
    /// # Errors
    /// If this is not a map, or an empty one.
    pub fn new(payload: &'a [u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(payload)?;
        let fields = decoder.map()?;
        if fields.left() == 0 {
            return Err(DecodeError::Invalid("a payload writes nothing: it has to be left out"));
        }
        Ok(Self { decoder, fields, left: MAX_MUTATIONS })
    }

    /// The name of the next field that the payload writes; at the end makes sure that nothing follows.
    ///
    /// # Errors
    /// If the payload is not canonical.
    pub fn next_field(&mut self) -> Result<Option<&'a str>, DecodeError> {
        let field = self.fields.next_key(&mut self.decoder)?;
        if field.is_none() {
            self.decoder.clone().finish()?;
        }
        Ok(field)
    }

    /// Reads the mutations of the field.
    ///
    /// # Errors
    /// If there are none, more than an op may have, or ones that the field does not know.
    pub fn mutations<F: Field>(&mut self) -> Result<Mutations<F>, DecodeError> {
        let count = self.decoder.list()?;
        if count == 0 {
            return Err(DecodeError::Invalid("a payload names a field that it does not write"));
        }
        if count > self.left {
            let count = MAX_MUTATIONS - self.left + count;
            return Err(DecodeError::Bound { what: "mutations of an op", count, limit: MAX_MUTATIONS });
        }
        self.left -= count;
        let mut mutations = Vec::new();
        for _ in 0..count {
            mutations.push(self.decoder.value()?);
        }
        self.decoder.leave();
        Ok(mutations)
    }

    /// The error for a field that the class does not have.
    pub fn unknown_field(&self) -> DecodeError {
        DecodeError::Invalid("a payload writes a field that the class does not have")
    }
}

/// Whether an op may say this of one field.
///
/// # Errors
/// Why it may not.
pub fn accepts<F: Field>(
    name: &'static str,
    mutations: &Mutations<F>,
    op: &OpContext<'_>,
    restrictions: &Restrictions<F::Mutation>,
) -> Result<(), Void> {
    if mutations.is_empty() {
        return Ok(());
    }
    restrictions.accepts_author(name, op)?;
    mutations.iter().try_for_each(|mutation| {
        restrictions.accepts_mutation(name, mutation, op)?;
        F::accepts(mutation, op)
    })
}

/// Applies an op's mutations of one field.
pub fn apply<F: Field>(
    name: &'static str,
    field: &mut F,
    mutations: Mutations<F>,
    op: &OpContext<'_>,
    changes: &mut Changes,
) {
    if mutations.is_empty() {
        return;
    }
    changes.within(PathSegment::Field(name), |changes| {
        for (index, mutation) in (0..).zip(mutations) {
            field.apply(mutation, At { op, index }, changes);
        }
    });
}

/// Shows one field an op's mutations that have no effect.
pub fn shadow<F: Field>(field: &mut F, mutations: Mutations<F>, op: &OpContext<'_>) {
    if F::POSITIONAL {
        for (index, mutation) in (0..).zip(mutations) {
            field.shadow(mutation, At { op, index });
        }
    }
}

/// Shows one field an op that is effective.
pub fn observe<F: Field>(name: &'static str, field: &mut F, op: &OpContext<'_>, changes: &mut Changes) {
    if F::OBSERVES {
        changes.within(PathSegment::Field(name), |changes| field.observe(op, changes));
    }
}

/// Tells one field who holds what.
pub fn authorise<F: Field>(name: &'static str, field: &mut F, holders: &Holders, changes: &mut Changes) {
    if F::AUTHORISED {
        changes.within(PathSegment::Field(name), |changes| field.authorise(holders, changes));
    }
}

/// Reports what is different in one field.
pub fn diff<F: Field>(name: &'static str, field: &F, newer: &F, changes: &mut Changes) {
    changes.within(PathSegment::Field(name), |changes| field.diff(newer, changes));
}

/// What takes back an op's mutations of one field: the last one first.
pub fn undo<F: Field>(field: &F, mutations: &[F::Mutation], op: &OpContext<'_>, before: &F) -> Recorded<F::Mutation> {
    let indexed: Vec<_> = (0..).zip(mutations).collect();
    field.undo_all(&indexed, op, before).into()
}

/// What was recorded for one field in several parts.
pub fn join<F: Field>(mutations: Mutations<F>) -> Recorded<F::Mutation> {
    F::coalesce(mutations).into()
}

/// What was recorded for one field, if it may be written; adds to `needs` what its author has to hold.
///
/// # Errors
/// If it may not.
pub fn checked<F: Field>(
    name: &'static str,
    recorded: Recorded<F::Mutation>,
    restrictions: &Restrictions<F::Mutation>,
    needs: &mut BTreeSet<Capability>,
) -> Result<Recorded<F::Mutation>, EditError> {
    for mutation in &recorded.mutations {
        restrictions.check(name, mutation, needs)?;
        F::check(mutation, needs)?;
    }
    Ok(recorded)
}

/// What was recorded for one field of any type.
pub trait Written {
    /// How many mutations.
    fn count(&self) -> usize;
    /// Writes them as a list.
    fn encode(&self, encoder: &mut Encoder);
    /// The acts.
    fn acts(&self) -> &[Act];
}

impl<M: Encode> Written for Recorded<M> {
    fn count(&self) -> usize {
        self.mutations.len()
    }

    fn encode(&self, encoder: &mut Encoder) {
        self.mutations.encode(encoder);
    }

    fn acts(&self) -> &[Act] {
        &self.acts
    }
}

/// Turns what was recorded into what an op carries; `fields` are in canonical order of their names.
///
/// # Errors
/// If it cannot be saved, or does not fit into one op.
pub fn finish(fields: &[(&'static str, &dyn Written)], needs: BTreeSet<Capability>) -> Result<Draft, EditError> {
    let mut acts = fields.iter().flat_map(|(_, written)| written.acts());
    let act = acts.next().cloned();
    if acts.next().is_some() {
        return Err(EditError::SeveralActs);
    }
    let count = fields.iter().map(|(_, written)| written.count()).sum();
    if count > MAX_MUTATIONS {
        return Err(EncodeError::Bound { what: "mutations of an op", count, limit: MAX_MUTATIONS }.into());
    }
    let written = || fields.iter().filter(|(_, written)| written.count() > 0);
    if count == 0 {
        return Ok(Draft { act, payload: None, needs });
    }
    let mut encoder = Encoder::new();
    encoder.map(written().count());
    for (name, written) in written() {
        encoder.key(name);
        written.encode(&mut encoder);
    }
    Ok(Draft { act, payload: Some(encoder.finish()?), needs })
}
