//! The one table of what may be asked and by whom: routes, their actions, and roles × actions.
//!
//! A route that is not in [`ROUTES`] is refused before its handler runs, so forgetting an entry closes a door instead of opening one.

use schemars::JsonSchema;
use serde::Serialize;

/// What a person may be. A user may have several.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    Viewer,
    Operator,
    /// Shift leader (班长): what an operator may, and resets, bypasses and service.
    Shift,
    Engineer,
    Safety,
    Admin,
    Auditor,
}

impl Role {
    pub const ALL: [Self; 7] =
        [Self::Viewer, Self::Operator, Self::Shift, Self::Engineer, Self::Safety, Self::Admin, Self::Auditor];

    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Operator => "operator",
            Self::Shift => "shift",
            Self::Engineer => "engineer",
            Self::Safety => "safety",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }

    /// What people call it in Chinese: the one name in the journal, on the page, on a terminal and in the documents.
    #[must_use]
    pub fn name_zh(self) -> &'static str {
        match self {
            Self::Viewer => "只读",
            Self::Operator => "值班员",
            Self::Shift => "班长",
            Self::Engineer => "仪表工",
            Self::Safety => "安全员",
            Self::Admin => "管理员",
            Self::Auditor => "审计员",
        }
    }

    /// `operator+shift` → `值班员、班长`; a word that is no role stays.
    #[must_use]
    pub fn names_zh(words: &str) -> String {
        words
            .split('+')
            .map(|word| Self::of_word(word).map_or(word, |role| role.name_zh()))
            .collect::<Vec<_>>()
            .join("、")
    }

    #[must_use]
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// What is done, as far as permission goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Look at anything that is shown.
    View,
    /// See whom to call, with telephone numbers and names.
    ReadCallList,
    /// Acknowledge alarms.
    Acknowledge,
    /// Shelve and unshelve alarms, silence the sound, set the mode of a unit.
    Shelve,
    /// Reset a latched alarm or a first-out group.
    Reset,
    /// Approve and end a bypass.
    Bypass,
    /// Take points out of service and back.
    Service,
    /// Hear the annunciator for a moment.
    TestAnnunciator,
    /// Decide on hidden dangers: confirm, reject, assess, plan, report, assign, close.
    DecideHazard,
    /// Register a hidden danger that was found, and say that the work is done.
    WorkOnHazard,
    /// Accept the work on a hidden danger, or send it back.
    AcceptHazard,
    /// Start a scenario of the simulated site.
    RunScenario,
    /// Office: confirm that a person has taken note of an event.
    ConfirmEvent,
    /// Put the configuration on the disk in the place of the running one.
    ChangeConfig,
    /// List, create, change and end users and their sessions.
    ManageUsers,
}

impl Action {
    pub const ALL: [Self; 15] = [
        Self::View,
        Self::ReadCallList,
        Self::Acknowledge,
        Self::Shelve,
        Self::Reset,
        Self::Bypass,
        Self::Service,
        Self::TestAnnunciator,
        Self::DecideHazard,
        Self::WorkOnHazard,
        Self::AcceptHazard,
        Self::RunScenario,
        Self::ConfirmEvent,
        Self::ChangeConfig,
        Self::ManageUsers,
    ];
}

/// The table role × action. An administrator runs users, not the plant: no acknowledging.
#[must_use]
pub fn allows(role: Role, action: Action) -> bool {
    match action {
        Action::View => true,
        // personal data: for those who would call, not for everybody with a screen
        Action::ReadCallList => matches!(role, Role::Operator | Role::Shift | Role::Engineer | Role::Safety),
        Action::Acknowledge | Action::Shelve => matches!(role, Role::Operator | Role::Shift),
        Action::Reset | Action::Bypass => matches!(role, Role::Shift | Role::Safety),
        Action::Service => matches!(role, Role::Shift | Role::Engineer | Role::Safety),
        Action::DecideHazard => matches!(role, Role::Safety),
        Action::AcceptHazard => matches!(role, Role::Shift | Role::Safety),
        Action::WorkOnHazard => matches!(role, Role::Operator | Role::Shift | Role::Engineer | Role::Safety),
        Action::TestAnnunciator => matches!(role, Role::Operator | Role::Shift | Role::Engineer | Role::Safety),
        Action::RunScenario => matches!(role, Role::Operator | Role::Shift | Role::Engineer | Role::Safety),
        Action::ConfirmEvent => matches!(role, Role::Operator | Role::Safety),
        Action::ChangeConfig => matches!(role, Role::Engineer | Role::Admin),
        Action::ManageUsers => matches!(role, Role::Admin),
    }
}

