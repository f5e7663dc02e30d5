//! `[[call]]`: who is to be called by telephone when nobody acknowledges.
//!
//! Owns the table as people write it, the form of a number, and what a log shows of these tables. Leaves levels, areas and who is called for
//! which alarm to the rule book, which gets posts and no numbers.

use super::SourceFile;
use super::diagnostic::Finding;
use super::file::SiteFile;
use crate::calls::{CallList, Contact, NotANumber, Personal, tel_uri};
use rules::book::Call;
use schemars::JsonSchema;
use serde::Deserialize;

/// `[[call]]`: the order of the tables is that of calling.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallTable {
    /// Level of escalation at which it is called: 1, 2 or 3.
    pub level: u8,
    /// For alarms of these priorities only; default: all that escalate.
    #[serde(default)]
    pub priorities: Vec<u8>,
    /// For alarms of these areas only; default: all, also those of no area, such as the gateway's own.
    #[serde(default)]
    pub areas: Vec<String>,
    /// 岗位, such as 值班长; never a person's name: it goes into journal and MQTT.
    pub post: String,
    /// The same post in English.
    pub post_en: String,
    /// Digits, `+` at the front, `-` and spaces; an extension behind 转 or `ext`. Shown to people who are signed in, told to nobody else.
    pub telephone: Personal,
    /// Who holds the post; shown beside the number and nowhere else.
    pub name: Option<Personal>,
}

impl CallTable {
    fn call(&self) -> Call {
        Call {
            level: self.level,
            priorities: self.priorities.clone(),
            areas: self.areas.clone(),
            post: self.post.trim().to_owned(),
            post_en: self.post_en.trim().to_owned(),
        }
    }
}

/// What the rules need: posts.
pub(super) fn posts(file: &SiteFile) -> Vec<Call> {
    file.call.iter().map(CallTable::call).collect()
}

/// What people who are signed in see.
pub(super) fn list(file: &SiteFile) -> CallList {
    let contact = |t: &CallTable| Contact { call: t.call(), telephone: t.telephone.clone(), name: t.name.clone() };
    CallList(file.call.iter().map(contact).collect())
}

/// Numbers that nobody can dial. What is wrong is said without the number: a reload says it to the log.
pub(super) fn check(file: &SiteFile, findings: &mut Vec<Finding>) {
    for (i, table) in file.call.iter().enumerate() {
        if let Err(why) = tel_uri(table.telephone.shown()) {
            findings.push(Finding::fatal(format!("call[#{i}].telephone"), words(why), remedy()));
        }
        for (key, post) in [("post", &table.post), ("post_en", &table.post_en)] {
            if has_a_number(post) {
                findings.push(Finding::fatal(format!("call[#{i}].{key}"), number_in_a_post(), move_it()));
            }
        }
    }
}

/// So many digits in a row are a number that somebody can be called by; 35kV 变电站, 2301/2302 调度室 have fewer.
const DIGITS_OF_A_NUMBER: usize = 7;

/// Digits in a row, also with what is written between those of a telephone number.
fn has_a_number(text: &str) -> bool {
    let runs = text.split(|c: char| !c.is_numeric() && !matches!(c, ' ' | '-' | '+' | '－'));
    runs.map(|run| run.chars().filter(|c| c.is_numeric()).count()).any(|digits| digits >= DIGITS_OF_A_NUMBER)
}

fn number_in_a_post() -> (String, String) {
    (
        "岗位里有电话号码：岗位会写入事件并上报".into(),
        "a telephone number in a post, which goes into events and to the office".into(),
    )
}

fn move_it() -> (String, String) {
    (
        "号码写在 telephone 里，岗位只写岗位".into(),
        "the number belongs into `telephone`, the post alone into `post`".into(),
    )
}

