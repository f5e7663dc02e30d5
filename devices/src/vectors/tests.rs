//! Every shipped profile against the bytes in `profiles/vectors`, the example of `docs/profiles.md` against its own, and what is said of a
//! vector that does not agree.

use super::*;
use crate::profile::{shipped, shipped_names};
use std::path::Path;

/// Runs the vectors of one profile; gives the fields they look at.
fn run(profile: &Profile, text: &str) -> BTreeSet<String> {
    let vectors = Vectors::from_toml(text).unwrap_or_else(|e| panic!("{}: {e}", profile.name));
    let tried = vectors.run(profile);
    assert!(tried.flaws.is_empty(), "{}: {:#?}", profile.name, tried.flaws);
    tried.fields
}

fn folder() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/profiles"))
}

#[test]
fn every_field_of_every_shipped_profile_has_a_vector_and_reads_as_it_says() {
    for name in shipped_names() {
        let profile = shipped(name).unwrap();
        let path = folder().join("vectors").join(format!("{name}.toml"));
        let text =
            std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("{name} has no vectors: add {}", path.display()));
        let tried = run(&profile, &text);
        let fields: BTreeSet<String> = profile.field_names().iter().map(ToString::to_string).collect();
        assert_eq!(tried, fields, "{name}: every field needs a vector");
    }
}

#[test]
fn every_file_of_the_folder_is_shipped() {
    let files = std::fs::read_dir(folder()).unwrap().map(|f| f.unwrap().path());
    let mut names: Vec<String> = files
        .filter(|p| p.extension().is_some_and(|x| x == "toml"))
        .map(|p| p.file_stem().unwrap().to_string_lossy().into_owned())
        .collect();
    names.sort();
    assert_eq!(names, shipped_names());
}

#[test]
fn the_worked_example_of_the_documentation_works() {
    let text = std::fs::read_to_string(folder().join("../../docs/profiles.md")).unwrap();
    let mut blocks = text.split("```toml\n").skip(1).map(|rest| rest.split("```").next().unwrap());
    let profile = blocks.next().expect("the first block of TOML is the profile");
    let vectors = blocks.next().expect("the second one its vectors");
    let profile = Profile::from_toml("docs/profiles.md", profile).unwrap();
    let tried = run(&profile, vectors);
    assert_eq!(tried.len(), profile.field_names().len());
}

const HEAD: &str = "title_zh = '试'\ntitle_en = 'try'\n[field.x]\naddress = 1\ntype = 'u16'\nscale = 0.1\nfactor = ['d']\n\
    [factor.d]\naddress = 3\n";

fn flaws(vectors: &str) -> Vec<(String, String)> {
    let profile = Profile::from_toml("try", HEAD).unwrap();
    let tried = Vectors::from_toml(vectors).unwrap().run(&profile);
    tried.flaws.into_iter().map(|f| (f.path, f.message_en)).collect()
}

#[test]
fn an_address_of_a_vector_may_be_hexadecimal() {
    let found = flaws("[[vector]]\nblocks = { '3:0x0' = '0000 001F 0002 0001' }\nexpect = { x = 0.31 }\n");
    assert!(!found.iter().any(|f| f.1.contains("cannot be read")), "{found:?}");
    let found = flaws("[[vector]]\nblocks = { '3:0xG' = '0000 001F 0002 0001' }\nexpect = { x = 0.31 }\n");
    assert!(found.iter().any(|f| f.1.contains("cannot be read")), "{found:?}");
}

#[test]
fn a_vector_that_differs_is_named_with_its_registers_what_was_expected_and_what_came() {
    let found = flaws(
        "[[vector]]\nblocks = { '3:0' = '0000 001F 0002 0001' }\nexpect = { x = 0.31 }\n\
         [[vector]]\nblocks = { '3:0' = '0000 001F 0002 0000' }\nexpect = { x = 0.31 }\n\
         [[vector]]\nblocks = { '3:0' = '0000 001F' }\nexpect = { x = 3.1 }\n",
    );
    let differs = "vector[#1] differs: x should be 0.31, got 3.1; raw registers 3:1 = 001F, 3:3 = 0000";
    let unread = "vector[#2] differs: x should be 3.1, got bad NeverRead; raw registers 3:1 = 001F, 3:3 = –";
    let at = |n: usize| format!("vector[#{n}].expect.x");
    assert_eq!(found, [(at(1), differs.to_owned()), (at(2), unread.to_owned())]);
}

#[test]
fn bytes_that_cannot_be_read_and_fields_that_are_not_there_are_named() {
    for place_and_bytes in
        ["'3:0' = '00'", "'3:0' = 'xx'", "'5:0' = '0000'", "'30' = '0000'", "'3:65535' = '0000 0000'", "'3:0' = ''"]
    {
        let found = flaws(&format!("[[vector]]\nblocks = {{ {place_and_bytes} }}\nexpect = {{ x = 1 }}\n"));
        assert!(found.len() == 1 && found[0].0.starts_with("vector[#0].blocks."), "{place_and_bytes}: {found:?}");
    }
    let found = flaws("[[vector]]\nblocks = { '3:0' = '0000' }\nexpect = { y = 1 }\n");
    assert_eq!(found, [("vector[#0].expect.y".to_owned(), "profile `try` has no field `y`".to_owned())]);
}

#[test]
fn a_text_field_is_compared_by_its_characters() {
    let profile = "title_zh = '试'\ntitle_en = 'try'\n[field.name]\naddress = 1\ntype = 'text'\nlength = 2\n";
    let profile = Profile::from_toml("try", profile).unwrap();
    let tried = |data: &str, expected: &str| {
        let text = format!("[[vector]]\nblocks = {{ '3:1' = '{data}' }}\nexpect = {{ name = {expected} }}\n");
        let tried = Vectors::from_toml(&text).unwrap().run(&profile);
        assert!(tried.fields.contains("name"), "it has a vector");
        tried.flaws.into_iter().map(|flaw| flaw.message_en).collect::<Vec<_>>()
    };
    assert_eq!(tried("4142 4300", "'ABC'"), [""; 0]);
    assert_eq!(tried("4142", "'bad NeverRead'"), [""; 0]);
    let differs = "vector[#0] differs: name should be \"ABD\", got \"ABC\"; raw registers 3:1 = 4142 4300";
    assert_eq!(tried("4142 4300", "'ABD'"), [differs]);
    assert_eq!(tried("4142 4300", "3").len(), 1);
}

#[test]
fn a_value_ten_times_too_small_differs_however_small_it_is_and_a_rounded_float_agrees() {
    assert!(!near(0.0008, 0.00008) && !near(0.31, 0.3101) && !near(0.0, 1e-6) && !near(f64::INFINITY, 1.0));
    for written in [0.0, 0.0008, 0.31, 21.5, -5.1, 66.536, 123_456.7] {
        #[allow(clippy::cast_possible_truncation, reason = "as an instrument does")]
        let told = f64::from(written as f32);
        assert!(near(written, told) && near(rounded(told), told), "{written} {told}");
    }
}

#[test]
fn what_expects_nothing_is_a_flaw_with_its_place() {
    let nothing = "nothing is expected here, so nothing is proved".to_owned();
    let found = flaws("[[vector]]\nblocks = { '3:0' = '0000' }\nexpect = {}\n");
    assert_eq!(found, [("vector[#0].expect".to_owned(), nothing.clone())]);
    assert_eq!(flaws("vector = []\n"), [("vector".to_owned(), nothing)]);
}
