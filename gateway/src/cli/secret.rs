//! A password from a file, the terminal or a pipe. Never from the command line, where everybody on the machine could read it.

use super::Exit;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use std::io::{self, BufRead, IsTerminal, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// More than the longest password in the longest encoding: a wrong file is not read to its end.
const BYTES_MAX: u64 = 4096;

/// A new password, without the end of its line; a terminal asks twice.
pub(super) fn read(file: Option<&Path>) -> Result<String, Exit> {
    from(file, twice)
}

/// The password of somebody who has one; a terminal asks once.
pub(super) fn known(file: Option<&Path>) -> Result<String, Exit> {
    from(file, || Quiet::begin().and_then(|_quiet| ask("口令 password: ")))
}

fn from(file: Option<&Path>, terminal: impl Fn() -> io::Result<String>) -> Result<String, Exit> {
    let text = match file {
        Some(path) => from_file(path)?,
        None if io::stdin().is_terminal() => terminal().map_err(|error| unreadable(&error))?,
        None => first_line(&mut io::stdin().lock()).map_err(|error| unreadable(&error))?,
    };
    if text.is_empty() {
        eprintln!(
            "没有口令：从终端输入、用管道送一行，或写 --password-file\nno password: type it, pipe one line, or give --password-file"
        );
        return Err(Exit::Usage);
    }
    Ok(text)
}

fn from_file(path: &Path) -> Result<String, Exit> {
    let shown = path.display();
    let open = || {
        let file = std::fs::File::open(path)?;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        Ok::<_, io::Error>((file, mode))
    };
    let (file, mode) = open().map_err(|error| {
        eprintln!("无法读取口令文件 {shown}，检查路径和权限 · cannot read {shown}: {error}");
        Exit::Usage
    })?;
    if mode & 0o077 != 0 {
        eprintln!(
            "口令文件 {shown} 可被其他用户读取（{mode:o}）：chmod 600 {shown}，并换一个口令\n\
             {shown} can be read by others (mode {mode:o}): chmod 600 {shown}, and choose another password"
        );
        return Err(Exit::Usage);
    }
    first_line(&mut io::BufReader::new(file)).map_err(|error| unreadable(&error))
}

fn unreadable(error: &io::Error) -> Exit {
    eprintln!("无法读取口令 · the password cannot be read: {error}");
    Exit::Io
}

fn first_line(from: &mut dyn BufRead) -> io::Result<String> {
    let mut line = String::new();
    from.take(BYTES_MAX).read_line(&mut line)?;
    Ok(line.trim_end_matches(['\n', '\r']).to_owned())
}

/// Asks twice, until both agree.
fn twice() -> io::Result<String> {
    let _quiet = Quiet::begin()?;
    loop {
        let first = ask("口令 password: ")?;
        if first.is_empty() {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "no password given"));
        }
        if ask("再输一次 again: ")? == first {
            return Ok(first);
        }
        eprintln!("两次不同，请重来 · they differ, once more");
    }
}

fn ask(prompt: &str) -> io::Result<String> {
    let mut out = io::stderr();
    write!(out, "{prompt}")?;
    out.flush()?;
    let line = first_line(&mut io::stdin().lock())?;
    eprintln!();
    Ok(line)
}

/// The terminal without echo, as long as this lives.
struct Quiet(Termios);

impl Quiet {
    fn begin() -> io::Result<Self> {
        let before = tcgetattr(io::stdin())?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(io::stdin(), OptionalActions::Flush, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_keeps_its_spaces_and_loses_its_line_end() {
        let line = |text: &str| first_line(&mut text.as_bytes()).unwrap();
        assert_eq!(line(" two words \r\nmore\n"), " two words ");
        assert_eq!(line(""), "");
    }

    #[test]
    fn a_password_file_that_others_can_read_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        std::fs::write(&path, "红杉木在雨后的山坡上生长\n").unwrap();
        for (mode, good) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            assert_eq!(read(Some(&path)).is_ok(), good, "{mode:o}");
        }
    }
}
