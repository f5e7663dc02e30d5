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
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// Shakes hands on `socket` as the client of the instrument at `address`.
pub(crate) async fn secure(socket: TcpStream, address: &str, files: &TlsFiles) -> io::Result<Box<dyn LinkStream>> {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host).trim_matches(['[', ']']);
    let name = files.server_name.as_deref().unwrap_or(host).to_owned();
    let name = ServerName::try_from(name).map_err(io::Error::other)?;
    let stream = TlsConnector::from(Arc::new(client(files)?)).connect(name, socket).await?;
    Ok(Box::new(stream))
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