/// The roles that may ask for this; empty where no role is needed.
#[must_use]
pub fn who_may(method: &str, path: &str) -> Vec<Role> {
    let is_it = |row: &&Route| {
        let (known, asked) = (row.path.split('/'), path.split('/'));
        row.method == method
            && known.clone().count() == asked.clone().count()
            && known.zip(asked).all(|(known, asked)| known.starts_with('{') || known == asked)
    };
    match ROUTES.iter().find(is_it).map(|row| row.access) {
        Some(Access::Needs(action)) => Role::ALL.into_iter().filter(|role| allows(*role, action)).collect(),
        _ => Vec::new(),
    }
}

/// Who gets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Everybody who reaches the port.
    Open,
    /// Everybody, but a change must come from our own page (sign-in, setup).
    OwnPage,
    /// A session, or a peer on this machine.
    LoopbackOrSession,
    /// A session whose roles allow it.
    Needs(Action),
}

/// Which of the two stations answers it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Station {
    Both,
    Site,
    Office,
    /// A simulated site only.
    Demo,
}

/// One row.
#[derive(Clone, Copy, Debug)]
pub struct Route {
    pub method: &'static str,
    pub path: &'static str,
    pub access: Access,
    pub station: Station,
    pub summary: &'static str,
}

const fn row(
    method: &'static str,
    path: &'static str,
    access: Access,
    station: Station,
    summary: &'static str,
) -> Route {
    Route { method, path, access, station, summary }
}

const VIEW: Access = Access::Needs(Action::View);
const SHELVE: Access = Access::Needs(Action::Shelve);
const RESET: Access = Access::Needs(Action::Reset);
const BYPASS: Access = Access::Needs(Action::Bypass);
const SERVICE: Access = Access::Needs(Action::Service);
const DECIDE: Access = Access::Needs(Action::DecideHazard);
const WORK: Access = Access::Needs(Action::WorkOnHazard);
const USERS: Access = Access::Needs(Action::ManageUsers);

