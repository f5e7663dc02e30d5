//! Secrets: the configuration names files, never what is in them.
//!
//! Owns where a file is looked for and who may be able to read it; a secret's text never enters a message. Leaves what a secret is for to `settings` and `links`.

use super::diagnostic::Finding;
use std::ffi::OsStr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where systemd puts what `LoadCredential=` names.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// The secret in a file, or why it cannot be used.
pub(super) fn secret(key: &str, file: &Path, base: &Path, findings: &mut Vec<Finding>) -> Option<String> {
    let Place { path, of_supervisor } = place(file, base, std::env::var_os(CREDENTIALS).as_deref());
    let shown = path.display();
    let mode = match std::fs::metadata(&path) {
        Ok(meta) => meta.permissions().mode(),
        Err(error) => {
            findings.push(Finding::fatal(
                key,
                (format!("无法读取 {shown}"), format!("cannot read {shown}: {error}")),
                (
                    "建立此文件，只写入密钥一行，权限 0600".into(),
                    "create this file with the secret on one line, mode 0600".into(),
                ),
            ));
            return None;
        }
    };
    // systemd lets the service's user in by an access list, which shows as group bits; the folder is the service's own.
    if mode & 0o077 != 0 && !of_supervisor {
        findings.push(Finding::fatal(
            key,
            (
                format!("{shown} 可被其他用户读取（{:o}）", mode & 0o777),
                format!("{shown} can be read by others (mode {:o})", mode & 0o777),
            ),
            (format!("chmod 600 {shown}，并更换此密钥"), format!("chmod 600 {shown}, and replace the secret")),
        ));
        return None;
    }
    match std::fs::read_to_string(&path) {
        Ok(text) if !text.trim().is_empty() => Some(text.trim().to_owned()),
        Ok(_) | Err(_) => {
            findings.push(Finding::fatal(
                key,
                (format!("{shown} 为空或不可读"), format!("{shown} is empty or cannot be read")),
                ("写入密钥一行".into(), "write the secret on one line".into()),
            ));
            None
        }
    }
}

/// Where a secret's file is.
pub(super) fn secret_path(file: &Path, base: &Path) -> PathBuf {
    place(file, base, std::env::var_os(CREDENTIALS).as_deref()).path
}

struct Place {
    path: PathBuf,
    /// In the folder that only the supervisor fills.
    of_supervisor: bool,
}

/// A path counts from the configuration's folder. A plain name is looked for among systemd's credentials first, then in `secrets/`
/// beside the configuration, so that `check` by hand reads the file that `LoadCredential=` will hand over.
fn place(file: &Path, base: &Path, credentials: Option<&OsStr>) -> Place {
    let ours = |path| Place { path, of_supervisor: false };
    if file.components().count() > 1 {
        return ours(base.join(file));
    }
    let credential = credentials.map(|dir| Path::new(dir).join(file)).filter(|path| path.exists());
    if let Some(path) = credential {
        return Place { path, of_supervisor: true };
    }
    let kept = base.join("secrets").join(file);
    ours(if kept.exists() { kept } else { base.join(file) })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(folder: &Path, name: &str) {
        std::fs::create_dir_all(folder).unwrap();
        std::fs::write(folder.join(name), "hush\n").unwrap();
        std::fs::set_permissions(folder.join(name), std::fs::Permissions::from_mode(0o440)).unwrap();
    }

    #[test]
    fn a_plain_name_is_a_credential_first_then_in_secrets_then_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let (base, credentials) = (folder.path().join("etc"), folder.path().join("run"));
        let file = Path::new("mqtt");
        let found = || place(file, &base, Some(credentials.as_os_str())).path;
        put(&base, "mqtt");
        assert_eq!(found(), base.join("mqtt"));
        put(&base.join("secrets"), "mqtt");
        assert_eq!(found(), base.join("secrets/mqtt"));
        put(&credentials, "mqtt");
        assert_eq!(found(), credentials.join("mqtt"));
        assert_eq!(
            place(Path::new("secrets/mqtt"), &base, Some(credentials.as_os_str())).path,
            base.join("secrets/mqtt")
        );
    }

    #[test]
    fn only_what_the_supervisor_hands_over_may_show_group_bits() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "mqtt");
        assert!(place(Path::new("mqtt"), Path::new("/nowhere"), Some(folder.path().as_os_str())).of_supervisor);
        let mut findings = Vec::new();
        assert_eq!(secret("mqtt.password_file", Path::new("mqtt"), folder.path(), &mut findings), None);
        assert_eq!(findings.len(), 1);
    }
}
