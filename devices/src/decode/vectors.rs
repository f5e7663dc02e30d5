//! Every shipped profile against the bytes in `profiles/vectors`, and the example of `docs/profiles.md` against its own.

use super::*;
use crate::profile::{Profile, shipped, shipped_names};
use rules::Wall;
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

#[derive(Deserialize)]
struct Vectors {
    vector: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    #[serde(default)]
    at_s: u64,
    /// `function:address` to the data bytes of the answer.
    blocks: BTreeMap<String, String>,
    expect: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Expected {
    Value(f64),
    /// `bad <Fault>` or `<value> <Doubt>`.
    Text(String),
}

fn bytes(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(|c| !c.is_whitespace()).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// As tokio-modbus unpacks an answer: registers from byte pairs, bits from the lowest up.
fn unpack(function: u8, bytes: &[u8]) -> Vec<u16> {
    if function <= 2 {
        return bytes.iter().flat_map(|b| (0..8).map(move |bit| u16::from(b >> bit & 1))).collect();
    }
    bytes.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect()
}

fn image(vector: &Vector) -> Image {
    let mut image = Image::default();
    let at = Now { mono: Mono(vector.at_s * 1_000_000_000), wall: Wall::default() };
    for (place, data) in &vector.blocks {
        let (function, address) = place.split_once(':').unwrap();
        let function = function.parse().unwrap();
        let words = unpack(function, &bytes(data));
        let count = u16::try_from(words.len()).unwrap();
        image.put(Span { function, address: address.parse().unwrap(), count }, Ok(words), at);
    }
    image
}

fn check(expected: &Expected, found: Reading, place: &str) {
    let near = |a: f64, b: f64| (a - b).abs() <= 1e-3 * a.abs().max(1.0);
    let fits = match (expected, found) {
        (Expected::Value(value), Reading::Good(v)) => near(*value, v.get()),
        (Expected::Text(text), Reading::Bad(fault)) => *text == format!("bad {fault:?}"),
        (Expected::Text(text), Reading::Uncertain(v, doubt)) => {
            let (value, word) = text.split_once(' ').unwrap();
            word == format!("{doubt:?}") && value.parse::<f64>().is_ok_and(|value| near(value, v.get()))
        }
        _ => false,
    };
    assert!(fits, "{place}: {found:?}");
}

/// Runs the vectors of one profile; gives the fields they look at.
fn run(profile: &Profile, text: &str) -> BTreeSet<String> {
    let vectors: Vectors = toml::from_str(text).unwrap_or_else(|e| panic!("{}: {e}", profile.name));
    let mut memories: BTreeMap<String, Memory> = BTreeMap::new();
    for (number, vector) in vectors.vector.iter().enumerate() {
        let image = image(vector);
        for (name, expected) in &vector.expect {
            let place = format!("{} vector {} {name}", profile.name, number + 1);
            let field = profile.field(name).unwrap_or_else(|| panic!("{place}: no such field"));
            let reading = decode(field, &image, memories.entry(name.clone()).or_default());
            check(expected, reading, &place);
        }
    }
    memories.into_keys().collect()
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