/// Every route but the page's own files, which are open and hold no data.
pub const ROUTES: &[Route] = &[
    row("GET", "/healthz", Access::Open, Station::Both, "the process answers"),
    row("GET", "/readyz", Access::Open, Station::Both, "store open and, at a site, first scan done"),
    row("GET", "/metrics", Access::LoopbackOrSession, Station::Both, "figures as Prometheus text"),
    row("GET", "/api/v1/openapi.json", VIEW, Station::Both, "this description"),
    row("GET", "/api/v1/session", Access::Open, Station::Both, "who is signed in and whether setup is needed"),
    row("POST", "/api/v1/session", Access::OwnPage, Station::Both, "sign in"),
    row("DELETE", "/api/v1/session", VIEW, Station::Both, "sign out"),
    row(
        "POST",
        "/api/v1/setup",
        Access::OwnPage,
        Station::Both,
        "create the first administrator with the one-time code",
    ),
    row("POST", "/api/v1/password", VIEW, Station::Both, "change one's own password"),
    row("GET", "/api/v1/users", USERS, Station::Both, "users and their roles"),
    row("POST", "/api/v1/users", USERS, Station::Both, "create a user"),
    row(
        "POST",
        "/api/v1/users/{name}",
        USERS,
        Station::Both,
        "change roles, password or disabled; ends the user's sessions",
    ),
    row("GET", "/api/v1/stream", VIEW, Station::Both, "server-sent events, resumable with Last-Event-ID"),
    row("GET", "/api/v1/status", VIEW, Station::Site, "one screen of figures"),
    row("GET", "/api/v1/points", VIEW, Station::Site, "points with their present values"),
    row("GET", "/api/v1/points/{id}", VIEW, Station::Site, "one point with its present value"),
    row(
        "GET",
        "/api/v1/points/{id}/history",
        VIEW,
        Station::Site,
        "min, max and last of a point per column of a curve",
    ),
    row("GET", "/api/v1/alarms", VIEW, Station::Site, "standing alarms"),
    row(
        "GET",
        "/api/v1/calls",
        Access::Needs(Action::ReadCallList),
        Station::Site,
        "whom to call when nobody acknowledges, with telephone numbers, in the order of calling",
    ),
    row("GET", "/api/v1/events", VIEW, Station::Site, "journal, oldest first"),
    row("GET", "/api/v1/kpi", VIEW, Station::Site, "figures of EEMUA 191 and ISA-18.2 beside their targets"),
    row("GET", "/api/v1/risks", VIEW, Station::Site, "registered risks"),
    row("GET", "/api/v1/measures", VIEW, Station::Site, "control measures of the risks"),
    row("GET", "/api/v1/sources", VIEW, Station::Site, "major hazard sources"),
    row("GET", "/api/v1/hazards", VIEW, Station::Site, "open hidden dangers; with closed=true those that are over"),
    row("GET", "/api/v1/devices", VIEW, Station::Site, "links and units with all their counters"),
    row(
        "GET",
        "/api/v1/devices/{bus}/exchanges",
        VIEW,
        Station::Site,
        "the last 256 exchanges of a link as raw frames",
    ),
    row(
        "GET",
        "/api/v1/devices/{bus}/incidents",
        VIEW,
        Station::Site,
        "raw frames around the last alarms and lost units of a link, or around one event on all links, as a file",
    ),
    row("GET", "/api/v1/incidents", VIEW, Station::Site, "incidents whose raw frames are kept, newest first"),
    row(
        "POST",
        "/api/v1/alarms/{id}/ack",
        Access::Needs(Action::Acknowledge),
        Station::Site,
        "acknowledge what was seen",
    ),
    row("POST", "/api/v1/alarms/{id}/shelve", SHELVE, Station::Site, "hide an alarm for a while, with a reason"),
    row("POST", "/api/v1/alarms/{id}/unshelve", SHELVE, Station::Site, "end a shelf; what is active is acknowledged"),
    row(
        "POST",
        "/api/v1/alarms/{id}/reset",
        RESET,
        Station::Site,
        "end a latched alarm that is normal and acknowledged",
    ),
    row("POST", "/api/v1/points/{id}/bypass", BYPASS, Station::Site, "approve a bypass under a permit"),
    row("GET", "/api/v1/requester", BYPASS, Station::Site, "as whom the record of a bypass would name who asked"),
    row("POST", "/api/v1/points/{id}/bypass/end", BYPASS, Station::Site, "end a bypass before its time"),
    row(
        "POST",
        "/api/v1/points/{id}/out-of-service",
        SERVICE,
        Station::Site,
        "stop judging a point, under a work order",
    ),
    row("POST", "/api/v1/points/{id}/out-of-service/end", SERVICE, Station::Site, "judge the point again"),
    row("POST", "/api/v1/first-out/{id}/reset", RESET, Station::Site, "forget the ranks of a first-out group"),
    row("POST", "/api/v1/units/{id}/mode", SHELVE, Station::Site, "set the mode of a unit of the plant"),
    row("POST", "/api/v1/silence", SHELVE, Station::Site, "stop the sound for a while"),
    row(
        "POST",
        "/api/v1/annunciator/test",
        Access::Needs(Action::TestAnnunciator),
        Station::Site,
        "sound the annunciator for a moment and look whether it was heard, with a reason",
    ),
    row("GET", "/api/v1/shelves", VIEW, Station::Site, "shelved alarms with reason and end"),
    row("GET", "/api/v1/bypasses", VIEW, Station::Site, "bypassed points and points out of service"),
    row("GET", "/api/v1/groups", VIEW, Station::Site, "votes, first-out groups, units with their modes, flood"),
    row("POST", "/api/v1/hazards", WORK, Station::Site, "register a hidden danger that a person found"),
    row("POST", "/api/v1/hazards/{id}/confirm", DECIDE, Station::Site, "confirm a candidate"),
    row("POST", "/api/v1/hazards/{id}/reject", DECIDE, Station::Site, "reject a candidate as false, with a reason"),
    row("POST", "/api/v1/hazards/{id}/assess", DECIDE, Station::Site, "say general or major, by which clause"),
    row("POST", "/api/v1/hazards/{id}/plan", DECIDE, Station::Site, "the five settled items of a major one"),
    row("POST", "/api/v1/hazards/{id}/report", DECIDE, Station::Site, "say that a major one was reported"),
    row("POST", "/api/v1/hazards/{id}/assign", DECIDE, Station::Site, "assign, or move the date with a reason"),
    row("POST", "/api/v1/hazards/{id}/rectify", WORK, Station::Site, "say that the work is done, with evidence"),
    row(
        "POST",
        "/api/v1/hazards/{id}/accept",
        Access::Needs(Action::AcceptHazard),
        Station::Site,
        "accept the work, or send it back with passed=false; never who did it",
    ),
    row("POST", "/api/v1/hazards/{id}/close", DECIDE, Station::Site, "close what is accepted and normal"),
    row(
        "POST",
        "/api/v1/config/reload",
        Access::Needs(Action::ChangeConfig),
        Station::Site,
        "take the configuration on the disk, with a reason; 422 lists its defects",
    ),
    row("GET", "/api/v1/demo/scenarios", VIEW, Station::Demo, "scenarios of the simulated site"),
    row("POST", "/api/v1/demo/scenarios", Access::Needs(Action::RunScenario), Station::Demo, "start a scenario"),
    row("DELETE", "/api/v1/demo/scenarios", Access::Needs(Action::RunScenario), Station::Demo, "stop all scenarios"),
    row("GET", "/api/v1/office/sites", VIEW, Station::Office, "sites and how they stand"),
    row("GET", "/api/v1/office/events", VIEW, Station::Office, "received events"),
    row(
        "POST",
        "/api/v1/office/events/{event_id}/confirm",
        Access::Needs(Action::ConfirmEvent),
        Station::Office,
        "a person took note",
    ),
    row("GET", "/api/v1/office/stream", VIEW, Station::Office, "server-sent events: only that something changed"),
];

