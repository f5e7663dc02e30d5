//! `import` from outside: lists as people make them, good and bad, from text and from a workbook.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

mod support;

use std::path::Path;
use support::{Ended, Site, binary, ended};

fn run(arguments: &[&str]) -> Ended {
    let mut command = binary();
    command.args(arguments);
    ended(command, "")
}

fn import(folder: &Path, name: &str, list: &[u8]) -> Ended {
    std::fs::write(folder.join(name), list).unwrap();
    let out = folder.join("conf.d/tags.toml");
    std::fs::create_dir_all(out.parent().unwrap()).unwrap();
    run(&["import", folder.join(name).to_str().unwrap(), "--out", out.to_str().unwrap()])
}

const LIST: &str = "位号,名称,英文名称,类别,单位,量程下限,量程上限,仪表,量,链路,站号,型号,区域,高限,高高限,回差,优先级,原因,后果,处置,英文处置\n\
    GT-102,氨气浓度二,Ammonia two,气体,ppm,0,100,DET-102,concentration,bus-a,12,gas-module-b,A1,25,50,2,2,阀门泄漏,人员中毒,查漏,Look for the leak\n\
    GT-103,氨气浓度三,Ammonia three,gas,ppm,0,100,DET-103,concentration,bus-a,13,gas-module-b,A1,25,50,2,2,阀门泄漏,人员中毒,查漏,Look for the leak\n";

#[test]
fn an_imported_list_is_one_that_check_accepts() {
    let site = Site::minimal();
    let imported = import(site.folder(), "tags.csv", LIST.as_bytes());
    assert!(imported.code == 0 && imported.out.contains("2 个测点"), "{imported:?}");
    let file = site.file();
    let check = run(&["check", "--config", file.to_str().unwrap()]);
    assert!(check.code == 0 && check.out.contains("3 个测点"), "{check:?}");
    let again = import(site.folder(), "tags.csv", LIST.as_bytes());
    assert_eq!(again.code, 4, "an existing file is not overwritten: {again:?}");
}

#[test]
fn a_list_with_defects_writes_nothing_and_names_rows_and_columns() {
    let site = Site::minimal();
    let broken = LIST.replace(",13,", ",x,").replace("GT-103", "GT-102").replace("100,DET-103", "-1,DET-103");
    let imported = import(site.folder(), "tags.csv", broken.as_bytes());
    assert_eq!(imported.code, 2, "{imported:?}");
    for place in ["第 3 行 row 3 位号 key", "第 3 行 row 3 站号 unit_id", "第 3 行 row 3 量程上限 high"] {
        assert!(imported.err.contains(place), "{place} is missing in\n{}", imported.err);
    }
    assert!(!site.folder().join("conf.d/tags.toml").exists());
    let no_cause = import(site.folder(), "tags.csv", LIST.replace("阀门泄漏", "").as_bytes());
    assert!(no_cause.code == 2 && no_cause.err.contains("优先级 1、2 必须写原因"), "{no_cause:?}");
    let gbk = import(site.folder(), "gbk.csv", b"\xCE\xBB\xBA\xC5,x\n");
    assert!(gbk.code == 2 && gbk.err.contains("UTF-8"), "{gbk:?}");
    let no_workbook = import(site.folder(), "broken.xlsx", b"PK no zip");
    assert!(no_workbook.code == 2 && no_workbook.err.contains("损坏"), "{no_workbook:?}");
}

#[test]
fn the_template_is_a_list_that_can_be_imported() {
    let site = Site::minimal();
    let template = run(&["import", "--template"]).out.replace("GT-101", "GT-105").replace("DET-101", "DET-105");
    let imported = import(site.folder(), "template.csv", template.replace(",11,", ",15,").as_bytes());
    assert_eq!(imported.code, 0, "{imported:?}");
    let check = run(&["check", "--config", site.file().to_str().unwrap()]);
    assert_eq!(check.code, 0, "{check:?}");
}

/// A workbook with a title above the heading, units behind column names, numbers as numbers and an empty row.
#[test]
fn a_workbook_is_read_as_a_list_and_its_defects_have_the_rows_of_the_sheet() {
    let site = Site::minimal();
    let imported = import(site.folder(), "tags.xlsx", include_bytes!("lists/tags.xlsx"));
    assert!(imported.code == 0 && imported.out.contains("2 个测点"), "{imported:?}");
    let check = run(&["check", "--config", site.file().to_str().unwrap()]);
    assert!(check.code == 0 && check.out.contains("3 个测点"), "{check:?}");

    let broken = import(Site::minimal().folder(), "tags.xlsx", include_bytes!("lists/tags-broken.xlsx"));
    let said: Vec<&str> = broken.err.lines().collect();
    assert_eq!((broken.code, said.len()), (2, 3), "{broken:?}");
    assert!(said[0].starts_with("第 6 行 row 6 量程上限 high：“一百”"), "{broken:?}");
    assert!(said[1].starts_with("第 6 行 row 6 站号 unit_id：第 5 行"), "{broken:?}");
}

#[test]
fn a_list_with_semicolons_or_tabs_is_the_same_list() {
    for separator in [";", "\t"] {
        let site = Site::minimal();
        let imported = import(site.folder(), "tags.csv", LIST.replace(',', separator).as_bytes());
        assert!(imported.code == 0 && imported.out.contains("2 个测点"), "{imported:?}");
    }
}

