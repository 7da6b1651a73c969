//! The shape of a history as it stands in checkpoints: for each run its length and what its first op stands on.

use super::{Graph, Run};
use crate::class::{LoadError, Loader, Saver};

impl Graph {
    /// Writes it into a checkpoint.
    pub fn save(&self, saver: &mut Saver) {
        saver.uint(self.runs.len() as u64);
        for (at, Run { start, parents, .. }) in self.runs.iter().enumerate() {
            let end = self.runs.get(at + 1).map_or(self.len, |next| next.start);
            saver.uint(end - start).uint(parents.len() as u64);
            for parent in parents {
                saver.uint(start - parent);
            }
        }
    }

    /// Reads it from a checkpoint.
    ///
    /// # Errors
    /// If it is not there.
    pub fn load(loader: &mut Loader<'_>) -> Result<Self, LoadError> {
        const DAMAGED: LoadError = LoadError::Damaged("the shape of the history");
        let mut graph = Self::new();
        for _ in 0..loader.count(2)? {
            let (length, count) = (loader.uint()?, loader.count(1)?);
            let mut parents = Vec::with_capacity(count);
            for _ in 0..count {
                let down = loader.uint()?;
                parents.push(graph.len.checked_sub(down).filter(|_| down > 0).ok_or(DAMAGED)?);
            }
            let rest = length.checked_sub(1).ok_or(DAMAGED)?;
            graph.push(&parents);
            graph.lengthen(rest).ok_or(DAMAGED)?;
        }
        Ok(graph)
    }

    /// Adds ops that each stand on the one before alone.
    fn lengthen(&mut self, ops: u64) -> Option<()> {
        self.len = self.len.checked_add(ops).filter(|len| *len < u64::MAX)?;
        if let Some(head) = self.heads.last_mut() {
            *head = self.len - 1;
        }
        Some(())
    }
}