fn words(why: NotANumber) -> (String, String) {
    match why {
        NotANumber::Letter(letter) => {
            (format!("电话号码里不能有“{letter}”"), format!("a telephone number has no `{letter}`"))
        }
        NotANumber::Plus => ("电话号码里 + 只能在最前".into(), "the + of a telephone number stands first".into()),
        NotANumber::Digits(n) => (
            format!("电话号码有 {n} 位数字，应为 3 到 15 位"),
            format!("a telephone number has 3 to 15 digits, not {n}"),
        ),
        NotANumber::Extension => ("分机号应为 1 到 8 位数字".into(), "an extension is 1 to 8 digits".into()),
    }
}

fn remedy() -> (String, String) {
    (
        "写数字、空格和 -，国际号码以 + 开头，分机写在“转”或 ext 之后".into(),
        "digits, spaces and -, a + at the front of an international one, an extension behind 转 or ext".into(),
    )
}

/// Keys of `[[call]]` that hold nothing about a person, however they are misused.
const IMPERSONAL: [&str; 3] = ["level", "priorities", "areas"];
const OF_A_POST: [&str; 2] = ["post", "post_en"];

/// The files as a log may show them: what `[[call]]` says of people is masked, letter by letter, so that places stay.
pub(crate) fn without_people(files: &[SourceFile]) -> Vec<SourceFile> {
    let masked = |file: &SourceFile| SourceFile { text: masked(&file.text), ..file.clone() };
    files.iter().map(masked).collect()
}

/// Where a line stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Elsewhere,
    /// Under the header `[[call]]`: a key a line.
    Table,
    /// Behind `call = `, up to the next header.
    Inline,
}

fn masked(text: &str) -> String {
    let mut place = Place::Elsewhere;
    let line = |line: &str| {
        let begun = line.trim_start();
        let name = begun.trim_start_matches(['[', ' ', '"', '\'']);
        if begun.starts_with('[') {
            place = if name.starts_with("call") { Place::Table } else { Place::Elsewhere };
            return line.to_owned();
        }
        if name.starts_with("call") && line.contains('=') {
            place = Place::Inline;
        }
        masked_line(line, place)
    };
    text.split('\n').map(line).collect::<Vec<_>>().join("\n")
}

fn masked_line(line: &str, place: Place) -> String {
    // also where the header was forgotten
    if place == Place::Inline || line.contains("telephone") {
        return starred(line);
    }
    if place == Place::Elsewhere {
        return line.to_owned();
    }
    let Some((key, value)) = line.split_once('=') else { return starred(line) };
    let harmless = IMPERSONAL.contains(&key.trim()) || OF_A_POST.contains(&key.trim()) && !has_a_number(value);
    match line.split_once('#') {
        _ if !harmless => format!("{key}={}", starred(value)),
        Some((said, note)) => format!("{said}#{}", starred(note)),
        None => line.to_owned(),
    }
}

