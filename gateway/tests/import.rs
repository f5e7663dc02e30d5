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
    let (list, out) = (site.folder().join("tags.csv"), site.folder().join("conf.d/tags.toml"));
    let (list, out, file) = (list.to_str().unwrap(), out.to_str().unwrap(), file.to_str().unwrap());
    let again = run(&["import", list, "--config", file, "--out", out]);
    assert!(again.code == 4 && again.err.contains("先移走它（mv "), "{again:?}");
    assert!(!again.err.contains("重复"), "the list is not double by itself: {again:?}");
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
    assert!(named.code == 0 && named.out.contains("key = \"GT-102\"") && !named.err.contains("工作表"), "{named:?}");
    let missing = run(&["import", file, "--sheet", "位号"]);
    assert!(
        missing.code == 2 && missing.err.contains("没有工作表“位号”；--sheet 可选：封面、位号表、停用"),
        "{missing:?}"
    );
    let single = import(site.folder(), "tags.xlsx", include_bytes!("lists/tags.xlsx"));
    assert!(single.code == 0 && !single.err.contains("工作表"), "one sheet needs no word: {single:?}");
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

/// As [`import`], looked at as a part of the site.
fn import_into(site: &Site, list: &str) -> Ended {
    let folder = site.folder();
    std::fs::write(folder.join("tags.csv"), list).unwrap();
    std::fs::create_dir_all(folder.join("conf.d")).unwrap();
    let (file, out, config) = (folder.join("tags.csv"), folder.join("conf.d/tags.toml"), site.file());
    run(&["import", file.to_str().unwrap(), "--out", out.to_str().unwrap(), "--config", config.to_str().unwrap()])
}

fn is_told(ended: &Ended, places: &[&str]) {
    assert_eq!(ended.code, 2, "{ended:?}");
    for place in places {
        assert!(ended.err.contains(place), "{place} is missing in\n{}", ended.err);
    }
    let defects = places.len();
    assert!(ended.err.contains(&format!("{defects} 处缺陷，没有写出任何内容")), "and no other: {}", ended.err);
}

const SHORT: &str = "位号,名称,英文名称,类别,单位,量程下限,量程上限,仪表,量,链路,站号,型号,区域,字节序\n\
    TT-1,温度一,T1,temperature,°C,-50,150,D-1,temperature_a,bus-a,21,tank-f32,A1,CDAB\n\
    TT-2,温度二,T2,temperature,°C,-50,150,D-2,temperature_1,bus-a,22,r4dcb08,A1,\n";

#[test]
fn what_needs_no_site_is_judged_without_one_and_told_with_its_row() {
    let site = Site::minimal();
    let broken = SHORT.replace("tank-f32,A1,CDAB", "tank-f32,A1,XYZW").replace("r4dcb08", "r4dcb80")
        + "TT-3,温度三,T3,temperature,°C,-50,150,D-3,temperature_c,bus-a,23,tank-f32,A1,\n\
           TT-4,温度四,T4,temperature,°C,-50,150,D-4,temperature_a,bus-a,24,tank-f32,A1,EFGHABCD\n\
           PT-5,压力五,P5,pressure,kPa,0,25,D-5,channel_0,bus-a,25,adam-4117,A1,\n";
    let places = [
        "第 2 行 row 2 字节序 word_order：没有字节序“XYZW”",
        "第 3 行 row 3 型号 profile：没有名为 r4dcb80 的仪表型号；是不是 r4dcb08？",
        "第 4 行 row 4 量 field：型号 tank-f32 没有名为 temperature_c 的量",
        "第 5 行 row 5 字节序 word_order：此字节序不能用于这个量",
        "第 6 行 row 6 单位 unit：channel_0 给出的是电流，没有 signal_span",
    ];
    is_told(&import(site.folder(), "tags.csv", broken.as_bytes()), &places);
    is_told(&import_into(&site, &broken), &places);
    assert!(!site.folder().join("conf.d/tags.toml").exists());
}

#[test]
fn a_unit_that_is_not_the_profile_s_is_told_with_its_row_and_holds_nothing_up() {
    let site = Site::minimal();
    let kelvin = SHORT.replace("T2,temperature,°C", "T2,temperature,K");
    for told in [import(site.folder(), "tags.csv", kelvin.as_bytes()), import_into(&Site::minimal(), &kelvin)] {
        let doubt = "第 3 行 row 3 单位 unit：提醒 warning：写的单位是 K，而型号 r4dcb08 以 °C 给出 temperature_1";
        assert!(told.code == 0 && told.err.contains(doubt), "{told:?}");
    }
}

