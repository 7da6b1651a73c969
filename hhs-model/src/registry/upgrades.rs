//! Upgrades: objects of older classes read as objects of newer ones. Stored bytes and ids never change.

use std::any::TypeId;
use std::convert::Infallible;
use std::fmt::Display;
use std::sync::Arc;

use super::{Class, ReadError, Registry, RegistryError};
use crate::bounds::MAX_UPGRADES;
use crate::object::{AnyObject, Object, class_of, from_bytes, to_bytes};

/// How objects of one class become objects of another.
#[derive(Clone)]
pub(super) struct Upgrade {
    pub(super) to: &'static str,
    run: Arc<Run>,
}

/// Takes an object of the older type and gives one of the newer, or says why not.
type Run = dyn Fn(Box<dyn AnyObject>) -> Result<Box<dyn AnyObject>, String> + Send + Sync;

/// Longest reason that an upgrade gives, in characters.
const MAX_REASON_CHARS: usize = 256;

impl Registry {
    /// Says how an object of an older class becomes one of a newer class. Both are registered.
    ///
    /// A class has one upgrade: from version 1 to 2, from 2 to 3. [`read`](Self::read) follows them.
    ///
    /// # Errors
    /// If the older class has one already, following upgrades would not come to an end, or another type is registered under
    /// one of the names. Nothing has changed then, but that both classes are registered.
    pub fn upgrade<Old: Object, New: Object>(
        &mut self,
        upgrade: impl Fn(Old) -> New + Send + Sync + 'static,
    ) -> Result<&mut Self, RegistryError> {
        self.try_upgrade(move |old| Ok::<New, Infallible>(upgrade(old)))
    }

    /// Says how an object of an older class becomes one of a newer class, if it can.
    ///
    /// # Errors
    /// As [`upgrade`](Self::upgrade).
    pub fn try_upgrade<Old: Object, New: Object, E: Display>(
        &mut self,
        upgrade: impl Fn(Old) -> Result<New, E> + Send + Sync + 'static,
    ) -> Result<&mut Self, RegistryError> {
        let (from, to) = (Old::CLASS, New::CLASS);
        self.enter::<Old>()?;
        self.enter::<New>()?;
        if let Some(newer) = self.newer(from) {
            return Err(RegistryError::Taken { from, to: newer.to });
        }
        if to == from || self.after(to).any(|newer| newer.to == from) {
            return Err(RegistryError::Cycle(from));
        }
        let run = move |old: Box<dyn AnyObject>| match old.downcast::<Old>() {
            Ok(old) => match upgrade(*old) {
                Ok(new) => Ok(Box::new(new) as Box<dyn AnyObject>),
                Err(reason) => Err(reason.to_string().chars().take(MAX_REASON_CHARS).collect()),
            },
            Err(other) => unreachable!("{other:?} is registered as {from}, and types are compared when upgrades are"),
        };
        self.set_newer(from, Some(Upgrade { to, run: Arc::new(run) }));
        if let Some(long) = self.classes.keys().copied().find(|class| self.after(class).count() > MAX_UPGRADES) {
            self.set_newer(from, None);
            return Err(RegistryError::TooLong(long));
        }
        Ok(self)
    }

    /// Reads an object as one of this class: one that was written as such, or as an older class that registered upgrades
    /// lead on from.
    ///
    /// # Errors
    /// If it cannot be read as the class that it names, no upgrades lead from there, one of them fails, or the class refuses
    /// what they make.
    pub fn read<New: Object>(&self, bytes: &[u8]) -> Result<New, ReadError> {
        let found = class_of(bytes)?;
        if found == New::CLASS {
            return Ok(from_bytes(bytes)?);
        }
        let no_upgrade = || ReadError::NoUpgrade { found: found.to_owned(), expected: New::CLASS };
        let (mut class, first) = self.classes.get_key_value(found).ok_or_else(no_upgrade)?;
        let leads_here = self.after(found).any(|newer| newer.to == New::CLASS);
        if !leads_here || self.classes.get(New::CLASS).is_none_or(|class| class.ty != TypeId::of::<New>()) {
            return Err(no_upgrade());
        }
        let mut object = (first.decode)(bytes)?;
        for Upgrade { to, run } in self.after(found) {
            object = run(object).map_err(|reason| ReadError::Failed { from: class, to, reason })?;
            class = to;
            if *to == New::CLASS {
                break;
            }
        }
        let new = *object.downcast::<New>().map_err(|_| no_upgrade())?;
        // What an upgrade makes has been checked by nobody.
        match to_bytes(&new) {
            Ok(_) => Ok(new),
            Err(error) => Err(ReadError::Invalid { class: New::CLASS, error }),
        }
    }

    /// Registers a class whose name nothing else may have.
    fn enter<T: Object>(&mut self) -> Result<(), RegistryError> {
        match self.classes.get(T::CLASS) {
            Some(class) if class.ty == TypeId::of::<T>() => Ok(()),
            Some(_) => Err(RegistryError::OtherType(T::CLASS)),
            None => {
                self.classes.insert(T::CLASS, Class::of::<T>());
                T::register_upgrades(self)
            }
        }
    }

    fn newer(&self, class: &str) -> Option<&Upgrade> {
        self.classes.get(class)?.newer.as_ref()
    }

    fn set_newer(&mut self, class: &str, newer: Option<Upgrade>) {
        if let Some(class) = self.classes.get_mut(class) {
            class.newer = newer;
        }
    }

    /// The upgrades after a class, one after the other.
    fn after<'a>(&'a self, class: &str) -> impl Iterator<Item = &'a Upgrade> {
        std::iter::successors(self.newer(class), |last| self.newer(last.to))
    }
}
