//! A hidden danger as a person must have seen it before they move it on: what it is and where, how grave, how far it is, what they are
//! about to do.
//!
//! Owns the lines. Leaves asking to [`super::look`], and what each step does in words to [`super::operate_hazard`].

use super::asked::Trouble;
use super::look::Shown;
use super::operate::path;
use super::person::Person;
use super::screen::{moment, rows, text};
use super::{Exit, operate_hazard::Deed};
use serde_json::Value;

/// What the record is about, as the station names it.
struct About {
    measure: Value,
    risk: Value,
    /// The point behind the alarm; null where it is a device, a vote, or gone.
    point: Value,
}

/// The lines, and the number by which it was seen; or that it is over as this step would have it.
pub(super) async fn shown(person: &Person, id: &str, deed: &Deed) -> Result<Shown, Trouble> {
    let open = person.get("/api/v1/hazards").await?;
    let Some(row) = rows(&open).find(|h| h["id"] == id) else {
        let closed = person.get("/api/v1/hazards?closed=true").await?;
        return over(id, rows(&closed).find(|h| h["id"] == id), deed).map(Shown::AlreadySo);
    };
    let (measures, risks) = (person.get("/api/v1/measures").await?, person.get("/api/v1/risks").await?);
    let named = |list: &Value, key: &Value| rows(list).find(|one| one["key"] == *key).cloned().unwrap_or_default();
    let behind = row["cause"].as_str().and_then(|cause| Some(cause.rsplit_once(':')?.0));
    let point = match behind {
        Some(point) => person.get(&path(&["points", point])).await.unwrap_or_default(),
        None => Value::Null,
    };
    let about = About { measure: named(&measures, &row["measure"]), risk: named(&risks, &row["risk"]), point };
    Ok(Shown::Stands(lines(row, &about, deed), row["moved_seq"].as_u64().unwrap_or_default()))
}

/// A step tried again after it was done has nothing left to do; any other one no longer can be done.
fn over(id: &str, row: Option<&Value>, deed: &Deed) -> Result<String, Trouble> {
    let Some(row) = row else {
        let text = format!("{id}: 没有这条隐患，没有执行 · no hidden danger of that number, nothing was done");
        return Err(Trouble { text, exit: Exit::Usage });
    };
    let stage = row["stage"]["stage"].as_str().unwrap_or_default();
    let (zh, en, step) = match stage {
        "rejected" => ("已排除", "rejected as a false alarm", "reject"),
        _ => ("已销号", "closed", "close"),
    };
    if deed.step == step {
        return Ok(format!("{id}: {zh}，没有改变 · {en}: it is over already, nothing was changed"));
    }
    let text = format!("{id}: {zh}，没有执行 · {en}: it is over already, nothing was done");
    Err(Trouble { text, exit: Exit::Refused })
}

fn lines(row: &Value, about: &About, deed: &Deed) -> String {
    let mut lines = vec![stands(row), what(row, about)];
    lines.extend(work(&row["stage"]));
    lines.push(format!("  这一步 this step: {} · {}", deed.does.0, deed.does.1));
    let fits: Vec<&str> = rows(&row["next_steps"]).filter_map(Value::as_str).collect();
    if !fits.contains(&deed.step) {
        // as they are called on this command line
        let fits = fits.iter().map(|step| format!("{step}-hazard")).collect::<Vec<_>>().join(", ");
        lines.push(format!("  现在还不能做，能做的是 it does not fit now, what fits is: {fits}"));
    }
    lines.join("\n")
}

/// Its number, grade and stage, what the expected step lacks.
fn stands(row: &Value) -> String {
    let level = match row["stage"]["level"].as_str() {
        Some("major") => "重大 major",
        Some("general") => "一般 general",
        _ => "未评估等级 not graded yet",
    };
    let overdue = if row["overdue"] == true { " · 逾期 OVERDUE" } else { "" };
    let lacks: Vec<&str> = rows(&row["lacks"]).filter_map(Value::as_str).map(lacking).collect();
    let lacks = if lacks.is_empty() { "无 nothing".to_owned() } else { lacks.join("、") };
    let seq = row["moved_seq"].as_u64().unwrap_or_default();
    format!("{} {} · {level}{overdue} · 尚缺 lacks {lacks} · 编号 seq {seq}", text(row, "id"), stage(&row["stage"]))
}

