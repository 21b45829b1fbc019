/// What the compiler says to the commonest mistakes. `TRYBUILD=overwrite` writes it anew.
#[test]
fn compile_errors_teach() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/ui/*.rs");
    cases.pass("tests/ui/pass/*.rs");
}
