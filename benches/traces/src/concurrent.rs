//! Traces of several authors.

use thiserror::Error;

use crate::Edit;

/// A DAG of transactions. It begins with the empty text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Concurrent {
    /// Agents are numbered from 0.
    pub agents: usize,
    /// What the text is where everything is merged.
    pub end: String,
    /// Parents before children.
    pub transactions: Vec<Transaction>,
}

/// What one agent did at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// Transactions, by index, in whose merged state the first edit is made.
    pub parents: Vec<usize>,
    /// Who did it.
    pub agent: usize,
    /// Each relative to the result of the one before.
    pub edits: Vec<Edit>,
}

/// An agent worked at two places at a time, so that no single replica of theirs can have made all of their transactions.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "transaction {transaction} of agent {agent} has not seen the agent's own one before: give each branch an agent"
)]
pub struct NotAChain {
    /// Whose.
    pub agent: usize,
    /// The one that lacks the agent's one before it.
    pub transaction: usize,
}

impl Concurrent {
    /// For each transaction, those that reach its agent's replica between the agent's transaction before it and this one.
    ///
    /// A replica per agent that takes them in, in this order, has exactly the state that the transaction was made in.
    ///
    /// # Errors
    ///
    /// Where an agent's transactions are no chain.
    pub fn deliveries(&self) -> Result<Vec<Vec<usize>>, NotAChain> {
        let seen = self.seen();
        let mut of_agent = vec![Vec::new(); self.agents];
        let mut known = vec![vec![0; self.agents]; self.agents];
        let mut deliveries = Vec::with_capacity(self.transactions.len());
        for (index, transaction) in self.transactions.iter().enumerate() {
            let agent = transaction.agent;
            let own = of_agent[agent].len();
            if seen[index][agent] != own + 1 {
                return Err(NotAChain { agent, transaction: index });
            }
            let mut delivery = Vec::new();
            for other in (0..self.agents).filter(|other| *other != agent) {
                delivery.extend_from_slice(&of_agent[other][known[agent][other]..seen[index][other]]);
            }
            delivery.sort_unstable();
            deliveries.push(delivery);
            known[agent].clone_from(&seen[index]);
            of_agent[agent].push(index);
        }
        Ok(deliveries)
    }

    /// The transactions that the replica of `agent` lacks when the agent has made the last of their own.
    pub fn missing_at_end(&self, agent: usize) -> Vec<usize> {
        let seen = self.seen();
        let last = self.transactions.iter().rposition(|transaction| transaction.agent == agent);
        let known = last.map_or_else(|| vec![0; self.agents], |last| seen[last].clone());
        let mut counts = vec![0; self.agents];
        let missing = self.transactions.iter().enumerate().filter(|(_, transaction)| {
            counts[transaction.agent] += 1;
            counts[transaction.agent] > known[transaction.agent]
        });
        missing.map(|(index, _)| index).collect()
    }

    /// For each transaction, how many of each agent are it or below it, if each agent's are a chain.
    fn seen(&self) -> Vec<Vec<usize>> {
        let mut seen: Vec<Vec<usize>> = Vec::with_capacity(self.transactions.len());
        for transaction in &self.transactions {
            let mut counts = vec![0; self.agents];
            for parent in &transaction.parents {
                counts.iter_mut().zip(&seen[*parent]).for_each(|(count, below)| *count = (*count).max(*below));
            }
            counts[transaction.agent] += 1;
            seen.push(counts);
        }
        seen
    }
}