/// What a step needs, in the words of the page; an unknown one is shown as it is.
fn lacking(word: &str) -> &str {
    match word {
        "confirmation" => "安全员确认 confirmation by the safety officer",
        "level" => "等级 level",
        "criteria" => "判定依据 criteria",
        "cause" => "原因 cause",
        "responsibility" => "责任 responsibility",
        "measures" => "措施 measures",
        "funds" => "资金 funds",
        "due_at" => "期限 date",
        "emergency" => "预案 emergency plan",
        "report" => "向监管部门报告 report to the department",
        "responsible" => "责任人 responsible person",
        "interim_control" => "期间管控措施 control meanwhile",
        "evidence" => "整改证据 evidence of the work",
        "inspector" => "另一人验收 another person as inspector",
        "opinion" => "验收意见 opinion",
        "review_report" => "复查验收报告 review report",
        "closing" => "销号 closing",
        "normal" => "起因报警恢复正常 a normal alarm",
        other => other,
    }
}

fn stage(stage: &Value) -> String {
    let zh = match stage["stage"].as_str() {
        Some("candidate") => "待确认",
        Some("registered") => "已登记",
        Some("assessed") => "已评估",
        Some("planned") => "已定方案",
        Some("reported") => "已报告",
        Some("rectifying") => "整改中",
        Some("waiting") => "待验收",
        Some("accepted") => "已验收",
        _ => "",
    };
    format!("{zh} {}", text(stage, "stage"))
}

/// What failed and where: as a person found it, or by the alarm behind it with how it stands now.
fn what(row: &Value, about: &About) -> String {
    let found = &row["found"];
    let mut lines = Vec::new();
    if found.is_object() {
        lines.push(format!("  位置 place: {} · 情况 what: {}", text(found, "place"), text(found, "description")));
    } else {
        let normal =
            if row["condition_normal"] == true { "现已正常 normal now" } else { "仍未正常 not normal" };
        let name = if about.point.is_object() { both(&about.point, "name") } else { String::new() };
        let times = rows(&row["occurrences"]).count();
        lines.push(format!(
            "  起因 cause: {}{name}，{normal} · {times} 次 {}，始于 since {}",
            text(row, "cause"),
            if times == 1 { "time" } else { "times" },
            moment(&row["opened"]["wall"]["utc_ms"])
        ));
    }
    let (measure, risk) = (&about.measure, &about.risk);
    lines.push(format!(
        "  失效的管控措施 control measure that fails: {}{}",
        text(row, "measure"),
        both(measure, "text")
    ));
    lines.push(format!("  风险 risk: {}{} · 区域 area {}", text(row, "risk"), both(risk, "name"), text(risk, "area")));
    lines.join("\n")
}

/// ` 中文 / English`, with whatever of the two there is.
fn both(of: &Value, key: &str) -> String {
    let word = |key: &str| of[key].as_str().filter(|word| !word.is_empty());
    match (word(key), word(&format!("{key}_en"))) {
        (Some(zh), Some(en)) if zh != en => format!(" {zh} / {en}"),
        (Some(one), _) | (None, Some(one)) => format!(" {one}"),
        (None, None) => String::new(),
    }
}