#[test]
fn what_only_the_site_knows_is_told_by_row_with_it_and_as_not_looked_at_without_it() {
    let site = Site::minimal();
    let list = SHORT.replace("bus-a,22", "bus-x,22").replace("A1,CDAB", "A9,CDAB")
        + "TT-3,温度三,T3,temperature,°C,-50,150,D-9,temperature_a,,,,,\n\
           TT-4,温度四,T4,temperature,°C,-50,150,D-4,temperature_a,bus-a,11,tank-f32,A1,\n\
           GT-101,氨,NH3,gas,ppm,0,100,DET-101,concentration,,,,,\n";
    let places = [
        "第 2 行 row 2 区域 area：没有名为 A9 的区域；是不是 A1？",
        "第 3 行 row 3 链路 link：没有名为 bus-x 的链路；是不是 bus-a？",
        "第 4 行 row 4 仪表 device：",
        "第 5 行 row 5 站号 unit_id：链路 bus-a 上站号 11 已由 DET-101 使用",
        "第 6 行 row 6 位号 key：",
    ];
    is_told(&import_into(&site, &list), &places);
    let alone = import(site.folder(), "tags.csv", list.as_bytes());
    assert_eq!(alone.code, 0, "{alone:?}");
    let note =
        "未核对，须在站点配置中存在：链路 bus-a、bus-x；区域 A1、A9；表中未描述的仪表（行） D-9 (4)、DET-101 (6)";
    assert!(alone.err.contains(note), "{alone:?}");
}

#[test]
fn a_list_that_fits_the_site_says_nothing_and_the_profiles_of_the_site_are_known() {
    let site = Site::minimal();
    let fits = import_into(&site, SHORT);
    assert!(fits.code == 0 && fits.err.is_empty(), "{fits:?}");
    let site = Site::minimal();
    std::fs::create_dir_all(site.folder().join("profiles")).unwrap();
    let head = "title_zh = '试'\ntitle_en = 'try'\n[field.temperature_1]\naddress = 0\ntype = 'i16'\n";
    std::fs::write(site.folder().join("profiles/my-head.toml"), head).unwrap();
    let own = import_into(&site, &SHORT.replace("r4dcb08", "my-head"));
    assert!(own.code == 0 && own.err.is_empty(), "{own:?}");
}

#[test]
fn what_the_list_does_to_the_site_as_a_whole_is_told_and_what_was_wrong_before_is_not_the_list_s() {
    let serial = |text: &str| {
        let file = include_str!("../examples/minimal-site.toml").replace("tcp = \"192.168.10.21:502\"", text);
        Site::of(&file.replace("/var/lib/hazard-gateway", "data"))
    };
    let site = serial("serial = \"/dev/serial/by-id/a\"\nbaud = 1200");
    let row = |n: u8| format!("TT-{n},温度,T,temperature,°C,-50,150,D-{n},temperature_a,bus-a,{n},tank-f32,A1,\n");
    let head = SHORT.lines().next().unwrap();
    let full: String = std::iter::once(format!("{head}\n")).chain((20..60).map(row)).collect();
    let told = import_into(&site, &full);
    assert!(told.code == 2 && told.err.contains("文件 file") && told.err.contains("link[bus-a]"), "{told:?}");
    let defective = serial("serial = \"/dev/serial/by-id/a\"\nbaud = 12");
    let fits = import_into(&defective, SHORT);
    assert!(fits.code == 0 && fits.err.is_empty(), "{fits:?}");
    let unreadable = serial("serial = ");
    let told = import_into(&unreadable, SHORT);
    assert!(told.code == 2 && told.err.contains("位号表没有核对"), "{told:?}");
    assert!(!unreadable.folder().join("conf.d/tags.toml").exists());
}

#[test]
fn a_row_with_a_defect_of_its_own_hides_no_other_and_makes_none() {
    let site = Site::minimal();
    let list = SHORT.replace("-50,150,D-1", "150,-50,D-1").replace("bus-a,22", "bus-x,22")
        + "TT-3,温度三,T3,temperature,°C,-50,150,D-1,temperature_b,,,,,\n";
    let places = ["第 2 行 row 2 量程上限 high", "第 3 行 row 3 链路 link：没有名为 bus-x 的链路"];
    is_told(&import_into(&site, &list), &places);
    let list = SHORT.replace("bus-a,21,tank-f32", "bus-a,x,tank-f32")
        + "TT-3,温度三,T3,temperature,°C,-50,150,D-1,temperature_b,,,,,\n";
    is_told(&import_into(&site, &list), &["第 2 行 row 2 站号 unit_id"]);
}

/// The example of docs/commissioning.md.
fn registers() -> &'static str {
    let guide = include_str!("../../docs/commissioning.md");
    guide.split("```csv\n").nth(1).unwrap().split("```").next().unwrap()
}

