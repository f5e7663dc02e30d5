//! Why an instrument gave no registers, and what to try: told with the unit, function and address that were asked for.
//!
//! Pure. Owns the words for `read`, `probe` and what they have in common. Leaves a link that does not open to [`super::unopened`].

use devices::commission::Silence;
use devices::plan::Span;

/// Where the person who asks turns what does not fit: on the command line, or in the files of the site.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asks {
    ByHand,
    ByProfile,
}

impl Asks {
    const fn patience(self) -> &'static str {
        match self {
            Self::ByHand => "--timeout-ms",
            Self::ByProfile => "[[link]] timeout_ms",
        }
    }
}

/// What nothing came to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Question {
    pub(super) unit: u8,
    pub(super) span: Span,
    pub(super) asks: Asks,
}

/// Why nothing came, and what to try.
pub(super) fn because(silence: &Silence, question: Question) -> String {
    let (unit, patience) = (question.unit, question.asks.patience());
    match silence {
        Silence::Exception(code @ 1..=3) => question.refused(*code),
        Silence::Exception(code @ (0x0A | 0x0B)) => format!(
            "网关或转换器联系不上站号 {unit}（异常 {code:#04X}）· the converter cannot reach unit {unit} (exception {code:#04X})"
        ),
        Silence::Exception(code) => {
            format!("站号 {unit} 拒绝（异常 {code}）· unit {unit} refuses (exception {code})")
        }
        Silence::Timeout => format!(
            "站号 {unit} 没有应答：检查站号、波特率、A/B 线，或加大 {patience} · unit {unit} does not answer: check id, baud rate, A/B wires, or raise {patience}"
        ),
        Silence::Damaged => {
            "应答损坏：波特率、校验位不符，或两台仪表同一站号 · damaged answer: wrong baud rate or parity, or two instruments with one id".into()
        }
        Silence::Ambiguous => format!(
            "站号 {unit} 的应答迟到，分不清答的是哪一次询问，未采用：加大 {patience}，并确认线上没有别的主站 · late answers of unit {unit} that cannot be told from \
             those to other questions, not taken: raise {patience}, and see that no other master is on the line"
        ),
        Silence::Link(why) => format!("链路中断 · the link failed: {why}"),
    }
}

impl Question {
    /// By one of the three exceptions that speak of the question itself.
    fn refused(self, code: u8) -> String {
        let (unit, function, place) = (self.unit, format!("{:02}", self.span.function), self.place());
        let (why_zh, why_en) = match code {
            1 => ("不支持这个功能码", "does not support this function"),
            2 => ("没有这些地址", "has no such address"),
            _ => ("不接受这个数量或取值", "does not take this count or value"),
        };
        let (try_zh, try_en) = self.remedy(code);
        format!(
            "站号 {unit} {why_zh}（异常 {code}）：问的是功能 {function}，地址 {place}；{try_zh} · unit {unit} {why_en} (exception {code}): it was asked by function \
             {function} for address {place}; {try_en}"
        )
    }

    /// On the wire, and as a manual may write its first one.
    fn place(self) -> String {
        let (first, count) = (u32::from(self.span.address), u32::from(self.span.count));
        let last = if count > 1 { format!("–{}", first + count - 1) } else { String::new() };
        format!("{first}{last} (= {})", reference(self.span.function, first))
    }

