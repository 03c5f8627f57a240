//! What the attribute macros accept and refuse; `tests/ui/README.md` says how to update it.

#[test]
fn the_macros_accept_and_refuse() {
    let cases = trybuild::TestCases::new();
    cases.pass("tests/ui/pass/*.rs");
    cases.compile_fail("tests/ui/fail/*.rs");
}
