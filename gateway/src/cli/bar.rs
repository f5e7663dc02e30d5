//! Progress of what takes longer than two seconds: a bar on a terminal, one line elsewhere.

use std::io::IsTerminal as _;

const BAR: usize = 30;

pub(super) struct Bar {
    what: &'static str,
    terminal: bool,
    shown: usize,
}

impl Bar {
    pub(super) fn new(what: &'static str) -> Self {
        let terminal = std::io::stderr().is_terminal();
        if !terminal {
            eprintln!("{what} …");
        }
        Self { what, terminal, shown: usize::MAX }
    }

    pub(super) fn show(&mut self, share: f64) {
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 … 1000")]
        let permille = (share * 1000.0) as usize;
        if !self.terminal || permille == self.shown {
            return;
        }
        self.shown = permille;
        let full = permille * BAR / 1000;
        eprint!("\r\x1b[K{} [{}{}] {:>3} %", self.what, "█".repeat(full), "·".repeat(BAR - full), permille / 10);
    }

    pub(super) fn done(&self) {
        if self.terminal {
            eprint!("\r\x1b[K");
        }
    }
}
