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
        ("function = 3\naddress = 0\ntype = 'u16'\nstatus = ['s']", "field.x", "[status.<name>]"),
        ("function = 3\naddress = 0\ntype = 'u16'\n[limits]\nmax_registers = 126", "limits", "1 to 125"),
        ("function = 3\naddress = 0\ntype = 'u16'\n[status.s]\nfunction = 3\naddress = 1", "status.s", "values = {"),
        (
            "function = 3\naddress = 0\ntype = 'u16'\n[status.s]\nfunction = 3\naddress = 1\nbits = { 16 = 'fault' }",
            "status.s",
            "bits 0 to 15",
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
