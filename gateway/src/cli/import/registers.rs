//! The cells of a row that say where its value lies: function, address, type, byte order, scale.
//!
//! Owns that nothing is guessed: not the width of a type, nor the order of several registers. Leaves how an address is counted to
//! [`super::address`], what a profile may say to `devices::profile`.

use super::address::{Base, placed};
use super::cells::{Row, pair};
use devices::profile::{WordOrder, shipped};
use serde::Serialize;
use toml::Value;

/// A field of a profile.
#[derive(Clone, PartialEq, Serialize)]
pub(super) struct Register {
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<u8>,
    address: String,
    #[serde(rename = "type")]
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    word_order: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bit: Option<u8>,
    #[serde(skip_serializing_if = "Option::is_none")]
    scale: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offset: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    sentinels: Vec<Value>,
    #[serde(skip_serializing_if = "String::is_empty")]
    unit: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    valid: Option<(f64, f64)>,
}

/// A row with one of these says where its value lies.
const CELLS: [&str; 9] =
    ["function", "address", "address_base", "type", "bit", "scale", "offset", "sentinels", "valid"];

/// Types as a profile has them, with the names that makers print; none that means different widths in different sheets.
const TYPES: [(&str, &[&str]); 14] = [
    ("u16", &["uint16", "word", "ushort", "无符号16位", "无符号整数16位"]),
    ("i16", &["int16", "short", "sint16", "有符号16位", "有符号整数16位"]),
    ("u32", &["uint32", "dword", "udint", "无符号32位"]),
    ("i32", &["int32", "dint", "有符号32位"]),
    ("u64", &["uint64"]),
    ("i64", &["int64"]),
    ("f32", &["float", "float32", "real", "单精度", "浮点", "浮点数", "32位浮点"]),
    ("f64", &["double", "float64", "lreal", "双精度"]),
    ("u8-high", &["高字节"]),
    ("u8-low", &["低字节"]),
    ("bcd16", &["bcd"]),
    ("bcd32", &[]),
    ("bit", &["bool", "boolean", "开关量", "位"]),
    ("u16-bit", &[]),
];
/// Two or four registers: without its order such a value may be another one.
const WIDE: [&str; 7] = ["u32", "i32", "u64", "i64", "f32", "f64", "bcd32"];

