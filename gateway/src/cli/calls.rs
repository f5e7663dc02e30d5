//! `calls`: whom to call when nobody acknowledges, out of the configuration itself. Who may read the file may see the numbers.
#![allow(clippy::print_stdout, reason = "the output of a command")]

use super::table::{lines as table, words};
use super::{Exit, given};
use crate::calls::{Contact, Personal};
use crate::config;
use crate::web::CallRow;
use std::path::PathBuf;

/// Arguments of `calls`.
#[derive(Debug, clap::Args)]
pub(super) struct CallsArgs {
    /// 站点配置文件 · site file.
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// 以 JSON 输出 · as JSON.
    #[arg(long)]
    json: bool,
}

pub(super) fn main(args: &CallsArgs) -> Exit {
    if config::is_office(&args.config) {
        eprintln!("值守站没有升级通知名单 · an office has no call list: give the file of a site");
        return Exit::Usage;
    }
    let site = match given::site(&args.config) {
        Ok(site) => site,
        Err(exit) => return exit,
    };
    let list = &site.view.calls.0;
    if args.json {
        match serde_json::to_string_pretty(&list.iter().map(CallRow::of).collect::<Vec<_>>()) {
            Ok(text) => println!("{text}"),
            Err(_) => return Exit::Internal,
        }
    } else {
        lines(list).iter().for_each(|line| println!("{line}"));
    }
    Exit::Ok
}

/// By level, within one in the order of calling.
fn lines(list: &[Contact]) -> Vec<String> {
    if list.is_empty() {
        return vec!["没有 [[call]]：升级时不知道叫谁 · no [[call]]: nobody is named to be called".to_owned()];
    }
    let mut list: Vec<&Contact> = list.iter().collect();
    list.sort_by_key(|c| c.call.level); // stable: the order within a level stays
    let all = |items: Vec<String>| if items.is_empty() { "全部 all".to_owned() } else { items.join(" ") };
    let row = |c: &&Contact| {
        [
            format!("L{}", c.call.level),
            all(c.call.priorities.iter().map(u8::to_string).collect()),
            all(c.call.areas.clone()),
            format!("{} {}", c.call.post, c.call.post_en),
            c.telephone.shown().to_owned(),
            c.name.as_ref().map_or_else(String::new, |name| Personal::shown(name).to_owned()),
        ]
    };
    let heads = [
        words("级别", "level"),
        words("优先级", "priorities"),
        words("区域", "areas"),
        words("岗位", "post"),
        words("电话", "telephone"),
        words("姓名", "name"),
    ];
    table(&heads, &list.iter().map(row).collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::site_from_text;

    #[test]
    fn posts_stand_by_level_in_the_order_of_calling_with_numbers() {
        let call = |level: u8, post: &str, more: &str| {
            format!(
                "[[call]]\nlevel = {level}\npost = \"{post}\"\npost_en = \"Post\"\ntelephone = \"0555-0000-10{level}\"\n{more}\n"
            )
        };
        let minimal = include_str!("../../examples/minimal-site.toml");
        let (head, rest) = minimal.split_once("[[call]]").unwrap();
        let text = format!("{head}{}", &rest[rest.find("[[link]]").unwrap()..])
            + &call(2, "安全总监", "priorities = [1]")
            + &call(1, "值班长", "name = \"张三\"")
            + &call(1, "班组长", "");
        let checked = site_from_text("site.toml", &text, |_| ());
        let site = checked.value.unwrap_or_else(|| panic!("{:?}", checked.diagnostics));
        let shown = lines(&site.view.calls.0);
        let at = |word: &str| shown.iter().position(|line| line.contains(word)).unwrap();
        assert!(at("值班长") < at("班组长") && at("班组长") < at("安全总监"), "{shown:?}");
        assert!(shown[at("值班长")].contains("0555-0000-101") && shown[at("值班长")].contains("张三"), "{shown:?}");
        assert!(lines(&[])[0].contains("没有 [[call]]"));
    }
}
