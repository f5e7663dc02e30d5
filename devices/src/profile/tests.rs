//! What a profile may not say, and what the person who wrote it is told.

use super::Profile;

fn refused(field: &str) -> String {
    let text = format!("title_zh = '试'\ntitle_en = 'try'\n[field.x]\n{field}\n");
    Profile::from_toml("try", &text).unwrap_err().to_string()
}

#[test]
fn every_refusal_names_the_field_and_what_would_be_right() {
    for (field, place, remedy) in [
        ("function = 6\naddress = 0\ntype = 'u16'", "field.x", "use 1 coils"),
        ("function = 3\naddress = 65535\ntype = 'f32'", "field.x", "lower address"),
        ("function = 3\naddress = 0\ntype = 'bit'", "field.x", "functions 1 and 2"),
        ("function = 1\naddress = 0\ntype = 'u16'", "field.x", "functions 1 and 2"),
        ("function = 3\naddress = 0\ntype = 'u16-bit'", "field.x", "bit = 0 to 15"),
        ("function = 3\naddress = 0\ntype = 'u16'\nscale = 0.0", "field.x", "scale not 0"),
        ("function = 3\naddress = 0\ntype = 'u16'\nscale = nan", "field.x", "finite"),
        ("function = 3\naddress = 0\ntype = 'u16'\nvalid = [5.0, 1.0]", "field.x", "low < high"),
        ("function = 3\naddress = 0\ntype = 'u16'\nstatus = ['s']", "field.x", "[status.s]"),
        ("function = 3\naddress = 0\ntype = 'u16'\n[limits]\nmax_registers = 126", "limits", "1 to 125"),
        ("function = 3\naddress = 0\ntype = 'u16'\n[status.s]\nfunction = 3\naddress = 1", "status.s", "values = {"),
        (
            "function = 3\naddress = 0\ntype = 'u16'\n[status.s]\nfunction = 3\naddress = 1\nbits = { 16 = 'fault' }",
            "status.s",
            "bits 0 to 15",
        ),
        (
            "function = 3\naddress = 0\ntype = 'u16'\n[status.s]\naddress = 1\nbits = { 4 = 'fault' }\nwhen = { bits = [15, 15], is = 2, otherwise = 'ok' }",
            "status.s.when.is",
            "that when.bits can hold",
        ),
        (
            "function = 3\naddress = 0\ntype = 'u16'\n[status.s]\naddress = 1\nbits = { 4 = 'fault' }\nwhen = { bits = [15, 16], is = 1, otherwise = 'ok' }",
            "status.s.when.bits",
            "within 0 to 15",
        ),
    ] {
        let told = refused(field);
        assert!(told.contains(place) && told.contains(remedy), "{field}\n→ {told}");
    }
}

#[test]
fn an_unknown_name_is_refused_with_its_line() {
    let told = refused("function = 3\naddress = 0\ntype = 'u16'\nscael = 0.1");
    assert!(told.contains("scael") && told.contains("line 7"), "{told}");
}

#[test]
fn a_profile_without_fields_is_refused() {
    let told = Profile::from_toml("try", "title_zh = ''\ntitle_en = ''").unwrap_err().to_string();
    assert!(told.contains("at least one"), "{told}");
}

fn flaws(text: &str) -> Vec<(bool, String, String)> {
    let (_, flaws) = Profile::from_raw("try", toml::from_str(text).unwrap());
    flaws.into_iter().map(|f| (f.fatal, f.path, f.remedy_en)).collect()
}

#[test]
fn every_mistake_is_told_at_its_key_and_a_table_that_is_wrong_is_not_called_missing() {
    let found = flaws(
        "title_zh = '试'\ntitle_en = 'try'\naddress_base = 2\n[limits]\nmax_registers = 200\n\
         [field.a]\naddress = 'x'\ntype = 'u16'\nscale = 0.0\nrange = [5.0, 1.0]\nstatus = ['s']\nfactor = ['none']\n\
         [field.b]\naddress = 65536\ntype = 'f32'\n[status.s]\naddress = 1\n",
    );
    let paths: Vec<&str> = found.iter().map(|(_, path, _)| path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "limits.max_registers",
            "address_base",
            "status.s",
            "field.a.address",
            "field.a.scale",
            "field.a.range",
            "field.a.factor",
            "field.b.address",
        ]
    );
    assert!(found.iter().all(|(fatal, _, remedy)| *fatal && !remedy.is_empty()), "{found:?}");
}

const ONE: &str = "title_zh = '试'\ntitle_en = 'try'\n[field.x]\ntype = 'u16'\n";

#[test]
fn a_bare_number_that_looks_like_a_reference_is_doubted_with_both_ways_to_write_it() {
    let doubt = |lines: &str| flaws(&format!("{ONE}{lines}"));
    let found = doubt("address = 40002");
    let [(false, path, remedy)] = &found[..] else { panic!("{found:?}") };
    assert_eq!(path, "field.x.address");
    assert!(remedy.contains("address = \"40002\" (function 3, address 1)"), "{remedy}");
    assert!(remedy.contains("address = \"0x9C42\""), "{remedy}");
    assert_eq!(doubt("address = 30001").len(), 1);
    assert_eq!(doubt("address = 30001\nfunction = 4").len(), 1);
    for sure in [
        "address = \"40002\"",
        "address = \"0x9C42\"",
        "address = 40002\nfunction = 4",
        "address = 10001",
        "address = 24577",
    ] {
        assert_eq!(doubt(sure), [], "{sure}");
    }
}

#[test]
fn a_table_that_no_field_names_is_doubted_by_name() {
    let text = format!(
        "{ONE}address = 1\nstatus = ['used']\n[status.used]\naddress = 2\nbits = {{ 1 = 'fault' }}\n\
        [status.old]\naddress = 3\nbits = {{ 1 = 'fault' }}\n[heartbeat.h]\naddress = 4\nwithin_s = 5.0\n[factor.f]\naddress = 5\n"
    );
    let found = flaws(&text);
    let paths: Vec<(bool, &str)> = found.iter().map(|(fatal, path, _)| (*fatal, path.as_str())).collect();
    assert_eq!(paths, [(false, "status.old"), (false, "factor.f"), (false, "heartbeat.h")]);
}

#[test]
fn nothing_is_doubtful_in_what_is_shipped() {
    for (name, text) in super::shipped::TEXTS {
        let (profile, flaws) = Profile::from_raw(name, toml::from_str(text).unwrap());
        assert!(profile.is_some() && flaws.is_empty(), "{name}: {flaws:?}");
    }
}
