//! Rules: what it takes to use a capability, where a genesis asks for something else than to hold it.

use std::collections::{BTreeMap, BTreeSet};

use super::capability::Capability;
use super::order::ascending;
use crate::bounds::{MAX_RULE_DEPTH, MAX_RULE_NODES, MAX_RULES, MAX_SOURCES, MAX_WRITERS};
use crate::codec::{Decode, DecodeError, Decoder, Encode, EncodeError, Encoder};
use crate::id::{IdentityId, ReplicaId};

/// What an author has to be or hold.
///
/// ```
/// use hhs_model::ReplicaId;
/// use hhs_model::op::{Capability, Rule};
///
/// let staff = ReplicaId::of(b"the genesis of the list of staff");
/// // Who may write here: the staff, and whoever is let in.
/// let write = Rule::Any(vec![Rule::CanIn(Capability::write(), staff), Rule::Can(Capability::write())]);
/// assert!(write.satisfied_by(&mut |rule| matches!(rule, Rule::CanIn(..))));
/// assert!(!Rule::never().satisfied_by(&mut |_| true));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rule {
    /// One of these. None of none: never.
    Any(Vec<Self>),
    /// All of these. All of none: always.
    All(Vec<Self>),
    /// Holds a capability in the replica itself, by its roles or by a grant.
    Can(Capability),
    /// Holds a capability in another replica, by the roles of that one or by a grant in it. Its rules are not asked.
    CanIn(Capability, ReplicaId),
    /// Is one of these.
    Is(BTreeSet<IdentityId>),
}

impl Rule {
    /// Everybody.
    pub fn always() -> Self {
        Self::All(Vec::new())
    }

    /// Nobody.
    pub fn never() -> Self {
        Self::Any(Vec::new())
    }

    /// Whether the rule holds, if `atom` says which of [`Can`](Self::Can), [`CanIn`](Self::CanIn) and [`Is`](Self::Is) do.
    pub fn satisfied_by(&self, atom: &mut dyn FnMut(&Self) -> bool) -> bool {
        match self {
            Self::Any(rules) => rules.iter().any(|rule| rule.satisfied_by(atom)),
            Self::All(rules) => rules.iter().all(|rule| rule.satisfied_by(atom)),
            Self::Can(_) | Self::CanIn(..) | Self::Is(_) => atom(self),
        }
    }

    /// This rule and all within it.
    pub(crate) fn visit<'a>(&'a self, depth: usize, see: &mut dyn FnMut(&'a Self, usize)) {
        see(self, depth);
        if let Self::Any(rules) | Self::All(rules) = self {
            rules.iter().for_each(|rule| rule.visit(depth + 1, see));
        }
    }
}

/// The rules of a genesis. A capability without one takes to be held: [`Rule::Can`] of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules(BTreeMap<Capability, Rule>);

impl Rules {
    /// No capability takes more than to be held.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets what a capability takes.
    pub fn insert(&mut self, capability: Capability, rule: Rule) -> &mut Self {
        self.0.insert(capability, rule);
        self
    }

    /// The rule of a capability, if it has one.
    pub fn get(&self, capability: &str) -> Option<&Rule> {
        self.0.get(capability)
    }

    /// Each capability with its rule, by its name.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Capability, &Rule)> {
        self.0.iter()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The replicas whose grants the rules ask about.
    pub fn sources(&self) -> BTreeSet<ReplicaId> {
        let mut sources = BTreeSet::new();
        let mut see = |rule: &Rule, _| {
            if let Rule::CanIn(_, replica) = rule {
                sources.insert(*replica);
            }
        };
        self.0.values().for_each(|rule| rule.visit(1, &mut see));
        sources
    }

    /// The identities that the rules name.
    pub fn identities(&self) -> BTreeSet<IdentityId> {
        let mut identities = BTreeSet::new();
        let mut see = |rule: &Rule, _| {
            if let Rule::Is(named) = rule {
                identities.extend(named);
            }
        };
        self.0.values().for_each(|rule| rule.visit(1, &mut see));
        identities
    }

    /// Which bound is exceeded, how many there are, and what the bound is.
    fn excess(&self) -> Option<(&'static str, usize, usize)> {
        let (mut nodes, mut deepest, mut named) = (0, 0, 0);
        let mut see = |rule: &Rule, depth: usize| {
            nodes += 1;
            deepest = deepest.max(depth);
            if let Rule::Is(identities) = rule {
                named += identities.len();
            }
        };
        self.0.values().for_each(|rule| rule.visit(1, &mut see));
        let bounds = [
            (RULES, self.0.len(), MAX_RULES),
            (NODES, nodes, MAX_RULE_NODES),
            (DEPTH, deepest, MAX_RULE_DEPTH),
            (NAMED, named, MAX_WRITERS),
            (SOURCES, self.sources().len(), MAX_SOURCES),
        ];
        bounds.into_iter().find(|(_, count, limit)| count > limit)
    }
}