/// As many bytes as before.
fn starred(text: &str) -> String {
    let star = |c: char| if c.is_alphanumeric() { "*".repeat(c.len_utf8()) } else { c.to_string() };
    text.chars().map(star).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::own::CARD;
    use crate::config::{Checked, Site, diagnostic, site_from_text};

    const CALL: &str = "[[call]]\nlevel = 1\npost = \"值班长\"\npost_en = \"Shift leader\"\n";

    fn checked(calls: &str) -> Checked<Site> {
        let text = format!(
            "{CARD}[[point]]\nkey = \"PT-1\"\nname = \"压力\"\nname_en = \"Pressure\"\ndevice = \"CARD\"\nfield = \"channel_0\"\n\
             kind = \"other\"\nunit = \"mA\"\nrange = [4, 20]\n{calls}"
        );
        site_from_text("site.toml", &text, |_| ())
    }

    /// Path, line in the calls, English words.
    fn said(calls: &str) -> Vec<(String, usize, String)> {
        let before = checked("").files[0].text.matches('\n').count();
        let found = checked(calls).diagnostics;
        let of_calls = found.into_iter().filter(|d| d.path.starts_with("call"));
        of_calls.map(|d| (d.path, d.line - before, d.message_en)).collect()
    }

    #[test]
    fn the_rules_get_posts_and_the_list_has_the_numbers_in_the_order_of_the_file() {
        let site = checked(&format!(
            "{CALL}telephone = \"0555-0000-101\"\nname = \"张三\"\n\
             [[call]]\nlevel = 2\npriorities = [1]\nareas = [\"A1\"]\npost = \"安全总监\"\npost_en = \"Safety director\"\n\
             telephone = \"+86 555 0000 102\"\n"
        ));
        let site = site.value.unwrap_or_else(|| panic!("{:?}", site.diagnostics));
        let posts: Vec<&str> = site.book.calls().iter().map(|c| c.post.as_str()).collect();
        assert_eq!(posts, ["值班长", "安全总监"]);
        assert!(site.book.called(2, 1, "A1").count() == 1 && site.book.called(2, 2, "A1").count() == 0);
        let [first, second] = site.view.calls.0.as_slice() else { panic!("{:?}", site.view.calls) };
        assert_eq!(
            (first.telephone.shown(), first.name.as_ref().map(Personal::shown)),
            ("0555-0000-101", Some("张三"))
        );
        assert_eq!((&second.call, second.telephone.shown()), (&site.book.calls()[1], "+86 555 0000 102"));
    }

    #[test]
    fn a_number_that_nobody_can_dial_is_refused_at_its_line_and_never_repeated() {
        let found = said(&format!("{CALL}telephone = \"0555-0000-1O1\"\n"));
        assert_eq!(found, [("call[#0].telephone".into(), 5, "a telephone number has no `O`".into())]);
        let found = said(&format!("{CALL}telephone = 5550000101\n"));
        let [(path, 5, words)] = found.as_slice() else { panic!("{found:?}") };
        assert!(
            path == "call[#0].telephone" && words.contains("a text in quotes") && !words.contains("555"),
            "{words}"
        );
        let found = said(&format!("{CALL}telephone = \"110\"\nname = [\"张三\"]\n"));
        let [(path, 6, words)] = found.as_slice() else { panic!("{found:?}") };
        assert!(path == "call[#0].name" && !words.contains("张三"), "{words}");
        let found = said(&format!("{}telephone = \"110\"\n", CALL.replace("值班长", "值班长 0555-0000")));
        assert_eq!(
            found,
            [(
                "call[#0].post".into(),
                3,
                "a telephone number in a post, which goes into events and to the office".into()
            )]
        );
        let found = said(CALL);
        assert_eq!(found, [("call[#0]".into(), 1, "the key `telephone` is missing".into())]);
    }

    #[test]
    fn an_unknown_area_has_its_neighbour_and_a_second_post_its_line() {
        let call = |areas: &str| format!("{CALL}telephone = \"0555-0000-101\"\n{areas}\n");
        let found = said(&call("areas = [\"A1\", \"A9\"]"));
        assert_eq!(found, [("call[#0].areas[#1]".into(), 6, "there is no area `A9`".into())]);
        let found = said(&format!("{}{}", call(""), call("")));
        let [(path, 9, words)] = found.as_slice() else { panic!("{found:?}") };
        assert!(path == "call[#1].post" && words.contains("[[call]] no. 1 already"), "{words}");
    }

    #[test]
    fn a_table_that_cannot_be_read_leaves_nothing_said_of_the_places_of_others() {
        let good = |post: &str| format!("level = 1\npost = \"{post}\"\npost_en = \"Post\"\ntelephone = \"x\"");
        let calls = ["3".parse::<toml::Value>(), good("值班长").parse::<toml::Table>().map(Into::into)];
        let found = site_from_text("site.toml", &checked("").files[0].text, |table| {
            table.insert("call".into(), toml::Value::Array(calls.map(Result::unwrap).to_vec()));
        });
        let paths: Vec<&str> =
            found.diagnostics.iter().map(|d| d.path.as_str()).filter(|p| p.starts_with("call")).collect();
        assert!(!paths.is_empty() && paths.iter().all(|p| *p == "call[#0]"), "{:?}", found.diagnostics);
    }

    #[test]
    fn a_level_that_calls_nobody_is_told_where_the_list_begins_and_so_is_a_site_without_one() {
        let urgent =
            "limits.HH = { limit = 18, priority = 1, cause = \"超压\", consequence = \"破裂\", action = \"泄压\" }\n";
        let before = checked(urgent).files[0].text.matches('\n').count();
        let told = |calls: &str| -> Vec<(String, usize, String)> {
            let found = checked(&format!("{urgent}{calls}")).diagnostics;
            let found = found.into_iter().filter(|d| d.path == "call");
            found.map(|d| (d.message_en, d.line.saturating_sub(before), d.remedy_zh)).collect()
        };
        let found = told("");
        let [(words, 0, _)] = found.as_slice() else { panic!("at the top of the file: {found:?}") };
        assert_eq!(words, "there is no [[call]]: 1 of priority 1, and nobody to be called when nobody acknowledges");
        let two = format!("{CALL}telephone = \"110\"\n{}telephone = \"119\"\n", CALL.replace("level = 1", "level = 2"));
        let found = told(&two);
        let [(words, 1, remedy)] = found.as_slice() else { panic!("at the first [[call]]: {found:?}") };
        assert_eq!(words, "1 of 1 alarms that reach level 3 have nobody to be called: 1 of priority 1; areas A1");
        assert!(remedy.contains("level = 3 的 [[call]]"), "{remedy}");
    }

    #[test]
    fn a_post_in_chinese_for_english_readers_is_told() {
        let found = said(&format!("{}telephone = \"110\"\n", CALL.replace("Shift leader", "值班长")));
        let [(path, 4, words)] = found.as_slice() else { panic!("{found:?}") };
        assert!(path == "call[#0].post_en" && words.contains("for English readers"), "{words}");
    }

    #[test]
    fn a_log_shows_neither_numbers_nor_names_and_places_stay() {
        let text = format!(
            "{CALL}telephone = \"0555-0000-1O1\" # 李四 13\nname = \"张三\"\nareas = [\"A9\"] # 王五\n# 赵六 0555\n[[area]]\nname = \"泵房 1\"\n\
             call = [{{ telephone = \"0555\" }}]\n"
        );
        let hidden = masked(&text);
        assert_eq!(hidden.len(), text.len());
        for word in ["0555", "1O1", "张三", "李四", "王五", "赵六", "13"] {
            assert!(!hidden.contains(word), "{word} in {hidden}");
        }
        assert!(
            hidden.contains("值班长") && hidden.contains("areas = [\"A9\"]") && hidden.contains("泵房 1"),
            "{hidden}"
        );
        for form in [
            "call = [\n  { level = 1, post = \"值班长\", name = \"张三\", phone = \"138 0555\" },\n]\n[area]\n",
            "[[\"call\"]]\nname = \"张三\"\nphone = 0555\n",
        ] {
            let hidden = masked(form);
            assert!(!hidden.contains("张三") && !hidden.contains("0555") && hidden.len() == form.len(), "{hidden}");
        }
        let found = checked(&text[..text.find("[[area]]").unwrap()]);
        let (mut open, mut log) = (Vec::new(), Vec::new());
        diagnostic::print(&found.diagnostics, &found.files, false, &mut open).unwrap();
        diagnostic::print(&found.diagnostics, &without_people(&found.files), false, &mut log).unwrap();
        let [open, log] = [open, log].map(|bytes| String::from_utf8(bytes).unwrap());
        assert!(open.contains("0000-1O1"), "who checks the file sees its line: {open}");
        assert!(log.contains("call[#0].telephone") && !log.contains("0000") && !log.contains("张三"), "{log}");
    }
}
