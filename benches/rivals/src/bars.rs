//! The figures that `cargo xtask bench` holds to bars.

use bench_harness::Bar;

use crate::rival::Rival;
use crate::task::{Cell, Task};

/// Whom the bars compare with; the first is this project.
pub const RIVALS: [&str; 4] = ["hhs", "diamond-types", "loro", "yrs"];

/// What the bars are measured on.
pub const TRACES: [&str; 2] = [PAPER, FRIENDS];

const PAPER: &str = "automerge-paper";
const FRIENDS: &str = "friendsforever";

/// All of them.
///
/// # Errors
///
/// Where a figure is missing, and why.
pub fn measured(rivals: &[Box<dyn Rival>], tasks: &[Task]) -> Result<Vec<Bar>, String> {
    let figures = Figures { rivals, tasks };
    let ours = |name, subject, work| Ok::<_, String>(Bar::alone(name, figures.of("hhs", subject, work)?));
    let against = |name, rival, subject, work| {
        let (figure, reference) = (figures.of("hhs", subject, work)?, figures.of(rival, subject, work)?);
        Ok::<_, String>(Bar::beside(name, figure, rival, reference))
    };
    let typed = figures.of("hhs", PAPER, TYPED)?;
    Ok(vec![
        against("typed, diamond-types", "diamond-types", PAPER, TYPED)?,
        against("typed, loro", "loro", PAPER, TYPED)?,
        against("typed, yrs", "yrs", PAPER, TYPED)?,
        Bar::beside("typed and signed", figures.of("hhs", PAPER, SIGNED)?, "unsigned", typed),
        ours("typed, stored", PAPER, "stored")?,
        ours("typed, opened", PAPER, "opened")?,
        ours("typed, memory to open", PAPER, "memory to open")?,
        against("merged, diamond-types", "diamond-types", FRIENDS, "merged into an empty replica")?,
    ])
}

const TYPED: &str = "typed edit by edit";
const SIGNED: &str = "typed, in signed ops of 1,000 edits";

struct Figures<'a> {
    rivals: &'a [Box<dyn Rival>],
    tasks: &'a [Task],
}

impl Figures<'_> {
    fn of(&self, rival: &str, subject: &str, work: &str) -> Result<f64, String> {
        let index = self.rivals.iter().position(|other| other.name() == rival);
        let task = self.tasks.iter().find(|task| task.subject == subject && task.work == work);
        match index.and_then(|index| task?.cells.get(index)) {
            Some(Cell::Figure(figure)) => Ok(*figure),
            Some(Cell::Lacks(reason) | Cell::Failed(reason)) => Err(format!("{rival}, {subject} {work}: {reason}")),
            None => Err(format!("{rival}, {subject} {work}: not measured")),
        }
    }
}
