//! File structs become a checked site, or the list of everything that is wrong with them.
//!
//! Owns the order of the checks and that one defect is said once. Leaves each subject to its own module.

use super::absent::{missing_table, nothing_read, of_the_known, show_lines_once};
use super::diagnostic::Finding;
use super::file::{OfficeFile, OfficeTable, SiteFile, SiteTable};
use super::locate::SourceFile;
use super::shape::Shaped;
use super::{
    Beside, Office, Site, annunciator, buses, calls, derived, english, fast, heartbeat, off_plan, pace, parts,
    profile_files, register, settings, substances, unassessed,
};
use crate::hex::hex;
use crate::snapshot::{Points, SiteView};
use rules::RuleBook;
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

/// Of the configuration's hash in every alarm event: enough to tell any two configurations of a site apart.
const REVISION_DIGITS: usize = 12;

/// What comes out: a site and warnings, or findings of which at least one is fatal.
type Built<T> = Result<(T, Vec<Finding>), Vec<Finding>>;

/// Builds a site with what lies beside it; `files` gets what was read of that.
pub(super) fn site(
    shaped: Shaped<SiteFile>,
    table: &toml::Table,
    beside: Beside<'_>,
    files: &mut Vec<SourceFile>,
) -> Built<Site> {
    let base = beside.folder;
    let Shaped { mut file, mut findings, broken, tainted } = shaped;
    let of_shape = findings.len();
    let expressions = derived::prepare(&mut file, &broken, &mut findings);
    let head = site_table(&file, table, &mut findings);
    check_areas(&file, &broken, &mut findings);
    register::check(&file, &broken, &mut findings);
    off_plan::check(&file, &mut findings);
    unassessed::check(&file, &mut findings);
    let (profiles, own_profiles) = profile_files::load(&file, beside, files, &mut findings);
    buses::check(&file, base, &profiles, &broken, &mut findings);
    pace::check(&file, &profiles, &mut findings);
    fast::check(&file, &mut findings);
    heartbeat::check(&file, &profiles, &mut findings);
    substances::check(&file, &mut findings);
    calls::check(&file, &mut findings);
    english::check(table, &mut findings);
    nothing_read(&file, &broken, &mut findings);
    let web = settings::web(file.web.as_ref(), 8080, &mut findings);
    let history = settings::history(file.history.as_ref(), &mut findings);
    let annunciator = annunciator::check(&file, base, &broken, &mut findings);
    let site_key = head.map_or("", |h| h.key.as_str());
    let mqtt = file.mqtt.as_ref().map(|m| settings::mqtt(m, site_key, base, &mut findings));
    let influx = file.influx.as_ref().and_then(|i| settings::influx(i, base, &mut findings));
    let hash = hash(table);
    let book = book(&file, &hash, &broken, &mut findings);
    leave_out_tainted(&mut findings, of_shape, &tainted);
    show_lines_once(&mut findings);
    let (Some(head), Some(book)) = (head, book) else { return Err(findings) };
    if findings.iter().any(|f| f.fatal) {
        return Err(findings);
    }
    let site = Site {
        key: head.key.clone(),
        data_dir: base.join(&head.data_dir),
        view: Arc::new(view(&file, head, &book, hash)),
        buses: buses::specs(&file, base, &book, &profiles),
        derived: expressions.into_iter().filter_map(|(key, e)| Some((book.point_id(&key)?, e))).collect(),
        book,
        web,
        mqtt,
        influx,
        history,
        annunciator,
        own_profiles,
    };
    Ok((site, findings))
}

/// Builds an office.
pub(super) fn office(shaped: Shaped<OfficeFile>, table: &toml::Table, base: &Path) -> Built<Office> {
    let Shaped { file, mut findings, tainted, .. } = shaped;
    let of_shape = findings.len();
    let head: Option<&OfficeTable> = file.office.as_ref();
    missing_table(head.is_none(), "office", table, &mut findings);
    missing_table(file.mqtt.is_none(), "mqtt", table, &mut findings);
    let web = settings::web(file.web.as_ref(), super::folder::OFFICE_PORT, &mut findings);
    let mqtt = file.mqtt.as_ref().map(|m| settings::mqtt(m, "office", base, &mut findings));
    leave_out_tainted(&mut findings, of_shape, &tainted);
    match (head, mqtt, findings.iter().any(|f| f.fatal)) {
        (Some(head), Some(mqtt), false) => {
            let office = Office {
                data_dir: base.join(&head.data_dir),
                name: head.name.clone(),
                name_en: head.name_en.clone(),
                web,
                mqtt,
            };
            Ok((office, findings))
        }
        _ => Err(findings),
    }
}