#[test]
fn the_guide_s_list_with_registers_becomes_points_and_a_profile_that_reads_as_it_says() {
    let site = Site::minimal();
    let imported = import_into(&site, registers());
    assert!(imported.code == 0 && imported.err.is_empty(), "{imported:?}");
    let check = run(&["check", "--config", site.file().to_str().unwrap()]);
    assert!(check.code == 0 && check.out.contains("4 个测点"), "{check:?}");
    let profile = std::fs::read_to_string(site.folder().join("profiles/plc-4.toml")).unwrap();
    assert!(profile.contains("tags.csv"), "{profile}");
    let profile = devices::profile::Profile::from_toml("plc-4", &profile).unwrap();
    let vectors = "[[vector]]\nblocks = { '3:16' = '03E8', '4:0' = '0000 41AC', '2:11' = '01' }\n\
        expect = { PT-401 = 1.0, TT-401 = 21.5, ZS-401 = 1 }\n\
        [[vector]]\nblocks = { '3:16' = 'FFFF' }\nexpect = { PT-401 = 'bad NotANumber' }\n";
    let tried = devices::vectors::Vectors::from_toml(vectors).unwrap().run(&profile);
    assert!(tried.flaws.is_empty(), "{:#?}", tried.flaws);
}

/// Rows of one device, each with these cells: function, address, base, type, order, bit, scale, offset, sentinels, valid.
fn with_registers(cells: &[&str]) -> String {
    let head = "位号,名称,英文名称,类别,单位,量程下限,量程上限,仪表,链路,站号,区域,功能码,寄存器地址,地址基准,数据类型,字节序,位,系数,偏移,无效值,有效范围";
    let row = |(n, cells): (usize, &&str)| format!("\nPT-{n},压力,P,pressure,MPa,0,2.5,PLC-4,bus-a,40,A1,{cells}");
    head.to_owned() + &cells.iter().enumerate().map(row).collect::<String>()
}

#[test]
fn every_cell_of_a_register_that_cannot_be_is_told_by_row_and_column() {
    let site = Site::minimal();
    let cases = [
        ("3,0x10,,u16,,,,,,", ""),
        ("6,0x11,,u16,,,,,,", "功能码 function：功能码 6 是写"),
        ("7,0x12,,u16,,,,,,", "功能码 function：“7”不是功能码"),
        (",0x13,,u16,,,,,,", "功能码 function：不能为空"),
        ("3,40017,,u16,,,,,,", "寄存器地址 address：40017 有两种读法：4xxxx 记法（功能码 3、地址 16）"),
        ("3,40017,0,u16,,,,,,", "寄存器地址 address：40017 有两种读法"),
        ("3,40017,1,u16,,,,,,", "寄存器地址 address：40017 有两种读法"),
        ("3,17,,u16,,,,,,", "寄存器地址 address：17 从 0 还是从 1 数起？"),
        ("3,0,1,u16,,,,,,", "寄存器地址 address：0 不在从 1 数起的"),
        ("3,17,4xxxx,u16,,,,,,", "寄存器地址 address：17 不是 4xxxx 记法"),
        ("3,0x10,4xxxx,u16,,,,,,", "寄存器地址 address：0x10 是十六进制"),
        ("3,4.5,0,u16,,,,,,", "寄存器地址 address：“4.5”不是地址"),
        ("3,,0,u16,,,,,,", "寄存器地址 address：不能为空"),
        ("3,30001,4xxxx,u16,,,,,,", "功能码 function：功能码是 3，而 30001 的记法属于功能码 4"),
        ("3,0x14,2,u16,,,,,,", "地址基准 address_base：“2”不是地址基准"),
        ("3,0x15,,int,,,,,,", "数据类型 type：没有数据类型“int”"),
        ("3,0x16,,,,,,,,", "数据类型 type：不能为空"),
        ("1,0x17,,u16,,,,,,", "数据类型 type：功能码 1、2 的类型是 bit"),
        ("3,0x18,,bit,,,,,,", "位 bit：寄存器里的一位"),
        ("3,0x19,,bit,,16,,,,", "位 bit：16 不在 0–15 之间"),
        ("3,0x1A,,float,,,,,,", "字节序 word_order：f32 占多个寄存器"),
        ("3,0x1B,,float,ABDC,,,,,", "字节序 word_order：没有字节序“ABDC”"),
        ("3,0x1C,,u16,,,0,,,", "系数 scale：系数不能为 0"),
        ("3,0x1D,,u16,,,1/10,,,", "系数 scale：“1/10”不是此列的数"),
        ("3,0x1E,,u16,,,,x,,", "偏移 offset：“x”不是此列的数"),
        ("3,0x1F,,u16,,,,,FFFF,", "无效值 sentinels：“FFFF”不是无效值"),
        ("3,0x20,,u16,,,,,,5..1", "有效范围 valid：“5..1”不是有效范围"),
        // what the profile refuses
        ("3,0xFFFF,,float,ABCD,,,,,", "寄存器地址 address：address = 65535 起的值超过 65535"),
        ("3,0x21,,u16,,,,,0x1FFFF,", "无效值 sentinels：0x1FFFF 超过 16 位"),
        ("3,0x22,,i16,EFGHABCD,,,,,", "字节序 word_order：word_order = EFGHABCD 不可用"),
    ];
    let list = with_registers(&cases.map(|(cells, _)| cells));
    let told = import_into(&site, &list);
    for (n, (cells, place)) in cases.iter().enumerate() {
        let (row, said) = (n + 2, told.err.matches(&format!("第 {} 行 ", n + 2)).count());
        assert!(
            told.err.contains(&format!("第 {row} 行 row {row} {place}")) || place.is_empty(),
            "{cells}\n{}",
            told.err
        );
        assert_eq!(said, usize::from(!place.is_empty()), "{cells}\n{}", told.err);
    }
    assert!(!site.folder().join("profiles").exists() && !site.folder().join("conf.d/tags.toml").exists());
}