impl Row<'_> {
    pub(super) fn is_register(&self) -> bool {
        CELLS.iter().any(|key| self.cell(key).is_some())
    }

    /// The profile of the row's device; where its rows make it, the device's name in small letters is enough.
    pub(super) fn profile(&mut self) -> Option<String> {
        if let Some(profile) = self.text("profile") {
            if self.is_register() && !is_file_name(&profile) {
                self.wrong(
                    "profile",
                    format!("“{profile}”不能作文件名：只用字母、数字和 - _ ."),
                    format!("`{profile}` cannot name a file: letters, digits and - _ . only"),
                );
                return None;
            }
            return Some(profile);
        }
        if !self.is_register() {
            return None;
        }
        let name = self.cell("device")?.to_lowercase();
        if is_file_name(&name) && shipped(&name).is_none() {
            return Some(name);
        }
        let zh = "写一个型号名称（字母、数字和 - _ .）：由寄存器生成的型号文件用它命名，仪表名不能作文件名".into();
        let en = "give a name of letters, digits and - _ . for the profile that is made from these registers: the device's cannot name a file";
        self.wrong("profile", zh, en.into());
        None
    }

    /// What the row says of its registers; `None` where it says nothing, or something wrong.
    pub(super) fn register(&mut self) -> Option<Register> {
        if !self.is_register() {
            return None;
        }
        let before = self.defects.len();
        let function = self.function();
        let place = self.place(function);
        let kind = self.type_of(function.or(place.as_ref().and_then(|(of_reference, _)| *of_reference)));
        let word_order = self.order_of(kind.unwrap_or("u16"));
        let bit = self.within("bit", 0, 15);
        let (scale, offset) = (self.factor(), self.real("offset"));
        let (sentinels, valid) = (self.sentinels(), self.bounds());
        let unit = self.text("unit").unwrap_or_default();
        let (Some((of_reference, address)), Some(kind)) = (place, kind) else { return None };
        let function = function.filter(|_| of_reference.is_none());
        let register = Register { function, address, kind, word_order, bit, scale, offset, sentinels, unit, valid };
        (self.defects.len() == before).then_some(register)
    }

    /// 3, 03, FC3.
    fn function(&mut self) -> Option<u8> {
        let cell = self.text("function")?;
        let digits = cell.trim_start_matches(['F', 'f', 'C', 'c', '0', 'x', ' ']);
        match digits.parse() {
            Ok(function @ 1..=4) => return Some(function),
            Ok(5u8 | 6 | 15 | 16) => self.wrong(
                "function",
                format!("功能码 {cell} 是写：仪表只读，用 1 线圈、2 离散输入、3 保持寄存器或 4 输入寄存器"),
                format!("function {cell} writes: instruments are only read, by 1 coils, 2 inputs, 3 holding or 4 input registers"),
            ),
            _ => self.wrong(
                "function",
                format!("“{cell}”不是功能码：写 1 线圈、2 离散输入、3 保持寄存器或 4 输入寄存器"),
                format!("`{cell}` is no function: write 1 coils, 2 inputs, 3 holding or 4 input registers"),
            ),
        }
        None
    }

    /// Function of the notation, and the address as a profile has it.
    fn place(&mut self, function: Option<u8>) -> Option<(Option<u8>, String)> {
        let base = self.base()?;
        let Some(cell) = self.text("address") else {
            self.wrong(
                "address",
                "不能为空：这一行写了寄存器".into(),
                "must not be empty: this row gives a register".into(),
            );
            return None;
        };
        let (of_reference, address) = match placed(&cell, base) {
            Ok(place) => place,
            Err((zh, en)) => {
                self.wrong("address", zh, en);
                return None;
            }
        };
        match (of_reference, function) {
            (Some(of_reference), Some(function)) if function != of_reference => self.wrong(
                "function",
                format!("功能码是 {function}，而 {cell} 的记法属于功能码 {of_reference}"),
                format!("the function is {function}, but the reference {cell} is of function {of_reference}"),
            ),
            // wrong ones have been told
            (None, None) if self.cell("function").is_none() => self.wrong(
                "function",
                "不能为空：写 1、2、3 或 4".into(),
                "must not be empty: write 1, 2, 3 or 4".into(),
            ),
            _ => return Some((of_reference, address)),
        }
        None
    }

    /// Outside `None` where the cell is wrong, inside where it is empty.
    #[allow(clippy::option_option, reason = "wrong, or not there")]
    fn base(&mut self) -> Option<Option<Base>> {
        let Some(cell) = self.text("address_base") else { return Some(None) };
        match cell.to_lowercase().as_str() {
            "0" => Some(Some(Base::From(0))),
            "1" => Some(Some(Base::From(1))),
            "4xxxx" | "3xxxx" | "1xxxx" | "0xxxx" => Some(Some(Base::Reference)),
            _ => {
                self.wrong(
                    "address_base",
                    format!("“{cell}”不是地址基准：写 0 或 1（第一个寄存器的编号），或 4xxxx（40001 记法）"),
                    format!("`{cell}` is no address base: write 0 or 1, the number of the first register, or 4xxxx for references such as 40001"),
                );
                None
            }
        }
    }

    fn type_of(&mut self, function: Option<u8>) -> Option<&'static str> {
        let known = || TYPES.map(|(kind, _)| kind).join(", ");
        let Some(cell) = self.text("type") else {
            self.wrong(
                "type",
                format!("不能为空；可用：{}", known()),
                format!("must not be empty; there are {}", known()),
            );
            return None;
        };
        let word: String = cell.to_lowercase().split_whitespace().collect();
        let found = TYPES.iter().find(|(kind, others)| *kind == word || others.contains(&word.as_str()));
        let Some((kind, _)) = found else {
            let zh = format!("没有数据类型“{cell}”（int、long 各家宽度不同）；可用：{}", known());
            self.wrong(
                "type",
                zh,
                format!(
                    "there is no type `{cell}` (int and long differ in width from maker to maker); there are {}",
                    known()
                ),
            );
            return None;
        };
        match (function, *kind, self.cell("bit").is_some()) {
            (Some(1 | 2), "bit", false) => Some("bit"),
            (Some(1 | 2), ..) => {
                self.wrong(
                    "type",
                    "功能码 1、2 的类型是 bit，没有“位”".into(),
                    "functions 1 and 2 have the type bit, and no number of a bit".into(),
                );
                None
            }
            (_, "bit" | "u16-bit", true) => Some("u16-bit"),
            (Some(_), "bit" | "u16-bit", false) => {
                self.wrong(
                    "bit",
                    "寄存器里的一位：写第几位，0–15".into(),
                    "a bit of a register: write which, 0–15".into(),
                );
                None
            }
            (_, _, true) => {
                self.wrong("bit", "只与数据类型 bit 同用".into(), "goes with the type bit only".into());
                None
            }
            (_, kind, false) => Some(kind),
        }
    }

    /// Two orders of one value may both look right: of several registers it is not guessed.
    fn order_of(&mut self, kind: &str) -> Option<String> {
        if self.cell("word_order").is_none() && WIDE.contains(&kind) {
            self.wrong(
                "word_order",
                format!("{kind} 占多个寄存器，各家字序不同：写 ABCD（高字在前）、CDAB（低字在前）、BADC 或 DCBA；hazard-gateway read --expect 可测出"),
                format!("{kind} takes several registers and makers differ: write ABCD (high word first), CDAB (low word first), BADC or DCBA; hazard-gateway read --expect finds it"),
            );
        }
        // a word that is none is told where the point is made
        let known = |word: &str| WordOrder::named(&word.to_uppercase());
        self.cell("word_order").and_then(known).map(|order| order.word().to_owned())
    }

    fn factor(&mut self) -> Option<f64> {
        let scale = self.real("scale")?;
        if scale == 0.0 {
            self.wrong("scale", "系数不能为 0".into(), "the scale cannot be 0".into());
            return None;
        }
        Some(scale)
    }

    fn sentinels(&mut self) -> Vec<Value> {
        let Some(cell) = self.text("sentinels") else { return Vec::new() };
        let words = cell.split([',', '，', ';', '；', '、', ' ']).filter(|word| !word.is_empty());
        let values: Option<Vec<Value>> = words.map(sentinel).collect();
        values.unwrap_or_else(|| {
            self.wrong(
                "sentinels",
                format!("“{cell}”不是无效值，如 0xFFFF; 9999; -999.9"),
                format!("`{cell}` is no list of sentinels, such as 0xFFFF; 9999; -999.9"),
            );
            Vec::new()
        })
    }

    fn bounds(&mut self) -> Option<(f64, f64)> {
        let cell = self.text("valid")?;
        let bounds = pair(&cell).filter(|(low, high)| low.is_finite() && high.is_finite() && low < high);
        if bounds.is_none() {
            self.wrong(
                "valid",
                format!("“{cell}”不是有效范围，如 -50..150"),
                format!("`{cell}` is no range such as -50..150"),
            );
        }
        bounds
    }
}

fn is_file_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphanumeric())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b))
}

fn sentinel(word: &str) -> Option<Value> {
    if let Some(digits) = word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
        return i64::from_str_radix(digits, 16).ok().map(Value::Integer);
    }
    word.parse()
        .map(Value::Integer)
        .ok()
        .or_else(|| word.parse().ok().filter(|n: &f64| n.is_finite()).map(Value::Float))
}
