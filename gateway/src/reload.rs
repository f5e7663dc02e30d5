//! Another configuration, as a person or a signal asks for it: who, why, and what came of it.
//!
//! ```text
//!   page, `reload` ─► Desk ─► [1] ─► the station's loop (cli::station) ─► InForce · Unchanged · Restarting · Defects
//!   SIGHUP ───────────────────────►
//! ```
//! Owns the words between the page and the loop. Leaves checking and switching to that loop, who may ask to `web::routes`.

use crate::config::Diagnostic;
use crate::lock::lock;
use rules::hazard::Decision;
use rules::{Actor, Now};
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::sync::{mpsc, oneshot};

/// Answers to repeated requests kept, oldest first out.
const ANSWERS_MAX: usize = 16;

/// Who asks for a configuration.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Asker {
    /// Nobody: the gateway starts with what is on the disk.
    #[default]
    Start,
    /// SIGHUP; who sent a signal is not known.
    Signal,
    /// A signed-in person.
    Person { actor: Actor, reason: String },
    /// Nobody: what this one asked for could not run, and the one before starts again.
    Fallback { wanted_by: String, error: String },
}

impl Asker {
    /// The word in the journal: a user name, or what stands for one.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Start => "start",
            Self::Signal => "SIGHUP",
            Self::Person { actor, .. } => &actor.user,
            Self::Fallback { .. } => "fallback",
        }
    }

    /// The person's decision.
    #[must_use]
    pub fn decision(&self, at: Now) -> Option<Decision> {
        let Self::Person { actor, reason } = self else { return None };
        let Actor { user, role, terminal } = actor.clone();
        Some(Decision { by: user, role, at, reason: reason.clone(), terminal })
    }
}

/// What came of it.
#[derive(Clone, Debug)]
pub enum Answer {
    /// The rules are in force, without a stop.
    InForce,
    /// It is what runs already: nothing was done.
    Unchanged,
    /// Another wiring: a clean stop and a start follow.
    Restarting,
    /// The running one is kept.
    Defects(Vec<Diagnostic>),
}

/// What a running station made of a good configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Taken {
    InForce,
    /// Word for word what runs.
    Unchanged,
    /// It needs a stop and a start.
    No,
}

/// One request to the station's loop.
#[derive(Debug)]
pub struct Wish {
    pub asker: Asker,
    pub(crate) reply: Option<oneshot::Sender<Answer>>,
}

impl Wish {
    pub(crate) fn of_signal() -> Self {
        Self { asker: Asker::Signal, reply: None }
    }

    /// Somebody who no longer listens misses it.
    pub(crate) fn answer(&mut self, answer: Answer) {
        if let Some(reply) = self.reply.take() {
            let _ = reply.send(answer);
        }
    }
}

/// Another request is being worked on, or the station is stopping.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnderWay;

/// Where the page hands in a request. It outlives a switch of the wiring, so that a repeated request meets the first one's answer.
#[derive(Clone, Debug)]
pub struct Desk {
    wishes: mpsc::Sender<Wish>,
    /// Held while one is worked on.
    one: Arc<tokio::sync::Mutex<()>>,
    answers: Arc<Mutex<VecDeque<(String, Answer)>>>,
}

/// A desk and the loop's end of it; one request at a time.
#[must_use]
pub fn desk() -> (Desk, mpsc::Receiver<Wish>) {
    let (wishes, inbox) = mpsc::channel(1);
    (Desk { wishes, one: Arc::default(), answers: Arc::default() }, inbox)
}

impl Desk {
    /// Asks the station to take its file as it is now. The same key again gets the first answer and changes nothing.
    /// # Errors
    /// [`UnderWay`].
    pub async fn ask(&self, asker: Asker, key: Option<String>) -> Result<Answer, UnderWay> {
        if let Some(done) = key.as_ref().and_then(|key| self.answered(key)) {
            return Ok(done);
        }
        let _one = self.one.try_lock().map_err(|_| UnderWay)?;
        let (reply, told) = oneshot::channel();
        self.wishes.try_send(Wish { asker, reply: Some(reply) }).map_err(|_| UnderWay)?;
        let answer = told.await.map_err(|_| UnderWay)?;
        if let (Some(key), Answer::InForce | Answer::Unchanged | Answer::Restarting) = (key, &answer) {
            let mut answers = lock(&self.answers);
            answers.push_back((key, answer.clone()));
            if answers.len() > ANSWERS_MAX {
                answers.pop_front();
            }
        }
        Ok(answer)
    }

    fn answered(&self, key: &str) -> Option<Answer> {
        let answers = lock(&self.answers);
        answers.iter().find(|(known, _)| known == key).map(|(_, answer)| answer.clone())
    }
}