#[test]
fn addresses_are_counted_as_the_list_says() {
    let site = Site::minimal();
    let list = with_registers(&[
        "3,40017,4xxxx,u16,,,,,,",
        "3,17,1,u16,,,,,,",
        "03,16,0,word,,,,,,",
        "FC3,10H,,UINT16,,,,,,",
        "3,0x11,1,u16,,,,,,",
        "3,24577,1,u16,,,,,,",
    ]);
    let imported = import_into(&site, &list);
    assert!(imported.code == 0, "{imported:?}");
    let profile = std::fs::read_to_string(site.folder().join("profiles/plc-4.toml")).unwrap();
    let profile = devices::profile::Profile::from_toml("plc-4", &profile).unwrap();
    let address = |n: usize| profile.field(&format!("PT-{n}")).map(|f| (f.span.function, f.span.address));
    assert_eq!((0..6).map(address).collect::<Vec<_>>(), [[Some((3, 16)); 5].as_slice(), &[Some((3, 24_576))]].concat());
}

#[test]
fn a_profile_from_a_list_has_a_place_is_the_one_of_its_device_and_overwrites_none() {
    let list = with_registers(&["3,0x10,,u16,,,,,,"]);
    let site = Site::minimal();
    let alone = import(site.folder(), "tags.csv", list.as_bytes());
    assert!(
        alone.code == 2 && alone.err.contains("文件 file：表里有寄存器，还要在站点配置旁写 profiles/plc-4.toml"),
        "{alone:?}"
    );
    let undescribed = list.replace("bus-a,40,A1", ",,");
    is_told(
        &import_into(&site, &undescribed),
        &["第 2 行 row 2 仪表 device：写了寄存器的行，至少有一行要描述仪表 PLC-4"],
    );
    let shipped = list.replace("站号,", "站号,型号,").replace("bus-a,40,", "bus-a,40,tank-f32,");
    is_told(&import_into(&site, &shipped), &["第 2 行 row 2 型号 profile：tank-f32 是随程序提供的型号"]);
    let unnamed = list.replace("PLC-4", "四号柜");
    is_told(&import_into(&site, &unnamed), &["第 2 行 row 2 型号 profile：写一个型号名称"]);
    let two = with_registers(&["3,0x10,,u16,,,,,,", "3,0x11,,u16,,,,,,"]);
    let two = two.replace("仪表,", "仪表,量,").replace("PLC-4,", "PLC-4,pressure,");
    is_told(&import_into(&site, &two), &["第 3 行 row 3 寄存器地址 address：型号 plc-4 的 pressure 在第 2 行写的"]);
    assert!(!site.folder().join("profiles").exists());
    std::fs::create_dir_all(site.folder().join("profiles")).unwrap();
    std::fs::write(site.folder().join("profiles/plc-4.toml"), "mine").unwrap();
    is_told(&import_into(&site, &list), &["第 2 行 row 2 型号 profile："]);
    assert_eq!(std::fs::read_to_string(site.folder().join("profiles/plc-4.toml")).unwrap(), "mine");
}

#[test]
fn two_instruments_of_one_kind_share_a_profile() {
    let site = Site::minimal();
    let list = with_registers(&["3,0x10,,u16,,,0.001,,,", "3,0x10,,u16,,,0.001,,,"]);
    let list = list.replace("仪表,", "仪表,量,型号,").replacen("PLC-4,bus-a,40", "P-4,pressure,my-head,bus-a,40", 1);
    let imported = import_into(&site, &list.replacen("PLC-4,bus-a,40", "P-5,pressure,my-head,bus-a,41", 1));
    assert!(imported.code == 0 && imported.err.is_empty(), "{imported:?}");
    let check = run(&["check", "--config", site.file().to_str().unwrap()]);
    assert!(check.code == 0 && check.out.contains("自备型号 my-head"), "{check:?}");
}