impl<const N: usize> From<[(Capability, Rule); N]> for Rules {
    fn from(rules: [(Capability, Rule); N]) -> Self {
        Self(rules.into())
    }
}

impl Encode for Rules {
    fn encode(&self, encoder: &mut Encoder) {
        if let Some((what, count, limit)) = self.excess() {
            encoder.fail(EncodeError::Bound { what, count, limit });
            return;
        }
        let rules: BTreeMap<String, &Rule> =
            self.0.iter().map(|(name, rule)| (name.as_str().to_owned(), rule)).collect();
        encoder.value(&rules);
    }

    fn is_absent(&self) -> bool {
        self.0.is_empty()
    }
}

impl Encode for &Rule {
    fn encode(&self, encoder: &mut Encoder) {
        let list = |encoder: &mut Encoder, rules: &[Rule]| {
            encoder.list(rules.len());
            for rule in rules {
                encoder.value(&rule);
            }
        };
        match self {
            Rule::Any(rules) => list(encoder.map(1).key("any"), rules),
            Rule::All(rules) => list(encoder.map(1).key("all"), rules),
            Rule::Can(capability) => drop(encoder.map(1).key("can").value(capability)),
            Rule::CanIn(capability, replica) => {
                encoder.map(2).key("in").value(replica);
                encoder.key("can").value(capability);
            }
            Rule::Is(identities) => {
                encoder.map(1).key("is").list(identities.len());
                for identity in identities {
                    encoder.value(identity);
                }
            }
        }
    }
}

impl Decode for Rules {
    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let mut map = decoder.map()?;
        if map.left() > MAX_RULES {
            return Err(DecodeError::Bound { what: RULES, count: map.left(), limit: MAX_RULES });
        }
        let mut rules = BTreeMap::new();
        let mut left = Left { nodes: MAX_RULE_NODES, identities: MAX_WRITERS };
        while let Some(name) = map.next_key(decoder)? {
            let name = name.parse().map_err(|_| DecodeError::Invalid("a capability has a name that none can have"))?;
            rules.insert(name, left.rule(decoder, 1)?);
        }
        if rules.is_empty() {
            return Err(DecodeError::Invalid("a genesis has rules, but none"));
        }
        let rules = Self(rules);
        match rules.excess() {
            None => Ok(rules),
            Some((what, count, limit)) => Err(DecodeError::Bound { what, count, limit }),
        }
    }
}

/// How much may still come.
struct Left {
    nodes: usize,
    identities: usize,
}

impl Left {
    /// Reads a rule; recurses no deeper than [`MAX_RULE_DEPTH`].
    fn rule(&mut self, decoder: &mut Decoder<'_>, depth: usize) -> Result<Rule, DecodeError> {
        if depth > MAX_RULE_DEPTH {
            return Err(DecodeError::Bound { what: DEPTH, count: depth, limit: MAX_RULE_DEPTH });
        }
        self.take(1)?;
        let mut map = decoder.map()?;
        let entries = map.left();
        let rule = match (map.next_key(decoder)?, entries) {
            (Some("any"), 1) => Rule::Any(self.rules(decoder, depth)?),
            (Some("all"), 1) => Rule::All(self.rules(decoder, depth)?),
            (Some("can"), 1) => Rule::Can(decoder.value()?),
            (Some("is"), 1) => {
                let identities: Vec<IdentityId> = ascending(decoder, NAMED, self.identities)?;
                self.identities -= identities.len();
                Rule::Is(identities.into_iter().collect())
            }
            (Some("in"), 2) => {
                let replica = decoder.value()?;
                match map.next_key(decoder)? {
                    Some("can") => Rule::CanIn(decoder.value()?, replica),
                    _ => return Err(SHAPE),
                }
            }
            _ => return Err(SHAPE),
        };
        map.next_key(decoder)?;
        Ok(rule)
    }

    fn rules(&mut self, decoder: &mut Decoder<'_>, depth: usize) -> Result<Vec<Rule>, DecodeError> {
        let count = decoder.list()?;
        if count > self.nodes {
            return Err(DecodeError::Bound { what: NODES, count, limit: MAX_RULE_NODES });
        }
        let rules = (0..count).map(|_| self.rule(decoder, depth + 1)).collect::<Result<_, _>>()?;
        decoder.leave();
        Ok(rules)
    }

    fn take(&mut self, nodes: usize) -> Result<(), DecodeError> {
        match self.nodes.checked_sub(nodes) {
            Some(left) => self.nodes = left,
            None => {
                let (count, limit) = (MAX_RULE_NODES + 1, MAX_RULE_NODES);
                return Err(DecodeError::Bound { what: NODES, count, limit });
            }
        }
        Ok(())
    }
}

const SHAPE: DecodeError = DecodeError::Invalid("a rule of a genesis is not one that is known");
const RULES: &str = "rules in a genesis";
const NODES: &str = "rules in a genesis, those within others counted";
const DEPTH: &str = "levels of rules within each other";
const NAMED: &str = "identities in the rules of a genesis";
const SOURCES: &str = "other replicas in the rules of a genesis";