    fn remedy(self, code: u8) -> (String, String) {
        let Span { function, address, count } = self.span;
        let (other, other_reference) =
            (other_function(function), reference(other_function(function), u32::from(address)));
        if self.asks == Asks::ByProfile {
            let (base, base_en) = match code {
                2 => (
                    "，address 从 0 还是从 1 数起；仪表可能没有这一路",
                    ", and whether `address` counts from 0 or 1; this instrument may not have the channel",
                ),
                3 => (
                    "，address 和一次读取的数量上限 max_registers",
                    ", `address`, and how much is read at once (`max_registers`)",
                ),
                _ => ("", ""),
            };
            return (
                format!("检查型号文件：function 是 {function} 还是 {other}{base}"),
                format!("check the profile: whether `function` is {function} or {other}{base_en}"),
            );
        }
        let fewer = if count > 1 { ("，或 --count 1", ", or --count 1") } else { ("", "") };
        let base = match (code, address) {
            (1, _) => String::new(),
            (_, 0) => format!(" --function {function} --address 1"),
            (_, address) => format!(" --function {function} --address {}", address - 1),
        };
        let (base_zh, base_en) = match base.is_empty() {
            true => (String::new(), String::new()),
            false => {
                (format!("；地址基数差一时试{base}"), format!("; where its list counts from the other base, try{base}"))
            }
        };
        let fewer = if code == 1 { ("", "") } else { fewer };
        (
            format!("试 --function {other} --address {address}（手册写 {other_reference}）{base_zh}{}", fewer.0),
            format!("try --function {other} --address {address} ({other_reference} in manuals){base_en}{}", fewer.1),
        )
    }
}

/// Of the same kind: what is not in one table is often in its neighbour.
const fn other_function(function: u8) -> u8 {
    match function {
        1 => 2,
        2 => 1,
        3 => 4,
        _ => 3,
    }
}

/// As manuals write it: 40001, and with six digits only where five are not enough.
pub(super) fn reference(function: u8, address: u32) -> String {
    let table = match function {
        1 => '0',
        2 => '1',
        4 => '3',
        _ => '4',
    };
    if address < 9_999 { format!("{table}{:04}", address + 1) } else { format!("{table}{:05}", address + 1) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: u8, span: (u8, u16, u16), asks: Asks) -> String {
        let (function, address, count) = span;
        because(&Silence::Exception(code), Question { unit: 17, span: Span { function, address, count }, asks })
    }

    #[test]
    fn a_refusal_names_the_unit_the_function_and_the_address_that_were_asked_for_and_what_to_try() {
        let two = said(2, (3, 40, 2), Asks::ByHand);
        for part in [
            "站号 17",
            "异常 2",
            "功能 03",
            "地址 40–41 (= 40041)",
            "--function 4",
            "30041",
            "--address 39",
            "--count 1",
        ] {
            assert!(two.contains(part), "{part}: {two}");
        }
        for part in
            ["unit 17", "exception 2", "function 03", "address 40–41 (= 40041)", "try --function 4 --address 40"]
        {
            assert!(two.contains(part), "{part}: {two}");
        }
        let one = said(1, (4, 0, 1), Asks::ByHand);
        assert!(
            one.contains("不支持这个功能码（异常 1）：问的是功能 04，地址 0 (= 30001)") && one.contains("--function 3"),
            "{one}"
        );
        assert!(
            one.contains("--function 3 --address 0") && !one.contains("地址基数") && !one.contains("--count"),
            "{one}"
        );
        let three = said(3, (1, 0, 100), Asks::ByHand);
        assert!(
            three.contains("0–99 (= 00001)") && three.contains("--count 1") && three.contains("--address 1"),
            "{three}"
        );
    }

    #[test]
    fn who_reads_by_a_profile_is_told_no_option_that_the_command_does_not_have() {
        for code in 1..=3 {
            let told = said(code, (3, 40, 2), Asks::ByProfile);
            assert!(
                !told.contains("--") && told.contains("`function` is 3 or 4") && told.contains("站号 17"),
                "{told}"
            );
        }
    }

    #[test]
    fn references_are_those_of_the_table_that_the_function_reads() {
        let all = [1, 2, 3, 4].map(|function| reference(function, 17));
        assert_eq!(all, ["00018", "10018", "40018", "30018"]);
        assert_eq!((reference(3, 9_998), reference(3, 9_999)), ("49999".into(), "410000".into()));
    }
}