fn site_table<'a>(file: &'a SiteFile, table: &toml::Table, findings: &mut Vec<Finding>) -> Option<&'a SiteTable> {
    missing_table(file.site.is_none(), "site", table, findings);
    let head = file.site.as_ref()?;
    let ok = (1..=32).contains(&head.key.len())
        && head.key.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !ok {
        findings.push(Finding::fatal(
            "site.key",
            (
                format!("站点键“{}”不能用于主题和事件编号", head.key),
                format!("the site key `{}` cannot stand in topics and event ids", head.key),
            ),
            ("用 1–32 个小写字母、数字或连字符".into(), "use 1–32 lower-case letters, digits or hyphens".into()),
        ));
    }
    if head.plan.0 <= 0.0 || head.plan.1 <= 0.0 {
        findings.push(Finding::fatal(
            "site.plan",
            ("平面图尺寸必须大于零".into(), "the plan's size must be above zero".into()),
            ("写 plan = [东西米数, 南北米数]".into(), "write plan = [metres east, metres north]".into()),
        ));
    }
    Some(head)
}

fn check_areas(file: &SiteFile, broken: &BTreeSet<String>, findings: &mut Vec<Finding>) {
    let keys: Vec<&str> = file.area.iter().map(|a| a.key.as_str()).collect();
    let mut used: Vec<(String, &str)> = Vec::new();
    used.extend(file.device.iter().map(|d| (format!("device[{}].area", d.key), d.area.as_str())));
    used.extend(file.vote.iter().map(|v| (format!("vote[{}].area", v.key), v.area.as_str())));
    used.extend(file.risk.iter().map(|r| (format!("risk[{}].area", r.key), r.area.as_str())));
    used.extend(file.point.iter().filter_map(|p| Some((format!("point[{}].area", p.key), p.area.as_deref()?))));
    for (i, call) in file.call.iter().enumerate() {
        used.extend(call.areas.iter().enumerate().map(|(n, area)| (format!("call[#{i}].areas[#{n}]"), area.as_str())));
    }
    for (path, area) in used {
        if !keys.contains(&area) && !broken.contains(area) {
            findings.push(Finding::fatal(
                path,
                (format!("没有名为 {area} 的区域"), format!("there is no area `{area}`")),
                of_the_known("area", area, &keys),
            ));
        }
    }
}

fn book(file: &SiteFile, hash: &str, broken: &BTreeSet<String>, findings: &mut Vec<Finding>) -> Option<RuleBook> {
    let revision = &hash[..REVISION_DIGITS];
    let parts = parts::book_parts(file, revision, findings);
    let (book, defects) = match RuleBook::build(parts) {
        Ok((book, warnings)) => (Some(book), warnings),
        Err(defects) => (None, defects),
    };
    let said: Vec<String> = findings.iter().filter(|f| f.fatal).map(|f| f.path.clone()).collect();
    let is_said =
        |path: &str| said.iter().any(|s| s == path || s.strip_prefix(path).is_some_and(|rest| rest.starts_with('[')));
    let news = defects.into_iter().map(Finding::from).filter(|f| !is_said(&f.path));
    let news: Vec<Finding> = news.filter(|f| !broken.iter().any(|key| mentions(f, key))).collect();
    findings.extend(news);
    book
}

/// Nothing is said about a value that the shape made up after reporting what stood there.
fn leave_out_tainted(findings: &mut Vec<Finding>, of_shape: usize, tainted: &BTreeSet<String>) {
    let below = |path: &str, above: &String| {
        path.strip_prefix(above.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
    };
    let mut n = 0;
    findings.retain(|f| {
        n += 1;
        n <= of_shape || !tainted.iter().any(|above| below(&f.path, above))
    });
}

/// A defect that only follows from an entry already reported.
fn mentions(finding: &Finding, key: &str) -> bool {
    finding.message_en.contains(&format!("{key:?}")) || finding.path.contains(&format!("[{key}]"))
}

fn view(file: &SiteFile, head: &SiteTable, book: &RuleBook, config_hash: String) -> SiteView {
    SiteView {
        site: head.key.clone(),
        name: head.name.clone(),
        name_en: head.name_en.clone(),
        config_hash,
        points: Points::of(book.clone()),
        risks: book.risks().to_vec(),
        measures: book.measures().to_vec(),
        sources: book.sources().to_vec(),
        areas: parts::area_views(file, book.risks()),
        plan: head.plan,
        demo: false,
        names: parts::names(file, book),
        calls: calls::list(file),
    }
}

/// Of the merged table, so that order and comments do not matter.
fn hash(table: &toml::Table) -> String {
    let text = toml::to_string(table).unwrap_or_default();
    hex(&Sha256::digest(text.as_bytes()))
}