#[test]
fn of_a_workbook_with_several_sheets_the_named_one_is_read_and_what_was_read_is_told() {
    let site = Site::minimal();
    let file = site.folder().join("two.xlsx");
    std::fs::write(&file, include_bytes!("lists/two-sheets.xlsx")).unwrap();
    let file = file.to_str().unwrap();
    let first = run(&["import", file]);
    assert!(first.code == 2 && first.err.contains("读取工作表“封面”；另有 位号表、停用"), "{first:?}");
    let named = run(&["import", file, "--sheet", "位号表"]);
    assert!(named.code == 0 && named.out.contains("key = \"GT-102\"") && named.err.is_empty(), "{named:?}");
    let missing = run(&["import", file, "--sheet", "位号"]);
    assert!(
        missing.code == 2 && missing.err.contains("没有工作表“位号”；--sheet 可选：封面、位号表、停用"),
        "{missing:?}"
    );
    let single = import(site.folder(), "tags.xlsx", include_bytes!("lists/tags.xlsx"));
    assert!(single.code == 0 && single.err.is_empty(), "one sheet needs no word: {single:?}");
    std::fs::write(site.folder().join("tags.csv"), LIST).unwrap();
    let csv = run(&["import", site.folder().join("tags.csv").to_str().unwrap(), "--sheet", "位号表"]);
    assert!(csv.code == 2 && csv.err.contains("没有工作表"), "{csv:?}");
}

const CURRENTS: &str = "位号,名称,类别,单位,量程下限,量程上限,信号量程,周期毫秒,快速周期,有效期,仪表,量,链路,站号,型号,区域,高限,高高限,高高限锁存,优先级,高高限优先级,原因,后果,处置\n\
    LT-1,液位,level,m,0,12.5,0..12.5,5000,1000,10,CARD,channel_0,bus-a,7,adam-4117,A1,10,11,是,3,1,阀门未关,满罐溢流,停泵\n\
    PT-1,压力,pressure,kPa,-100,400,\"-100,400\",,,,CARD,channel_1,,,,,300,350,,4,,,,\n";

#[test]
fn a_current_s_span_the_fast_period_the_age_and_a_priority_of_one_limit_come_from_columns() {
    let site = Site::minimal();
    let imported = import(site.folder(), "tags.csv", CURRENTS.as_bytes());
    assert_eq!(imported.code, 0, "{imported:?}");
    let check = run(&["check", "--config", site.file().to_str().unwrap()]);
    assert!(check.code == 0 && check.out.contains("3 个测点"), "{check:?}");
    let tables: toml::Table = std::fs::read_to_string(site.folder().join("conf.d/tags.toml")).unwrap().parse().unwrap();
    let [level, pressure] = tables["point"].as_array().unwrap().as_slice() else { panic!("{tables:?}") };
    assert_eq!(level["signal_span"].to_string(), "[0.0, 12.5]");
    assert_eq!(pressure["signal_span"].to_string(), "[-100.0, 400.0]");
    let (fast, age) = (level["fast_period_ms"].as_integer(), level["max_age_s"].as_float());
    assert_eq!((fast, age), (Some(1000), Some(10.0)));
    let priority = |point: &toml::Value, limit: &str| point["limits"][limit]["priority"].as_integer();
    assert_eq!((priority(level, "H"), priority(level, "HH")), (Some(3), Some(1)));
    assert_eq!((priority(pressure, "H"), priority(pressure, "HH")), (Some(4), Some(4)));
    let latching =
        |point: &toml::Value, limit: &str| point["limits"][limit].get("latching").and_then(toml::Value::as_bool);
    assert_eq!((latching(level, "HH"), latching(level, "H"), latching(pressure, "HH")), (Some(true), None, None));
}

#[test]
fn a_span_an_age_a_fast_period_or_a_priority_that_cannot_be_is_told_by_row_and_column() {
    let site = Site::minimal();
    let broken = CURRENTS
        .replace("0..12.5", "0-12.5")
        .replace("5000,1000,10,", "5000,5,1,")
        .replace("\"-100,400\"", "5..5")
        .replace(",3,1,阀门未关", ",3,9,阀门未关");
    let said = import(site.folder(), "tags.csv", broken.as_bytes());
    assert_eq!(said.code, 2, "{said:?}");
    for place in [
        "第 2 行 row 2 信号量程 signal_span：“0-12.5”",
        "第 2 行 row 2 快速周期毫秒 fast_period_ms：5 不在 50",
        "第 2 行 row 2 有效期秒 max_age_s：1 秒短于一个轮询周期（5 秒）",
        "第 2 行 row 2 高高限优先级 priority_hh：9 不在 1–4",
        "第 3 行 row 3 信号量程 signal_span：“5..5”",
    ] {
        assert!(said.err.contains(place), "{place} is missing in\n{}", said.err);
    }
    let no_cause = import(site.folder(), "tags.csv", CURRENTS.replace("阀门未关", "").as_bytes());
    assert!(no_cause.err.contains("优先级 1、2 必须写原因"), "one limit of priority 1 is enough: {no_cause:?}");
}
