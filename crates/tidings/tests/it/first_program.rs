#[test]
fn the_page_shows_the_example_as_it_is() {
    let page = include_str!("../../../../docs/framework.md");
    let example = include_str!("../../examples/chat.rs");
    assert!(
        page.contains(&format!("```rust\n{example}```\n")),
        "docs/framework.md shows another program: copy examples/chat.rs into it"
    );
}
