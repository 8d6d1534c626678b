//! Every generated file is what its sources say.

#[test]
fn every_generated_file_is_current() {
    let stale: Vec<_> = audience_gate::emit::verify(".".as_ref()).iter().map(ToString::to_string).collect();
    assert!(stale.is_empty(), "\n{}", stale.join("\n"));
}