/// The row a request falls under; HEAD counts as GET.
#[must_use]
pub fn find(method: &str, path: &str) -> Option<&'static Route> {
    let method = if method == "HEAD" { "GET" } else { method };
    ROUTES.iter().find(|route| route.method == method && fits(route.path, path))
}

fn fits(pattern: &str, path: &str) -> bool {
    let mut parts = path.split('/');
    pattern.split('/').all(|want| {
        parts.next().is_some_and(|part| if want.starts_with('{') { !part.is_empty() } else { want == part })
    }) && parts.next().is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_finds_its_row_and_a_stranger_none() {
        assert_eq!(find("HEAD", "/api/v1/points/GT-1").unwrap().path, "/api/v1/points/{id}");
        assert_eq!(find("POST", "/api/v1/alarms/GT-102:HH/ack").unwrap().path, "/api/v1/alarms/{id}/ack");
        assert!(find("POST", "/api/v1/points").is_none() && find("GET", "/api/v1/points/a/b").is_none());
        assert!(find("GET", "/api/v1/points/").is_none());
    }

    #[test]
    fn an_administrator_cannot_acknowledge_and_an_operator_cannot_manage_users() {
        assert!(!allows(Role::Admin, Action::Acknowledge) && allows(Role::Admin, Action::ManageUsers));
        assert!(allows(Role::Operator, Action::Acknowledge) && !allows(Role::Operator, Action::ManageUsers));
        assert!(!allows(Role::Operator, Action::DecideHazard) && allows(Role::Operator, Action::WorkOnHazard));
        assert!(Role::ALL.into_iter().all(|role| allows(role, Action::View)));
    }

    #[test]
    fn a_change_is_never_open() {
        for route in ROUTES.iter().filter(|route| route.method != "GET") {
            assert!(!matches!(route.access, Access::Open | Access::LoopbackOrSession), "{}", route.path);
        }
    }
}