/// Who answers for it until when, and what was done.
fn work(stage: &Value) -> Option<String> {
    let work = stage.get("assignment")?;
    let done = stage["rectified"]["evidence"].as_str().map_or_else(String::new, |done| format!(" · 已做 done: {done}"));
    Some(format!(
        "  责任人 responsible: {} · 期限 until {}{done}",
        text(work, "responsible"),
        moment(&work["due"]["wall_utc_ms"])
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn about() -> About {
        About {
            measure: json!({ "key": "RA-01.M1", "text": "固定式检测", "text_en": "fixed detection" }),
            risk: json!({ "key": "RA-01", "name": "氨泄漏", "name_en": "Ammonia leak", "area": "A1" }),
            point: json!({ "key": "GT-101", "name": "一号罐东侧氨气", "name_en": "NH3 east of tank 1" }),
        }
    }

    const REJECT: Deed = Deed { step: "reject", does: ("判为误报", "a false alarm") };

    #[test]
    fn a_candidate_says_what_it_is_where_how_grave_how_far_and_what_will_be_done() {
        let row = json!({
            "id": "HD-1", "measure": "RA-01.M1", "risk": "RA-01", "cause": "GT-101:HH", "occurrences": ["a", "b"], "moved_seq": 41,
            "opened": { "wall": { "utc_ms": 0 } }, "stage": { "stage": "candidate" }, "next_steps": ["confirm", "reject"], "lacks": [],
            "condition_normal": false,
        });
        let shown = lines(&row, &about(), &REJECT);
        for part in [
            "HD-1 待确认 candidate · 未评估等级 not graded yet",
            "编号 seq 41",
            "GT-101:HH 一号罐东侧氨气 / NH3 east of tank 1，仍未正常 not normal · 2 次 times，",
            "RA-01.M1 固定式检测 / fixed detection",
            "RA-01 氨泄漏 / Ammonia leak · 区域 area A1",
            "这一步 this step: 判为误报 · a false alarm",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
        assert!(!shown.contains("不能做"), "{shown}");
    }

    #[test]
    fn a_step_that_ended_the_record_is_already_so_and_any_other_is_refused() {
        let rejected = json!({ "id": "HD-1", "stage": { "stage": "rejected" } });
        let said = over("HD-1", Some(&rejected), &REJECT).map_err(|trouble| trouble.text);
        assert_eq!(
            said.unwrap(),
            "HD-1: 已排除，没有改变 · rejected as a false alarm: it is over already, nothing was changed"
        );
        let close = Deed { step: "close", does: ("销号", "closed") };
        for (row, part, exit) in
            [(Some(&rejected), "已排除，没有执行", Exit::Refused), (None, "没有这条隐患", Exit::Usage)]
        {
            let trouble = over("HD-1", row, &close).unwrap_err();
            assert!(trouble.text.contains(part) && trouble.exit == exit, "{}", trouble.text);
        }
        let closed = json!({ "id": "HD-1", "stage": { "stage": "closed" } });
        assert!(over("HD-1", Some(&closed), &close).is_ok_and(|said| said.contains("已销号")));
    }

    #[test]
    fn what_a_person_found_has_its_place_its_work_and_whether_the_step_fits() {
        let row = json!({
            "id": "HD-2", "measure": "RA-01.M1", "risk": "RA-01", "cause": "", "occurrences": [], "moved_seq": 9, "overdue": true,
            "stage": {
                "stage": "waiting", "level": "major", "assignment": { "responsible": "chen", "due": { "wall_utc_ms": 0 } },
                "rectified": { "evidence": "已清理" },
            },
            "found": { "place": "东门", "description": "通道被占" }, "next_steps": ["accept"], "lacks": ["inspector", "opinion"],
        });
        let shown = lines(&row, &about(), &REJECT);
        for part in [
            "HD-2 待验收 waiting · 重大 major · 逾期 OVERDUE · 尚缺 lacks 另一人验收 another person as inspector、验收意见 opinion",
            "位置 place: 东门 · 情况 what: 通道被占",
            "责任人 responsible: chen · 期限 until 1970-01-01T08:00:00.000+08:00 · 已做 done: 已清理",
            "现在还不能做，能做的是 it does not fit now, what fits is: accept-hazard",
        ] {
            assert!(shown.contains(part), "{part}: {shown}");
        }
    }
}
