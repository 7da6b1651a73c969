//! What a class is made of is a number that changes with it.

use hhs_crdt::{Counter, Field, List, Map, MultiRegister, Register, Replica};
use hhs_model::class::Shape;

#[derive(Field)]
struct Task {
    title: Register<String>,
}

#[derive(Field)]
struct Job {
    title: Register<u64>,
}

/// Classes that differ in one thing each, under one name.
macro_rules! class {
    ($name:ident, $($field:tt)*) => {
        #[derive(Replica)]
        #[replica(class = "test/v1/Class")]
        struct $name {
            $($field)*
        }
    };
}

mod first {
    use super::*;
    class!(Class, #[allow(dead_code)] pub(super) tasks: Map<String, List<Task>>, pub(super) score: Counter);

    pub(super) fn shape() -> u64 {
        Shape::of::<Class>()
    }
}

class!(Renamed, #[hhs(rename = "jobs")] tasks: Map<String, List<Task>>, score: Counter);
class!(Nested, tasks: Map<String, List<Job>>, score: Counter);
class!(Keyed, tasks: Map<u64, List<Task>>, score: Counter);
class!(Typed, tasks: Map<String, List<Task>>, score: MultiRegister<i64>);
class!(Needy, tasks: Map<String, List<Task>>, #[replica(needs = "count")] score: Counter);
class!(Shorter, tasks: Map<String, List<Task>>,);
class!(Same, tasks: Map<String, List<Task>>, score: Counter);

/// Every change of a field counts, be it within what is nested; and nothing but that.
#[test]
fn every_change_counts() {
    let shapes = [
        first::shape(),
        Shape::of::<Renamed>(),
        Shape::of::<Nested>(),
        Shape::of::<Keyed>(),
        Shape::of::<Typed>(),
        Shape::of::<Needy>(),
        Shape::of::<Shorter>(),
    ];
    let distinct: std::collections::BTreeSet<u64> = shapes.into_iter().collect();
    assert_eq!(distinct.len(), shapes.len());
    assert_eq!(Shape::of::<Same>(), shapes[0]);
}
