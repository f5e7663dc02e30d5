//! Modbus/TCP Security: TLS 1.2 or 1.3 around the socket, both ends with a certificate.
//!
//! Owns reading the PEM files and the handshake; files are read at every connect. Roles inside the instrument's certificate are the
//! instrument's matter: the gateway only reads.

use crate::TlsFiles;
use crate::connect::LinkStream;
use std::io;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{CertificateError, ClientConfig, Error as TlsError, RootCertStore};

/// Shakes hands on `socket` as the client of the instrument at `address`.
pub(crate) async fn secure(socket: TcpStream, address: &str, files: &TlsFiles) -> io::Result<Box<dyn LinkStream>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let name = files.server_name.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(name).map_err(io::Error::other)?;
    let stream = TlsConnector::from(Arc::new(client(files)?)).connect(name, socket).await.map_err(explained)?;
    Ok(Box::new(stream))
}

/// Why the instrument's certificate is not believed, and what to do: the words go into the event that tells of the lost link.
fn explained(error: io::Error) -> io::Error {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<TlsError>());
    let Some(TlsError::InvalidCertificate(why)) = cause else { return error };
    let told = match why {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "has expired: renew it, or set the clock of this machine".into()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "is not valid yet: set the clock of this machine".into()
        }
        CertificateError::UnknownIssuer => {
            "is signed by nobody in ca_file: put the authority that signed it there".into()
        }
        CertificateError::NotValidForName => "has another name: set server_name to one that is in it".into(),
        CertificateError::NotValidForNameContext { presented, .. } => {
            format!("has another name: set server_name to one that is in it ({})", names(presented))
        }
        other => format!("is not valid: {other}"),
    };
    io::Error::other(format!("the instrument's certificate {told}"))
}

/// `DnsName("plc-1")` as a person writes it.
fn names(presented: &[String]) -> String {
    let bare = |name: &String| name.split('"').nth(1).unwrap_or(name).to_owned();
    presented.iter().map(bare).collect::<Vec<_>>().join(", ")
}

fn client(files: &TlsFiles) -> io::Result<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for authority in certificates(&files.ca)? {
        roots.add(authority).map_err(io::Error::other)?;
    }
    let config = ClientConfig::builder_with_provider(Arc::new(default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots);
    let Some((certificate, key)) = &files.client else { return Ok(config.with_no_client_auth()) };
    let key = PrivateKeyDer::from_pem_file(key).map_err(|e| named(key, &e))?;
    config.with_client_auth_cert(certificates(certificate)?, key).map_err(io::Error::other)
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let all: Result<Vec<_>, _> = CertificateDer::pem_file_iter(path).map_err(|e| named(path, &e))?.collect();
    let all = all.map_err(|e| named(path, &e))?;
    if all.is_empty() { Err(named(path, &"no certificate in it")) } else { Ok(all) }
}

fn named(path: &Path, error: &dyn std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}
