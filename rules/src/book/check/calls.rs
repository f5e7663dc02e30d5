//! Posts to be called: levels, priorities and areas that exist, and nobody twice for one alarm. Leaves alarms without a post to
//! [`super::uncalled`].

use super::report::Report;
use crate::book::calls::LEVELS;
use crate::book::{BookParts, Call};

pub(super) fn calls(r: &mut Report, parts: &BookParts) {
    for (i, call) in parts.calls.iter().enumerate() {
        one(r, i, call, parts);
        if let Some(first) = parts.calls[..i].iter().position(|c| c.post == call.post && c.meets(call)) {
            let (post, level, first) = (&call.post, call.level, first + 1);
            r.error(
                format!("calls[#{i}].post"),
                format!("L{level} 的“{post}”与第 {first} 个 [[call]] 重复：同一报警会叫两次"),
                format!("{post:?} is called at level {level} by [[call]] no. {first} already, for the same alarms"),
                (
                    "删去一个，或让两者的 areas 或 priorities 不重叠",
                    "remove one, or give the two other areas or priorities",
                ),
            );
        }
    }
}

fn one(r: &mut Report, i: usize, call: &Call, parts: &BookParts) {
    let at = |field: &str| format!("calls[#{i}].{field}");
    if call.post.trim().is_empty() {
        r.error(
            at("post"),
            "没有写岗位",
            "no post is given",
            ("写岗位，例如 post = \"值班长\"，不写人名", "name the post, such as 值班长, and no person"),
        );
    }
    call.priorities.iter().for_each(|p| r.priority(at("priorities"), *p));
    for area in call.areas.iter().filter(|a| !parts.areas.is_empty() && !parts.areas.contains(a)) {
        r.error(
            at("areas"),
            format!("没有名为“{area}”的区域"),
            format!("there is no area named {area:?}"),
            ("改为四色图上的区域键", "name an area of the plan"),
        );
    }
    if !LEVELS.contains(&call.level) {
        r.error(
            at("level"),
            format!("升级级别 {} 不在 1…3 之间", call.level),
            format!("level {} is not within 1 … 3", call.level),
            ("1 最先叫，3 最后叫", "1 is called first, 3 last"),
        );
    } else if !call.priorities.is_empty() && !call.priorities.iter().any(|p| is_reached(parts, *p, call.level)) {
        let list: Vec<String> = call.priorities.iter().map(u8::to_string).collect();
        let (priorities, level) = (list.join(", "), call.level);
        r.warn(
            at("priorities"),
            format!("优先级 {priorities} 的报警不会升级到 L{level}：永远不会叫“{}”", call.post),
            format!("alarms of priority {priorities} never reach level {level}: {:?} is never called", call.post),
            (
                "1 级升级到 L3，2 级到 L2，3、4 级不升级",
                "priority 1 goes up to level 3, 2 up to level 2, 3 and 4 to none",
            ),
        );
    }
}

pub(super) fn is_reached(parts: &BookParts, priority: u8, level: u8) -> bool {
    parts.policy.levels_of(priority).any(|reached| reached == level)
}

#[cfg(test)]
mod tests {
    use crate::book::check_tests::parts;
    use crate::book::{Call, Defect, RuleBook};

    fn call(level: u8, post: &str, areas: &[&str], priorities: &[u8]) -> Call {
        let areas = areas.iter().map(|a| (*a).to_owned()).collect();
        Call { level, post: post.into(), post_en: "post".into(), areas, priorities: priorities.to_vec() }
    }

    /// Path and English words of what is said of these calls, in a site of the areas A and B that has no alarm that escalates.
    fn said(calls: Vec<Call>) -> Vec<(String, bool, String)> {
        let mut p = parts();
        (p.areas, p.calls) = (vec!["A".into(), "B".into()], calls);
        let defects = RuleBook::build(p).map_or_else(|defects| defects, |(_, warnings)| warnings);
        defects.into_iter().map(|Defect { path, fatal, message_en, .. }| (path, fatal, message_en)).collect()
    }

    fn one(calls: Vec<Call>, path: &str, fatal: bool, words: &str) {
        let found = said(calls);
        let [(at, is_fatal, message)] = found.as_slice() else { panic!("{path}: {found:?}") };
        assert!(at == path && *is_fatal == fatal && message.contains(words), "{found:?}");
    }

    #[test]
    fn a_level_an_area_a_priority_or_a_post_that_is_none_is_refused_at_its_place() {
        one(
            vec![call(1, "值班长", &[], &[]), call(4, "安全总监", &[], &[])],
            "calls[#1].level",
            true,
            "level 4 is not within",
        );
        one(vec![call(0, "值班长", &[], &[])], "calls[#0].level", true, "level 0");
        one(vec![call(1, "值班长", &["A", "C"], &[])], "calls[#0].areas", true, "no area named \"C\"");
        one(vec![call(1, "值班长", &[], &[1, 5])], "calls[#0].priorities", true, "priority 5");
        one(vec![call(1, " ", &[], &[])], "calls[#0].post", true, "no post");
    }

    #[test]
    fn a_post_that_one_alarm_would_have_called_twice_is_refused_and_one_of_another_area_or_level_is_not() {
        let first = || call(1, "值班长", &["A"], &[]);
        one(vec![first(), call(1, "值班长", &[], &[2])], "calls[#1].post", true, "[[call]] no. 1 already");
        assert_eq!(said(vec![first(), call(1, "值班长", &["B"], &[]), call(2, "值班长", &["A"], &[])]), []);
    }

    #[test]
    fn a_post_for_alarms_that_never_reach_its_level_is_told() {
        one(
            vec![call(3, "主任", &[], &[2])],
            "calls[#0].priorities",
            false,
            "alarms of priority 2 never reach level 3",
        );
        one(vec![call(1, "主任", &[], &[3, 4])], "calls[#0].priorities", false, "priority 3, 4");
        assert_eq!(said(vec![call(3, "主任", &[], &[1, 2]), call(3, "总经理", &[], &[])]), []);
    }
}
