//! The program in the README is the one that is compiled.

/// A newcomer copies the program from the README. It is the example to the letter, which `cargo test` compiles, and short.
#[test]
fn the_program_in_the_readme_is_the_example() {
    let readme = include_str!("../../../README.md");
    let example = include_str!("../../examples/chat.rs");
    let (_, program) = example.split_once("\n\n").expect("the example begins with a line about itself");
    assert!(readme.contains(&format!("```rust\n{program}```")), "README.md and hhs/examples/chat.rs differ");
    assert!(program.lines().count() <= 40, "the program has {} lines", program.lines().count());
}
